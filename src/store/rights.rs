//! What the participant's rights and retention ask of a transaction of the store.
//!
//! What is blanked keeps its row: ids, positions, subjects and states stay, so that a later arrival is a duplicate, a cursor stays
//! a valid place, and a possible `DELETE` can still be published.

use std::future::Future;

use jiff::Timestamp;

use super::{EntryState, Stored};
use crate::domain::{MessageNumber, PersonKey, Position, RecipientId, ReportKey, Subject, Syntax, named};
use crate::feed::Method;
use crate::seal::SealedBytes;

/// An entry of a feed with its content and all that happened to it.
#[derive(Debug, Clone)]
pub struct WholeEntry {
    /// Whose feed.
    pub recipient: RecipientId,
    /// Its position.
    pub position: Position,
    /// The message that it was made of.
    pub message: MessageNumber,
    /// The report.
    pub report: ReportKey,
    /// Its subject.
    pub subject: Subject,
    /// The outgoing contract.
    pub contract: String,
    /// The syntax of the content.
    pub syntax: Syntax,
    /// What it says.
    pub method: Method,
    /// Its state.
    pub state: EntryState,
    /// The sealed content; empty for a `DELETE`, and where it is gone.
    pub sealed: SealedBytes,
    /// When it was published.
    pub published_at: Timestamp,
    /// When it was served first.
    pub served_at: Option<Timestamp>,
    /// When it had arrived, in a pushed feed.
    pub confirmed_at: Option<Timestamp>,
}

named!(
    /// What is kept for how long.
    KeptKind {
        /// Documents in feeds.
        Feed = "feed",
        /// Messages as they came, where nothing else is said.
        Journal = "journal",
        /// Consents and flags.
        Consents = "consents",
        /// Reports that wait.
        Held = "held",
        /// Refused messages.
        DeadLetters = "dead-letters",
        /// Messages of which nobody can tell whom they are about.
        Unreadable = "unreadable",
        /// What recipients said of what they were served.
        Receipts = "receipts",
        /// Rows of the audit log, apart from its proofs: transactions with a row of a retention, an erasure or a restore.
        Audit = "audit",
    }
);

impl KeptKind {
    /// All kinds in the order in which they go, each after what rests on it: consents go after the reports that they opened, receipts after the documents
    /// that they are about, and what was done is told until all the rest has gone.
    pub const IN_ORDER: [Self; 8] = [
        Self::Feed,
        Self::Journal,
        Self::Held,
        Self::DeadLetters,
        Self::Unreadable,
        Self::Consents,
        Self::Receipts,
        Self::Audit,
    ];
}

/// A message whose content is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptMessage {
    /// The message.
    pub number: MessageNumber,
    /// Whom it is about.
    pub person: Option<PersonKey>,
    /// When it came.
    pub received_at: Timestamp,
}

/// An entry whose content is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptEntry {
    /// Whose feed.
    pub recipient: RecipientId,
    /// The entry.
    pub position: Position,
    /// Whom it is about.
    pub person: PersonKey,
    /// When it was published.
    pub published_at: Timestamp,
}

/// Rows of the audit log from before an instant that are no proofs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OldAudit {
    /// How many.
    pub rows: i64,
    /// The oldest of them.
    pub oldest: Timestamp,
    /// The first link that has any; 1 where only rows from before the chain are old.
    pub first: i64,
    /// The last link before the first that is not old.
    pub through: i64,
}

/// A document that was served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedDocument {
    /// To whom.
    pub recipient: RecipientId,
    /// Of whom.
    pub person: PersonKey,
    /// The message that it was made of.
    pub message: MessageNumber,
    /// The outgoing contract.
    pub contract: String,
    /// When it was served first.
    pub served_at: Timestamp,
}

/// What of a participant's may still have a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holding {
    /// Reports as they came.
    Reports,
    /// Messages of any kind.
    Messages,
    /// Documents in feeds.
    Documents,
}

/// What the participant's rights and retention ask of a transaction.
pub trait Rights: Send {
    /// All entries of reports with their contents, in every feed, by recipient and position.
    fn entries_of(&mut self, reports: &[ReportKey]) -> impl Future<Output = Stored<Vec<WholeEntry>>> + Send;

    /// Blanks messages for good: their contents, the keyed digests of them, and their traces. Dead letters among them are
    /// discarded. Ids, times, codes and states stay.
    fn blank_messages(&mut self, numbers: &[MessageNumber]) -> impl Future<Output = Stored<()>> + Send;

    /// Blanks what messages are known by and leaves their contents: whatever comes under their ids is a duplicate.
    fn archive_messages(&mut self, numbers: &[MessageNumber]) -> impl Future<Output = Stored<()>> + Send;

    /// Blanks entries for good. A document that is live is [`EntryState::Expired`] from then on and no longer shown. The keyed
    /// digests of the contents go too where `digests` says so.
    fn blank_entries(&mut self, entries: &[(RecipientId, Position)], digests: bool) -> impl Future<Output = Stored<()>> + Send;

    /// Messages of a kind after a number that came before an instant and whose content is kept, in order.
    fn kept_messages(
        &mut self,
        kind: KeptKind,
        before: Timestamp,
        after: MessageNumber,
        limit: i64,
    ) -> impl Future<Output = Stored<Vec<KeptMessage>>> + Send;

    /// Documents after a place that were published before an instant and whose content is kept, by recipient and position.
    fn kept_entries(
        &mut self,
        before: Timestamp,
        after: &(RecipientId, Position),
        limit: i64,
    ) -> impl Future<Output = Stored<Vec<KeptEntry>>> + Send;

    /// How many contents of each kind are kept, and since when the oldest; kinds without any are left out.
    fn kept_by_kind(&mut self) -> impl Future<Output = Stored<Vec<(KeptKind, i64, Timestamp)>>> + Send;

    /// How many receipts came before an instant of which the document is gone too, or that are about a `DELETE`, and the oldest.
    fn old_receipts(&mut self, before: Timestamp) -> impl Future<Output = Stored<(i64, Option<Timestamp>)>> + Send;

    /// Removes a bounded number of those; says how many.
    fn drop_receipts(&mut self, before: Timestamp, limit: i64) -> impl Future<Output = Stored<i64>> + Send;

    /// What of the audit log is from before an instant and may go; `None` where nothing is.
    fn old_audit(&mut self, before: Timestamp) -> impl Future<Output = Stored<Option<OldAudit>>> + Send;

    /// Removes the rows of links from one to another, apart from proofs, and rows from before the chain that are older than an
    /// instant; says how many. Links stay, so that the chain can be verified.
    fn cut_audit(&mut self, first: i64, last: i64, before: Timestamp) -> impl Future<Output = Stored<i64>> + Send;

    /// Whether any content of a participant is left.
    fn still_holds(&mut self, person: &PersonKey, what: Holding) -> impl Future<Output = Stored<bool>> + Send;

    /// Documents that were served first from an instant on and before another.
    fn served_between(
        &mut self,
        from: Timestamp,
        to: Timestamp,
        recipient: Option<&RecipientId>,
    ) -> impl Future<Output = Stored<Vec<ServedDocument>>> + Send;
}
