//! The embedded store's feeds in a transaction: each act of the port, forwarded to the file that knows its tables.

use jiff::Timestamp;

use super::entries::{Fresh, Origin};
use super::{SqliteTx, Stored, answers, entries, legs, refused};
use crate::answer::Answer;
use crate::domain::{MessageNumber, Position, RecipientId, ReportKey, Subject};
use crate::feed::Method;
use crate::seal::Sealed;
use crate::store::{EntryRow, FeedEntry, Feeds, RefusedEntry, StoredMessage};

impl Feeds for SqliteTx {
    async fn make_due_unless(&mut self, terms: &[String], after: MessageNumber, limit: i64) -> Stored<Option<MessageNumber>> {
        let now = self.now;
        legs::make_due_unless(self.db(), terms, after, limit, now).await
    }

    async fn entries(&mut self, report: &ReportKey, recipient: &RecipientId) -> Stored<Vec<EntryRow>> {
        entries::of_report(self.db(), report, recipient).await
    }

    async fn feeds_of(&mut self, report: &ReportKey) -> Stored<Vec<RecipientId>> {
        entries::feeds_of(self.db(), report).await
    }

    async fn publish(&mut self, sealed: &Sealed, message: &StoredMessage, fingerprint: &[u8], until: Timestamp) -> Stored<()> {
        let now = self.now;
        entries::publish(self.db(), &Fresh::put(sealed, fingerprint, until), Origin::of(message), now).await.map(drop)
    }

    async fn publish_answers(&mut self, answers: &[Answer]) -> Stored<()> {
        let now = self.now;
        answers::publish(self.db(), answers, now).await
    }

    async fn publish_delete(
        &mut self,
        recipient: &RecipientId,
        subject: &Subject,
        message: &StoredMessage,
    ) -> Stored<Position> {
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

    async fn count_page(&mut self, recipient: &RecipientId) -> Stored<i64> {
        entries::count_page(self.db(), recipient, true).await
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
}
