//! What a unit of work locks and reads: by lists, so that a batch costs a handful of statements however large it is.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use sqlx::postgres::PgBindIterExt as _;

use super::fault::away;
use super::read::{column, key, micros, recipient as recipient_of};
use super::tx::PgTx;
use super::{restore, rows, sql};
use crate::domain::{MessageNumber, PersonKey, RecipientId, ReportKey};
use crate::faults;
use crate::store::{Concerned, DueReport, LegRow, MessageKind, StoreError, Stored, StoredMessage};

impl PgTx {
    /// Takes the participants' rows and the delivery rows, each kind sorted, and then reads ahead.
    pub(super) async fn gather(&mut self, concerned: &Concerned) -> Stored<()> {
        self.write_rows().await?;
        self.work.forget();
        self.hold_persons(&concerned.persons).await?;
        self.look_around(concerned).await
    }

    /// What follows the participants' lock, each in a statement of its own that sees what committed before the lock was
    /// ours.
    async fn look_around(&mut self, concerned: &Concerned) -> Stored<()> {
        if !concerned.receipts.is_empty() {
            self.read_receipts(concerned).await?;
        }
        if concerned.persons.is_empty() {
            return Ok(());
        }
        // Which feeds hold anything of these reports is settled by the participants' lock; what of it was served is not.
        let feeds = self.feeds_concerned(&concerned.reports, &concerned.whole).await?;
        self.hold_deliveries(&feeds).await?;
        self.read_consents(&concerned.persons).await?;
        if concerned.reports.is_empty() {
            return Ok(());
        }
        self.read_revisions(&concerned.reports).await?;
        if feeds.is_empty() {
            for report in &concerned.reports {
                self.work.entries.entry(*report).or_default();
            }
            return Ok(());
        }
        self.read_entries(&concerned.reports).await
    }

    /// Takes participants' rows, making those that are missing.
    pub(super) async fn hold_persons(&mut self, persons: &[PersonKey]) -> Stored<()> {
        if persons.is_empty() {
            return Ok(());
        }
        // To make a row that another makes at the same time is to wait for it, and as good as a lock.
        if faults::planted!("no-participants-lock") {
            return Ok(());
        }
        let keys = || persons.iter().map(key).bind_iter();
        sqlx::query(sql::MAKE_PERSONS).bind(keys()).execute(self.db()).await.map_err(away)?;
        let locked = sqlx::query(sql::LOCK_PERSONS).bind(keys()).fetch_all(self.db()).await.map_err(away)?;
        for row in &locked {
            let (person, flagged) = rows::person_flag(row)?;
            self.work.flags.insert(person, flagged);
        }
        Ok(())
    }

    /// Takes delivery rows, making those that are missing. What was read of entries before is read again.
    pub(super) async fn hold_deliveries(&mut self, recipients: &[RecipientId]) -> Stored<()> {
        let wanted: BTreeSet<&RecipientId> = recipients.iter().filter(|one| !self.held.contains(*one)).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let wanted: Vec<RecipientId> = wanted.into_iter().cloned().collect();
        let names = || wanted.iter().map(RecipientId::as_str).bind_iter();
        sqlx::query(sql::MAKE_DELIVERIES).bind(names()).execute(self.db()).await.map_err(away)?;
        sqlx::query(sql::LOCK_DELIVERIES).bind(names()).execute(self.db()).await.map_err(away)?;
        self.held.extend(wanted);
        self.work.forget_entries();
        Ok(())
    }

    async fn feeds_concerned(&mut self, reports: &[ReportKey], whole: &[PersonKey]) -> Stored<Vec<RecipientId>> {
        if reports.is_empty() && whole.is_empty() {
            return Ok(Vec::new());
        }
        let query = sqlx::query(sql::FEEDS_CONCERNED)
            .bind(reports.iter().map(ReportKey::as_bytes).bind_iter())
            .bind(whole.iter().map(key).bind_iter());
        let found = query.fetch_all(self.db()).await.map_err(away)?;
        found.iter().map(|row| recipient_of(row, "recipient")).collect()
    }

    async fn read_receipts(&mut self, concerned: &Concerned) -> Stored<()> {
        let query = sqlx::query(sql::RECEIPTS)
            .bind(concerned.receipts.iter().map(|(login, _)| login.as_str()).bind_iter())
            .bind(concerned.receipts.iter().map(|(_, id)| *id).bind_iter());
        let found = query.fetch_all(self.db()).await.map_err(away)?;
        for id in &concerned.receipts {
            self.work.receipts.entry(id.clone()).or_default();
        }
        for row in &found {
            let (id, receipt) = rows::receipt(row)?;
            self.work.receipts.entry(id).or_default().push(receipt);
        }
        let wanted = i64::try_from(concerned.receipts.len()).unwrap_or(i64::MAX);
        self.take_numbers(wanted).await
    }

    /// Takes numbers for messages; those that are not used are gaps, which nobody minds.
    pub(super) async fn take_numbers(&mut self, wanted: i64) -> Stored<()> {
        let taken = sqlx::query(sql::NUMBERS).bind(wanted).fetch_all(self.db()).await.map_err(away)?;
        let mut numbers = taken.iter().map(|row| column(row, "nextval")).collect::<Stored<Vec<i64>>>()?;
        numbers.append(&mut self.work.numbers);
        numbers.sort_unstable_by(|a, b| b.cmp(a));
        self.work.numbers = numbers;
        Ok(())
    }

    async fn read_consents(&mut self, persons: &[PersonKey]) -> Stored<()> {
        let query = sqlx::query(sql::CONSENTS).bind(persons.iter().map(key).bind_iter());
        let found = query.fetch_all(self.db()).await.map_err(away)?;
        for person in persons {
            self.work.of_person.entry((*person, MessageKind::Consent)).or_default();
        }
        let messages = found.iter().map(rows::stored).collect::<Stored<Vec<_>>>()?;
        for stored in &messages {
            if let Some(person) = stored.message.person {
                self.work.of_person.entry((person, MessageKind::Consent)).or_default().insert(stored.number);
            }
        }
        self.work.remember(messages);
        for person in persons {
            self.work.kept.entry(*person).or_default();
        }
        for revocation in restore::kept_revocations(self.db(), persons).await? {
            self.work.kept.entry(revocation.person).or_default().push(revocation);
        }
        Ok(())
    }

    /// Reads all journeys of reports, with their legs.
    pub(super) async fn read_revisions(&mut self, reports: &[ReportKey]) -> Stored<()> {
        let query = sqlx::query(sql::REVISIONS).bind(reports.iter().map(ReportKey::as_bytes).bind_iter());
        let found = query.fetch_all(self.db()).await.map_err(away)?;
        let messages = found.iter().map(rows::stored).collect::<Stored<Vec<_>>>()?;
        for report in reports {
            self.work.of_report.entry(*report).or_default();
        }
        self.take_up_journeys(messages).await
    }

    /// Reads all reports of one participant, with their legs and entries: it is settled whole.
    pub(super) async fn read_person(&mut self, person: &PersonKey, kind: MessageKind) -> Stored<()> {
        self.write_rows().await?;
        let query = sqlx::query(sql::OF_PERSON).bind(key(person)).bind(kind.as_str());
        let found = query.fetch_all(self.db()).await.map_err(away)?;
        let messages = found.iter().map(rows::stored).collect::<Stored<Vec<_>>>()?;
        let numbers = messages.iter().map(|stored| stored.number).collect();
        self.work.of_person.insert((*person, kind), numbers);
        if kind != MessageKind::Report {
            self.work.remember(messages);
            return Ok(());
        }
        // A report is one participant's, so all its revisions are here.
        let reports: BTreeSet<ReportKey> = messages.iter().filter_map(|stored| stored.message.report).collect();
        for report in &reports {
            self.work.of_report.entry(*report).or_default();
        }
        self.take_up_journeys(messages).await?;
        let unread: Vec<ReportKey> = reports.into_iter().filter(|report| !self.work.entries.contains_key(report)).collect();
        self.read_entries(&unread).await
    }

    async fn take_up_journeys(&mut self, messages: Vec<StoredMessage>) -> Stored<()> {
        let mut unread = Vec::new();
        for stored in &messages {
            if let Some(report) = stored.message.report {
                self.work.of_report.entry(report).or_default().insert(stored.number);
            }
            if !self.work.legs.contains_key(&stored.number) {
                unread.push(stored.number);
            }
        }
        self.work.remember(messages);
        self.read_legs(&unread).await
    }

    /// Reads the legs of messages that have none here that are newer.
    pub(super) async fn read_legs(&mut self, messages: &[MessageNumber]) -> Stored<()> {
        if messages.is_empty() {
            return Ok(());
        }
        let query = sqlx::query(sql::LEGS).bind(messages.iter().map(|number| number.0).bind_iter());
        let found = query.fetch_all(self.db()).await.map_err(away)?;
        let mut legs: HashMap<MessageNumber, Vec<LegRow>> = messages.iter().map(|number| (*number, Vec::new())).collect();
        for row in &found {
            let leg = rows::leg(row)?;
            legs.entry(leg.id.message).or_default().push(leg);
        }
        self.work.legs.extend(legs);
        Ok(())
    }

    /// Reads the entries of reports that have none here that are newer.
    pub(super) async fn read_entries(&mut self, reports: &[ReportKey]) -> Stored<()> {
        if reports.is_empty() {
            return Ok(());
        }
        let query = sqlx::query(sql::ENTRIES).bind(reports.iter().map(ReportKey::as_bytes).bind_iter());
        let found = query.fetch_all(self.db()).await.map_err(away)?;
        for report in reports {
            self.work.entries.insert(*report, Vec::new());
        }
        for row in &found {
            let (report, known) = rows::known(row)?;
            self.work.entries.entry(report).or_default().push(known);
        }
        Ok(())
    }

    /// Claims due reports: looks what is due, takes the participants that no other process works on, and looks again.
    pub(super) async fn claim(&mut self, limit: i64) -> Stored<Vec<DueReport>> {
        let now = micros(self.now);
        // Enough candidates that several processes find some each.
        let candidates = self.look_due(limit.saturating_mul(4)).await?;
        let persons: BTreeSet<PersonKey> = candidates.iter().map(|report| report.person).collect();
        if persons.is_empty() {
            return Ok(Vec::new());
        }
        let query = sqlx::query(sql::CLAIM_PERSONS).bind(persons.iter().map(key).bind_iter());
        let claimed = query.fetch_all(self.db()).await.map_err(away)?;
        let mut persons = Vec::new();
        for row in &claimed {
            let (person, flagged) = rows::person_flag(row)?;
            self.work.flags.insert(person, flagged);
            persons.push(person);
        }
        let query = sqlx::query(sql::DUE_OF).bind(now).bind(limit).bind(persons.iter().map(key).bind_iter());
        let found = query.fetch_all(self.db()).await.map_err(away)?;
        let due = found.iter().map(rows::due).collect::<Stored<Vec<_>>>()?;
        let reports = due.iter().map(|report| report.report).collect();
        let concerned = Concerned { persons, reports, ..Concerned::default() }.sorted();
        self.look_around(&concerned).await?;
        Ok(due)
    }

    pub(super) async fn look_due(&mut self, limit: i64) -> Stored<Vec<DueReport>> {
        let now = micros(self.now);
        let found = sqlx::query(sql::DUE).bind(now).bind(limit).fetch_all(self.db()).await.map_err(away)?;
        found.iter().map(rows::due).collect()
    }

    /// Makes what is due of a report due at another time.
    pub(super) async fn put_off(&mut self, report: &ReportKey, until: Timestamp) -> Stored<Vec<MessageNumber>> {
        self.write_rows().await?;
        let query = sqlx::query(sql::PUT_OFF_DUE).bind(report.as_bytes()).bind(micros(self.now)).bind(micros(until));
        let found = query.fetch_all(self.db()).await.map_err(away)?;
        self.work.legs.retain(|_, legs| legs.iter().all(|leg| leg.report != *report));
        found.iter().map(|row| rows::number(row, "message")).collect()
    }

    pub(super) async fn know_entries(&mut self, report: &ReportKey) -> Stored<()> {
        if self.work.entries.contains_key(report) { Ok(()) } else { self.read_entries(&[*report]).await }
    }

    pub(super) async fn know_legs(&mut self, message: MessageNumber) -> Stored<()> {
        if self.work.legs.contains_key(&message) { Ok(()) } else { self.read_legs(&[message]).await }
    }

    /// The report and the participant of a message that entries are made of.
    pub(super) fn origin(message: &StoredMessage) -> Stored<(ReportKey, PersonKey)> {
        match (message.message.report, message.message.person) {
            (Some(report), Some(person)) => Ok((report, person)),
            _ => Err(StoreError::Inconsistent { table: "messages", column: "report" }),
        }
    }
}
