//! What a store tells of one message for whoever explains it: the messages under a sender's id, and all that ever stood in
//! feeds of a report.

use std::future::Future;

use jiff::Timestamp;
use uuid::Uuid;

use super::{EntryState, Stored, StoredMessage, Withdrawal};
use crate::domain::{MessageNumber, Position, ReceiptKind, RecipientId, ReportKey, Subject};
use crate::feed::Method;

/// An entry of a feed and what has happened to it, without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryStory {
    /// Whose feed.
    pub recipient: RecipientId,
    /// Its position.
    pub position: Position,
    /// Its subject.
    pub subject: Subject,
    /// The outgoing contract.
    pub contract: String,
    /// What it says.
    pub method: Method,
    /// Its state.
    pub state: EntryState,
    /// The message that it belongs to.
    pub message: MessageNumber,
    /// When it was published.
    pub published_at: Timestamp,
    /// The first instant at which its gate is shut by date; a `DELETE` has none.
    pub until: Option<Timestamp>,
    /// When it was first served.
    pub served_at: Option<Timestamp>,
    /// When its system confirmed it; only of pushed feeds.
    pub confirmed_at: Option<Timestamp>,
    /// When its system refused it.
    pub refused_at: Option<Timestamp>,
}

/// What a recipient has said of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptStory {
    /// Whose feed.
    pub recipient: RecipientId,
    /// The entry.
    pub position: Position,
    /// What was said.
    pub kind: ReceiptKind,
    /// The code of a rejection.
    pub code: Option<String>,
    /// When it came to be, by the recipient's own clock.
    pub stated_at: Timestamp,
    /// When it was recorded.
    pub received_at: Timestamp,
}

/// The acts of a transaction that tell of one message.
pub trait Telling: Send {
    /// Every message under a sender's id, whoever sent it, in the order in which they came.
    fn messages_with_id(&mut self, message_id: Uuid) -> impl Future<Output = Stored<Vec<StoredMessage>>> + Send;

    /// Messages below a number, or the newest of all, from the newest on.
    fn latest_messages(
        &mut self,
        below: Option<MessageNumber>,
        limit: i64,
    ) -> impl Future<Output = Stored<Vec<StoredMessage>>> + Send;

    /// Every entry that ever stood in a feed of a report, by feed and position.
    fn told_entries(&mut self, report: &ReportKey) -> impl Future<Output = Stored<Vec<EntryStory>>> + Send;

    /// All that recipients have said of those entries, by feed and position, and in the order in which it came.
    fn told_receipts(&mut self, report: &ReportKey) -> impl Future<Output = Stored<Vec<ReceiptStory>>> + Send;

    /// The rows of the ledger of withdrawals of those entries, by feed and position; without those of entries whose message is
    /// diverted.
    fn told_withdrawals(&mut self, report: &ReportKey) -> impl Future<Output = Stored<Vec<Withdrawal>>> + Send;
}
