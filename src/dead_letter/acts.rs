//! What a person does with a dead letter. Each act asks for the right, keeps to whose letters the person sees, leaves an audit
//! row, and does nothing where the letter no longer stands as it was seen.

use super::letter::in_sight;
use super::list::Sight;
use super::{Again, discard_where, retry_where};
use crate::domain::{MessageNumber, Operator, Right};
use crate::journey::{Journey, standing_of};
use crate::store::{AuditAct, AuditRow, Store, Stored, Tx as _};

/// What an act came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act<T> {
    /// It is done.
    Done(T),
    /// The letter no longer stands as it was seen; nothing was done.
    Changed,
    /// There is nothing that the act could be done to, or it is none of theirs.
    Nothing,
    /// The role does not have the right.
    NotAllowed,
    /// It needs a reason.
    NoReason,
}

/// Runs a letter once more under the contracts of today, sends again what systems did not take of it, and publishes anew what
/// its recipient has rejected. `seen` is how it stood when it was looked at.
///
/// # Errors
/// A fault of the store.
pub async fn retry_as<S: Store>(
    journey: &Journey,
    store: &S,
    operator: &Operator,
    number: MessageNumber,
    seen: Option<&str>,
) -> Stored<Act<Again>> {
    if let Some(refused) = refused(journey, store, operator, number, seen).await? {
        return Ok(refused.into());
    }
    retry_where(journey, store, number, &operator.name, seen).await
}

/// Sets a letter aside for good, and with it what systems did not take of it.
///
/// # Errors
/// A fault of the store.
pub async fn discard_as<S: Store>(
    journey: &Journey,
    store: &S,
    operator: &Operator,
    number: MessageNumber,
    seen: Option<&str>,
    reason: &str,
) -> Stored<Act<()>> {
    if let Some(refused) = refused(journey, store, operator, number, seen).await? {
        return Ok(refused.into());
    }
    if reason.trim().is_empty() {
        return Ok(Act::NoReason);
    }
    let seen = seen.map(|seen| (journey.keys(), seen));
    discard_where(store, number, &operator.name, reason, seen).await
}

/// Writes a comment on a letter, for whoever looks at it next. It stands in the audit log, and nothing of the person may stand
/// in it.
///
/// # Errors
/// A fault of the store.
pub async fn comment_as<S: Store>(
    journey: &Journey,
    store: &S,
    operator: &Operator,
    number: MessageNumber,
    comment: &str,
) -> Stored<Act<()>> {
    if !operator.may(Right::Mend) {
        return Ok(Act::NotAllowed);
    }
    if comment.trim().is_empty() {
        return Ok(Act::NoReason);
    }
    let mut tx = store.begin("dead-letter-comment").await?;
    if in_sight(journey, &mut tx, operator, number).await?.is_none() {
        return Ok(Act::Nothing);
    }
    tx.audit(&AuditRow::by(AuditAct::Operator, &operator.name).on(number).with("comment").because(comment)).await?;
    tx.commit().await?;
    Ok(Act::Done(()))
}

/// Why nothing may be done.
enum Refused {
    Changed,
    Nothing,
    NotAllowed,
}

impl<T> From<Refused> for Act<T> {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Changed => Self::Changed,
            Refused::Nothing => Self::Nothing,
            Refused::NotAllowed => Self::NotAllowed,
        }
    }
}

/// Why somebody may not mend a letter now.
async fn refused<S: Store>(
    journey: &Journey,
    store: &S,
    operator: &Operator,
    number: MessageNumber,
    seen: Option<&str>,
) -> Stored<Option<Refused>> {
    if !operator.may(Right::Mend) {
        return Ok(Some(Refused::NotAllowed));
    }
    let mut tx = store.begin("dead-letter-look").await?;
    let Some(stored) = tx.message(number).await? else { return Ok(Some(Refused::Nothing)) };
    if !Sight::of(journey, operator).has(&stored.message.envelope.login) {
        return Ok(Some(Refused::Nothing));
    }
    let Some(seen) = seen else { return Ok(None) };
    let is_same = standing_of(&mut tx, journey.keys(), &stored).await? == seen;
    tx.commit().await?;
    Ok((!is_same).then_some(Refused::Changed))
}
