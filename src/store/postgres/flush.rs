//! What a unit of work writes: each table by one statement, the counters of feeds after all that does not need them.

use std::collections::{BTreeMap, HashMap};

use sqlx::postgres::PgBindIterExt as _;

use super::fault::away;
use super::read::{column, key, micros, recipient as recipient_of};
use super::rows::violations_text;
use super::sql;
use super::tx::PgTx;
use super::work::provisional;
use crate::audit::BasisDigest;
use crate::domain::{Code, Fingerprint, MessageNumber, Position, RecipientId, ReportKey, TraceParent};
use crate::faults;
use crate::store::{LegRow, MessageState, NewMessage, StoreError, Stored, StoredMessage};

impl PgTx {
    pub(super) async fn divert(&mut self, number: MessageNumber) -> Stored<()> {
        self.write_rows().await?;
        sqlx::query(sql::DROP_LEGS).bind(number.0).execute(self.db()).await.map_err(away)?;
        sqlx::query(sql::DIVERT).bind(number.0).execute(self.db()).await.map_err(away)?;
        if let Some(stored) = self.work.messages.get_mut(&number) {
            stored.message.state = MessageState::Diverted;
        }
        self.work.legs.insert(number, Vec::new());
        Ok(())
    }

    pub(super) async fn discard(&mut self, number: MessageNumber) -> Stored<()> {
        self.write_rows().await?;
        let now = self.now;
        sqlx::query(sql::DISCARD).bind(number.0).bind(micros(now)).execute(self.db()).await.map_err(away)?;
        if let Some(stored) = self.work.messages.get_mut(&number) {
            stored.discarded_at = Some(now);
        }
        Ok(())
    }

    /// Writes messages and legs that are not written yet. It can be done at any time: it takes no lock that comes late.
    pub(super) async fn write_rows(&mut self) -> Stored<()> {
        self.write_messages().await?;
        self.write_duplicates().await?;
        self.write_due_answers().await?;
        self.write_legs().await
    }

    /// Writes everything but the audit rows, which come last of all. Only what reads rows by itself, and the end of the
    /// transaction, come after it.
    pub(super) async fn write_out(&mut self) -> Stored<()> {
        self.write_rows().await?;
        self.write_replaced().await?;
        self.write_entries().await?;
        self.write_withdrawals().await
    }

    /// Writes messages that are not written yet; it takes no lock that comes late.
    pub(super) async fn write_messages(&mut self) -> Stored<()> {
        let numbers = std::mem::take(&mut self.work.new_messages);
        let new: Vec<&StoredMessage> = numbers.iter().filter_map(|number| self.work.messages.get(number)).collect();
        if new.is_empty() {
            return Ok(());
        }
        let contracts: Vec<String> = new.iter().map(|one| one.message.envelope.contract.to_string()).collect();
        let violations: Vec<String> = new.iter().map(|one| violations_text(&one.message)).collect();
        let each = || new.iter().map(|one| &one.message);
        let query = sqlx::query(sql::INSERT_MESSAGES)
            .bind(new.iter().map(|one| one.number.0).bind_iter())
            .bind(each().map(|message| message.envelope.login.as_str()).bind_iter())
            .bind(each().map(|message| message.envelope.message_id).bind_iter())
            .bind(each().map(|message| message.fingerprint.as_bytes()).bind_iter())
            .bind(contracts.iter().map(String::as_str).bind_iter())
            .bind(each().map(|message| message.envelope.syntax.as_str()).bind_iter())
            .bind(each().map(|message| micros(message.envelope.message_time)).bind_iter())
            .bind(each().map(|message| micros(message.envelope.received_at)).bind_iter())
            .bind(each().map(|message| message.envelope.trace.parent.as_ref().map(TraceParent::as_str)).bind_iter())
            .bind(each().map(|message| message.envelope.trace.correlation_id).bind_iter())
            .bind(each().map(|message| message.kind.as_str()).bind_iter())
            .bind(each().map(|message| message.state.as_str()).bind_iter())
            .bind(violations.iter().map(String::as_str).bind_iter())
            .bind(each().map(|message| message.restricted).bind_iter())
            .bind(new.iter().map(|one| one.discarded_at.map(micros)).bind_iter())
            .bind(each().map(|message| message.person.as_ref().map(key)).bind_iter())
            .bind(each().map(|message| message.report.as_ref().map(ReportKey::as_bytes)).bind_iter())
            .bind(each().map(|message| message.revision).bind_iter())
            .bind(each().map(|message| message.content.as_ref().map(Fingerprint::as_bytes)).bind_iter())
            .bind(each().map(|message| message.fan_out).bind_iter())
            .bind(each().map(|message| message.sealed.as_bytes()).bind_iter());
        let written = query.execute(&mut self.inner).await.map_err(away)?.rows_affected();
        if written != u64::try_from(new.len()).unwrap_or(u64::MAX) {
            // The same message came to another process at the same time, and nobody's row could be locked for it.
            return Err(StoreError::Contended);
        }
        Ok(())
    }

    /// Changes what a written message turned out to be.
    pub(super) async fn rewrite_message(&mut self, number: MessageNumber, message: &NewMessage) -> Stored<()> {
        let query = sqlx::query(sql::UPDATE_MESSAGE)
            .bind(number.0)
            .bind(message.kind.as_str())
            .bind(message.state.as_str())
            .bind(violations_text(message))
            .bind(message.restricted)
            .bind(message.person.as_ref().map(key))
            .bind(message.report.as_ref().map(ReportKey::as_bytes))
            .bind(message.revision)
            .bind(message.content.as_ref().map(Fingerprint::as_bytes))
            .bind(message.fan_out);
        query.execute(self.db()).await.map(drop).map_err(away)
    }

    async fn write_duplicates(&mut self) -> Stored<()> {
        let again = std::mem::take(&mut self.work.duplicates);
        if again.is_empty() {
            return Ok(());
        }
        let query = sqlx::query(sql::COUNT_DUPLICATES)
            .bind(again.keys().map(|number| number.0).bind_iter())
            .bind(again.values().copied().bind_iter());
        query.execute(self.db()).await.map(drop).map_err(away)
    }

    async fn write_legs(&mut self) -> Stored<()> {
        let changed = std::mem::take(&mut self.work.changed_legs);
        let find = |id: &crate::domain::LegId| self.work.legs.get(&id.message)?.iter().find(|leg| leg.id == *id);
        let legs: Vec<&LegRow> = changed.iter().filter_map(find).collect();
        if legs.is_empty() {
            return Ok(());
        }
        let bases: Vec<BasisDigest> = legs.iter().map(|leg| BasisDigest::of(&leg.basis)).collect();
        let texts = bases.iter().copied().zip(legs.iter().map(|leg| leg.basis.as_str()));
        self.bases.keep(&mut self.inner, texts).await?;
        let query = sqlx::query(sql::PUT_LEGS)
            .bind(legs.iter().map(|leg| leg.id.message.0).bind_iter())
            .bind(legs.iter().map(|leg| leg.id.recipient.as_str()).bind_iter())
            .bind(legs.iter().map(|leg| leg.report.as_bytes()).bind_iter())
            .bind(legs.iter().map(|leg| leg.state.as_str()).bind_iter())
            .bind(legs.iter().map(|leg| leg.code.map(Code::as_str)).bind_iter())
            .bind(legs.iter().map(|leg| leg.due_at.map(micros)).bind_iter())
            .bind(legs.iter().map(|leg| leg.documents).bind_iter())
            .bind(bases.iter().map(BasisDigest::as_bytes).bind_iter());
        query.execute(&mut self.inner).await.map(drop).map_err(away)
    }

    async fn write_replaced(&mut self) -> Stored<()> {
        let replaced = std::mem::take(&mut self.work.replaced);
        if replaced.is_empty() {
            return Ok(());
        }
        let query = sqlx::query(sql::REPLACE_ENTRIES)
            .bind(replaced.iter().map(|(recipient, _)| recipient.as_str()).bind_iter())
            .bind(replaced.iter().map(|(_, position)| position.0).bind_iter());
        query.execute(self.db()).await.map(drop).map_err(away)
    }

    /// Raises the counter of each feed once, by as many as it gets entries, and writes them with their positions.
    async fn write_entries(&mut self) -> Stored<()> {
        let fresh = std::mem::take(&mut self.work.fresh);
        if fresh.is_empty() {
            return Ok(());
        }
        let mut more: BTreeMap<&RecipientId, i64> = BTreeMap::new();
        for one in &fresh {
            *more.entry(&one.recipient).or_default() += 1;
        }
        let mut next = self.raise(&more).await?;
        let mut positions = Vec::with_capacity(fresh.len());
        for one in &fresh {
            let Some(last) = next.get_mut(&one.recipient) else {
                return Err(StoreError::Inconsistent { table: "feeds", column: "head" });
            };
            *last = last.saturating_add(1);
            positions.push(*last);
        }
        for row in &mut self.work.withdrawals {
            for place in [Some(&mut row.position), row.delete.as_mut()].into_iter().flatten() {
                if let Some(real) = provisional(*place).and_then(|index| positions.get(index)) {
                    *place = Position(*real);
                }
            }
        }
        for position in self.work.audit.iter_mut().filter_map(|row| row.position.as_mut()) {
            if let Some(real) = provisional(*position).and_then(|index| positions.get(index)) {
                *position = Position(*real);
            }
        }
        // What was known of them had provisional positions.
        self.work.entries.clear();
        let query = sqlx::query(sql::INSERT_ENTRIES)
            .bind(fresh.iter().map(|one| one.recipient.as_str()).bind_iter())
            .bind(positions.iter().copied().bind_iter())
            .bind(fresh.iter().map(|one| one.message.0).bind_iter())
            .bind(fresh.iter().map(|one| one.of.as_ref().map(|(report, _)| report.as_bytes())).bind_iter())
            .bind(fresh.iter().map(|one| one.of.as_ref().map(|(_, person)| key(person))).bind_iter())
            .bind(fresh.iter().map(|one| one.subject.as_bytes()).bind_iter())
            .bind(fresh.iter().map(|one| one.contract.as_str()).bind_iter())
            .bind(fresh.iter().map(|one| one.syntax.as_str()).bind_iter())
            .bind(fresh.iter().map(|one| one.method.as_str()).bind_iter())
            .bind(fresh.iter().map(|one| one.sealed.as_slice()).bind_iter())
            .bind(fresh.iter().map(|one| one.fingerprint.as_slice()).bind_iter())
            .bind(fresh.iter().map(|one| one.until.map(micros)).bind_iter())
            .bind(fresh.iter().map(|one| one.illustrative).bind_iter())
            .bind(fresh.iter().map(|one| one.state.as_str()).bind_iter())
            .bind(micros(self.now));
        query.execute(self.db()).await.map_err(away)?;
        faults::widen!("sequence-instead-of-counter");
        Ok(())
    }

    /// Raises the counters; gives for each feed the position after which the new ones come.
    async fn raise(&mut self, more: &BTreeMap<&RecipientId, i64>) -> Stored<HashMap<RecipientId, i64>> {
        #[cfg(feature = "faults")]
        if faults::planted!("sequence-instead-of-counter") {
            // One number of a sequence, and room behind it for all that the transaction publishes.
            self.take_numbers(1).await?;
            let number = self.work.numbers.pop().unwrap_or_default();
            return Ok(more.keys().map(|recipient| ((*recipient).clone(), number.saturating_mul(1000))).collect());
        }
        let query = sqlx::query(sql::RAISE_HEADS)
            .bind(more.keys().map(|recipient| recipient.as_str()).bind_iter())
            .bind(more.values().copied().bind_iter());
        let raised = query.fetch_all(self.db()).await.map_err(away)?;
        let mut next: HashMap<RecipientId, i64> = HashMap::new();
        for row in &raised {
            let (recipient, head): (RecipientId, i64) = (recipient_of(row, "recipient")?, column(row, "head")?);
            let taken = more.get(&recipient).copied().unwrap_or_default();
            next.insert(recipient, head.saturating_sub(taken));
        }
        Ok(next)
    }
}
