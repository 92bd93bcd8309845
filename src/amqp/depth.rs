//! How many messages wait in a queue, looked at now and then for `/metrics`.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use lapin::{Channel, Connection};

use super::Broken;
use super::door::{channel, in_time};
use crate::telemetry::Numbers;

/// How often: it costs the broker little, and nobody acts on it within seconds.
const EVERY: Duration = Duration::from_secs(15);

/// A number that is not shown any more once nobody keeps it right.
struct Shown {
    queue: String,
    numbers: Arc<Numbers>,
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.numbers.forget_queue(&self.queue);
    }
}

/// Shows how many messages of a queue are ready, until it is dropped with its connection. It has a channel of its own: what
/// goes wrong with it harms no message.
pub(super) async fn look(connection: &Connection, queue: String, numbers: Arc<Numbers>) -> Infallible {
    let shown = Shown { queue, numbers };
    let mut open: Option<Channel> = None;
    loop {
        match ready(connection, open.take(), &shown.queue).await {
            Ok((channel, messages)) => {
                shown.numbers.set_queue(&shown.queue, i64::from(messages));
                open = Some(channel);
            }
            // An exception has closed the channel; the connection's own end is its lane's to tell.
            Err(_) => shown.numbers.forget_queue(&shown.queue),
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn ready(connection: &Connection, open: Option<Channel>, queue: &str) -> Result<(Channel, u32), Broken> {
    let channel = match open {
        Some(channel) => channel,
        None => channel(connection).await?,
    };
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let declared = in_time("looking at a queue", channel.queue_declare(queue.into(), options, FieldTable::default())).await?;
    Ok((channel, declared.message_count()))
}
