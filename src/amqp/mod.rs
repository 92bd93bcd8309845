//! Floor 4: the message broker (AMQP 0-9-1, RabbitMQ): messages in, and what goes back to the municipality's systems.
//!
//! [`AmqpIntake`] takes messages in batches: commit, then acknowledge, in the order of the tags. [`AmqpCourier`] publishes
//! with confirms. Each holds a connection of its own and keeps it up by itself; the library's own recovery is off
//! (`docs/adr/0015-own-supervisor.md`).

mod batch;
mod certificates;
mod courier;
mod depth;
mod door;
mod envelope;
mod intake;
mod lane;
mod receipt;
mod topology;

pub use certificates::{TlsFault, check};
pub use courier::AmqpCourier;

pub use intake::AmqpIntake;

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use tokio::sync::watch;

/// Why a connection cannot be used: a reason to wait and to try again, in words without values.
#[derive(Debug, thiserror::Error)]
enum Broken {
    /// The library, the network or the broker.
    #[error("{0}")]
    Broker(#[from] lapin::Error),
    /// The files of certificates.
    #[error(transparent)]
    Certificates(#[from] TlsFault),
    /// An answer did not come in time.
    #[error("the broker did not answer in time ({0})")]
    Late(&'static str),
    /// The stream of messages ended: the queue was deleted, or the consumer cancelled.
    #[error("the broker has ended the delivery: the queue was deleted or the consumer cancelled")]
    Cancelled,
    /// The broker holds publishers back.
    #[error("the broker takes no messages now: its memory or disk alarm is on")]
    Blocked,
    /// An acknowledgement was not taken.
    #[error("the channel was gone when the messages were to be acknowledged")]
    NotAcknowledged,
    /// A message can be neither run nor stored.
    #[error("a message that exceeded the delivery limit cannot be stored")]
    CannotBeStored,
}

/// The longest pause between two tries, before jitter adds up to as much again.
const LONGEST_PAUSE: Duration = Duration::from_millis(2_500);

/// Growing pauses with jitter and without end: at most five seconds, so that all is well again soon after the cause ends.
fn pauses() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(LONGEST_PAUSE)
        .with_jitter()
        .without_max_times()
        .build()
}

/// Waits until told to stop, or until nobody is left who could tell.
async fn told_to_stop(stopping: &mut watch::Receiver<bool>) {
    drop(stopping.wait_for(|stop| *stop).await);
}
