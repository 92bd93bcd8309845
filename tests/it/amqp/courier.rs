//! What goes back: published with confirms, and kept where nobody has bound a queue for it.

use brygga::amqp::AmqpCourier;
use brygga::domain::{RecipientId, Subject, Syntax};
use brygga::feed::Method;
use brygga::journey::{Courier as _, Delivery, Parcel};
use brygga::telemetry::{Health, PartState};
use futures_util::StreamExt as _;
use lapin::options::{BasicConsumeOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use tokio::sync::watch;
use uuid::Uuid;

use super::world::{Supplier, World, noon, until};
use crate::servers::rabbit::Rabbit;

pub(super) fn parcel(event_id: &str, method: Method) -> Parcel {
    Parcel {
        recipient: RecipientId::from_stored("1863.ame".to_owned()),
        event_id: event_id.to_owned(),
        subject: Subject::from_slice(&[7; 16]).expect("16 bytes"),
        contract: "accepted.v1".to_owned(),
        method,
        syntax: Syntax::Json,
        illustrative: false,
        correlation_id: Some(Uuid::from_u128(17)),
        document: if method == Method::Put { b"{}".to_vec() } else { Vec::new() },
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unroutable_parcel_stays_and_arrives_once_a_queue_is_bound() {
    let rabbit = Rabbit::shared().await;
    let world = World::open(rabbit, &noon()).await;
    let health = Health::default();
    let courier = AmqpCourier::new(&world.config, &health).expect("certificates");
    let (stop, stopping) = watch::channel(false);
    let keeping = tokio::spawn(courier.clone().keep(stopping));
    until("amqp.out is up", async || health.view().iter().all(|part| part.state == PartState::Up)).await;
    let first = courier.deliver(&parcel("event-1", Method::Put)).await;
    assert!(matches!(&first, Delivery::Later { why, .. } if why.contains("1863.ame.accepted")), "{first:?}");

    let system = Supplier::connect(world.port, &world.vhost, "hallefors-ame").await;
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    system.channel.queue_declare("ame".into(), durable, FieldTable::default()).await.expect("a queue");
    let (options, arguments) = (QueueBindOptions::default(), FieldTable::default());
    system.channel.queue_bind("ame".into(), "brygga.out".into(), "1863.ame.#".into(), options, arguments).await.expect("bound");
    assert_eq!(courier.deliver(&parcel("event-1", Method::Put)).await, Delivery::Arrived);
    assert_eq!(courier.deliver(&parcel("event-2", Method::Delete)).await, Delivery::Arrived);

    let consuming = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
    let mut consumer =
        system.channel.basic_consume("ame".into(), "ame".into(), consuming, FieldTable::default()).await.expect("a consumer");
    let put = consumer.next().await.expect("a message").expect("a message");
    assert_eq!((put.routing_key.as_str(), put.data.as_slice()), ("1863.ame.accepted", b"{}".as_slice()));
    let told = &put.properties;
    assert_eq!(told.message_id().as_ref().map(|id| id.as_str().to_owned()), Some("event-1".to_owned()));
    assert_eq!(told.kind().as_ref().map(|kind| kind.as_str().to_owned()), Some("accepted.v1".to_owned()));
    assert_eq!(told.correlation_id().as_ref().map(|id| id.as_str().to_owned()), Some(Uuid::from_u128(17).to_string()));
    assert_eq!(told.delivery_mode(), &Some(2), "it survives the broker's restart");
    let delete = consumer.next().await.expect("a message").expect("a message");
    let method = delete.properties.headers().as_ref().and_then(|headers| headers.inner().get("method").cloned());
    assert_eq!(method, Some(AMQPValue::LongString("DELETE".into())));
    assert!(delete.data.is_empty());
    stop.send(true).expect("it listens");
    keeping.await.expect("it ends");
}
