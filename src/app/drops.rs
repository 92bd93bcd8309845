//! Takes what suppliers drop into the spool, beside the broker.

use std::time::Duration;

use tokio::sync::watch;

use super::tireless::tirelessly;
use crate::journey::{Journey, Outcome};
use crate::spool::{Inbox, SpoolError};
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
    tirelessly("spool", part, IDLE, stopping, |_| Duration::ZERO, || once(inbox.clone(), journey.in_force(), store.clone()))
        .await;
}

async fn once<S: Store>(inbox: Inbox, journey: Journey, store: S) -> Result<bool, SpoolError> {
    let outcomes = inbox.take(&journey, &store).await?;
    tell(&outcomes);
    Ok(!outcomes.is_empty())
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
