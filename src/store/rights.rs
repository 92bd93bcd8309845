//! What the participant's rights and retention ask of a transaction of the store.
//!
//! What is blanked keeps its row: ids, positions, subjects and states stay, so that a later arrival is a duplicate, a cursor stays
//! a valid place, and a possible `DELETE` can still be published.

use std::future::Future;

use jiff::Timestamp;

use super::{EntryState, Stored};
use crate::domain::{MessageNumber, PersonKey, Position, RecipientId, ReportKey, Subject, Syntax};
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

/// What the participant's rights and retention ask of a transaction.
pub trait Rights: Send {
    /// All entries of reports with their contents, in every feed, by recipient and position.
    fn entries_of(&mut self, reports: &[ReportKey]) -> impl Future<Output = Stored<Vec<WholeEntry>>> + Send;

    /// Blanks messages for good: their contents, the keyed digests of them, and their traces. Dead letters among them are
    /// discarded. Ids, times, codes and states stay.
    fn blank_messages(&mut self, numbers: &[MessageNumber]) -> impl Future<Output = Stored<()>> + Send;

    /// Blanks entries for good. A document that is live is [`EntryState::Expired`] from then on and no longer shown. The keyed
    /// digests of the contents go too where `digests` says so.
    fn blank_entries(&mut self, entries: &[(RecipientId, Position)], digests: bool) -> impl Future<Output = Stored<()>> + Send;

    /// Documents that were served first from an instant on and before another.
    fn served_between(
        &mut self,
        from: Timestamp,
        to: Timestamp,
        recipient: Option<&RecipientId>,
    ) -> impl Future<Output = Stored<Vec<ServedDocument>>> + Send;
}
