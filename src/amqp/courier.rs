//! Publishes what goes back to the municipality's systems: with confirms, `mandatory` and persistent, on a connection of
//! its own. What is not confirmed has not arrived.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Confirmation, Connection, PublisherConfirm};
use tokio::sync::{Mutex, watch};

use super::certificates::TlsFault;
use super::door::{Door, channel, close, in_time};
use super::intake::{away, reached};
use super::{Broken, LONGEST_PAUSE, pauses, told_to_stop, topology};
use crate::config::Amqp;
use crate::feed::Method;
use crate::journey::{Courier, Delivery, Parcel};
use crate::telemetry::{Health, Part};

const NAME: &str = "amqp.out";

/// How long a confirm is waited for before the parcel is tried again later.
const CONFIRMING: Duration = Duration::from_secs(5);

/// How often the connection is looked at while nothing is published.
const LOOKING: Duration = Duration::from_secs(1);

/// The persistent delivery mode: the message survives the broker's restart (AMQP 0-9-1, basic class).
const PERSISTENT: u8 = 2;

/// Delivers by publishing to `brygga.out`. Its part in the service's health is `amqp.out`.
#[derive(Clone)]
pub struct AmqpCourier {
    door: Door,
    declare: bool,
    part: Part,
    link: Arc<Mutex<Option<Arc<Link>>>>,
}

impl std::fmt::Debug for AmqpCourier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AmqpCourier")
    }
}

/// A connection that works, and what was published on it and is not confirmed yet, by event id.
struct Link {
    connection: Connection,
    channel: Channel,
    pending: Mutex<HashMap<String, PublisherConfirm>>,
}

impl Link {
    fn works(&self) -> bool {
        self.connection.status().connected() && self.channel.status().connected()
    }
}

impl AmqpCourier {
    /// Wires the courier; nothing is opened yet.
    ///
    /// # Errors
    /// Where the files of certificates cannot be used.
    pub fn new(config: &Amqp, health: &Health) -> Result<Self, TlsFault> {
        let (door, part) = (Door::new(config)?, health.part(NAME, false));
        Ok(Self { door, declare: config.declare, part, link: Arc::default() })
    }

    /// Keeps the connection up until told to stop, so that the service's health tells the truth also while there is nothing
    /// to publish.
    pub async fn keep(self, mut stopping: watch::Receiver<bool>) {
        let mut after_fault = pauses();
        while !*stopping.borrow() {
            let pause = match self.link().await {
                Ok(link) => {
                    after_fault = pauses();
                    self.tell_blocked(&link);
                    LOOKING
                }
                Err(_) => after_fault.next().unwrap_or(LONGEST_PAUSE),
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = told_to_stop(&mut stopping) => {}
            }
        }
        if let Some(link) = self.link.lock().await.take() {
            close(&link.connection).await;
        }
    }

    /// Whether the broker holds us back now, told in the service's health.
    fn tell_blocked(&self, link: &Link) -> bool {
        let blocked = link.connection.status().blocked();
        if blocked {
            away(NAME, &self.part, &Broken::Blocked.to_string());
        } else {
            self.part.up();
        }
        blocked
    }

    /// The link, opened where there is none that works.
    async fn link(&self) -> Result<Arc<Link>, Broken> {
        let mut held = self.link.lock().await;
        if let Some(link) = held.as_ref().filter(|link| link.works()) {
            return Ok(Arc::clone(link));
        }
        if let Some(old) = held.take() {
            close(&old.connection).await;
        }
        match self.open().await {
            Ok(link) => {
                reached(NAME, &self.part);
                Ok(Arc::clone(held.insert(Arc::new(link))))
            }
            Err(broken) => {
                away(NAME, &self.part, &broken.to_string());
                Err(broken)
            }
        }
    }

    async fn open(&self) -> Result<Link, Broken> {
        let connection = self.door.open(&format!("brygga {NAME}")).await?;
        let channel = channel(&connection).await?;
        topology::exchange(&channel, topology::OUT, self.declare).await?;
        in_time("asking for confirms", channel.confirm_select(ConfirmSelectOptions::default())).await?;
        Ok(Link { connection, channel, pending: Mutex::default() })
    }

    async fn publish(&self, parcel: &Parcel) -> Result<Confirmation, Broken> {
        let link = self.link().await?;
        // What was published before and never confirmed is not published again while it may still be on its way.
        let pending = link.pending.lock().await.remove(&parcel.event_id);
        let mut confirm = match pending {
            Some(confirm) => confirm,
            None if self.tell_blocked(&link) => return Err(Broken::Blocked),
            None => self.send(&link, parcel).await?,
        };
        if let Ok(confirmation) = tokio::time::timeout(CONFIRMING, &mut confirm).await {
            return Ok(confirmation?);
        }
        link.pending.lock().await.insert(parcel.event_id.clone(), confirm);
        Err(if self.tell_blocked(&link) { Broken::Blocked } else { Broken::Late("confirming a message") })
    }

    async fn send(&self, link: &Link, parcel: &Parcel) -> Result<PublisherConfirm, Broken> {
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let key = ShortString::try_new(routing_key(parcel)).map_err(|_| Broken::Late("a routing key that is too long"))?;
        let publishing = link.channel.basic_publish(topology::OUT.into(), key, options, &parcel.document, properties(parcel));
        in_time("publishing", publishing).await
    }
}

impl Courier for AmqpCourier {
    async fn deliver(&self, parcel: &Parcel) -> Delivery {
        match self.publish(parcel).await {
            Ok(Confirmation::Ack(None)) => Delivery::Arrived,
            Ok(Confirmation::Ack(Some(_))) => {
                Delivery::later(format!("no queue is bound to {} for {}", topology::OUT, routing_key(parcel)))
            }
            Ok(Confirmation::Nack(_)) => Delivery::later("the broker did not take the message"),
            Ok(Confirmation::NotRequested) => Delivery::later("the broker was not asked for confirms: a fault of the program"),
            Err(broken) => Delivery::later(broken.to_string()),
        }
    }

    /// What was published and not confirmed goes with the connection. One that is being opened has carried nothing yet.
    async fn cut(&self) {
        let link = self.link.try_lock().ok().and_then(|mut held| held.take());
        if let Some(link) = link {
            close(&link.connection).await;
        }
    }
}

/// `<kommunkod>.<system>.<message>`: the recipient's name is the first two.
fn routing_key(parcel: &Parcel) -> String {
    let message = parcel.contract.rsplit_once(".v").map_or(parcel.contract.as_str(), |(name, _)| name);
    format!("{}.{message}", parcel.recipient)
}

fn properties(parcel: &Parcel) -> BasicProperties {
    let mut headers = FieldTable::default();
    if parcel.method == Method::Delete {
        headers.insert("method".into(), AMQPValue::LongString("DELETE".into()));
    }
    if parcel.illustrative {
        // Nobody may take an illustration for an agreement.
        headers.insert("illustrative".into(), AMQPValue::Boolean(true));
    }
    headers.insert("subject".into(), AMQPValue::LongString(parcel.subject.to_hex().into()));
    let mut properties = BasicProperties::default()
        .with_headers(headers)
        .with_delivery_mode(PERSISTENT)
        .with_message_id(parcel.event_id.as_str().into())
        .with_type(parcel.contract.as_str().into())
        .with_app_id("brygga".into());
    if parcel.method == Method::Put {
        properties = properties.with_content_type(parcel.syntax.media_type().into());
    }
    if let Some(id) = parcel.correlation_id {
        properties = properties.with_correlation_id(id.to_string().as_str().into());
    }
    properties
}
