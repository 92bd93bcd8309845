//! The two references: what the servers can do when nothing is done with a message but keeping it.

use futures_util::StreamExt as _;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, Consumer};
use sqlx::PgPool;

/// Messages in one transaction of the raw reference.
pub(crate) const BATCH: usize = 500;

/// A consumer on a channel of its own.
pub(crate) async fn consumer(connection: &Connection, queue: &str, prefetch: u16) -> (Channel, Consumer) {
    let channel = connection.create_channel().await.expect("a channel");
    channel.basic_qos(prefetch, BasicQosOptions::default()).await.expect("prefetch");
    let (options, table) = (BasicConsumeOptions::default(), FieldTable::default());
    let consumer = channel.basic_consume(queue.into(), "reference".into(), options, table).await.expect("a consumer");
    (channel, consumer)
}

/// Makes the table anew that the references write.
pub(crate) async fn table(pool: &PgPool) {
    sqlx::query("DROP TABLE IF EXISTS reference").execute(pool).await.expect("dropped");
    let sql = "CREATE TABLE reference (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, message_id uuid UNIQUE, body bytea NOT NULL)";
    sqlx::query(sql).execute(pool).await.expect("made");
}

/// Consumes so many messages in batches: one insert, one commit, one acknowledgement of all up to the last.
pub(crate) async fn raw(connection: &Connection, queue: &str, pool: &PgPool, count: usize) {
    let prefetch = u16::try_from(BATCH * 4).expect("small");
    let (channel, mut consumer) = consumer(connection, queue, prefetch).await;
    let mut done = 0;
    while done < count {
        let (mut ids, mut bodies, mut last) = (Vec::new(), Vec::new(), None);
        while ids.len() < BATCH && done + ids.len() < count {
            let delivery = consumer.next().await.expect("open").expect("a message");
            ids.push(id_of(&delivery));
            bodies.push(delivery.data);
            last = Some(delivery.acker);
        }
        done += ids.len();
        let sql = "INSERT INTO reference (message_id, body) SELECT * FROM UNNEST($1::uuid[], $2::bytea[]) ON CONFLICT DO NOTHING";
        sqlx::query(sql).bind(ids).bind(bodies).execute(pool).await.expect("inserted");
        let acker = last.expect("a batch has a last message");
        assert!(acker.ack(BasicAckOptions { multiple: true }).await.expect("acknowledged"), "the channel is open");
    }
    channel.close(200, "done".into()).await.expect("closed");
}

/// Consumes so many messages one by one, each in a transaction of its own.
pub(crate) async fn naive(connection: &Connection, queue: &str, pool: &PgPool, count: usize) {
    let (channel, mut consumer) = consumer(connection, queue, 100).await;
    for _ in 0..count {
        let delivery = consumer.next().await.expect("open").expect("a message");
        let sql = "INSERT INTO reference (message_id, body) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        sqlx::query(sql).bind(id_of(&delivery)).bind(&delivery.data).execute(pool).await.expect("inserted");
        assert!(delivery.ack(BasicAckOptions::default()).await.expect("acknowledged"), "the channel is open");
    }
    channel.close(200, "done".into()).await.expect("closed");
}

fn id_of(delivery: &lapin::message::Delivery) -> uuid::Uuid {
    let id = delivery.properties.message_id().as_ref().expect("an id");
    id.as_str().parse().expect("a UUID")
}
