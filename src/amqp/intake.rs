//! Messages in: keeps one consumer on the queue of messages and one on the dead queue, whatever happens to the broker or
//! the store, until told to stop.

use std::sync::Arc;

use tokio::sync::watch;

use super::batch::{Taken, Taking, tell};
use super::certificates::TlsFault;
use super::door::Door;
use super::lane::{End, Lane};
use super::{LONGEST_PAUSE, pauses, told_to_stop};
use crate::config::Amqp;
use crate::journey::{Arrival, Journey};
use crate::store::{Store, StoreError};
use crate::telemetry::{BrokerAway, BrokerReached, Event as _, Health, Numbers, Part, Waiting};

/// Takes messages from the broker. Its parts in the service's health are `amqp.in` and `amqp.dead`.
pub struct AmqpIntake<S> {
    messages: Lane<S>,
    dead: Lane<S>,
}

impl<S> std::fmt::Debug for AmqpIntake<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AmqpIntake")
    }
}

impl<S: Store> AmqpIntake<S> {
    /// Wires the intake; nothing is opened yet.
    ///
    /// # Errors
    /// Where the files of certificates cannot be used.
    pub fn new(config: Amqp, journey: &Journey, store: &S, health: &Health, numbers: &Arc<Numbers>) -> Result<Self, TlsFault> {
        let door = Door::new(&config)?;
        let config = Arc::new(config);
        let lane = |name: &'static str, queue: &str, last: bool| Lane {
            name,
            queue: queue.to_owned(),
            // What may harm its neighbours has none.
            prefetch: if last { 1 } else { config.prefetch },
            batch_size: if last { 1 } else { config.batch_size },
            config: Arc::clone(&config),
            door: door.clone(),
            taking: Taking { journey: journey.clone(), store: store.clone(), last },
            part: health.part(name, !last),
            numbers: Arc::clone(numbers),
            has_worked: false,
        };
        let messages = lane("amqp.in", &config.queue, false);
        let dead = lane("amqp.dead", &config.dead_queue, true);
        Ok(Self { messages, dead })
    }

    /// Takes messages until told to stop; then what is in flight is committed, acknowledged and closed.
    pub async fn run(self, stopping: watch::Receiver<bool>) {
        tokio::join!(supervise(self.messages, stopping.clone()), supervise(self.dead, stopping));
    }
}

/// Says that a part is reached.
pub(super) fn reached(name: &'static str, part: &Part) {
    part.up();
    BrokerReached { part: name }.emit();
}

/// Says once for each cause that a part is not.
pub(super) fn away(name: &'static str, part: &Part, cause: &str) {
    if part.down(cause) {
        BrokerAway { part: name, cause }.emit();
    }
}

async fn supervise<S: Store>(mut lane: Lane<S>, mut stopping: watch::Receiver<bool>) {
    let mut after_fault = pauses();
    while !*stopping.borrow() {
        match lane.run(&mut stopping).await {
            End::Stopped => return,
            End::StoreAway(fault, journey, arrivals) => {
                if lane.part.down(fault.to_string()) {
                    Waiting { part: lane.name, cause: &fault }.emit();
                }
                store_is_back(&lane.taking, &lane.part, (journey, arrivals), &mut stopping).await;
                after_fault = pauses();
            }
            End::Broken(broken) => {
                if lane.has_worked {
                    after_fault = pauses();
                }
                away(lane.name, &lane.part, &broken.to_string());
                rest(after_fault.next(), &mut stopping).await;
            }
        }
    }
}

/// Waits until the store takes the very messages that it was away for, and no channel is open meanwhile. They come again
/// from the queue, and are duplicates then.
async fn store_is_back<S: Store>(
    taking: &Taking<S>,
    part: &Part,
    (journey, arrivals): (Journey, Arc<[Arrival]>),
    stopping: &mut watch::Receiver<bool>,
) {
    let mut after_fault = pauses();
    while !*stopping.borrow() {
        rest(after_fault.next(), stopping).await;
        match taking.again(&journey, &arrivals).await {
            Taken::Durable(outcomes) => return tell(&outcomes),
            Taken::Away(fault) => drop(part.down(StoreError::to_string(&fault))),
            // It answers, and these messages are for the lane to run one by one.
            Taken::Failed => return,
        }
    }
}

/// Rests, but not when told to stop.
async fn rest(pause: Option<std::time::Duration>, stopping: &mut watch::Receiver<bool>) {
    tokio::select! {
        () = tokio::time::sleep(pause.unwrap_or(LONGEST_PAUSE)) => {}
        () = told_to_stop(stopping) => {}
    }
}
