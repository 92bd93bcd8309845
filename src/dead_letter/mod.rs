//! Floor 3: dead letters: what was refused, looked at through a mask, run again, or set aside for good.
//!
//! Nobody sees more of a person than the mending needs: values only where the contract's annotations let them through.
//! Restricted letters (nobody can tell whom they are about) and diverted reports are counts, and nothing else.

mod undelivered;

use serde_json::Value;

use crate::domain::{Code, MessageNumber};
use crate::filter::mask;
use crate::intake::decode;
use crate::journey::{Journey, payload};
use crate::store::{AuditAct, AuditRow, Concerned, Feeds as _, MessageState, RefusedEntry, Store, Stored, StoredMessage, Tx};

/// A dead letter through the mask.
#[derive(Debug)]
pub struct MaskedLetter {
    /// Who sent it, its id, contract, and what became of it.
    pub stored: StoredMessage,
    /// Every violation: code and place.
    pub violations: Vec<(Code, String)>,
    /// The document with everything masked that an operator may not read; `None` where it could not be decoded.
    pub document: Option<Value>,
    /// What was made of it, or answers it, and a system did not take.
    pub undelivered: Vec<RefusedEntry>,
}

/// What looking for a letter found.
#[derive(Debug)]
pub enum Found {
    /// The letter.
    Letter(Box<MaskedLetter>),
    /// The message is no dead letter that may be looked at, but a system did not take what was made of it or answers it.
    /// Whether it is published, restricted or diverted is not told: only its envelope may be shown.
    Undelivered(Box<StoredMessage>, Vec<RefusedEntry>),
    /// Nothing that an operator may look at; the same answer for what is not there and for what is kept apart.
    Nothing,
}

/// Opens a letter through the mask. The reading leaves an audit row.
///
/// # Errors
/// A fault of the store.
pub async fn show<S: Store>(journey: &Journey, store: &S, number: MessageNumber, operator: &str) -> Stored<Found> {
    let mut tx = journey.begin(store, "dead-letter-show").await?;
    let Some(stored) = tx.message(number).await? else { return Ok(Found::Nothing) };
    let undelivered = tx.refused_entries(number).await?;
    if !is_open(&mut *tx, &stored).await? {
        if undelivered.is_empty() {
            return Ok(Found::Nothing);
        }
        tx.audit(&AuditRow::by(AuditAct::Reading, operator).on(number).with("envelope")).await?;
        tx.commit().await?;
        return Ok(Found::Undelivered(Box::new(stored), undelivered));
    }
    let bytes = tx.open(&stored.message).await?;
    tx.audit(&AuditRow::by(AuditAct::Reading, operator).on(number).with("masked")).await?;
    tx.commit().await?;
    let document = bytes.and_then(|bytes| document(journey, &stored, &bytes));
    let violations = stored.message.violations.clone();
    Ok(Found::Letter(Box::new(MaskedLetter { stored, violations, document, undelivered })))
}

/// Sets a letter aside for good, and with it what systems did not take of it. It stays refused; why is kept in the audit log.
///
/// # Errors
/// A fault of the store.
pub async fn discard<S: Store>(store: &S, number: MessageNumber, operator: &str, reason: &str) -> Stored<bool> {
    let entries = undelivered::discard(store, number, operator, reason).await?;
    Ok(discard_message(store, number, operator, reason).await? || entries > 0)
}

async fn discard_message<S: Store>(store: &S, number: MessageNumber, operator: &str, reason: &str) -> Stored<bool> {
    let mut tx = store.begin("dead-letter-discard").await?;
    let Some(seen) = tx.message(number).await? else { return Ok(false) };
    tx.lock(&seen.message.person.map(Concerned::whole).unwrap_or_default()).await?;
    // Somebody may have run it again before the lock was ours.
    let Some(stored) = tx.message(number).await? else { return Ok(false) };
    if stored.discarded_at.is_some() || !is_open(&mut tx, &stored).await? {
        return Ok(false);
    }
    tx.discard_message(number).await?;
    tx.audit(&AuditRow::by(AuditAct::Operator, operator).on(number).with("discard").because(reason)).await?;
    tx.commit().await?;
    Ok(true)
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
/// what its recipient has rejected. It moves; it
/// is no new receipt. `None` where there is nothing that may be run.
///
/// # Errors
/// A fault of the store.
pub async fn retry<S: Store>(journey: &Journey, store: &S, number: MessageNumber, operator: &str) -> Stored<Option<Again>> {
    let released = undelivered::release(store, number, operator).await?;
    let entries = released + journey.publish_anew(store, number, operator).await?;
    let mut tx = store.begin("dead-letter-look").await?;
    let open = match tx.message(number).await? {
        Some(stored) => is_open(&mut tx, &stored).await?,
        None => false,
    };
    tx.commit().await?;
    let state = if open { journey.retry(store, number, operator).await? } else { None };
    Ok((state.is_some() || entries > 0).then_some(Again { state, entries }))
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

fn document(journey: &Journey, stored: &StoredMessage, bytes: &[u8]) -> Option<Value> {
    let payload = payload(&stored.message.envelope, bytes).ok()?;
    let contract = journey.set().catalogue.contract(&stored.message.envelope.contract)?;
    let decoded = decode(payload, contract.outline()).ok()?;
    Some(mask(&contract.outline().shape, decoded.document().tree()))
}
