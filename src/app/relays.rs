//! Relays what goes back to the municipality's systems: one relay a feed, each with its part in the service's health.

use std::time::Duration;

use tokio::sync::watch;

use super::tireless::tirelessly;
use crate::domain::RecipientId;
use crate::journey::{Courier, Journey, RelayFault};
use crate::store::Store;
use crate::telemetry::Part;

/// How long until an idle feed is looked at again.
const IDLE: Duration = Duration::from_millis(200);

/// Relays one feed until told to stop.
pub(super) async fn relay<S: Store, C: Courier + Clone>(
    (journey, store, courier): (Journey, S, C),
    recipient: RecipientId,
    owner: String,
    part: Part,
    stopping: watch::Receiver<bool>,
) {
    let turn = || once((journey.clone(), store.clone(), courier.clone()), recipient.clone(), owner.clone());
    tirelessly("relay", part, IDLE, stopping, turn).await;
}

async fn once<S: Store, C: Courier>(
    (journey, store, courier): (Journey, S, C),
    recipient: RecipientId,
    owner: String,
) -> Result<bool, RelayFault> {
    journey.relay(&store, &courier, &recipient, &owner).await
}
