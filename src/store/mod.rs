//! Floor 3: the store's port, and on floor 4 its adapters.
//!
//! # The laws of the port
//! - A transaction is one named act: everything in it becomes durable together at [`Tx::commit`], or nothing does.
//!   Dropping it rolls back. Nothing is acknowledged to anybody before the commit has returned.
//! - Contents are opaque bytes, and people are found by keyed hash alone. A store holds no key.
//! - **Locks** are taken in one order: participants' rows ([`Tx::lock_persons`], sorted), then delivery rows
//!   ([`Tx::lock_deliveries`], sorted), and each reading that depends on a lock comes after it; [`Tx::lock`] takes both for
//!   a whole batch. Positions come from one counter row a recipient, raised last, so they are without gaps and in the
//!   order of commits. A store with one writer has all of this for nothing.
//! - A store may keep what is written until [`Tx::commit`]; a transaction always reads what it has written itself.
//! - Where two transactions stand in each other's way, one of them gets [`StoreError::Contended`] and nothing of it is
//!   stored: it is begun again.
//! - Time inside a transaction is [`Tx::now`], to the microsecond, and does not move within it.
//! - What is not there is `None` or empty, never an error. [`StoreError::Away`] says that the store cannot be reached or
//!   is busy: wait and try again, acknowledge nothing. [`StoreError::Behind`] is waited out too. Every other error is a fault of
//!   the program or of the data; [`StoreError::is_of_one_row`] says where the rest can go on without it.
//! - [`Feeds::publish`] takes [`Sealed`](crate::seal::Sealed) and is the only way into a feed for anything with content.
//!   [`Feeds::publish_answers`] takes [`Answer`](crate::answer::Answer), which has none and is stored as it is.

#[macro_use]
mod statements;

mod accounts;
mod audited;
mod clock;
mod concerned;
mod due;
mod feeds;
mod letters;
pub mod postgres;
mod receipt;
mod rights;
mod rows;
pub mod sqlite;
mod story;
mod survey;
mod withdrawal;

use std::future::Future;
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

pub use accounts::Accounts;
pub use audited::{AuditAct, AuditRow, AuditedAct};
pub use clock::Clock;
pub use concerned::Concerned;
pub use due::{DueAnswer, DueReport};
pub use feeds::Feeds;
pub use letters::{
    Cause, DeadLetter, DeadLetters, LetterChoice, LetterGroup, LetterKey, LetterPage, LetterPart, LetterState, UnmaskedField,
};
pub use receipt::{ReceiptRow, Receipts, ServedEntry};
pub use rights::{Holding, KeptEntry, KeptKind, KeptMessage, OldAudit, Rights, ServedDocument, WholeEntry};
pub use rows::{
    Census, EntryRow, EntryState, FeedEntry, FeedStanding, HeldLeg, LegRow, LegState, MessageKind, MessageState, NewMessage,
    Receipt, RefusedEntry, Standing, StoredMessage, WithdrawalStep,
};
pub use story::{EntryStory, ReceiptStory, Telling};
pub use survey::Survey;
pub use withdrawal::{Unacknowledged, Withdrawal, WithdrawalFilter, WithdrawalRow, Withdrawals};

use crate::domain::{Login, MessageNumber, PersonKey, Position, RecipientId, ReportKey};
use crate::seal::{Marks, Revocation, SealError};

/// Why a store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store is away, busy or full: a reason to wait.
    #[error("the store is away: {0}")]
    Away(String),
    /// Another transaction stood in the way (a deadlock, or the same message at the same time): begin it again.
    #[error("another transaction stood in the way")]
    Contended,
    /// The content is behind what was acknowledged or shown: another server answers, with an older state. Nothing may be
    /// taken or shown; it is waited for a person, or for the right server.
    #[error(
        "the content is behind what was acknowledged or shown ({0}): an older state has come back under the running service. \
        Let the right server answer, or stop every process and run `brygga restore accept`"
    )]
    Behind(String),
    /// The store does not take a row: a value that it cannot hold, or a rule of its own that the row breaks. A fault of the
    /// data or the program, that waiting does not mend. The words are the engine's code.
    #[error("the store does not take a row ({0})")]
    Refused(String),
    /// A row is not what the program can have written.
    #[error("inconsistent row in {table}.{column}")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
    /// The schema is not one that this program knows.
    #[error("unknown schema: {0}")]
    Schema(String),
    /// Something cannot be sealed or opened: a key is not at hand, or bytes are not what was sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
}

impl StoreError {
    /// Whether it is about one row or one participant's key, so that what is about others can go on. All else is about the
    /// store or the keys as a whole.
    #[must_use]
    pub const fn is_of_one_row(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Inconsistent { .. } | Self::Seal(SealError::Foreign | SealError::Key))
    }
}

/// A result of the store.
pub type Stored<T> = Result<T, StoreError>;

/// A store.
pub trait Store: Clone + Send + Sync + 'static {
    /// Its transaction.
    type Tx: Tx;

    /// Begins a named transaction. The future must be driven to its end: run it in a task of its own where the caller
    /// may be cancelled.
    fn begin(&self, name: &'static str) -> impl Future<Output = Stored<Self::Tx>> + Send;

    /// The feed's epoch: raised by a restore, so that readers start again.
    fn epoch(&self) -> impl Future<Output = Stored<u32>> + Send;

    /// Whether a recipient's feed may have anything after a position, without taking a lock.
    fn has_after(&self, recipient: &RecipientId, position: Position) -> impl Future<Output = Stored<bool>> + Send;

    /// Whether anything is due, or waits in a pushed feed, without taking a lock: an idle service writes nothing.
    fn has_work(&self) -> impl Future<Output = Stored<bool>> + Send;

    /// Whether anything waits in one pushed feed, without taking a lock.
    fn has_unconfirmed(&self, recipient: &RecipientId) -> impl Future<Output = Stored<bool>> + Send;

    /// Takes or keeps the lease of a pushed feed for so long from now on, or gives it back where that is no time at all:
    /// `false` where another owner's has not run out. It is measured by one clock, the store's own, whoever asks.
    fn take_lease(&self, recipient: &RecipientId, owner: &str, lasts: Duration) -> impl Future<Output = Stored<bool>> + Send;

    /// Whether the store answers at all, in bounded time.
    fn ping(&self) -> impl Future<Output = Stored<()>> + Send;

    /// Gives what was deleted or blanked back to the file system, as far as it can while others work.
    fn give_back(&self) -> impl Future<Output = Stored<()>> + Send;

    /// The time by the store's clock.
    fn now(&self) -> Timestamp;

    /// How many connections have been opened so far. Who sees it change may be talking to another server than before; where
    /// the store is a file that stays open, it does not.
    fn connections(&self) -> u64;
}

/// One transaction.
pub trait Tx: Accounts + Feeds + Survey + DeadLetters + Telling + Receipts + Withdrawals + Rights + Send {
    /// The time of the transaction.
    fn now(&self) -> Timestamp;

    /// Makes everything durable.
    fn commit(self) -> impl Future<Output = Stored<()>> + Send;

    /// The receipts under one login and message id: one, or more after a conflict.
    fn receipts(&mut self, login: &Login, message_id: Uuid) -> impl Future<Output = Stored<Vec<Receipt>>> + Send;

    /// Counts one more delivery of a message that is there already.
    fn count_duplicate(&mut self, message: MessageNumber) -> impl Future<Output = Stored<()>> + Send;

    /// Stores a message with its state.
    fn insert_message(&mut self, message: &NewMessage) -> impl Future<Output = Stored<MessageNumber>> + Send;

    /// Changes what a message turned out to be: by a retry, or because its person became protected.
    fn update_message(&mut self, number: MessageNumber, message: &NewMessage) -> impl Future<Output = Stored<()>> + Send;

    /// Diverts a stored report: its legs are no longer counted.
    fn divert_message(&mut self, number: MessageNumber) -> impl Future<Output = Stored<()>> + Send;

    /// Marks a dead letter as discarded; it stays refused.
    fn discard_message(&mut self, number: MessageNumber) -> impl Future<Output = Stored<()>> + Send;

    /// One message.
    fn message(&mut self, number: MessageNumber) -> impl Future<Output = Stored<Option<StoredMessage>>> + Send;

    /// Takes every lock that settling what is concerned can need, in the order of the port's laws, and may read ahead what
    /// will be asked for. It comes before everything else in a transaction; what was read before it is read again.
    fn lock(&mut self, concerned: &Concerned) -> impl Future<Output = Stored<()>> + Send;

    /// Takes the participants' rows, sorted, making those that are missing.
    fn lock_persons(&mut self, persons: &[PersonKey]) -> impl Future<Output = Stored<()>> + Send;

    /// Takes the delivery rows of recipients, sorted, making those that are missing.
    fn lock_deliveries(&mut self, recipients: &[RecipientId]) -> impl Future<Output = Stored<()>> + Send;

    /// Whether a person is protected by a stored flag.
    fn is_flagged(&mut self, person: &PersonKey) -> impl Future<Output = Stored<bool>> + Send;

    /// Sets a person's protection flag. Messages only ever set it.
    fn set_flag(&mut self, person: &PersonKey) -> impl Future<Output = Stored<()>> + Send;

    /// Lifts a person's protection flag: a named act of a person.
    fn lift_flag(&mut self, person: &PersonKey) -> impl Future<Output = Stored<()>> + Send;

    /// A person's messages of one kind, in the order in which they came.
    fn messages_of(&mut self, person: &PersonKey, kind: MessageKind)
    -> impl Future<Output = Stored<Vec<StoredMessage>>> + Send;

    /// The revisions of one report that are journeys, lowest first.
    fn revisions(&mut self, report: &ReportKey) -> impl Future<Output = Stored<Vec<StoredMessage>>> + Send;

    /// The legs of a message.
    fn legs(&mut self, message: MessageNumber) -> impl Future<Output = Stored<Vec<LegRow>>> + Send;

    /// Writes a leg, new or changed.
    fn put_leg(&mut self, leg: &LegRow) -> impl Future<Output = Stored<()>> + Send;

    /// Makes a report's open legs due now, to be settled by the sweep.
    fn make_due(&mut self, report: &ReportKey) -> impl Future<Output = Stored<()>> + Send;

    /// Claims reports with a leg whose time has come, locked as by [`Tx::lock`]. What another process has claimed already
    /// is left to it.
    fn claim_due(&mut self, limit: i64) -> impl Future<Output = Stored<Vec<DueReport>>> + Send;

    /// Looks which reports have a leg whose time has come, the longest due first, without taking a lock.
    fn due(&mut self, limit: i64) -> impl Future<Output = Stored<Vec<DueReport>>> + Send;

    /// Makes what is due of a report due at another time; gives the messages that it belongs to.
    fn put_off_due(&mut self, report: &ReportKey, until: Timestamp) -> impl Future<Output = Stored<Vec<MessageNumber>>> + Send;

    /// Keeps in mind that a report is to be looked at when its hold period ends; once a message.
    fn keep_due_answer(&mut self, due: &DueAnswer) -> impl Future<Output = Stored<()>> + Send;

    /// Claims reports whose hold period has ended, the longest ended first, and takes all locks that settling them can need,
    /// as [`Tx::claim_due`] does.
    fn claim_due_answers(&mut self, limit: i64) -> impl Future<Output = Stored<Vec<DueAnswer>>> + Send;

    /// Looks which reports' hold periods have ended, the longest ended first, without taking a lock.
    fn due_answers(&mut self, limit: i64) -> impl Future<Output = Stored<Vec<DueAnswer>>> + Send;

    /// Has a report looked at at another time.
    fn put_off_due_answer(&mut self, message: MessageNumber, until: Timestamp) -> impl Future<Output = Stored<()>> + Send;

    /// Forgets that a report is to be looked at.
    fn end_due_answer(&mut self, message: MessageNumber) -> impl Future<Output = Stored<()>> + Send;

    /// How far the content has come: the highest number of a message, each feed's head and counted pages.
    fn marks(&mut self) -> impl Future<Output = Stored<Marks>> + Send;

    /// The feed's epoch, as this transaction sees it.
    fn epoch(&mut self) -> impl Future<Output = Stored<u32>> + Send;

    /// Begins another epoch of the feeds, after a restore: readers start again.
    fn begin_epoch(&mut self, epoch: u32) -> impl Future<Output = Stored<()>> + Send;

    /// Keeps a revocation that a restored backup does not know; it stays, and so does what stands there already.
    fn keep_revocation(&mut self, revocation: &Revocation) -> impl Future<Output = Stored<()>> + Send;

    /// The revocations of a person that were kept so.
    fn kept_revocations(&mut self, person: &PersonKey) -> impl Future<Output = Stored<Vec<Revocation>>> + Send;

    /// Writes an audit row. Those of one transaction become one link of the chain when it commits, in the order given; the
    /// chain's head is locked last of all.
    fn audit(&mut self, row: &AuditRow) -> impl Future<Output = Stored<()>> + Send;
}
