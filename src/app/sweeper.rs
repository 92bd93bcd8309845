//! Does what is due, over and over, in every process: the one part of a service that always asks the store, and so the one
//! that says whether the store is there.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use tokio::sync::watch;

use crate::journey::Journey;
use crate::store::{Store, StoreError, Stored};
use crate::telemetry::{Event as _, Part, Swept, Waiting};

/// How long until an idle store is looked at again.
const IDLE: Duration = Duration::from_millis(500);

/// The longest pause after a fault: the service is at full rate again this soon after its end.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Sweeps until told to stop. A fault is waited out, with growing pauses and without end.
pub async fn sweep<S: Store>(journey: Journey, store: S, part: Part, mut stopping: watch::Receiver<bool>) {
    let pauses = || ExponentialBuilder::default().with_max_delay(LONGEST_WAIT).with_jitter().without_max_times().build();
    let mut after_fault = pauses();
    while !*stopping.borrow() {
        let (way, from) = (journey.clone(), store.clone());
        // In a task of its own: a transaction must not be cut in two when the service stops.
        let swept = tokio::spawn(async move { once(&way, &from).await }).await;
        let pause = match swept.unwrap_or_else(|_| Err(StoreError::Away("the sweep's task failed".to_owned()))) {
            Ok(reports) => {
                part.up();
                after_fault = pauses();
                if reports > 0 {
                    Swept { reports }.emit();
                    continue;
                }
                IDLE
            }
            Err(fault) => {
                if part.down(fault.to_string()) {
                    Waiting { part: "store", cause: &fault }.emit();
                }
                after_fault.next().unwrap_or(LONGEST_WAIT)
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stopping.changed() => return,
        }
    }
}

async fn once<S: Store>(journey: &Journey, store: &S) -> Stored<usize> {
    if store.has_work().await? { journey.sweep(store).await } else { Ok(0) }
}
