//! The receipts of recipients as they pass through the port.

use std::future::Future;

use jiff::Timestamp;

use super::Stored;
use crate::domain::{MessageNumber, Position, ReceiptKind, RecipientId, ReportKey, Subject};
use crate::feed::Method;

/// An entry of which something is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedEntry {
    /// Its position.
    pub position: Position,
    /// Its subject.
    pub subject: Subject,
    /// The outgoing contract.
    pub contract: String,
    /// What it says.
    pub method: Method,
    /// Whether it was ever served.
    pub served: bool,
    /// Whether it rests on an illustration that nobody has signed.
    pub illustrative: bool,
    /// The message that it was made of, or answers.
    pub message: MessageNumber,
    /// The report; none for an answer.
    pub report: Option<ReportKey>,
    /// What was said of it before, with the code of a rejection.
    pub said: Vec<(ReceiptKind, Option<String>)>,
}

/// A receipt to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptRow {
    /// Whose feed.
    pub recipient: RecipientId,
    /// The event's position.
    pub position: Position,
    /// What was said.
    pub kind: ReceiptKind,
    /// The code of a rejection.
    pub code: Option<String>,
    /// The message that the entry was made of, or answers.
    pub message: MessageNumber,
    /// When it came to be, by the recipient's own clock.
    pub stated_at: Timestamp,
}

/// The receipts of recipients in a transaction.
pub trait Receipts {
    /// The entries of a feed at these positions, with what was said of them before; those that are no longer kept are left
    /// out.
    fn served_entries(
        &mut self,
        recipient: &RecipientId,
        positions: &[Position],
    ) -> impl Future<Output = Stored<Vec<ServedEntry>>> + Send;

    /// Stores receipts as of now.
    fn put_receipts(&mut self, rows: &[ReceiptRow]) -> impl Future<Output = Stored<()>> + Send;

    /// Sets a rejection aside for good.
    fn settle_rejection(&mut self, recipient: &RecipientId, position: Position) -> impl Future<Output = Stored<()>> + Send;

    /// Has a live entry's document published anew when its report is settled next, even if it says the same.
    fn outdate_entry(&mut self, recipient: &RecipientId, position: Position) -> impl Future<Output = Stored<()>> + Send;
}
