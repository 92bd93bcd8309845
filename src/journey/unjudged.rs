//! Reports that cannot be judged any more, because the contracts have changed under them or their key is gone.

use super::reconcile::{Desired, stays};
use super::{Journey, KeyedTx};
use crate::domain::{Code, ReportKey};
use crate::feed::Method;
use crate::store::{EntryRow, EntryState, LegState, Stored, StoredMessage, Tx};

impl Journey {
    /// Leaves a message's legs alone until something comes. What was taken out of a feed meanwhile, because its terms or its key
    /// are gone, is published no more, and nobody counts it as that.
    pub(super) async fn rest<T: Tx>(&self, tx: &mut KeyedTx<T>, stored: &StoredMessage, report: &ReportKey) -> Stored<()> {
        for mut leg in tx.legs(stored.number).await? {
            if leg.state == LegState::Published {
                let entries = tx.entries(report, &leg.id.recipient).await?;
                let mut own = entries.iter().filter(|entry| entry.message == stored.number);
                let deletes = own.clone().any(|entry| entry.method == Method::Delete);
                let stands = |entry: &&EntryRow| {
                    entry.method == Method::Put && (entry.state == EntryState::Live || stays(&entries, entry))
                };
                if !deletes && !own.any(|entry| stands(&entry)) {
                    (leg.state, leg.code, leg.documents) = (LegState::Withdrawn, Some(Code::JourneyLapsed), 0);
                }
            }
            leg.due_at = None;
            self.put_changed(tx, &leg, None).await?;
        }
        Ok(())
    }

    /// Ends a report that another set's agreements no longer cover, or that its contracts refuse: what nobody has fetched is never shown, and what was
    /// served lawfully stays with its recipient.
    pub(super) async fn uncover<T: Tx>(
        &self,
        tx: &mut KeyedTx<T>,
        stored: &StoredMessage,
        report: &ReportKey,
        code: Code,
    ) -> Stored<()> {
        let feeds = tx.feeds_of(report).await?;
        tx.lock_deliveries(&feeds).await?;
        for recipient in &feeds {
            self.apply(tx, stored, report, recipient, &Desired::Lapse, &[], code).await?;
        }
        for mut leg in tx.legs(stored.number).await? {
            if matches!(leg.state, LegState::Published | LegState::Held) {
                let entries = tx.entries(report, &leg.id.recipient).await?;
                let kept = entries.iter().filter(|entry| entry.message == stored.number && stays(&entries, entry)).count();
                // What was taken back stays taken back, whatever the agreements say now.
                let deletes = entries.iter().any(|entry| entry.message == stored.number && entry.method == Method::Delete);
                if kept > 0 || !deletes {
                    leg.documents = i64::try_from(kept).unwrap_or(i64::MAX);
                }
                if kept == 0 && !deletes {
                    (leg.state, leg.code) = (LegState::Refused, Some(code));
                }
            }
            leg.due_at = None;
            self.put_changed(tx, &leg, None).await?;
        }
        Ok(())
    }

    /// Withdraws a report that cannot be judged any more.
    pub(super) async fn shut<T: Tx>(&self, tx: &mut KeyedTx<T>, stored: &StoredMessage, report: &ReportKey) -> Stored<()> {
        self.take_back(tx, stored, report, Code::ConsentRevoked).await?;
        for mut leg in tx.legs(stored.number).await? {
            if matches!(leg.state, LegState::Published | LegState::Held) {
                (leg.state, leg.code, leg.documents) = (LegState::Withdrawn, Some(Code::ConsentRevoked), 0);
            }
            leg.due_at = None;
            self.put_changed(tx, &leg, None).await?;
        }
        Ok(())
    }
}
