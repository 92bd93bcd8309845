//! What goes back to the municipality's systems: a queue that takes all of it, and what was delivered to it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use lapin::options::{BasicAckOptions, BasicGetOptions, QueueBindOptions, QueueDeclareOptions, QueuePurgeOptions};
use lapin::types::FieldTable;

use super::rabbit::{BRYGGA, Rabbit};
use super::reader::position_of;

const QUEUE: &str = "faults.out";

/// What was delivered.
#[derive(Debug, Default)]
pub(crate) struct Delivered {
    /// Positions in the order of their delivery, repetitions included, by recipient: `1863.ame`.
    pub(crate) positions: BTreeMap<String, Vec<i64>>,
    /// The entries that answer a message, by its id.
    pub(crate) answers: BTreeMap<String, BTreeSet<(String, i64)>>,
    /// The documents.
    pub(crate) texts: Vec<String>,
}

impl Delivered {
    /// How many deliveries were repetitions.
    pub(crate) fn repeated(&self) -> usize {
        let of = |positions: &Vec<i64>| positions.len() - positions.iter().collect::<BTreeSet<_>>().len();
        self.positions.values().map(of).sum()
    }
}

/// Makes the queue where it is not there, and empties it. The exchange is there once a process is.
pub(crate) async fn prepare(rabbit: &Rabbit) -> Result<(), String> {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        match bind(rabbit).await {
            Ok(()) => return Ok(()),
            Err(error) if Instant::now() > deadline => return Err(format!("no queue for answers: {error}")),
            Err(_) => tokio::time::sleep(Duration::from_millis(300)).await,
        }
    }
}

async fn bind(rabbit: &Rabbit) -> lapin::Result<()> {
    let connection = rabbit.connect(BRYGGA).await?;
    let channel = connection.create_channel().await?;
    channel.queue_declare(QUEUE.into(), QueueDeclareOptions::durable(), FieldTable::default()).await?;
    channel.queue_purge(QUEUE.into(), QueuePurgeOptions::default()).await?;
    let options = QueueBindOptions::default();
    channel.queue_bind(QUEUE.into(), "brygga.out".into(), "#".into(), options, FieldTable::default()).await?;
    connection.close(200, "bound".into()).await
}

/// Takes everything out of the queue.
pub(crate) async fn collect(rabbit: &Rabbit) -> lapin::Result<Delivered> {
    let connection = rabbit.connect(BRYGGA).await?;
    let channel = connection.create_channel().await?;
    let mut delivered = Delivered::default();
    while let Some(message) = channel.basic_get(QUEUE.into(), BasicGetOptions::default()).await? {
        let key = message.routing_key.to_string();
        let recipient = key.rsplit_once('.').map_or(key.clone(), |(recipient, _)| recipient.to_owned());
        let id = message.properties.message_id().as_ref().map(ToString::to_string).unwrap_or_default();
        let answered = message.properties.correlation_id().as_ref().map(ToString::to_string).unwrap_or_default();
        let position = position_of(&id).unwrap_or(0);
        delivered.answers.entry(answered).or_default().insert((recipient.clone(), position));
        delivered.positions.entry(recipient).or_default().push(position);
        delivered.texts.push(String::from_utf8_lossy(&message.data).into_owned());
        message.ack(BasicAckOptions::default()).await?;
    }
    connection.close(200, "collected".into()).await?;
    Ok(delivered)
}
