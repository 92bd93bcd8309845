//! What a transaction does with feeds: entries in, pages out, and what is taken back.

use std::future::Future;

use jiff::Timestamp;

use super::{EntryRow, FeedEntry, RefusedEntry, Stored, StoredMessage};
use crate::answer::Answer;
use crate::domain::{MessageNumber, Position, RecipientId, ReportKey, Subject};
use crate::seal::Sealed;

/// The feeds of a transaction.
pub trait Feeds: Send {
    /// Makes open legs due now that were decided under other terms than these digests name, among the legs of at most so many
    /// messages and recipients after a message; gives the last that was looked at, none where none is left.
    fn make_due_unless(
        &mut self,
        terms: &[String],
        after: MessageNumber,
        limit: i64,
    ) -> impl Future<Output = Stored<Option<MessageNumber>>> + Send;

    /// All entries of one report in one recipient's feed, in order of position.
    fn entries(&mut self, report: &ReportKey, recipient: &RecipientId) -> impl Future<Output = Stored<Vec<EntryRow>>> + Send;

    /// The feeds in which a report has entries.
    fn feeds_of(&mut self, report: &ReportKey) -> impl Future<Output = Stored<Vec<RecipientId>>> + Send;

    /// Puts a sealed document into its recipient's feed at the next position; an older live entry of the subject is
    /// replaced.
    fn publish(
        &mut self,
        sealed: &Sealed,
        message: &StoredMessage,
        fingerprint: &[u8],
        until: Timestamp,
    ) -> impl Future<Output = Stored<()>> + Send;

    /// Puts answers into their systems' feeds at the next positions, in the order given. Each is a subject of its own.
    fn publish_answers(&mut self, answers: &[Answer]) -> impl Future<Output = Stored<()>> + Send;

    /// Puts a `DELETE` of a subject into a feed at the next position. It needs no gate and carries no content. The position
    /// that comes back may stand in for the real one until the commit: it is good for what this transaction writes.
    fn publish_delete(
        &mut self,
        recipient: &RecipientId,
        subject: &Subject,
        message: &StoredMessage,
    ) -> impl Future<Output = Stored<Position>> + Send;

    /// Keeps a live entry for a newer revision or another gate with the same content.
    fn keep_entry(
        &mut self,
        recipient: &RecipientId,
        position: Position,
        message: MessageNumber,
        until: Timestamp,
    ) -> impl Future<Output = Stored<()>> + Send;

    /// Takes an entry out of a feed for good.
    fn withdraw_entry(&mut self, recipient: &RecipientId, position: Position) -> impl Future<Output = Stored<()>> + Send;

    /// Live entries after a position, with what decides whether they may still be served.
    fn page(
        &mut self,
        recipient: &RecipientId,
        after: Position,
        limit: i64,
    ) -> impl Future<Output = Stored<Vec<FeedEntry>>> + Send;

    /// Live entries of a pushed feed that are not confirmed, in order of position.
    fn unconfirmed(&mut self, recipient: &RecipientId, limit: i64) -> impl Future<Output = Stored<Vec<FeedEntry>>> + Send;

    /// Marks entries as served now, those that were not before, and counts the page unless it is empty; gives how many
    /// pages the feed has counted.
    fn mark_served(&mut self, recipient: &RecipientId, positions: &[Position]) -> impl Future<Output = Stored<i64>> + Send;

    /// Counts something that its recipient has said as a page, since it is to be missed like one; gives as
    /// [`Feeds::mark_served`].
    fn count_page(&mut self, recipient: &RecipientId) -> impl Future<Output = Stored<i64>> + Send;

    /// Marks entries as served now, those that were not before, and counts no page: what a restored content has forgotten may
    /// have been shown.
    fn assume_served(&mut self, recipient: &RecipientId, positions: &[Position]) -> impl Future<Output = Stored<()>> + Send;

    /// Records that a pushed entry has arrived.
    fn confirm(&mut self, recipient: &RecipientId, position: Position) -> impl Future<Output = Stored<()>> + Send;

    /// Records that a pushed entry's system does not take it, and what it said: the entry is a dead letter, and no longer
    /// first in its feed. One that has arrived after all stays as it is.
    fn refuse_entry(
        &mut self,
        recipient: &RecipientId,
        position: Position,
        said: &str,
    ) -> impl Future<Output = Stored<()>> + Send;

    /// What was made of a message, or answers it, and its systems did not take, or its recipient has rejected: live, and not
    /// set aside.
    fn refused_entries(&mut self, message: MessageNumber) -> impl Future<Output = Stored<Vec<RefusedEntry>>> + Send;

    /// Lets a refused entry go out again, at its own position and so before all that waits.
    fn release_entry(&mut self, recipient: &RecipientId, position: Position) -> impl Future<Output = Stored<()>> + Send;

    /// Sets a refused entry aside for good; it stays refused.
    fn discard_entry(&mut self, recipient: &RecipientId, position: Position) -> impl Future<Output = Stored<()>> + Send;
}
