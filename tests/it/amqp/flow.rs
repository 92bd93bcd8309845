//! Messages flow: what comes over AMQP comes to the same as what is dropped as a file, once, and a client that is not ours
//! can post.

use std::collections::HashMap;

use brygga::domain::RecipientId;
use brygga::feed::Cursor;
use uuid::Uuid;

use super::world::{Post, SUPPLIERS, Supplier, World, noon, report};
use crate::harness::{Desk, root, scenario};
use crate::servers::rabbit::{PASSWORD, Rabbit};

async fn contracts_in_feeds(desk: &Desk) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for recipient in [RecipientId::arbetsformedlingen(), RecipientId::from_stored("1863.forsorjningsstod".to_owned())] {
        let page = desk.journey.page(&desk.store, &recipient, Cursor::START, 10_000).await.expect("a page");
        let name = |entry: brygga::journey::Served| (format!("{:?} {}", entry.method, entry.contract), recipient.to_string());
        found.extend(page.entries.into_iter().map(name));
    }
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_over_amqp_comes_to_the_same_as_what_is_dropped_as_a_file() {
    let (demo, _) = scenario(&root().join("fixtures/demo"));
    let dropped = Desk::open(&demo).await;
    dropped.run(&demo).await;
    let rabbit = Rabbit::shared().await;
    let mut world = World::open(rabbit, &demo).await;
    world.start_up().await;
    let mut suppliers = HashMap::new();
    for login in SUPPLIERS {
        suppliers.insert(login, Supplier::connect(world.port, &world.vhost, login).await);
    }
    let seconds = u64::try_from(demo.instant.as_second()).expect("after 1970");
    let mut oversize = 0;
    for message in &demo.messages {
        let login = message.login.as_str();
        let contract = message.name.contract.to_string();
        let mut post = Post::new(login, &contract, message.name.syntax.media_type(), message.name.message_id, &message.bytes);
        post.properties = post.properties.with_timestamp(seconds);
        oversize += usize::from(message.bytes.len() > 1_048_576);
        suppliers[login].post(&post).await.expect("posted");
    }
    assert_eq!(oversize, 0, "the demo has none");
    let count = i64::try_from(demo.messages.len()).expect("a few");
    super::world::until("all have come", async || world.census().await.received >= count).await;
    world.stop().await;
    world.drained().await;
    let mut tx = brygga::store::Store::begin(&dropped.store, "census").await.expect("a transaction");
    let expected = brygga::store::Survey::census(&mut tx).await.expect("a census");
    brygga::store::Tx::commit(tx).await.expect("a commit");
    assert_eq!(world.census().await, expected);
    assert_eq!(contracts_in_feeds(&world.desk).await, contracts_in_feeds(&dropped).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_comes_again_is_a_duplicate_also_across_a_stop_and_a_start() {
    let rabbit = Rabbit::shared().await;
    let mut world = World::open(rabbit, &noon()).await;
    world.start_up().await;
    let supplier = Supplier::connect(world.port, &world.vhost, "hallefors-ame").await;
    let first: Vec<Post> = (0..30).map(|n| Post::report(Uuid::now_v7(), &format!("AR-{n}"))).collect();
    for post in first.iter().chain(&first) {
        supplier.post(post).await.expect("posted");
    }
    world.stop().await;
    let again: Vec<Post> = (30..60).map(|n| Post::report(Uuid::now_v7(), &format!("AR-{n}"))).collect();
    for post in again.iter().chain(&first) {
        supplier.post(post).await.expect("posted while nobody takes");
    }
    world.start_up().await;
    super::world::until("all have come", async || world.census().await.received >= 120).await;
    world.stop().await;
    world.drained().await;
    let census = world.census().await;
    assert_eq!((census.received - census.duplicates, census.journeys), (60, 60));
    assert!(census.duplicates >= 60, "{census:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_goes_from_the_amqp_header_into_the_cloud_event_where_it_has_the_right_form() {
    let rabbit = Rabbit::shared().await;
    let mut world = World::open(rabbit, &noon()).await;
    world.start_up().await;
    let supplier = Supplier::connect(world.port, &world.vhost, "hallefors-ame").await;
    let consent = std::fs::read(root().join("benches/consent.json")).expect("a consent");
    let waiver = Post::new("hallefors-ame", "consent.v1", "application/json", Uuid::now_v7(), &consent);
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    supplier.post(&waiver).await.expect("posted");
    supplier.post(&Post::report(Uuid::now_v7(), "AR-1").header("traceparent", parent)).await.expect("posted");
    world.stored(2).await;
    let forged = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01; 19990723-2392";
    supplier.post(&Post::report(Uuid::now_v7(), "AR-2").header("traceparent", forged)).await.expect("posted");
    world.stored(3).await;
    world.stop().await;
    let af = RecipientId::arbetsformedlingen();
    let page = world.desk.journey.page(&world.desk.store, &af, Cursor::START, 100).await.expect("a page");
    let keys = world.desk.journey.keys();
    let traces: Vec<_> =
        page.entries.iter().map(|entry| entry.event(keys, &af, 1).to_json().get("traceparent").cloned()).collect();
    let with = traces.iter().filter(|trace| **trace == Some(parent.into())).count();
    assert!(with > 0 && with < traces.len(), "{traces:?}");
    assert!(traces.iter().all(|trace| trace.is_none() || *trace == Some(parent.into())), "{traces:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_not_ours_can_post() {
    let rabbit = Rabbit::shared().await;
    let mut world = World::open(rabbit, &noon()).await;
    world.start_up().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("report.json");
    std::fs::write(&file, report("AR-PIKA")).expect("a file");
    // Debian's own Python, which script/test installs pika for.
    let status = tokio::process::Command::new("/usr/bin/python3")
        .arg(root().join("tests/it/amqp/post.py"))
        .arg(&file)
        .env("BRYGGA_PORT", world.port.to_string())
        .env("BRYGGA_VHOST", &world.vhost)
        .env("BRYGGA_PASSWORD", PASSWORD)
        .status()
        .await
        .expect("python3");
    assert!(status.success(), "pika has posted");
    world.stored(1).await;
    world.stop().await;
    let census = world.census().await;
    assert_eq!((census.journeys, census.refused), (1, 0), "{census:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn brygga_needs_no_right_to_declare_anything() {
    let rabbit = Rabbit::shared().await;
    let mut world = World::open(rabbit, &noon()).await;
    // An operator has imported the definitions.
    world.start_up().await;
    world.stop().await;
    rabbit.user("brygga-least", PASSWORD).await;
    // The rights that deploy/rabbitmq/definitions gives.
    rabbit.allow_only(&world.vhost, "brygga-least", "^$", "^brygga\\.out$", "^brygga\\.(in|dead)$").await;
    "brygga-least".clone_into(&mut world.config.broker.user);
    world.config.declare = false;
    world.start_up().await;
    let supplier = Supplier::connect(world.port, &world.vhost, "hallefors-ame").await;
    supplier.post(&Post::report(Uuid::now_v7(), "AR-1")).await.expect("posted");
    world.stored(1).await;
    let courier = brygga::amqp::AmqpCourier::new(&world.config, &brygga::telemetry::Health::default()).expect("certificates");
    let parcel = super::courier::parcel("least", brygga::feed::Method::Put);
    let delivery = brygga::journey::Courier::deliver(&courier, &parcel).await;
    assert!(
        matches!(&delivery, brygga::journey::Delivery::Later { why, .. } if why.contains("no queue is bound")),
        "{delivery:?}"
    );
    world.stop().await;
    world.drained().await;
}
