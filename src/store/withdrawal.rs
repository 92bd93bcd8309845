//! The ledger of withdrawals: one row for each entry that was taken back, which goes from step to step.

use std::future::Future;

use jiff::Timestamp;
use uuid::Uuid;

use super::{Stored, WithdrawalStep};
use crate::domain::{Code, Login, MessageNumber, Position, RecipientId, ReportKey, Subject};

/// What is written when an entry is taken back, or when what was taken back is offered anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithdrawalRow {
    /// Whose feed.
    pub recipient: RecipientId,
    /// The entry that was taken back.
    pub position: Position,
    /// Its subject.
    pub subject: Subject,
    /// The report.
    pub report: ReportKey,
    /// Why; it is told to no recipient.
    pub code: Code,
    /// How far it has come.
    pub step: WithdrawalStep,
    /// Its `DELETE`, where there is one.
    pub delete: Option<Position>,
    /// The message that caused it; none where a date or a person did.
    pub cause: Option<MessageNumber>,
}

/// Which rows of the ledger are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithdrawalFilter {
    /// Of one feed; of all where none is named.
    pub recipient: Option<RecipientId>,
    /// Only those whose `DELETE` its recipient has not acknowledged.
    pub open: bool,
    /// The most rows, the newest first.
    pub limit: i64,
}

/// A row of the ledger as it is read. What caused it is not: one look at the cause would tell a protected person from one
/// who has taken a waiver back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawal {
    /// Whose feed.
    pub recipient: RecipientId,
    /// The entry that was taken back.
    pub position: Position,
    /// Its `DELETE`, where there is one.
    pub delete: Option<Position>,
    /// Its subject.
    pub subject: Subject,
    /// Why.
    pub code: Code,
    /// How far it has come.
    pub step: WithdrawalStep,
    /// When it was taken back last: withdrawn, lapsed, or its `DELETE` published.
    pub at: Timestamp,
    /// When its time passed, where that came first.
    pub lapsed_at: Option<Timestamp>,
    /// When its `DELETE` was served.
    pub served_at: Option<Timestamp>,
    /// When its recipient acknowledged the `DELETE`.
    pub acknowledged_at: Option<Timestamp>,
    /// When a newer document took the place of its `DELETE`.
    pub superseded_at: Option<Timestamp>,
    /// The message that the entry was made of; none where the entry is no longer kept.
    pub message: Option<(MessageNumber, Login, Uuid)>,
}

/// What one recipient has not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unacknowledged {
    /// Whose feed.
    pub recipient: RecipientId,
    /// How many of its `DELETE`s were published before a time.
    pub overdue: i64,
    /// When the oldest of all was published.
    pub oldest: Timestamp,
}

/// The ledger of withdrawals in a transaction.
pub trait Withdrawals {
    /// Writes that an entry is taken back. An entry has one row: where it has one already, that one takes the step, and keeps
    /// the times of those before.
    fn note_withdrawal(&mut self, row: &WithdrawalRow) -> impl Future<Output = Stored<()>> + Send;

    /// Writes that these `DELETE`s are served now; those that were before stay as they are.
    fn note_deletes_served(&mut self, recipient: &RecipientId, deletes: &[Position])
    -> impl Future<Output = Stored<()>> + Send;

    /// Writes that a recipient has a `DELETE` that was served.
    fn note_delete_acknowledged(
        &mut self,
        recipient: &RecipientId,
        delete: Position,
    ) -> impl Future<Output = Stored<()>> + Send;

    /// Rows of the ledger, the newest first, without those of entries whose message is diverted.
    fn withdrawals(&mut self, filter: &WithdrawalFilter) -> impl Future<Output = Stored<Vec<Withdrawal>>> + Send;

    /// Every feed with `DELETE`s that are not acknowledged; overdue are those published before a time.
    fn unacknowledged(&mut self, before: Timestamp) -> impl Future<Output = Stored<Vec<Unacknowledged>>> + Send;
}
