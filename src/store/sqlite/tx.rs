//! The transaction of the embedded store: each act of the port, forwarded to the file that knows its tables.

use jiff::Timestamp;
use sqlx::{Sqlite, SqliteConnection, Transaction};
use uuid::Uuid;

use super::entries::{Fresh, Origin};
use super::{Stored, answers, away, census, entries, legs, messages, refused, restore};
use crate::answer::Answer;
use crate::domain::{Login, MessageNumber, PersonKey, Position, RecipientId, ReportKey, Subject};
use crate::feed::Method;
use crate::seal::{Marks, Revocation, Sealed};
use crate::store::{
    AuditRow, Census, Concerned, DeadLetter, DueAnswer, DueReport, EntryRow, FeedEntry, HeldLeg, LegRow, MessageKind,
    NewMessage, Receipt, RefusedEntry, Standing, StoredMessage, Tx, WithdrawalRow,
};
use crate::telemetry::{Committed, Event as _};

/// A transaction on the one writing connection.
#[derive(Debug)]
pub struct SqliteTx {
    inner: Transaction<'static, Sqlite>,
    now: Timestamp,
    name: &'static str,
}

impl SqliteTx {
    pub(super) const fn new(inner: Transaction<'static, Sqlite>, now: Timestamp, name: &'static str) -> Self {
        Self { inner, now, name }
    }

    fn db(&mut self) -> &mut SqliteConnection {
        &mut self.inner
    }
}

impl Tx for SqliteTx {
    fn now(&self) -> Timestamp {
        self.now
    }

    async fn commit(self) -> Stored<()> {
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

    async fn entries(&mut self, report: &ReportKey, recipient: &RecipientId) -> Stored<Vec<EntryRow>> {
        entries::of_report(self.db(), report, recipient).await
    }

    async fn feeds_of(&mut self, report: &ReportKey) -> Stored<Vec<RecipientId>> {
        entries::feeds_of(self.db(), report).await
    }

    async fn publish(&mut self, sealed: &Sealed, message: &StoredMessage, fingerprint: &[u8], until: Timestamp) -> Stored<()> {
        let now = self.now;
        entries::publish(self.db(), &Fresh::put(sealed, fingerprint, until), Origin::of(message), now).await
    }

    async fn publish_answers(&mut self, answers: &[Answer]) -> Stored<()> {
        let now = self.now;
        answers::publish(self.db(), answers, now).await
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

    async fn publish_delete(&mut self, recipient: &RecipientId, subject: &Subject, message: &StoredMessage) -> Stored<()> {
        let now = self.now;
        let (contract, syntax, illustrative) = entries::contract_of(self.db(), recipient, subject).await?;
        let syntax = if syntax == "xml" { "xml" } else { "json" };
        let (method, until) = (Method::Delete, None);
        let fresh = Fresh { recipient, subject, contract, syntax, method, bytes: &[], fingerprint: &[], until, illustrative };
        entries::publish(self.db(), &fresh, Origin::of(message), now).await
    }

    async fn keep_entry(
        &mut self,
        recipient: &RecipientId,
        position: Position,
        message: MessageNumber,
        until: Timestamp,
    ) -> Stored<()> {
        entries::keep(self.db(), recipient, position, message, until).await
    }

    async fn withdraw_entry(&mut self, recipient: &RecipientId, position: Position) -> Stored<()> {
        entries::withdraw(self.db(), recipient, position).await
    }

    async fn note_withdrawal(&mut self, row: &WithdrawalRow) -> Stored<()> {
        let now = self.now;
        entries::note_withdrawal(self.db(), row, now).await
    }

    async fn page(&mut self, recipient: &RecipientId, after: Position, limit: i64) -> Stored<Vec<FeedEntry>> {
        entries::page(self.db(), recipient, after, limit).await
    }

    async fn unconfirmed(&mut self, recipient: &RecipientId, limit: i64) -> Stored<Vec<FeedEntry>> {
        entries::unconfirmed(self.db(), recipient, limit).await
    }

    async fn mark_served(&mut self, recipient: &RecipientId, positions: &[Position]) -> Stored<i64> {
        self.assume_served(recipient, positions).await?;
        entries::count_page(self.db(), recipient, !positions.is_empty()).await
    }

    async fn assume_served(&mut self, recipient: &RecipientId, positions: &[Position]) -> Stored<()> {
        let now = self.now;
        entries::assume_served(self.db(), recipient, positions, now).await
    }

    async fn confirm(&mut self, recipient: &RecipientId, position: Position) -> Stored<()> {
        let now = self.now;
        entries::confirm(self.db(), recipient, position, now).await
    }

    async fn refuse_entry(&mut self, recipient: &RecipientId, position: Position, said: &str) -> Stored<()> {
        let now = self.now;
        refused::refuse(self.db(), recipient, position, said, now).await
    }

    async fn refused_entries(&mut self, message: MessageNumber) -> Stored<Vec<RefusedEntry>> {
        refused::of_message(self.db(), message).await
    }

    async fn release_entry(&mut self, recipient: &RecipientId, position: Position) -> Stored<()> {
        refused::release(self.db(), recipient, position).await
    }

    async fn discard_entry(&mut self, recipient: &RecipientId, position: Position) -> Stored<()> {
        let now = self.now;
        refused::discard(self.db(), recipient, position, now).await
    }

    async fn recipients(&mut self) -> Stored<Vec<RecipientId>> {
        entries::recipients(self.db()).await
    }

    async fn marks(&mut self) -> Stored<Marks> {
        restore::marks(self.db()).await
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
        let now = self.now;
        messages::audit(self.db(), row, now).await
    }

    async fn census(&mut self) -> Stored<Census> {
        census::census(self.db()).await
    }

    async fn standing(&mut self) -> Stored<Standing> {
        let now = self.now;
        census::standing(self.db(), now).await
    }

    async fn dead_letters(&mut self) -> Stored<Vec<DeadLetter>> {
        census::dead_letters(self.db()).await
    }

    async fn held(&mut self) -> Stored<Vec<HeldLeg>> {
        census::held(self.db()).await
    }
}
