//! Takes what suppliers drop into the spool, and puts there what goes back to them.

use std::time::Duration;

use tokio::sync::watch;

use super::tireless::tirelessly;
use crate::journey::{Journey, Outcome};
use crate::spool::{Inbox, Outbox, SpoolError};
use crate::store::{MessageState, Store};
use crate::telemetry::{Event as _, MessageTaken, Part};

/// How long an idle service waits before it looks again: a dropped file is noticed within it.
const IDLE: Duration = Duration::from_millis(100);

/// Takes files until told to stop.
pub(super) async fn take_drops<S: Store>(
    inbox: Inbox,
    journey: Journey,
    store: S,
    part: Part,
    stopping: watch::Receiver<bool>,
) {
    tirelessly("spool", part, IDLE, stopping, || once(inbox.clone(), journey.clone(), store.clone())).await;
}

async fn once<S: Store>(inbox: Inbox, journey: Journey, store: S) -> Result<bool, SpoolError> {
    let outcomes = inbox.take(&journey, &store).await?;
    tell(&outcomes);
    Ok(!outcomes.is_empty())
}

/// Delivers pushed feeds as files until told to stop. One process at a time may have a spool: two would share out a feed
/// between two folders.
pub(super) async fn deliver_files<S: Store>(
    outbox: Outbox,
    journey: Journey,
    store: S,
    part: Part,
    stopping: watch::Receiver<bool>,
) {
    tirelessly("outbox", part, IDLE, stopping, || deliver_once(outbox.clone(), journey.clone(), store.clone())).await;
}

async fn deliver_once<S: Store>(outbox: Outbox, journey: Journey, store: S) -> Result<bool, SpoolError> {
    if !store.has_work().await? {
        return Ok(false);
    }
    Ok(outbox.deliver(&journey, &store).await? > 0)
}

/// Writes a line for each message that was taken.
fn tell(outcomes: &[Outcome]) {
    for outcome in outcomes {
        let (number, state) = match outcome {
            Outcome::Duplicate(number) => (number, MessageState::Duplicate),
            Outcome::Stored(number, state) => (number, *state),
        };
        MessageTaken { number: number.0, state: state.as_str() }.emit();
    }
}
