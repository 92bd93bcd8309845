//! What falls due: settled in bounded transactions, in every process.
//!
//! Where a row or a key of one participant cannot be read, its transaction comes to nothing, and with it everybody's who is in it.
//! So what is due is run one by one then: the rest goes on, and what cannot be settled is told and put off.

use std::error::Error;

use jiff::{SignedDuration, Timestamp};

use super::{Attempts, Journey, KeyedTx};
use crate::faults;
use crate::store::{Concerned, DueAnswer, DueReport, Feeds as _, Store, StoreError, Stored, Tx};
use crate::telemetry::{Event as _, PutOff};

/// How many due reports one sweep's transaction settles.
const SWEEP: i64 = 50;

/// How long what cannot be settled is left alone.
const REST: SignedDuration = SignedDuration::from_hours(1);

impl Journey {
    /// Settles a bounded number of reports whose time has come, and answers for reports whose hold period has ended; says
    /// how many there were of both. Neither waits for what keeps the other.
    ///
    /// # Errors
    /// A fault of the store as a whole.
    pub async fn sweep<S: Store>(&self, store: &S) -> Stored<usize> {
        let (settled, ended) = (self.settle_due(store).await, self.end_holds(store).await);
        Ok(settled? + ended?)
    }

    async fn settle_due<S: Store>(&self, store: &S) -> Stored<usize> {
        let mut attempts = Attempts::default();
        loop {
            match self.settle_together(store).await {
                Err(StoreError::Contended) if attempts.again() => {}
                Err(fault) if fault.is_of_one_row() => return self.settle_singly(store).await,
                result => return result,
            }
        }
    }

    async fn settle_together<S: Store>(&self, store: &S) -> Stored<usize> {
        if faults::planted!("no-check-at-serving") {
            // What is due would be taken out of the feed before anybody was served it.
            return Ok(0);
        }
        let mut tx = self.begin(store, "sweep").await?;
        let due = tx.claim_due(SWEEP).await?;
        for report in &due {
            self.settle_one(&mut tx, report).await?;
            faults::point!("mid-sweep");
        }
        tx.commit().await?;
        Ok(due.len())
    }

    async fn settle_one<T: Tx>(&self, tx: &mut KeyedTx<T>, due: &DueReport) -> Stored<()> {
        if tx.is_flagged(&due.person).await? {
            return Ok(());
        }
        let consents = self.consents(tx, &due.person).await?;
        self.settle_report(tx, &due.report, &consents, None).await
    }

    async fn settle_singly<S: Store>(&self, store: &S) -> Stored<usize> {
        let due = store.begin("look-due").await?.due(SWEEP).await?;
        for report in &due {
            let mut attempts = Attempts::default();
            loop {
                match self.settle_alone(store, report).await {
                    Err(StoreError::Contended) if attempts.again() => {}
                    Err(fault) if fault.is_of_one_row() => break put_off(store, report, &fault).await?,
                    result => break result?,
                }
            }
        }
        Ok(due.len())
    }

    async fn settle_alone<S: Store>(&self, store: &S, due: &DueReport) -> Stored<()> {
        let mut tx = self.begin(store, "sweep-alone").await?;
        let (persons, reports) = (vec![due.person], vec![due.report]);
        tx.lock(&Concerned { persons, reports, ..Concerned::default() }).await?;
        // Another process may have settled it meanwhile; once more does no harm.
        self.settle_one(&mut tx, due).await?;
        tx.commit().await
    }

    async fn end_holds<S: Store>(&self, store: &S) -> Stored<usize> {
        let mut attempts = Attempts::default();
        loop {
            match self.end_holds_together(store).await {
                Err(StoreError::Contended) if attempts.again() => {}
                Err(fault) if fault.is_of_one_row() => return self.end_holds_singly(store).await,
                result => return result,
            }
        }
    }

    async fn end_holds_together<S: Store>(&self, store: &S) -> Stored<usize> {
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

    async fn end_holds_singly<S: Store>(&self, store: &S) -> Stored<usize> {
        let due = store.begin("look-holds").await?.due_answers(SWEEP).await?;
        for one in &due {
            let mut attempts = Attempts::default();
            loop {
                match self.end_hold_alone(store, one).await {
                    Err(StoreError::Contended) if attempts.again() => {}
                    Err(fault) if fault.is_of_one_row() => break put_off_answer(store, one, &fault).await?,
                    result => break result?,
                }
            }
        }
        Ok(due.len())
    }

    async fn end_hold_alone<S: Store>(&self, store: &S, due: &DueAnswer) -> Stored<()> {
        let mut tx = self.begin(store, "end-hold-alone").await?;
        tx.lock(&Concerned::whole(due.person)).await?;
        // Another process may have answered meanwhile, and a second answer would be one too many.
        if !tx.due_answers(SWEEP).await?.contains(due) {
            return Ok(());
        }
        if let Some(answer) = self.end_hold(&mut tx, due).await? {
            tx.publish_answers(&[answer]).await?;
        }
        tx.commit().await
    }
}

fn rested(now: Timestamp) -> Timestamp {
    now.saturating_add(REST).unwrap_or(now)
}

async fn put_off<S: Store>(store: &S, due: &DueReport, cause: &(dyn Error + Sync)) -> Stored<()> {
    let mut tx = store.begin("put-off").await?;
    tx.lock_persons(&[due.person]).await?;
    let until = rested(tx.now());
    let mut messages = tx.put_off_due(&due.report, until).await?;
    tx.commit().await?;
    messages.sort_unstable();
    messages.dedup();
    for message in messages {
        PutOff { message: message.0, cause }.emit();
    }
    Ok(())
}

async fn put_off_answer<S: Store>(store: &S, due: &DueAnswer, cause: &(dyn Error + Sync)) -> Stored<()> {
    let mut tx = store.begin("put-off").await?;
    tx.lock_persons(&[due.person]).await?;
    let until = rested(tx.now());
    tx.put_off_due_answer(due.message, until).await?;
    tx.commit().await?;
    PutOff { message: due.message.0, cause }.emit();
    Ok(())
}
