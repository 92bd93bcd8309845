//! Floor 3: dead letters: what was refused, looked at through a mask, run again, or set aside for good.
//!
//! Nobody sees more of a person than the mending needs: values only where the contract's annotations let them through.
//! Restricted letters (nobody can tell whom they are about) and diverted reports are counts, and nothing else.

mod acts;
mod letter;
mod list;
mod tree;
mod undelivered;
mod unmask;
mod words;

pub use acts::{Act, comment_as, discard_as, retry_as};
pub use letter::{Letter, Look, look};
pub use list::{Group, MOST, Page, Query, groups, page, shown_contract};
pub use tree::{Branch, Node};
pub use unmask::{UNMASKED, unmask};
pub use words::{Advice, Language, advice};

use crate::domain::{Keys, MessageNumber};
use crate::journey::{Journey, Retried, standing_of};
use crate::store::{AuditAct, AuditRow, Concerned, MessageState, Store, Stored, StoredMessage, Tx};

/// Sets a letter aside for good, and with it what systems did not take of it. It stays refused; why is kept in the audit log.
///
/// # Errors
/// A fault of the store.
pub async fn discard<S: Store>(store: &S, number: MessageNumber, operator: &str, reason: &str) -> Stored<bool> {
    Ok(discard_where(store, number, operator, reason, None).await? == Act::Done(()))
}

/// The same, where the message still stands as it was seen, by these keys.
async fn discard_where<S: Store>(
    store: &S,
    number: MessageNumber,
    operator: &str,
    reason: &str,
    seen: Option<(&dyn Keys, &str)>,
) -> Stored<Act<()>> {
    let entries = undelivered::discard(store, number, operator, reason).await?;
    // What was set aside so has changed how the message stands.
    let seen = seen.filter(|_| entries == 0);
    Ok(match discard_message(store, number, operator, reason, seen).await? {
        Act::Nothing if entries > 0 => Act::Done(()),
        done => done,
    })
}

async fn discard_message<S: Store>(
    store: &S,
    number: MessageNumber,
    operator: &str,
    reason: &str,
    seen: Option<(&dyn Keys, &str)>,
) -> Stored<Act<()>> {
    let mut tx = store.begin("dead-letter-discard").await?;
    let Some(before) = tx.message(number).await? else { return Ok(Act::Nothing) };
    tx.lock(&before.message.person.map(Concerned::whole).unwrap_or_default()).await?;
    // Somebody may have run it again before the lock was ours.
    let Some(stored) = tx.message(number).await? else { return Ok(Act::Nothing) };
    if stored.discarded_at.is_some() || !is_open(&mut tx, &stored).await? {
        return Ok(Act::Nothing);
    }
    if let Some((keys, seen)) = seen
        && standing_of(&mut tx, keys, &stored).await? != seen
    {
        return Ok(Act::Changed);
    }
    tx.discard_message(number).await?;
    tx.audit(&AuditRow::by(AuditAct::Operator, operator).on(number).with("discard").because(reason)).await?;
    tx.commit().await?;
    Ok(Act::Done(()))
}

/// What running a letter once more has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Again {
    /// What the message is now; `None` where it is no dead letter itself.
    pub state: Option<MessageState>,
    /// How many entries go out again that systems had not taken.
    pub entries: usize,
}

/// Runs a letter once more under the contracts of today, lets go out again what systems did not take of it, and publishes anew
/// what its recipient has rejected. It moves; it is no new receipt. `None` where there is nothing that may be run.
///
/// # Errors
/// A fault of the store.
pub async fn retry<S: Store>(journey: &Journey, store: &S, number: MessageNumber, operator: &str) -> Stored<Option<Again>> {
    Ok(match retry_where(journey, store, number, operator, None).await? {
        Act::Done(again) => Some(again),
        _ => None,
    })
}

/// The same, where the message still stands as it was seen.
async fn retry_where<S: Store>(
    journey: &Journey,
    store: &S,
    number: MessageNumber,
    operator: &str,
    seen: Option<&str>,
) -> Stored<Act<Again>> {
    let released = undelivered::release(store, number, operator).await?;
    let entries = released + journey.publish_anew(store, number, operator).await?;
    let mut tx = store.begin("dead-letter-look").await?;
    let open = match tx.message(number).await? {
        Some(stored) => is_open(&mut tx, &stored).await?,
        None => false,
    };
    tx.commit().await?;
    // What was sent again has changed how the message stands.
    let seen = seen.filter(|_| entries == 0);
    let ran = if open { journey.retry_seen(store, number, operator, seen).await? } else { None };
    Ok(match ran {
        Some(Retried::Changed) => Act::Changed,
        Some(Retried::Ran(state)) => Act::Done(Again { state: Some(state), entries }),
        None if entries > 0 => Act::Done(Again { state: None, entries }),
        None => Act::Nothing,
    })
}

/// Whether a message is a dead letter, or has a refused leg, that an operator may look at.
async fn is_open<T: Tx>(tx: &mut T, stored: &StoredMessage) -> Stored<bool> {
    if stored.message.restricted || stored.discarded_at.is_some() {
        return Ok(false);
    }
    Ok(match stored.message.state {
        MessageState::Refused => true,
        MessageState::Journey => {
            let legs = tx.legs(stored.number).await?;
            legs.iter().any(|leg| leg.state == crate::store::LegState::Refused)
        }
        _ => false,
    })
}
