//! The shared store's feeds in a transaction: what is published waits in the unit of work until it is written out.

use jiff::Timestamp;

use super::fault::away;
use super::read::{column, micros};
use super::work::Fresh;
use super::{PgTx, refused, restore, rows, sql};
use crate::answer::Answer;
use crate::domain::{MessageNumber, Position, RecipientId, ReportKey, Subject};
use crate::seal::Sealed;
use crate::store::{EntryRow, EntryState, FeedEntry, Feeds, RefusedEntry, StoreError, Stored, StoredMessage};

impl Feeds for PgTx {
    async fn make_due_unless(&mut self, terms: &[String], after: MessageNumber, limit: i64) -> Stored<Option<MessageNumber>> {
        self.write_rows().await?;
        self.work.forget();
        if after.0 == 0 {
            // There are far fewer texts than legs, and at most starts no leg rests on any other terms.
            let other: bool = sqlx::query_scalar(sql::HAS_OTHER_TERMS).bind(terms).fetch_one(self.db()).await.map_err(away)?;
            if !other {
                return Ok(None);
            }
        }
        let row = sqlx::query(sql::LAST_LEG).bind(after.0).bind(limit).fetch_one(self.db()).await.map_err(away)?;
        let Some(last) = column::<Option<i64>>(&row, "last")? else { return Ok(None) };
        let now = micros(self.now);
        let query = sqlx::query(sql::MAKE_DUE_UNLESS).bind(after.0).bind(last).bind(now).bind(terms);
        query.execute(self.db()).await.map_err(away)?;
        Ok(Some(MessageNumber(last)))
    }

    async fn entries(&mut self, report: &ReportKey, recipient: &RecipientId) -> Stored<Vec<EntryRow>> {
        self.know_entries(report).await?;
        let known = self.work.entries.get(report).into_iter().flatten();
        Ok(known.filter(|known| known.recipient == *recipient).map(|known| known.row.clone()).collect())
    }

    async fn feeds_of(&mut self, report: &ReportKey) -> Stored<Vec<RecipientId>> {
        self.know_entries(report).await?;
        let known = self.work.entries.get(report).into_iter().flatten();
        let mut feeds: Vec<RecipientId> = known.map(|known| known.recipient.clone()).collect();
        feeds.sort();
        feeds.dedup();
        Ok(feeds)
    }

    async fn publish(&mut self, sealed: &Sealed, message: &StoredMessage, fingerprint: &[u8], until: Timestamp) -> Stored<()> {
        let (report, person) = Self::origin(message)?;
        self.know_entries(&report).await?;
        let fresh = Fresh::of_sealed(sealed, message.number, (report, person), fingerprint, until);
        self.work.publish(report, fresh);
        Ok(())
    }

    async fn publish_answers(&mut self, answers: &[Answer]) -> Stored<()> {
        self.work.fresh.extend(answers.iter().map(super::answers::fresh));
        Ok(())
    }

    async fn publish_delete(
        &mut self,
        recipient: &RecipientId,
        subject: &Subject,
        message: &StoredMessage,
    ) -> Stored<Position> {
        let (report, person) = Self::origin(message)?;
        self.know_entries(&report).await?;
        let known = self.work.entries.get(&report).into_iter().flatten();
        let of_subject = known.filter(|known| known.recipient == *recipient && known.row.subject == *subject);
        let newest = of_subject.max_by_key(|known| known.row.position);
        let newest = newest.ok_or(StoreError::Inconsistent { table: "entries", column: "subject" })?;
        let fresh = Fresh::taking_back(newest, message.number, (report, person));
        Ok(self.work.publish(report, fresh))
    }

    async fn keep_entry(
        &mut self,
        recipient: &RecipientId,
        position: Position,
        message: MessageNumber,
        until: Timestamp,
    ) -> Stored<()> {
        if let Some(known) = self.work.known(recipient, position) {
            known.row.message = message;
        }
        if let Some(fresh) = self.work.unwritten(position) {
            (fresh.message, fresh.until) = (message, Some(until));
            return Ok(());
        }
        // The entry may be a dead letter, which then hangs on this message: it must be there.
        self.write_messages().await?;
        let query = sqlx::query(sql::KEEP_ENTRY).bind(recipient.as_str()).bind(position.0).bind(message.0);
        query.bind(micros(until)).execute(self.db()).await.map(drop).map_err(away)
    }

    async fn withdraw_entry(&mut self, recipient: &RecipientId, position: Position) -> Stored<()> {
        if let Some(known) = self.work.known(recipient, position) {
            known.row.state = EntryState::Withdrawn;
        }
        if let Some(fresh) = self.work.unwritten(position) {
            fresh.state = EntryState::Withdrawn;
            return Ok(());
        }
        let query = sqlx::query(sql::WITHDRAW_ENTRY).bind(recipient.as_str()).bind(position.0);
        query.execute(self.db()).await.map(drop).map_err(away)
    }

    async fn page(&mut self, recipient: &RecipientId, after: Position, limit: i64) -> Stored<Vec<FeedEntry>> {
        self.write_out().await?;
        let query = sqlx::query(sql::PAGE).bind(recipient.as_str()).bind(after.0).bind(limit);
        query.fetch_all(self.db()).await.map_err(away)?.iter().map(rows::feed_entry).collect()
    }

    async fn unconfirmed(&mut self, recipient: &RecipientId, limit: i64) -> Stored<Vec<FeedEntry>> {
        self.write_out().await?;
        let query = sqlx::query(sql::UNCONFIRMED).bind(recipient.as_str()).bind(limit);
        query.fetch_all(self.db()).await.map_err(away)?.iter().map(rows::feed_entry).collect()
    }

    async fn mark_served(&mut self, recipient: &RecipientId, positions: &[Position]) -> Stored<i64> {
        if positions.is_empty() {
            return restore::pages(self.db(), recipient).await;
        }
        self.assume_served(recipient, positions).await?;
        restore::count_page(self.db(), recipient).await
    }

    async fn count_page(&mut self, recipient: &RecipientId) -> Stored<i64> {
        restore::count_page(self.db(), recipient).await
    }

    async fn assume_served(&mut self, recipient: &RecipientId, positions: &[Position]) -> Stored<()> {
        let positions: Vec<i64> = positions.iter().map(|position| position.0).collect();
        let query = sqlx::query(sql::MARK_SERVED).bind(recipient.as_str()).bind(positions).bind(micros(self.now));
        query.execute(self.db()).await.map_err(away)?;
        self.work.forget_entries();
        Ok(())
    }

    async fn confirm(&mut self, recipient: &RecipientId, position: Position) -> Stored<()> {
        let query = sqlx::query(sql::CONFIRM).bind(recipient.as_str()).bind(position.0).bind(micros(self.now));
        query.execute(self.db()).await.map(drop).map_err(away)
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
}
