//! Does what retention asks for where periods were decided, once in each among all processes; and keeps the ages of what is kept
//! in the numbers.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use uuid::Uuid;

use crate::config::RetentionConfig;
use crate::domain::RecipientId;
use crate::journey::Journey;
use crate::store::{Store, Stored};
use crate::telemetry::{Event as _, Numbers, RetentionRan, Waiting};

/// How long until the ages are looked at again, and whether a run is due.
const LOOK: Duration = Duration::from_hours(1);

/// Under which name the one who runs has its lease.
const LEASE: &str = "retention";

/// Looks now and then until told to stop. A fault is told, and the next look tries again.
pub(super) async fn retain<S: Store>(
    journey: Journey,
    store: S,
    rules: RetentionConfig,
    numbers: Arc<Numbers>,
    mut stopping: watch::Receiver<bool>,
) {
    while !*stopping.borrow() {
        let (journey, store, rules, numbers) = (journey.clone(), store.clone(), rules.clone(), Arc::clone(&numbers));
        // In a task of its own: a transaction must not be cut in two when the service stops.
        let looked = tokio::spawn(async move { look(&journey, &store, &rules, &numbers).await }).await;
        if let Ok(Err(fault)) = &looked {
            Waiting { part: "retention", cause: fault }.emit();
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = stopping.changed() => return,
        }
    }
}

/// Runs where periods were decided and nobody has within one, and then counts. A run that is cut short leaves the rest to the
/// next period: what went has gone, and nothing is half done.
///
/// # Errors
/// A fault of either store.
pub async fn look<S: Store>(journey: &Journey, store: &S, rules: &RetentionConfig, numbers: &Numbers) -> Stored<()> {
    if let Some(every) = rules.every {
        let lease = RecipientId::from_stored(LEASE.to_owned());
        // A name of its own each time, so that nobody takes a lease for theirs that somebody has within the period.
        if store.take_lease(&lease, &Uuid::now_v7().to_string(), every).await? {
            run(journey, store, rules).await?;
        }
    }
    for one in journey.kept(store).await? {
        numbers.set_kept(one.kind.as_str(), one.kept, age(one.oldest, store.now()));
    }
    Ok(())
}

async fn run<S: Store>(journey: &Journey, store: &S, rules: &RetentionConfig) -> Stored<()> {
    let all = journey.retain(store, rules, None, false).await?;
    let mut has_gone = false;
    for one in all.iter().filter(|one| one.gone > 0) {
        RetentionRan { kind: one.kind.as_str(), gone: one.gone }.emit();
        has_gone = true;
    }
    if has_gone && let Err(fault) = journey.give_back(store).await {
        // What has gone has gone all the same, and the space comes back with a later run.
        Waiting { part: "retention.space", cause: &fault }.emit();
    }
    Ok(())
}

fn age(oldest: Option<Timestamp>, now: Timestamp) -> i64 {
    oldest.map_or(0, |oldest| now.duration_since(oldest).as_secs().max(0))
}
