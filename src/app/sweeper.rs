//! Does what is due, over and over, in every process: the one part of a service that always asks the store, and so the one
//! that says whether the store is there.

use std::time::Duration;

use tokio::sync::watch;

use super::tireless::tirelessly;
use crate::journey::Journey;
use crate::store::{Store, Stored};
use crate::telemetry::{Event as _, Part, Swept};

/// How long until an idle store is looked at again.
const IDLE: Duration = Duration::from_millis(500);

/// Sweeps until told to stop.
pub(super) async fn sweep<S: Store>(journey: Journey, store: S, part: Part, stopping: watch::Receiver<bool>) {
    tirelessly("store", part, IDLE, stopping, |_| Duration::ZERO, || once(journey.in_force(), store.clone())).await;
}

async fn once<S: Store>(journey: Journey, store: S) -> Stored<bool> {
    let has_work = store.has_work().await?;
    journey.trust(&store).await?;
    if !has_work {
        return Ok(false);
    }
    let reports = journey.sweep(&store).await?;
    if reports > 0 {
        Swept { reports }.emit();
    }
    Ok(reports > 0)
}
