//! Reads now and then how the store stands, for `/metrics`: the counts of law 6, the feeds, the ages of what waits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::watch;

use crate::store::{Census, MessageState, Standing, Store, Stored, Survey as _, Tx as _, Withdrawals as _};
use crate::telemetry::{Event as _, FeedNumbers, Numbers, Waiting};

/// How often at most: nobody acts on the counts within seconds.
const EVERY: Duration = Duration::from_secs(15);

/// The counts read every row. In a large store they are made so seldom that they take a twentieth of the time at most.
const SHARE: u32 = 20;

/// Samples until told to stop. A store that is away is told by its own part; the numbers stay as they were. A `DELETE` that
/// is not acknowledged within `patience` is overdue.
pub(super) async fn sample<S: Store>(store: S, numbers: Arc<Numbers>, patience: Duration, mut stopping: watch::Receiver<bool>) {
    while !*stopping.borrow() {
        let (reader, into) = (store.clone(), Arc::clone(&numbers));
        let begun = Instant::now();
        // In a task of its own: a transaction must not be cut in two when the service stops.
        let sampled = tokio::spawn(async move { once(&reader, &into, patience).await }).await;
        if let Ok(Err(fault)) = &sampled {
            Waiting { part: "numbers", cause: fault }.emit();
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY.max(begun.elapsed() * SHARE)) => {}
            _ = stopping.changed() => return,
        }
    }
}

async fn once<S: Store>(store: &S, numbers: &Numbers, patience: Duration) -> Stored<()> {
    let mut tx = store.begin("numbers").await?;
    let (census, standing, now) = (tx.census().await?, tx.standing().await?, tx.now());
    let unacknowledged = tx.unacknowledged(now.saturating_sub(patience).unwrap_or(Timestamp::UNIX_EPOCH)).await?;
    tx.commit().await?;
    write(numbers, &census, &standing, now);
    let feeds: Vec<_> =
        unacknowledged.iter().map(|feed| (feed.recipient.to_string(), feed.overdue, age(now, Some(feed.oldest)))).collect();
    numbers.set_withdrawals(&feeds);
    Ok(())
}

/// How long ago it was, in seconds; 0 for what never was.
fn age(now: Timestamp, since: Option<Timestamp>) -> i64 {
    since.map_or(0, |since| now.duration_since(since).as_secs().max(0))
}

fn write(numbers: &Numbers, census: &Census, standing: &Standing, now: Timestamp) {
    numbers.set_messages("received", census.received);
    numbers.set_messages("restricted", census.restricted);
    for (state, count) in [
        (MessageState::Duplicate, census.duplicates),
        (MessageState::Refused, census.refused),
        (MessageState::Diverted, census.diverted),
        (MessageState::Recorded, census.recorded),
        (MessageState::Journey, census.journeys),
    ] {
        numbers.set_messages(state.as_str(), count);
    }
    for (state, count) in [
        ("fan-out", census.fan_out),
        ("published", census.published),
        ("held", census.held),
        ("refused", census.legs_refused),
        ("superseded", census.superseded),
        ("withdrawn", census.withdrawn),
    ] {
        numbers.set_legs(state, count);
    }
    numbers.set_ages(age(now, standing.oldest_dead_letter), age(now, standing.oldest_due));
    for feed in &standing.feeds {
        numbers.set_feed(&FeedNumbers {
            recipient: feed.recipient.to_string(),
            head: feed.head.0,
            waiting: feed.waiting,
            oldest_seconds: age(now, feed.oldest_waiting),
            refused: feed.refused,
        });
    }
}
