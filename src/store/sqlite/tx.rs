//! The transaction of the embedded store: each act of the port, forwarded to the file that knows its tables.

use jiff::Timestamp;
use sqlx::{Sqlite, SqliteConnection, Transaction};
use uuid::Uuid;

use super::{Stored, answers, audit, away, entries, legs, messages, restore};
use crate::domain::{Login, MessageNumber, PersonKey, RecipientId, ReportKey};
use crate::seal::{Marks, Revocation};
use crate::store::{AuditRow, Concerned, DueAnswer, DueReport, LegRow, MessageKind, NewMessage, Receipt, StoredMessage, Tx};
use crate::telemetry::{Committed, Event as _};

/// A transaction on the one writing connection.
#[derive(Debug)]
pub struct SqliteTx {
    inner: Transaction<'static, Sqlite>,
    pub(super) now: Timestamp,
    name: &'static str,
    /// Rows of the audit log, which become a link of the chain at the commit.
    audit: Vec<AuditRow>,
}

impl SqliteTx {
    pub(super) const fn new(inner: Transaction<'static, Sqlite>, now: Timestamp, name: &'static str) -> Self {
        Self { inner, now, name, audit: Vec::new() }
    }

    pub(super) fn db(&mut self) -> &mut SqliteConnection {
        &mut self.inner
    }
}

impl Tx for SqliteTx {
    fn now(&self) -> Timestamp {
        self.now
    }

    async fn commit(mut self) -> Stored<()> {
        let (rows, now) = (std::mem::take(&mut self.audit), self.now);
        audit::chain(self.db(), &rows, now).await?;
        self.inner.commit().await.map_err(away)?;
        Committed { transaction: self.name }.emit();
        Ok(())
    }

    async fn receipts(&mut self, login: &Login, message_id: Uuid) -> Stored<Vec<Receipt>> {
        messages::receipts(self.db(), login, message_id).await
    }

    async fn count_duplicate(&mut self, message: MessageNumber) -> Stored<()> {
        messages::count_duplicate(self.db(), message).await
    }

    async fn insert_message(&mut self, message: &NewMessage) -> Stored<MessageNumber> {
        messages::insert(self.db(), message).await
    }

    async fn update_message(&mut self, number: MessageNumber, message: &NewMessage) -> Stored<()> {
        messages::update(self.db(), number, message).await
    }

    async fn divert_message(&mut self, number: MessageNumber) -> Stored<()> {
        messages::divert(self.db(), number).await
    }

    async fn discard_message(&mut self, number: MessageNumber) -> Stored<()> {
        let now = self.now;
        messages::discard(self.db(), number, now).await
    }

    async fn message(&mut self, number: MessageNumber) -> Stored<Option<StoredMessage>> {
        messages::one(self.db(), number).await
    }

    async fn lock(&mut self, concerned: &Concerned) -> Stored<()> {
        // One writer: the rest is locked already, and reading ahead would gain nothing.
        messages::lock_persons(self.db(), &concerned.persons).await
    }

    async fn lock_persons(&mut self, persons: &[PersonKey]) -> Stored<()> {
        messages::lock_persons(self.db(), persons).await
    }

    async fn lock_deliveries(&mut self, recipients: &[RecipientId]) -> Stored<()> {
        entries::lock_deliveries(self.db(), recipients).await
    }

    async fn is_flagged(&mut self, person: &PersonKey) -> Stored<bool> {
        messages::is_flagged(self.db(), person).await
    }

    async fn set_flag(&mut self, person: &PersonKey) -> Stored<()> {
        let now = self.now;
        messages::set_flag(self.db(), person, now).await
    }

    async fn lift_flag(&mut self, person: &PersonKey) -> Stored<()> {
        messages::lift_flag(self.db(), person).await
    }

    async fn messages_of(&mut self, person: &PersonKey, kind: MessageKind) -> Stored<Vec<StoredMessage>> {
        messages::of_person(self.db(), person, kind).await
    }

    async fn revisions(&mut self, report: &ReportKey) -> Stored<Vec<StoredMessage>> {
        messages::revisions(self.db(), report).await
    }

    async fn legs(&mut self, message: MessageNumber) -> Stored<Vec<LegRow>> {
        legs::of_message(self.db(), message).await
    }

    async fn put_leg(&mut self, leg: &LegRow) -> Stored<()> {
        legs::put(self.db(), leg).await
    }

    async fn make_due(&mut self, report: &ReportKey) -> Stored<()> {
        let now = self.now;
        legs::make_due(self.db(), report, now).await
    }

    async fn claim_due(&mut self, limit: i64) -> Stored<Vec<DueReport>> {
        let now = self.now;
        legs::due(self.db(), now, limit).await
    }

    async fn due(&mut self, limit: i64) -> Stored<Vec<DueReport>> {
        let now = self.now;
        legs::due(self.db(), now, limit).await
    }

    async fn put_off_due(&mut self, report: &ReportKey, until: Timestamp) -> Stored<Vec<MessageNumber>> {
        let now = self.now;
        legs::put_off(self.db(), report, now, until).await
    }

    async fn keep_due_answer(&mut self, due: &DueAnswer) -> Stored<()> {
        answers::keep_due(self.db(), due).await
    }

    async fn claim_due_answers(&mut self, limit: i64) -> Stored<Vec<DueAnswer>> {
        let now = self.now;
        let due = answers::due(self.db(), now, limit).await?;
        let persons: Vec<PersonKey> = due.iter().map(|one| one.person).collect();
        messages::lock_persons(self.db(), &persons).await?;
        Ok(due)
    }

    async fn due_answers(&mut self, limit: i64) -> Stored<Vec<DueAnswer>> {
        let now = self.now;
        answers::due(self.db(), now, limit).await
    }

    async fn put_off_due_answer(&mut self, message: MessageNumber, until: Timestamp) -> Stored<()> {
        answers::put_off(self.db(), message, until).await
    }

    async fn end_due_answer(&mut self, message: MessageNumber) -> Stored<()> {
        answers::end_due(self.db(), message).await
    }

    async fn marks(&mut self) -> Stored<Marks> {
        restore::marks(self.db()).await
    }

    async fn epoch(&mut self) -> Stored<u32> {
        restore::epoch(self.db()).await
    }

    async fn begin_epoch(&mut self, epoch: u32) -> Stored<()> {
        restore::begin_epoch(self.db(), epoch).await
    }

    async fn keep_revocation(&mut self, revocation: &Revocation) -> Stored<()> {
        restore::keep_revocation(self.db(), revocation).await
    }

    async fn kept_revocations(&mut self, person: &PersonKey) -> Stored<Vec<Revocation>> {
        restore::kept_revocations(self.db(), person).await
    }

    async fn audit(&mut self, row: &AuditRow) -> Stored<()> {
        self.audit.push(row.clone());
        Ok(())
    }
}
