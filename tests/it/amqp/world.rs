//! What these tests share: a desk that takes messages from a virtual host of its own, and suppliers that post to it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use brygga::amqp::AmqpIntake;
use brygga::app::Scenario;
use brygga::config::{Amqp, Password};
use brygga::journey::Journey;
use brygga::store::{Census, DeadLetter, Store as _, Survey as _};
use brygga::telemetry::{Health, Numbers, PartState};
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::harness::{Desk, root};
use crate::servers::rabbit::{PASSWORD, Rabbit};

/// The suppliers that post here.
pub(crate) const SUPPLIERS: [&str; 8] =
    ["hallefors-ame", "hallefors-fs", "osby-ame", "osby-fs", "sodertalje-ame", "sodertalje-fs", "lund-ame", "lund-fs"];

/// The kommun code and system of a supplier, as in its routing keys.
pub(super) fn address(login: &str) -> String {
    let (kommun, system) = login.rsplit_once('-').expect("a login of the demo");
    let code = match kommun {
        "hallefors" => "1863",
        "osby" => "1273",
        "sodertalje" => "0181",
        _ => "1281",
    };
    format!("{code}.{}", if system == "ame" { "ame" } else { "forsorjningsstod" })
}

/// An instant at which the messages here are made.
pub(super) fn noon() -> Scenario {
    Scenario {
        title: "made here".to_owned(),
        instant: "2026-03-16T11:00:00Z".parse().expect("an instant"),
        messages: Vec::new(),
    }
}

/// A report of Hällefors with an id of its own.
pub(super) fn report(id: &str) -> String {
    let text = std::fs::read_to_string(root().join("benches/report.json")).expect("a report");
    text.replace("AR-2602-09", id)
}

/// A desk, its virtual host, and its intake while that runs.
pub(super) struct World {
    pub(super) desk: Desk,
    pub(super) config: Amqp,
    pub(super) vhost: String,
    pub(super) port: u16,
    pub(super) health: Health,
    pub(super) numbers: Arc<Numbers>,
    running: Option<(watch::Sender<bool>, JoinHandle<()>)>,
}

impl World {
    pub(super) async fn open(rabbit: &Rabbit, scenario: &Scenario) -> Self {
        let users: Vec<&str> = SUPPLIERS.iter().copied().chain(["brygga"]).collect();
        let vhost = rabbit.virtual_host(&users).await;
        let config = Amqp {
            broker: format!("amqp://brygga@127.0.0.1:{}/{vhost}", rabbit.port()).parse().expect("a URL"),
            password: Password::given(PASSWORD.to_owned().into()),
            ca_file: None,
            client_certificate: None,
            declare: true,
            queue: "brygga.in".to_owned(),
            bindings: vec!["#".to_owned()],
            dead_queue: "brygga.dead".to_owned(),
            prefetch: 100,
            batch_size: 20,
            linger: Duration::from_millis(10),
            delivery_limit: 20,
            heartbeat_seconds: 2,
        };
        let desk = Desk::open(scenario).await;
        Self { desk, config, vhost, port: rabbit.port(), health: Health::default(), numbers: Arc::default(), running: None }
    }

    pub(super) fn start(&mut self) {
        let journey = self.desk.journey.clone();
        self.start_by(&journey);
    }

    pub(super) fn start_by(&mut self, journey: &Journey) {
        self.health = Health::default();
        self.numbers = Arc::default();
        let store = &self.desk.store;
        let intake = AmqpIntake::new(self.config.clone(), journey, store, &self.health, &self.numbers).expect("certificates");
        let (stop, stopping) = watch::channel(false);
        self.running = Some((stop, tokio::spawn(intake.run(stopping))));
    }

    pub(super) async fn stop(&mut self) {
        let (stop, task) = self.running.take().expect("a running intake");
        stop.send(true).expect("it listens");
        task.await.expect("it ends");
    }

    pub(super) async fn start_up(&mut self) {
        self.start();
        self.up().await;
    }

    pub(super) async fn up(&self) {
        until("amqp.in is up", async || self.state() == PartState::Up).await;
    }

    /// Waits until `amqp.in` is down for a cause that contains these words.
    pub(super) async fn down(&self, words: &str) {
        let what = format!("amqp.in says {words}");
        until(&what, async || matches!(self.state(), PartState::Down(why) if why.contains(words))).await;
    }

    pub(super) fn state(&self) -> PartState {
        let part = self.health.view().into_iter().find(|part| part.name == "amqp.in");
        part.expect("amqp.in").state
    }

    pub(super) async fn census(&self) -> Census {
        let mut tx = self.desk.store.begin("census").await.expect("a transaction");
        let census = tx.census().await.expect("a census");
        assert!(census.adds_up(), "{census:?}");
        census
    }

    pub(super) async fn letters(&self) -> Vec<DeadLetter> {
        let mut tx = self.desk.store.begin("letters").await.expect("a transaction");
        crate::harness::dead_letters(&mut tx).await
    }

    /// Waits until this many messages are stored, whatever became of them and however often they came.
    pub(super) async fn stored(&self, messages: i64) {
        let what = format!("{messages} messages are stored");
        until(&what, async || {
            let census = self.census().await;
            census.received - census.duplicates >= messages
        })
        .await;
    }

    /// Waits until the queues are empty. After a stop this means that everything has been acknowledged: what a consumer
    /// held and did not acknowledge is ready again once it is gone.
    pub(super) async fn drained(&self) {
        let supplier = Supplier::connect(self.port, &self.vhost, "brygga").await;
        until("the queues are empty", async || {
            supplier.ready("brygga.in").await == 0 && supplier.ready("brygga.dead").await == 0
        })
        .await;
    }
}

/// Waits until something holds, for as long as a busy machine may need.
pub(super) async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(90);
    while !holds().await {
        assert!(Instant::now() < deadline, "in 90 seconds it did not come about that {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A message to post, whole unless something is changed.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    pub(super) routing_key: String,
    pub(super) properties: BasicProperties,
    pub(super) body: Vec<u8>,
}

impl Post {
    /// A whole message of a supplier.
    pub(crate) fn new(login: &str, contract: &str, media_type: &str, id: Uuid, body: &[u8]) -> Self {
        let message = contract.split_once(".v").expect("a contract").0;
        let properties = BasicProperties::default()
            .with_message_id(id.to_string().as_str().into())
            .with_timestamp(1_773_658_800)
            .with_type(contract.into())
            .with_content_type(media_type.into())
            .with_delivery_mode(2)
            .with_user_id(login.into());
        Self { routing_key: format!("{}.{message}", address(login)), properties, body: body.to_vec() }
    }

    /// A whole report of Hällefors.
    pub(super) fn report(id: Uuid, report_id: &str) -> Self {
        Self::new("hallefors-ame", "activity-report.v1", "application/json", id, report(report_id).as_bytes())
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        let mut headers = FieldTable::default();
        headers.insert(name.into(), AMQPValue::LongString(value.into()));
        self.properties = self.properties.with_headers(headers);
        self
    }
}

/// A supplier's connection, that posts with confirms.
pub(crate) struct Supplier {
    _connection: Connection,
    pub(crate) channel: Channel,
}

impl Supplier {
    pub(crate) async fn connect(port: u16, vhost: &str, login: &str) -> Self {
        let uri = format!("amqp://{login}:{PASSWORD}@127.0.0.1:{port}/{vhost}");
        let connection = Connection::connect(&uri, ConnectionProperties::default()).await.expect("a connection");
        let channel = connection.create_channel().await.expect("a channel");
        channel.confirm_select(ConfirmSelectOptions::default()).await.expect("confirms");
        Self { _connection: connection, channel }
    }

    /// Posts a message; the broker has it when this returns.
    pub(crate) async fn post(&self, post: &Post) -> lapin::Result<()> {
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let (key, properties) = (post.routing_key.as_str().into(), post.properties.clone());
        let confirm = self.channel.basic_publish("brygga.in".into(), key, options, &post.body, properties).await?.await?;
        assert!(confirm.is_ack() && confirm.take_message().is_none(), "the message was routed and taken");
        Ok(())
    }

    /// How many messages of a queue are ready to be delivered.
    pub(crate) async fn ready(&self, queue: &str) -> u32 {
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let declared = self.channel.queue_declare(queue.into(), options, FieldTable::default()).await;
        declared.expect("the queue").message_count()
    }

    /// How many consume from a queue.
    pub(super) async fn consumers(&self, queue: &str) -> u32 {
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let declared = self.channel.queue_declare(queue.into(), options, FieldTable::default()).await;
        declared.expect("the queue").consumer_count()
    }
}
