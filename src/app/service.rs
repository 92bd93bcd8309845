//! The service on a data folder: inbox in, sweep, outbox out, over and over, waiting out every fault.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use tokio::sync::watch;

use crate::journey::{Journey, Outcome};
use crate::spool::{Inbox, Outbox, SpoolError};
use crate::store::sqlite::SqliteStore;
use crate::store::{MessageState, Store as _, StoreError, Survey as _};
use crate::telemetry::{Event as _, MessageTaken, Swept, Waiting};

/// How long an idle service waits before it looks again: a dropped file is noticed within it.
const IDLE: Duration = Duration::from_millis(100);

/// The longest wait after a fault.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// What runs on a data folder.
#[derive(Debug, Clone)]
pub struct Service {
    journey: Journey,
    store: SqliteStore,
    inbox: Inbox,
    outbox: Outbox,
}

impl Service {
    /// Wires a service.
    #[must_use]
    pub const fn new(journey: Journey, store: SqliteStore, inbox: Inbox, outbox: Outbox) -> Self {
        Self { journey, store, inbox, outbox }
    }

    /// The way.
    #[must_use]
    pub const fn journey(&self) -> &Journey {
        &self.journey
    }

    /// The store.
    #[must_use]
    pub const fn store(&self) -> &SqliteStore {
        &self.store
    }

    /// One turn: takes what waits in the inbox, settles what is due, delivers what is pushed.
    ///
    /// # Errors
    /// A fault; nothing is lost, and the next turn does what this one did not.
    pub async fn turn(&self) -> Result<Vec<Outcome>, SpoolError> {
        // What is due and what is delivered does not wait for an inbox that cannot be used.
        let taken = self.inbox.take(&self.journey, &self.store).await;
        for outcome in taken.iter().flatten() {
            let (number, state) = match outcome {
                Outcome::Duplicate(number) => (number, MessageState::Duplicate),
                Outcome::Stored(number, state) => (number, *state),
            };
            MessageTaken { number: number.0, state: state.as_str() }.emit();
        }
        if self.store.has_work().await? {
            let reports = self.journey.sweep(&self.store).await?;
            if reports > 0 {
                Swept { reports }.emit();
            }
            self.outbox.deliver(&self.journey, &self.store).await?;
        }
        taken
    }

    /// Works until told to stop. A fault is waited out, with growing pauses and without end; a turn that has begun is
    /// ended, since a transaction that is cut in two can take its connection with it.
    pub async fn work(self, mut stopping: watch::Receiver<bool>) {
        let pauses = || ExponentialBuilder::default().with_max_delay(LONGEST_WAIT).with_jitter().without_max_times().build();
        let mut after_fault = pauses();
        while !*stopping.borrow() {
            let pause = match self.turn().await {
                Ok(outcomes) => {
                    after_fault = pauses();
                    if outcomes.is_empty() { IDLE } else { Duration::ZERO }
                }
                Err(fault) => {
                    Waiting { part: "spool", cause: &fault }.emit();
                    after_fault.next().unwrap_or(LONGEST_WAIT)
                }
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                // Told to stop, or nobody is left who could tell.
                _ = stopping.changed() => return,
            }
        }
    }

    /// Counts everything that law 6 counts.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn census(&self) -> Result<crate::store::Census, StoreError> {
        use crate::store::Tx as _;
        let mut tx = self.store.begin("census").await?;
        let census = tx.census().await?;
        tx.commit().await?;
        Ok(census)
    }
}
