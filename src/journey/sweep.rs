//! What falls due: settled in bounded transactions, in every process.

use super::{Attempts, Journey};
use crate::faults;
use crate::store::{Store, StoreError, Stored, Tx};

/// How many due reports one sweep's transaction settles.
const SWEEP: i64 = 50;

impl Journey {
    /// Settles a bounded number of reports whose time has come, then answers for reports whose hold period has ended; says
    /// how many there were of both.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn sweep<S: Store>(&self, store: &S) -> Stored<usize> {
        let mut attempts = Attempts::default();
        let settled = loop {
            match self.sweep_once(store).await {
                Err(StoreError::Contended) if attempts.again() => {}
                result => break result?,
            }
        };
        loop {
            match self.end_holds_once(store).await {
                Err(StoreError::Contended) if attempts.again() => {}
                result => return Ok(settled + result?),
            }
        }
    }

    async fn end_holds_once<S: Store>(&self, store: &S) -> Stored<usize> {
        let mut tx = self.begin(store, "end-holds").await?;
        let due = tx.claim_due_answers(SWEEP).await?;
        for one in &due {
            if let Some(answer) = self.end_hold(&mut tx, one).await? {
                tx.publish_answers(&[answer]).await?;
            }
        }
        tx.commit().await?;
        Ok(due.len())
    }

    async fn sweep_once<S: Store>(&self, store: &S) -> Stored<usize> {
        if faults::planted!("no-check-at-serving") {
            // What is due would be taken out of the feed before anybody was served it.
            return Ok(0);
        }
        let mut tx = self.begin(store, "sweep").await?;
        let due = tx.claim_due(SWEEP).await?;
        for report in &due {
            if tx.is_flagged(&report.person).await? {
                continue;
            }
            let consents = self.consents(&mut tx, &report.person).await?;
            self.settle_report(&mut tx, &report.report, &consents, None).await?;
            faults::point!("mid-sweep");
        }
        tx.commit().await?;
        Ok(due.len())
    }
}
