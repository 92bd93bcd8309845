//! Relays what goes back to the municipality's systems: one relay a feed, each with its part in the service's health.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::parts::Parts;
use super::tireless::tirelessly;
use crate::amqp::AmqpCourier;
use crate::config::{Relay, Via};
use crate::domain::RecipientId;
use crate::journey::{ATTEMPT, Courier, Delivery, Journey, Parcel, RelayFault};
use crate::remote::{HttpsCourier, SystemFault};
use crate::spool::Outbox;
use crate::store::Store;
use crate::telemetry::{Health, Numbers, Part};

/// How long until an idle feed is looked at again.
const IDLE: Duration = Duration::from_millis(200);

/// How long giving a lease back may take when the service stops; it runs out by itself otherwise.
const GIVING_BACK: Duration = Duration::from_secs(2);

/// A courier whose attempts are bounded and counted.
#[derive(Clone)]
struct Bounded<C> {
    courier: C,
    attempt: Duration,
    numbers: Arc<Numbers>,
}

impl<C: Courier> Courier for Bounded<C> {
    async fn deliver(&self, parcel: &Parcel) -> Delivery {
        // One bound around everything that an attempt waits for: after it another process may hold the lease.
        let attempt = tokio::time::timeout(self.attempt, self.courier.deliver(parcel)).await;
        let delivery = if let Ok(delivery) = attempt {
            delivery
        } else {
            self.cut().await;
            Delivery::later("the delivery took too long")
        };
        self.numbers.delivery(delivery.as_str());
        delivery
    }

    async fn cut(&self) {
        self.courier.cut().await;
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
        parts: &mut Parts,
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

    fn one<C: Courier + Clone>(&self, recipient: &RecipientId, courier: C, parts: &mut Parts) {
        let part = self.health.part(format!("relay.{recipient}"), false);
        let courier = Bounded { courier, attempt: ATTEMPT, numbers: Arc::clone(&self.numbers) };
        let of = (self.journey.clone(), self.store.clone(), courier);
        parts.spawn("relay", relay(of, recipient.clone(), self.owner.clone(), part, self.stopping.clone()));
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
    let stop = stopping.clone();
    let turn = || once((journey.in_force(), store.clone(), courier.clone()), recipient.clone(), owner.clone(), stop.clone());
    tirelessly("relay", part, IDLE, stopping, RelayFault::at_least, turn).await;
    // No turn runs any more. Where it cannot be given back, it runs out by itself.
    drop(tokio::time::timeout(GIVING_BACK, journey.end_lease(&store, &recipient, &owner)).await);
}

async fn once<S: Store, C: Courier>(
    (journey, store, courier): (Journey, S, C),
    recipient: RecipientId,
    owner: String,
    stopping: watch::Receiver<bool>,
) -> Result<bool, RelayFault> {
    journey.relay_until(&store, &courier, &recipient, &owner, || *stopping.borrow()).await
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use super::Bounded;
    use crate::domain::{RecipientId, Subject, Syntax};
    use crate::feed::Method;
    use crate::journey::{Courier, Delivery, Parcel};
    use crate::telemetry::{Health, Numbers};

    /// Never comes to an end.
    struct Endless(AtomicBool);

    impl Courier for Endless {
        async fn deliver(&self, _: &Parcel) -> Delivery {
            std::future::pending().await
        }

        async fn cut(&self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    #[tokio::test]
    async fn an_attempt_without_end_is_dropped_in_time_its_link_is_cut_and_it_is_tried_later() {
        let parcel = Parcel {
            recipient: RecipientId::from_stored("1863.ame".to_owned()),
            event_id: "one".to_owned(),
            subject: Subject::from_slice(&[7; 16]).expect("a subject"),
            contract: "accepted.v1".to_owned(),
            method: Method::Put,
            syntax: Syntax::Json,
            illustrative: false,
            correlation_id: None,
            document: Vec::new(),
        };
        let numbers = Arc::new(Numbers::default());
        let endless = Endless(AtomicBool::new(false));
        let courier = Bounded { courier: endless, attempt: Duration::from_millis(20), numbers: Arc::clone(&numbers) };
        assert!(matches!(courier.deliver(&parcel).await, Delivery::Later { after: None, .. }));
        assert!(courier.courier.0.load(Ordering::SeqCst), "the link is cut");
        assert!(numbers.text(&Health::default()).contains("brygga_deliveries_total{state=\"later\"} 1"));
    }
}
