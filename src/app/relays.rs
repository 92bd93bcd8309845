//! Relays what goes back to the municipality's systems: one relay a feed, each with its part in the service's health.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::tireless::tirelessly;
use crate::amqp::AmqpCourier;
use crate::config::{Relay, Via};
use crate::domain::RecipientId;
use crate::journey::{Courier, Delivery, Journey, Parcel, RelayFault};
use crate::remote::{HttpsCourier, SystemFault};
use crate::spool::Outbox;
use crate::store::Store;
use crate::telemetry::{Health, Numbers, Part};

/// How long until an idle feed is looked at again.
const IDLE: Duration = Duration::from_millis(200);

/// A courier whose attempts are counted.
#[derive(Clone)]
struct Counted<C> {
    courier: C,
    numbers: Arc<Numbers>,
}

impl<C: Courier> Courier for Counted<C> {
    async fn deliver(&self, parcel: &Parcel) -> Delivery {
        let delivery = self.courier.deliver(parcel).await;
        self.numbers.delivery(delivery.as_str());
        delivery
    }
}

/// What every relay is given.
pub(super) struct Relays<S> {
    pub(super) journey: Journey,
    pub(super) store: S,
    pub(super) health: Health,
    pub(super) numbers: Arc<Numbers>,
    /// Whose the leases are.
    pub(super) owner: String,
    pub(super) stopping: watch::Receiver<bool>,
}

impl<S: Store> Relays<S> {
    /// Starts the relay of every feed that the configuration names.
    ///
    /// # Errors
    /// Where the files of a system's certificates cannot be used, and whose.
    pub(super) fn start(
        &self,
        relays: &[Relay],
        amqp: Option<&AmqpCourier>,
        spool: Option<&Outbox>,
        parts: &mut JoinSet<()>,
    ) -> Result<(), (RecipientId, SystemFault)> {
        for Relay { recipient, via } in relays {
            match (via, amqp, spool) {
                (Via::Amqp, Some(courier), _) => self.one(recipient, courier.clone(), parts),
                (Via::Spool, _, Some(outbox)) => self.one(recipient, outbox.clone(), parts),
                (Via::Https(settings), ..) => {
                    let part = self.health.part(format!("relay.{recipient}.tls"), false);
                    let courier = HttpsCourier::new(recipient.clone(), (**settings).clone(), part);
                    self.one(recipient, courier.map_err(|fault| (recipient.clone(), fault))?, parts);
                }
                // The configuration was read with the couriers that it needs.
                (Via::Amqp, None, _) | (Via::Spool, _, None) => {}
            }
        }
        Ok(())
    }

    fn one<C: Courier + Clone>(&self, recipient: &RecipientId, courier: C, parts: &mut JoinSet<()>) {
        let part = self.health.part(format!("relay.{recipient}"), false);
        let courier = Counted { courier, numbers: Arc::clone(&self.numbers) };
        let of = (self.journey.clone(), self.store.clone(), courier);
        parts.spawn(relay(of, recipient.clone(), self.owner.clone(), part, self.stopping.clone()));
    }
}

/// Relays one feed until told to stop.
async fn relay<S: Store, C: Courier + Clone>(
    (journey, store, courier): (Journey, S, C),
    recipient: RecipientId,
    owner: String,
    part: Part,
    stopping: watch::Receiver<bool>,
) {
    let turn = || once((journey.clone(), store.clone(), courier.clone()), recipient.clone(), owner.clone());
    tirelessly("relay", part, IDLE, stopping, RelayFault::at_least, turn).await;
}

async fn once<S: Store, C: Courier>(
    (journey, store, courier): (Journey, S, C),
    recipient: RecipientId,
    owner: String,
) -> Result<bool, RelayFault> {
    journey.relay(&store, &courier, &recipient, &owner).await
}
