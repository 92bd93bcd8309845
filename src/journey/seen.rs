//! How a dead letter stood when somebody looked at it: an act on one that has changed since does nothing.

use crate::domain::{Keys, MessageNumber};
use crate::store::{AuditAct, Stored, StoredMessage, Tx};

/// How a message stands, as a word that tells nothing: it is another after each change and after each act of a person, so that
/// doing a thing twice does it once.
///
/// # Errors
/// A fault of the store.
pub async fn standing_of<T: Tx>(tx: &mut T, keys: &dyn Keys, stored: &StoredMessage) -> Stored<String> {
    let number: MessageNumber = stored.number;
    let message = &stored.message;
    let mut parts = vec![format!("{number} {} {:?} {:?}", message.state.as_str(), message.violations, stored.discarded_at)];
    for leg in tx.legs(number).await? {
        parts.push(format!("{} {} {:?}", leg.id.recipient, leg.state.as_str(), leg.code));
    }
    for entry in tx.refused_entries(number).await? {
        parts.push(format!("{} {} {}", entry.recipient, entry.position.0, entry.code));
    }
    let acts = tx.audited(number).await?.iter().filter(|act| act.row.act == AuditAct::Operator).count();
    parts.push(acts.to_string());
    let digest = keys.digest("dead-letter-standing", &[parts.join(" ").as_bytes()]);
    let digits = digest.iter().take(8).flat_map(|byte| [byte >> 4, byte & 15]);
    Ok(digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect())
}
