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
    }
);

impl KeptKind {
    /// All kinds, each after what rests on it: consents go after the reports that they opened.
    pub const ALL: [Self; 6] = [Self::Feed, Self::Journal, Self::Held, Self::DeadLetters, Self::Unreadable, Self::Consents];
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
