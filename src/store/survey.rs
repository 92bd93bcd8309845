//! What a transaction tells of the whole: the counts of law 6, and what waits for somebody.

use std::future::Future;

use jiff::Timestamp;

use super::{AuditedAct, Census, HeldLeg, Standing, Stored, StoredMessage};
use crate::audit::{Chained, Head};
use crate::domain::{MessageNumber, RecipientId};

/// What stands in the store as a whole, as a transaction sees it.
pub trait Survey: Send {
    /// The recipients whose feeds have entries.
    fn recipients(&mut self) -> impl Future<Output = Stored<Vec<RecipientId>>> + Send;

    /// What was done to a message, in the order of the chain, apart from what this transaction does itself.
    fn audited(&mut self, message: MessageNumber) -> impl Future<Output = Stored<Vec<AuditedAct>>> + Send;

    /// Where the audit chain ends; `None` where what says so was removed, and no transaction with audit rows can commit.
    fn audit_head(&mut self) -> impl Future<Output = Stored<Option<Head>>> + Send;

    /// Links of the audit chain after one, in order, with their rows and what these rest on, whatever they say: what was
    /// tampered with is read like everything else.
    fn audit_links(&mut self, after: i64, limit: i64) -> impl Future<Output = Stored<Vec<Chained>>> + Send;

    /// How many rows of the audit log belong to no link.
    fn audit_strays(&mut self) -> impl Future<Output = Stored<i64>> + Send;

    /// Everything that law 6 counts.
    fn census(&mut self) -> impl Future<Output = Stored<Census>> + Send;

    /// What waits for somebody: the oldest dead letter, the oldest due leg, and how each feed stands.
    fn standing(&mut self) -> impl Future<Output = Stored<Standing>> + Send;

    /// Every feed with when the newest of its entries was served first that was served at all.
    fn last_served(&mut self) -> impl Future<Output = Stored<Vec<(RecipientId, Option<Timestamp>)>>> + Send;

    /// Recorded revisions of consents, the newest first.
    fn recorded_consents(&mut self, limit: i64) -> impl Future<Output = Stored<Vec<StoredMessage>>> + Send;

    /// How many persons are protected by a stored flag.
    fn protected(&mut self) -> impl Future<Output = Stored<i64>> + Send;

    /// Held legs, oldest first.
    fn held(&mut self) -> impl Future<Output = Stored<Vec<HeldLeg>>> + Send;
}
