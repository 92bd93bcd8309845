//! What is owed to the broker for delivered messages. It is settled once, by value, and only here.

use lapin::Acker;
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicRejectOptions};

use super::Broken;
use super::door::in_time;

/// What is owed for one message.
#[derive(Debug)]
pub(super) struct Receipt {
    acker: Acker,
}

impl Receipt {
    /// The receipt of a delivery.
    pub(super) fn of(delivery: &Delivery) -> Self {
        Self { acker: delivery.acker.clone() }
    }

    /// Sets the message aside: the queue hands it to the dead-letter exchange.
    pub(super) async fn set_aside(self) -> Result<(), Broken> {
        settled(self.acker.reject(BasicRejectOptions { requeue: false })).await
    }
}

/// What is owed for messages that follow on one another in the order of their tags, without a gap but for what was set
/// aside.
#[derive(Debug, Default)]
pub(super) struct Receipts(Vec<Receipt>);

impl Receipts {
    /// Adds the receipt of the next message.
    pub(super) fn push(&mut self, receipt: Receipt) {
        self.0.push(receipt);
    }

    /// How many messages there are.
    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }

    /// The receipts one by one.
    pub(super) fn into_each(self) -> impl Iterator<Item = Receipt> {
        self.0.into_iter()
    }

    /// Acknowledges them all with one multiple-ack. Everything with a lower tag has been settled before: batches are
    /// settled in the order in which they were delivered.
    pub(super) async fn accept(self) -> Result<(), Broken> {
        match self.0.last() {
            Some(last) => settled(last.acker.ack(BasicAckOptions { multiple: true })).await,
            None => Ok(()),
        }
    }
}

/// The library answers `Ok(false)` where the channel has gone: nothing was acknowledged then. Where it is told to in the very
/// moment in which its connection ends, it may not answer at all (lapin 4.12: a command that is queued behind the one that
/// ends its loop is neither run nor dropped), and the wait must end all the same.
async fn settled(answer: impl Future<Output = lapin::Result<bool>>) -> Result<(), Broken> {
    if in_time("acknowledging", answer).await? { Ok(()) } else { Err(Broken::NotAcknowledged) }
}

#[cfg(test)]
mod tests {
    use lapin::message::Delivery;
    use lapin::options::BasicRejectOptions;

    use super::{Broken, Receipt, Receipts, settled};

    #[tokio::test]
    async fn what_the_library_does_not_settle_is_neither_set_aside_nor_acknowledged() {
        let delivery = Delivery::mock(1, "".into(), "".into(), false, Vec::new());
        // Settled behind the receipt's back: the library answers that it has done nothing.
        delivery.reject(BasicRejectOptions::default()).await.expect("settled");
        assert!(matches!(Receipt::of(&delivery).set_aside().await, Err(Broken::NotAcknowledged)));
        let mut receipts = Receipts::default();
        receipts.push(Receipt::of(&delivery));
        assert!(matches!(receipts.accept().await, Err(Broken::NotAcknowledged)));
    }

    #[tokio::test]
    async fn an_acknowledgement_that_the_library_never_answers_ends_the_lane_and_is_no_acknowledgement() {
        let answer = std::future::pending();
        assert!(matches!(settled(answer).await, Err(Broken::Late(_))));
    }
}
