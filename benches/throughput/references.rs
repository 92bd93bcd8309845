//! The two references: what the servers can do when nothing is done with a message but keeping it.

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, Consumer};
use sqlx::PgPool;
use uuid::Uuid;

/// Messages in one transaction of the raw reference.
pub(crate) const BATCH: usize = 500;

/// The references' queue.
pub(crate) const QUEUE: &str = "reference";

const INSERT: &str = "INSERT INTO reference (message_id, body) SELECT * FROM UNNEST($1::uuid[], $2::bytea[]) \
    ON CONFLICT DO NOTHING";

/// Makes the queue, of the same kind as Brygga's, and the table.
pub(crate) async fn prepare(connection: &Connection, pool: &PgPool) {
    let channel = connection.create_channel().await.expect("a channel");
    let mut arguments = FieldTable::default();
    arguments.insert("x-delivery-limit".into(), AMQPValue::LongInt(20));
    for (name, value) in [
        ("x-queue-type", "quorum"),
        ("x-dead-letter-exchange", "brygga.dlx"),
        ("x-dead-letter-strategy", "at-least-once"),
        ("x-overflow", "reject-publish"),
    ] {
        arguments.insert(name.into(), AMQPValue::LongString(value.into()));
    }
    let declared = channel.queue_declare(QUEUE.into(), QueueDeclareOptions::durable(), arguments).await;
    declared.expect("a queue");
    channel.close(200, "declared".into()).await.expect("closed");
    empty(pool).await;
}

/// Makes the table anew.
pub(crate) async fn empty(pool: &PgPool) {
    sqlx::query("DROP TABLE IF EXISTS reference").execute(pool).await.expect("dropped");
    let sql = "CREATE TABLE reference (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, message_id uuid UNIQUE, \
        body bytea NOT NULL)";
    sqlx::query(sql).execute(pool).await.expect("made");
}

async fn consumer(connection: &Connection, prefetch: u16) -> (Channel, Consumer) {
    let channel = connection.create_channel().await.expect("a channel");
    channel.basic_qos(prefetch, BasicQosOptions::default()).await.expect("prefetch");
    let (options, table) = (BasicConsumeOptions::default(), FieldTable::default());
    let consumer = channel.basic_consume(QUEUE.into(), "reference".into(), options, table).await.expect("a consumer");
    (channel, consumer)
}

/// Consumes so many messages in batches: one insert, one commit, one acknowledgement of all up to the last. A batch waits
/// for more as long as Brygga's does. Gives the time from the first message on; `kept` is told of each batch.
pub(crate) async fn raw(connection: &Connection, pool: &PgPool, count: usize, mut kept: impl FnMut(&[Uuid])) -> Duration {
    let (channel, mut consumer) = consumer(connection, (BATCH * 4) as u16).await;
    let (mut done, mut begun) = (0, None);
    while done < count {
        let (mut ids, mut bodies, mut last): (_, _, Option<Delivery>) = (Vec::new(), Vec::new(), None);
        let mut ends = None;
        while ids.len() < BATCH && done + ids.len() < count {
            let next = consumer.next();
            let delivery = match ends {
                None => next.await,
                Some(ends) => match tokio::time::timeout_at(ends, next).await {
                    Ok(delivery) => delivery,
                    Err(_) => break,
                },
            };
            let mut delivery = delivery.expect("open").expect("a message");
            begun.get_or_insert_with(Instant::now);
            ends.get_or_insert_with(|| tokio::time::Instant::now() + Duration::from_millis(20));
            ids.push(id_of(&delivery));
            bodies.push(std::mem::take(&mut delivery.data));
            last = Some(delivery);
        }
        done += ids.len();
        sqlx::query(INSERT).bind(&ids).bind(bodies).execute(pool).await.expect("inserted");
        kept(&ids);
        let acknowledged = last.expect("a batch has a last message").ack(BasicAckOptions { multiple: true }).await;
        assert!(acknowledged.expect("acknowledged"), "the channel is open");
    }
    let time = begun.expect("a message").elapsed();
    channel.close(200, "done".into()).await.expect("closed");
    time
}

/// Consumes so many messages one by one, each in a transaction of its own.
pub(crate) async fn naive(connection: &Connection, pool: &PgPool, count: usize) -> Duration {
    let (channel, mut consumer) = consumer(connection, 100).await;
    let mut begun = None;
    for _ in 0..count {
        let delivery = consumer.next().await.expect("open").expect("a message");
        begun.get_or_insert_with(Instant::now);
        let sql = "INSERT INTO reference (message_id, body) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        sqlx::query(sql).bind(id_of(&delivery)).bind(&delivery.data).execute(pool).await.expect("inserted");
        assert!(delivery.ack(BasicAckOptions::default()).await.expect("acknowledged"), "the channel is open");
    }
    let time = begun.expect("a message").elapsed();
    channel.close(200, "done".into()).await.expect("closed");
    time
}

fn id_of(delivery: &Delivery) -> Uuid {
    let id = delivery.properties.message_id().as_ref().expect("an id");
    id.as_str().parse().expect("a UUID")
}
