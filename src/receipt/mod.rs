//! Floor 3: receipts: what a recipient says of the events that it was served, read from a batch and judged one by one. Pure.
//!
//! No text of a recipient's own can come in: a receipt is an id that Brygga made, a kind, an instant, and for a rejection a
//! code of a closed list.

use jiff::Timestamp;
use serde::Deserialize;

use crate::agreement::Codes;
use crate::domain::{Keys, Position, ReceiptKind, RecipientId};
use crate::feed::{Cursor, Method};
use crate::store::ServedEntry;

/// The most receipts in one batch.
pub const MOST: usize = 500;

/// The list of codes with which a recipient rejects, in `codes/`.
const CODES: &str = "af-kvittens";

/// One receipt as it was stated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated {
    event_id: String,
    /// What is said.
    pub kind: ReceiptKind,
    /// The code, where something is rejected.
    pub code: Option<String>,
    /// When it came to be, by the recipient's own clock.
    pub at: Timestamp,
}

/// A batch that is not of the form: nothing of it is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a batch of receipts")]
pub struct Malformed;

/// Why one receipt is not taken. The names are contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceiptFault {
    /// The id is not one of this feed in its present epoch.
    ForeignId,
    /// The event was never served to this recipient, or is no longer kept.
    NotServed,
    /// The kind does not fit the event: a document is not acknowledged as withdrawn, a `DELETE` neither accepted nor rejected.
    Kind,
    /// A rejection without a code of the list, or a code with something else.
    Code,
    /// It contradicts what was said of the event before; the first stands.
    Conflict,
}

impl ReceiptFault {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::ForeignId, Self::NotServed, Self::Kind, Self::Code, Self::Conflict];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ForeignId => "foreign-id",
            Self::NotServed => "not-served",
            Self::Kind => "kind",
            Self::Code => "code",
            Self::Conflict => "conflict",
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenBatch {
    receipts: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Written {
    event_id: String,
    kind: String,
    code: Option<String>,
    at: String,
}

/// Reads a batch.
///
/// # Errors
/// [`Malformed`] for all that is not of the form, too many receipts, or none.
pub fn read(bytes: &[u8]) -> Result<Vec<Stated>, Malformed> {
    let batch: WrittenBatch = serde_json::from_slice(bytes).map_err(|_| Malformed)?;
    if batch.receipts.is_empty() || batch.receipts.len() > MOST {
        return Err(Malformed);
    }
    batch.receipts.into_iter().map(stated).collect()
}

fn stated(written: Written) -> Result<Stated, Malformed> {
    let kind = written.kind.parse().map_err(|()| Malformed)?;
    let at: Timestamp = written.at.parse().map_err(|_| Malformed)?;
    // To the microsecond, as everything that is stored.
    let at = Timestamp::from_microsecond(at.as_microsecond()).map_err(|_| Malformed)?;
    Ok(Stated { event_id: written.event_id, kind, code: written.code, at })
}

impl Stated {
    /// The place of the event.
    ///
    /// # Errors
    /// [`ReceiptFault::ForeignId`] for an id that this feed never gave in its present epoch.
    pub fn position(&self, keys: &dyn Keys, recipient: &RecipientId, epoch: u32) -> Result<Position, ReceiptFault> {
        let cursor = Cursor::read(Some(&self.event_id), keys, recipient, epoch).map_err(|_| ReceiptFault::ForeignId)?;
        if cursor == Cursor::START { Err(ReceiptFault::ForeignId) } else { Ok(cursor.position()) }
    }

    /// Whether it is new; one that was said before is not.
    ///
    /// # Errors
    /// [`ReceiptFault`]: it is not taken.
    pub fn is_new(&self, entry: &ServedEntry, codes: &Codes) -> Result<bool, ReceiptFault> {
        if !entry.served {
            return Err(ReceiptFault::NotServed);
        }
        let fits = match self.kind {
            ReceiptKind::Received => true,
            ReceiptKind::Accepted | ReceiptKind::Rejected => entry.method == Method::Put,
            ReceiptKind::WithdrawalAcknowledged => entry.method == Method::Delete,
        };
        if !fits {
            return Err(ReceiptFault::Kind);
        }
        let is_listed = |code: &str| codes.list(CODES).is_some_and(|list| list.get(code).is_some());
        let has_its_code = match (&self.code, self.kind) {
            (Some(code), ReceiptKind::Rejected) => is_listed(code),
            (None, ReceiptKind::Rejected) | (Some(_), _) => false,
            (None, _) => true,
        };
        if !has_its_code {
            return Err(ReceiptFault::Code);
        }
        if let Some((_, code)) = entry.said.iter().find(|(kind, _)| *kind == self.kind) {
            return if *code == self.code { Ok(false) } else { Err(ReceiptFault::Conflict) };
        }
        let opposite = match self.kind {
            ReceiptKind::Accepted => Some(ReceiptKind::Rejected),
            ReceiptKind::Rejected => Some(ReceiptKind::Accepted),
            ReceiptKind::Received | ReceiptKind::WithdrawalAcknowledged => None,
        };
        if entry.said.iter().any(|(kind, _)| Some(*kind) == opposite) {
            return Err(ReceiptFault::Conflict);
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST, Malformed, read};

    fn batch(receipt: &str, count: usize) -> String {
        format!("{{\"receipts\":[{}]}}", vec![receipt; count].join(","))
    }

    #[test]
    fn only_a_batch_of_the_form_is_read() {
        let good = "{\"eventId\":\"x\",\"kind\":\"received\",\"at\":\"2026-03-16T08:00:00.1234567Z\"}";
        let stated = read(batch(good, 2).as_bytes()).expect("a batch");
        assert_eq!((stated.len(), stated[0].at.to_string().as_str()), (2, "2026-03-16T08:00:00.123456Z"));
        assert_eq!(read(batch(good, MOST).as_bytes()).map(|all| all.len()), Ok(MOST));
        for bad in [
            batch(good, 0),
            batch(good, MOST + 1),
            batch("{\"eventId\":\"x\",\"kind\":\"lost\",\"at\":\"2026-03-16T08:00:00Z\"}", 1),
            batch("{\"eventId\":\"x\",\"kind\":\"received\",\"at\":\"yesterday\"}", 1),
            batch("{\"eventId\":\"x\",\"kind\":\"received\",\"at\":\"2026-03-16T08:00:00Z\",\"note\":\"x\"}", 1),
            batch("{\"eventId\":\"x\",\"eventId\":\"y\",\"kind\":\"received\",\"at\":\"2026-03-16T08:00:00Z\"}", 1),
            "[]".to_owned(),
            "{".to_owned(),
        ] {
            assert_eq!(read(bad.as_bytes()), Err(Malformed), "{bad}");
        }
    }
}
