//! Fills queues: publishes with confirms, many at a time.

use std::collections::VecDeque;

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Confirmation, Connection, PublisherConfirm};

use super::corpus::Made;
use super::world::LOGIN;

/// How many may wait for their confirms.
const WAITING: usize = 2_000;

/// Where to.
#[derive(Clone, Copy)]
pub(crate) enum To {
    /// Brygga's exchange.
    Brygga,
    /// The queue of the references.
    References,
}

/// A publisher with confirms.
pub(crate) struct Publisher {
    channel: Channel,
    waiting: VecDeque<PublisherConfirm>,
    to: To,
}

impl Publisher {
    pub(crate) async fn open(connection: &Connection, to: To) -> Self {
        let channel = connection.create_channel().await.expect("a channel");
        channel.confirm_select(ConfirmSelectOptions::default()).await.expect("confirms");
        Self { channel, waiting: VecDeque::new(), to }
    }

    /// Publishes one; waits only where too many wait already.
    pub(crate) async fn publish(&mut self, made: &Made) {
        let (exchange, key) = match (self.to, made.contract) {
            (To::References, _) => ("", super::references::QUEUE),
            (To::Brygga, "consent.v1") => ("brygga.in", "1863.ame.consent"),
            (To::Brygga, _) => ("brygga.in", "1863.ame.activity-report"),
        };
        let id = made.id.to_string();
        // The event of a document has its message's trace, and nothing else that tells where it came from.
        let mut headers = FieldTable::default();
        let trace = format!("00-{}-00000000000000b7-01", made.id.simple());
        headers.insert("traceparent".into(), AMQPValue::LongString(trace.into()));
        let properties = BasicProperties::default()
            .with_message_id(id.clone().into())
            .with_correlation_id(id.into())
            .with_timestamp(1_750_000_000)
            .with_type(made.contract.into())
            .with_content_type("application/json".into())
            .with_user_id(LOGIN.into())
            .with_delivery_mode(2)
            .with_headers(headers);
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let sent = self.channel.basic_publish(exchange.into(), key.into(), options, &made.bytes, properties).await;
        self.waiting.push_back(sent.expect("published"));
        while self.waiting.len() > WAITING {
            self.confirm().await;
        }
    }

    /// Waits until everything is in a queue.
    pub(crate) async fn flush(&mut self) {
        while !self.waiting.is_empty() {
            self.confirm().await;
        }
    }

    async fn confirm(&mut self) {
        let Some(first) = self.waiting.pop_front() else { return };
        let confirmed = first.await.expect("confirmed");
        assert!(matches!(confirmed, Confirmation::Ack(None)), "the message is in a queue");
    }
}

/// Publishes all of them.
pub(crate) async fn fill(connection: &Connection, to: To, messages: &[Made]) {
    let mut publisher = Publisher::open(connection, to).await;
    for made in messages {
        publisher.publish(made).await;
    }
    publisher.flush().await;
    publisher.channel.close(200, "filled".into()).await.expect("closed");
}
