//! The transaction of the shared store: a unit of work over one connection.

use std::collections::HashSet;

use jiff::Timestamp;
use uuid::Uuid;

use super::bases::Bases;
use super::fault::away;
use super::line::Line;
use super::read::{key, micros};
use super::rows;
use super::work::Work;
use super::{restore, sql};
use crate::domain::{Login, MessageNumber, PersonKey, RecipientId, ReportKey};
use crate::seal::{Marks, Revocation};
use crate::store::{
    AuditRow, Concerned, DueAnswer, DueReport, LegRow, MessageKind, NewMessage, Receipt, StoreError, Stored, StoredMessage, Tx,
};
use crate::telemetry::{Committed, Event as _};

/// A transaction on one connection.
pub struct PgTx {
    pub(super) inner: Line,
    pub(super) now: Timestamp,
    pub(super) work: Work,
    /// The delivery rows that are ours.
    pub(super) held: HashSet<RecipientId>,
    pub(super) bases: Bases,
    name: &'static str,
}

impl std::fmt::Debug for PgTx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PgTx").field("name", &self.name).finish_non_exhaustive()
    }
}

impl PgTx {
    pub(super) fn new(inner: Line, now: Timestamp, name: &'static str, bases: Bases) -> Self {
        Self { inner, now, work: Work::default(), held: HashSet::new(), bases, name }
    }

    pub(super) fn db(&mut self) -> &mut Line {
        &mut self.inner
    }
}

impl Tx for PgTx {
    fn now(&self) -> Timestamp {
        self.now
    }

    async fn commit(mut self) -> Stored<()> {
        self.write_out().await?;
        self.write_audit().await?;
        self.inner.commit().await.map_err(away)?;
        self.bases.committed();
        Committed { transaction: self.name }.emit();
        Ok(())
    }

    async fn receipts(&mut self, login: &Login, message_id: Uuid) -> Stored<Vec<Receipt>> {
        let id = (login.clone(), message_id);
        if !self.work.receipts.contains_key(&id) {
            self.write_rows().await?;
            let query = sqlx::query(sql::RECEIPTS).bind(vec![login.as_str()]).bind(vec![message_id]);
            let found = query.fetch_all(self.db()).await.map_err(away)?;
            let found = found.iter().map(|row| Ok(rows::receipt(row)?.1)).collect::<Stored<Vec<_>>>()?;
            self.work.receipts.insert(id.clone(), found);
        }
        Ok(self.work.receipts.get(&id).cloned().unwrap_or_default())
    }

    async fn count_duplicate(&mut self, message: MessageNumber) -> Stored<()> {
        *self.work.duplicates.entry(message).or_default() += 1;
        Ok(())
    }

    async fn insert_message(&mut self, message: &NewMessage) -> Stored<MessageNumber> {
        if self.work.numbers.is_empty() {
            self.take_numbers(1).await?;
        }
        let number = self.work.numbers.pop().ok_or(StoreError::Inconsistent { table: "messages", column: "number" })?;
        self.work.insert(MessageNumber(number), message);
        Ok(MessageNumber(number))
    }

    async fn update_message(&mut self, number: MessageNumber, message: &NewMessage) -> Stored<()> {
        self.write_rows().await?;
        self.rewrite_message(number, message).await?;
        // It may belong to another report or participant now.
        self.work.messages.clear();
        self.work.of_person.clear();
        self.work.of_report.clear();
        Ok(())
    }

    async fn divert_message(&mut self, number: MessageNumber) -> Stored<()> {
        self.divert(number).await
    }

    async fn discard_message(&mut self, number: MessageNumber) -> Stored<()> {
        self.discard(number).await
    }

    async fn message(&mut self, number: MessageNumber) -> Stored<Option<StoredMessage>> {
        if let Some(stored) = self.work.messages.get(&number) {
            return Ok(Some(stored.clone()));
        }
        let row = sqlx::query(sql::MESSAGE).bind(number.0).fetch_optional(self.db()).await.map_err(away)?;
        row.as_ref().map(rows::stored).transpose()
    }

    async fn lock(&mut self, concerned: &Concerned) -> Stored<()> {
        self.gather(concerned).await
    }

    async fn lock_persons(&mut self, persons: &[PersonKey]) -> Stored<()> {
        self.write_rows().await?;
        self.work.forget();
        self.hold_persons(persons).await
    }

    async fn lock_deliveries(&mut self, recipients: &[RecipientId]) -> Stored<()> {
        self.hold_deliveries(recipients).await
    }

    async fn is_flagged(&mut self, person: &PersonKey) -> Stored<bool> {
        if let Some(flagged) = self.work.flags.get(person) {
            return Ok(*flagged);
        }
        let row = sqlx::query(sql::IS_FLAGGED).bind(key(person)).fetch_optional(self.db()).await.map_err(away)?;
        row.map_or(Ok(false), |row| super::read::column(&row, "flagged"))
    }

    async fn set_flag(&mut self, person: &PersonKey) -> Stored<()> {
        let query = sqlx::query(sql::SET_FLAG).bind(key(person)).bind(micros(self.now));
        query.execute(self.db()).await.map_err(away)?;
        self.work.flags.insert(*person, true);
        Ok(())
    }

    async fn lift_flag(&mut self, person: &PersonKey) -> Stored<()> {
        sqlx::query(sql::LIFT_FLAG).bind(key(person)).execute(self.db()).await.map_err(away)?;
        self.work.flags.insert(*person, false);
        Ok(())
    }

    async fn messages_of(&mut self, person: &PersonKey, kind: MessageKind) -> Stored<Vec<StoredMessage>> {
        if !self.work.of_person.contains_key(&(*person, kind)) {
            self.read_person(person, kind).await?;
        }
        Ok(self.work.of_person.get(&(*person, kind)).map(|numbers| self.work.those(numbers)).unwrap_or_default())
    }

    async fn revisions(&mut self, report: &ReportKey) -> Stored<Vec<StoredMessage>> {
        if !self.work.of_report.contains_key(report) {
            self.write_rows().await?;
            self.read_revisions(&[*report]).await?;
        }
        Ok(self.work.revisions(report).unwrap_or_default())
    }

    async fn legs(&mut self, message: MessageNumber) -> Stored<Vec<LegRow>> {
        self.know_legs(message).await?;
        Ok(self.work.legs.get(&message).cloned().unwrap_or_default())
    }

    async fn put_leg(&mut self, leg: &LegRow) -> Stored<()> {
        self.know_legs(leg.id.message).await?;
        self.work.put_leg(leg);
        Ok(())
    }

    async fn make_due(&mut self, report: &ReportKey) -> Stored<()> {
        self.write_rows().await?;
        let query = sqlx::query(sql::MAKE_DUE).bind(report.as_bytes()).bind(micros(self.now));
        query.execute(self.db()).await.map_err(away)?;
        self.work.legs.retain(|_, legs| legs.iter().all(|leg| leg.report != *report));
        Ok(())
    }

    async fn claim_due(&mut self, limit: i64) -> Stored<Vec<DueReport>> {
        self.write_rows().await?;
        self.work.forget();
        self.claim(limit).await
    }

    async fn due(&mut self, limit: i64) -> Stored<Vec<DueReport>> {
        self.look_due(limit).await
    }

    async fn put_off_due(&mut self, report: &ReportKey, until: Timestamp) -> Stored<Vec<MessageNumber>> {
        self.put_off(report, until).await
    }

    async fn keep_due_answer(&mut self, due: &DueAnswer) -> Stored<()> {
        self.work.due_answers.push(due.clone());
        Ok(())
    }

    async fn claim_due_answers(&mut self, limit: i64) -> Stored<Vec<DueAnswer>> {
        self.write_rows().await?;
        self.work.forget();
        self.claim_answers(limit).await
    }

    async fn due_answers(&mut self, limit: i64) -> Stored<Vec<DueAnswer>> {
        self.look_due_answers(limit).await
    }

    async fn put_off_due_answer(&mut self, message: MessageNumber, until: Timestamp) -> Stored<()> {
        self.put_off_answer(message, until).await
    }

    async fn end_due_answer(&mut self, message: MessageNumber) -> Stored<()> {
        sqlx::query(sql::END_DUE_ANSWER).bind(message.0).execute(self.db()).await.map(drop).map_err(away)
    }

    async fn marks(&mut self) -> Stored<Marks> {
        self.write_out().await?;
        restore::marks(self.db()).await
    }

    async fn epoch(&mut self) -> Stored<u32> {
        restore::epoch(self.db()).await
    }

    async fn begin_epoch(&mut self, epoch: u32) -> Stored<()> {
        restore::begin_epoch(self.db(), epoch).await
    }

    async fn keep_revocation(&mut self, revocation: &Revocation) -> Stored<()> {
        self.work.kept.remove(&revocation.person);
        restore::keep_revocation(self.db(), revocation).await
    }

    async fn kept_revocations(&mut self, person: &PersonKey) -> Stored<Vec<Revocation>> {
        if let Some(kept) = self.work.kept.get(person) {
            return Ok(kept.clone());
        }
        restore::kept_revocations(self.db(), std::slice::from_ref(person)).await
    }

    async fn audit(&mut self, row: &AuditRow) -> Stored<()> {
        self.work.audit.push(row.clone());
        Ok(())
    }
}
