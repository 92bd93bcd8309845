//! One consumer on one queue, from its connection's opening to its end: collects batches, lets the work of one overlap the
//! commit of the one before, and acknowledges in the order of the tags.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use futures_util::StreamExt as _;
use lapin::message::Delivery;
use lapin::options::{BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, Consumer};
use tokio::sync::watch;

use super::batch::{Alone, Batch, InFlight, Taken, Taking, ended, tell, tell_defect};
use super::depth;
use super::door::{Door, channel, close, in_time};
use super::envelope;
use super::receipt::{Receipt, Receipts};
use super::topology;
use super::{Broken, told_to_stop};
use crate::config::Amqp;
use crate::faults;
use crate::journey::{Arrival, Journey};
use crate::store::{Store, StoreError};
use crate::telemetry::{Event as _, NotAcknowledged, Numbers, Part};

/// How many batches are taken at once: one works while the one before commits.
const IN_FLIGHT: usize = 2;

/// Why a lane came to its end.
pub(super) enum End {
    /// It was told to stop; everything that was in flight is settled.
    Stopped,
    /// The connection cannot be used.
    Broken(Broken),
    /// The store is away; the channel is closed. These arrivals tell when it is back.
    StoreAway(StoreError, Journey, Arc<[Arrival]>),
}

/// A consumer on one queue.
pub(super) struct Lane<S> {
    /// The part of the service's health.
    pub(super) name: &'static str,
    pub(super) queue: String,
    pub(super) prefetch: u16,
    pub(super) batch_size: usize,
    pub(super) config: Arc<Amqp>,
    pub(super) door: Door,
    pub(super) taking: Taking<S>,
    pub(super) part: Part,
    pub(super) numbers: Arc<Numbers>,
    /// Whether a batch has been settled since the connection was opened.
    pub(super) has_worked: bool,
}

impl<S: Store> Lane<S> {
    /// Opens a connection and takes messages until something ends it.
    pub(super) async fn run(&mut self, stopping: &mut watch::Receiver<bool>) -> End {
        self.has_worked = false;
        let connection = match self.door.open(&format!("brygga {}", self.name)).await {
            Ok(connection) => connection,
            Err(broken) => return End::Broken(broken),
        };
        let end = match self.consumer(&connection).await {
            Ok((channel, consumer)) => {
                let looking = depth::look(&connection, self.queue.clone(), Arc::clone(&self.numbers));
                tokio::select! {
                    biased;
                    end = self.consume(&channel, consumer, stopping) => end,
                    never = looking => match never {},
                }
            }
            Err(broken) => End::Broken(broken),
        };
        close(&connection).await;
        end
    }

    async fn consumer(&self, connection: &Connection) -> Result<(Channel, Consumer), Broken> {
        topology::prepare_intake(connection, &self.config).await?;
        let channel = channel(connection).await?;
        in_time("setting the prefetch", channel.basic_qos(self.prefetch, BasicQosOptions::default())).await?;
        let (options, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
        let consuming = channel.basic_consume(self.queue.as_str().into(), self.name.into(), options, arguments);
        let consumer = in_time("starting to consume", consuming).await?;
        Ok((channel, consumer))
    }

    async fn consume(&mut self, channel: &Channel, mut consumer: Consumer, stopping: &mut watch::Receiver<bool>) -> End {
        super::intake::reached(self.name, &self.part);
        let mut flights: VecDeque<InFlight> = VecDeque::new();
        let mut batch = Batch::default();
        let end = loop {
            let is_full = batch.is_full(self.batch_size);
            let has_room = flights.len() < IN_FLIGHT;
            let due = batch.since.map(|since| since + self.config.linger);
            if has_room && (is_full || due.is_some_and(|due| due <= Instant::now())) {
                flights.push_back(self.taking.start(std::mem::take(&mut batch)));
                continue;
            }
            tokio::select! {
                biased;
                () = told_to_stop(stopping) => break End::Stopped,
                taken = front(&mut flights) => {
                    if let Some(end) = self.settle(&mut flights, taken).await {
                        break end;
                    }
                }
                next = consumer.next(), if !is_full => match next {
                    Some(Ok(delivery)) => self.add(&mut batch, delivery),
                    Some(Err(error)) => break End::Broken(error.into()),
                    None => break End::Broken(Broken::Cancelled),
                },
                () = until(due), if has_room => {}
            }
        };
        self.wind_up(channel, flights, end).await
    }

    fn add(&self, batch: &mut Batch, delivery: Delivery) {
        let receipt = Receipt::of(&delivery);
        let now = self.taking.store.now();
        let routing_key = delivery.routing_key.as_str();
        let journey = batch.journey(&self.taking.journey);
        let arrival = envelope::arrival(journey, routing_key, &delivery.properties, delivery.data, now);
        tell_defect(&arrival);
        batch.push(arrival, receipt);
        faults::point!("after-receive");
    }

    /// Settles the oldest batch; gives the end of the lane where that ends it.
    async fn settle(&mut self, flights: &mut VecDeque<InFlight>, taken: Taken) -> Option<End> {
        let InFlight { journey, arrivals, receipts, since, .. } = flights.pop_front()?;
        match taken {
            Taken::Durable(outcomes) => {
                self.numbers.batch_committed(outcomes.len(), since.elapsed());
                tell(&outcomes);
                self.accept(receipts).await
            }
            Taken::Away(fault) => Some(End::StoreAway(fault, journey, arrivals)),
            Taken::Failed => match self.taking.alone(&journey, &arrivals, receipts).await {
                Alone::Done(left) => self.accept(left).await,
                Alone::Away(fault, left) => Some(End::StoreAway(fault, journey, left)),
                Alone::Broken(broken, messages) => {
                    self.tell_not_acknowledged(messages);
                    Some(End::Broken(broken))
                }
                Alone::CannotBeStored => Some(End::Broken(Broken::CannotBeStored)),
            },
        }
    }

    async fn accept(&mut self, receipts: Receipts) -> Option<End> {
        let messages = receipts.len();
        match receipts.accept().await {
            Ok(()) => {
                faults::point!("after-ack");
                self.has_worked = true;
                None
            }
            Err(broken) => {
                self.tell_not_acknowledged(messages);
                Some(End::Broken(broken))
            }
        }
    }

    fn tell_not_acknowledged(&self, messages: usize) {
        NotAcknowledged { messages }.emit();
        self.numbers.not_acknowledged(u64::try_from(messages).unwrap_or(u64::MAX));
    }

    /// Ends in order: what is in flight is waited for, and acknowledged while that is right. After the first batch that is
    /// not, nothing with a higher tag may be.
    async fn wind_up(&mut self, channel: &Channel, mut flights: VecDeque<InFlight>, end: End) -> End {
        if matches!(end, End::StoreAway(..)) {
            // Once, and at once: what is not acknowledged goes back to the queue, and uses up one delivery, not many.
            drop(in_time("closing a channel", channel.close(200, "the store is away".into())).await);
        }
        let mut end = end;
        while let Some(flight) = flights.front_mut() {
            let taken = ended(&mut flight.task).await;
            if matches!(end, End::Stopped) {
                end = self.settle(&mut flights, taken).await.unwrap_or(end);
            } else if let Some(flight) = flights.pop_front()
                && matches!(taken, Taken::Durable(_))
            {
                self.tell_not_acknowledged(flight.receipts.len());
            }
        }
        end
    }
}

/// The oldest batch's end; never, where there is none.
async fn front(flights: &mut VecDeque<InFlight>) -> Taken {
    match flights.front_mut() {
        Some(flight) => ended(&mut flight.task).await,
        None => std::future::pending().await,
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}
