//! Exchanges and queues: declared as the interface has them, or found there.

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, ExchangeKind};

use super::Broken;
use super::door::{channel, in_time};
use crate::config::Amqp;

/// Messages come in here, by routing key `<kommunkod>.<system>.<message>`.
pub(super) const IN: &str = "brygga.in";

/// What goes back leaves here, by routing key `<kommunkod>.<system>.<message>`.
pub(super) const OUT: &str = "brygga.out";

/// What exceeds a queue's delivery limit passes here.
pub(super) const DLX: &str = "brygga.dlx";

/// So many deliveries that it is no limit. A quorum queue that is not told one gets 20 from RabbitMQ 4, and what exceeds it is
/// dropped where no exchange takes it up; 3.10 knows no word for none (`-1` is from 4.0).
const NO_LIMIT: i32 = 1_000_000_000;

/// Declares everything that intake needs, or checks that it is there. What is there with other arguments is a fault (406)
/// that the broker words well.
pub(super) async fn prepare_intake(connection: &Connection, config: &Amqp) -> Result<(), Broken> {
    let channel = channel(connection).await?;
    for name in [IN, DLX, OUT] {
        exchange(&channel, name, config.declare).await?;
    }
    queue(&channel, &config.dead_queue, config.declare, quorum(NO_LIMIT)).await?;
    queue(&channel, &config.queue, config.declare, intake_arguments(config.delivery_limit)).await?;
    if config.declare {
        bind(&channel, &config.dead_queue, DLX, "#").await?;
        for binding in &config.bindings {
            bind(&channel, &config.queue, IN, binding).await?;
        }
    }
    in_time("closing a channel", channel.close(200, "OK".into())).await
}

/// Declares the exchange that publishing needs, or checks that it is there.
pub(super) async fn exchange(channel: &Channel, name: &'static str, declare: bool) -> Result<(), Broken> {
    let options = ExchangeDeclareOptions { passive: !declare, durable: true, ..ExchangeDeclareOptions::default() };
    let act = channel.exchange_declare(name.into(), ExchangeKind::Topic, options, FieldTable::default());
    in_time("declaring an exchange", act).await
}

async fn queue(channel: &Channel, name: &str, declare: bool, arguments: FieldTable) -> Result<(), Broken> {
    let options = QueueDeclareOptions { passive: !declare, durable: true, ..QueueDeclareOptions::default() };
    in_time("declaring a queue", channel.queue_declare(name.into(), options, arguments)).await.map(drop)
}

async fn bind(channel: &Channel, queue: &str, exchange: &str, key: &str) -> Result<(), Broken> {
    let act = channel.queue_bind(queue.into(), exchange.into(), key.into(), QueueBindOptions::default(), FieldTable::default());
    in_time("binding a queue", act).await
}

fn quorum(delivery_limit: i32) -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    arguments.insert("x-delivery-limit".into(), AMQPValue::LongInt(delivery_limit));
    arguments
}

/// A message that exceeds the limit is kept until the dead queue has it for certain: `at-least-once` needs `reject-publish`.
fn intake_arguments(delivery_limit: u16) -> FieldTable {
    let mut arguments = quorum(i32::from(delivery_limit));
    for (name, value) in
        [("x-dead-letter-exchange", DLX), ("x-dead-letter-strategy", "at-least-once"), ("x-overflow", "reject-publish")]
    {
        arguments.insert(name.into(), AMQPValue::LongString(value.into()));
    }
    arguments
}
