//! Every fault that a broker or a store has while messages come in: it is said what is wrong, and all is well again by itself
//! when the cause has ended, with nothing lost and nothing twice.

use std::time::{Duration, Instant};

use brygga::amqp::AmqpCourier;
use brygga::config::{Amqp, Machine, Section};
use brygga::feed::Method;
use brygga::journey::{Courier as _, Delivery};
use brygga::store::Store as _;
use brygga::telemetry::{Health, PartState};
use lapin::options::{QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::FieldTable;
use tokio::sync::watch;
use uuid::Uuid;

use super::courier::parcel;
use super::world::{Post, Supplier, World, noon, until};
use crate::servers::rabbit::{PASSWORD, Rabbit};

/// Posts reports from one number to another.
async fn post(world: &World, numbers: std::ops::Range<u32>) {
    let supplier = Supplier::connect(world.port, &world.vhost, "hallefors-ame").await;
    for n in numbers {
        supplier.post(&Post::report(Uuid::from_u128(n.into()), &format!("AR-{n}"))).await.expect("posted");
    }
}

/// Stops, and proves that each of so many messages is there once and none is left.
async fn ends_with(mut world: World, messages: i64) {
    world.stored(messages).await;
    world.stop().await;
    world.drained().await;
    let census = world.census().await;
    assert_eq!((census.journeys, census.refused), (messages, 0), "{census:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_restarts_is_killed_pauses_or_raises_an_alarm_is_waited_out() {
    let mut rabbit = Rabbit::own().await;
    let mut world = World::open(&rabbit, &noon()).await;
    world.start_up().await;
    let health = Health::default();
    let courier = AmqpCourier::new(&world.config, &health).expect("certificates");
    let (stop, stopping) = watch::channel(false);
    let keeping = tokio::spawn(courier.clone().keep(stopping));
    let out = || health.view().into_iter().next().expect("amqp.out").state;
    until("amqp.out is up", async || out() == PartState::Up).await;
    post(&world, 0..20).await;
    world.stored(20).await;

    rabbit.stop().await;
    world.down("").await;
    rabbit.begin().await;
    world.up().await;
    post(&world, 20..40).await;
    world.stored(40).await;

    post(&world, 40..60).await;
    rabbit.kill().await;
    world.down("").await;
    until("amqp.out is down", async || matches!(out(), PartState::Down(_))).await;
    assert!(matches!(courier.deliver(&parcel("while-away", Method::Put)).await, Delivery::Later { .. }));
    rabbit.begin().await;
    let back = Instant::now();
    world.up().await;
    assert!(back.elapsed() < Duration::from_secs(30), "it comes back within seconds: {:?}", back.elapsed());
    world.stored(60).await;

    // Nobody answers and no connection breaks: only the heartbeats tell.
    rabbit.pause();
    world.down("").await;
    rabbit.resume();
    world.up().await;
    post(&world, 60..80).await;
    world.stored(80).await;

    // The alarm holds publishers back, and consumers not.
    let system = Supplier::connect(world.port, &world.vhost, "hallefors-ame").await;
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    system.channel.queue_declare("ame".into(), durable, FieldTable::default()).await.expect("a queue");
    let (options, arguments) = (QueueBindOptions::default(), FieldTable::default());
    system.channel.queue_bind("ame".into(), "brygga.out".into(), "1863.ame.#".into(), options, arguments).await.expect("bound");
    until("amqp.out is up", async || out() == PartState::Up).await;
    rabbit.ctl(&["set_vm_memory_high_watermark", "absolute", "1MB"]).await;
    let held = async || matches!(courier.deliver(&parcel("in-alarm", Method::Put)).await, Delivery::Later { .. });
    until("the alarm holds publishers back", held).await;
    until("amqp.out says so", async || matches!(out(), PartState::Down(why) if why.contains("alarm"))).await;
    assert_eq!(world.state(), PartState::Up, "messages may still be taken");
    rabbit.ctl(&["set_vm_memory_high_watermark", "0.4"]).await;
    until("it arrives", async || courier.deliver(&parcel("in-alarm", Method::Put)).await == Delivery::Arrived).await;
    until("amqp.out is up", async || out() == PartState::Up).await;
    stop.send(true).expect("it listens");
    keeping.await.expect("it ends");
    ends_with(world, 80).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_queue_is_made_again_or_waited_for() {
    let rabbit = Rabbit::shared().await;
    let mut world = World::open(rabbit, &noon()).await;
    world.start_up().await;
    post(&world, 0..5).await;
    world.stored(5).await;
    let admin = Supplier::connect(world.port, &world.vhost, "brygga").await;
    let delete = async || admin.channel.queue_delete("brygga.in".into(), QueueDeleteOptions::default()).await.expect("deleted");
    delete().await;
    until("it is there and consumed again", async || {
        let look = Supplier::connect(world.port, &world.vhost, "brygga").await;
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let queue = look.channel.queue_declare("brygga.in".into(), options, FieldTable::default()).await;
        queue.is_ok_and(|queue| queue.consumer_count() == 1)
    })
    .await;
    post(&world, 5..10).await;
    world.stored(10).await;
    world.stop().await;
    // Where Brygga may not declare, it says what is missing and waits for it.
    delete().await;
    world.config.declare = false;
    world.start();
    world.down("NOT_FOUND").await;
    world.stop().await;
    world.config.declare = true;
    world.start_up().await;
    post(&world, 10..12).await;
    ends_with(world, 12).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_with_other_arguments_is_told_in_the_brokers_own_words() {
    let rabbit = Rabbit::shared().await;
    let mut world = World::open(rabbit, &noon()).await;
    let admin = Supplier::connect(world.port, &world.vhost, "brygga").await;
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    admin.channel.queue_declare("brygga.in".into(), durable, FieldTable::default()).await.expect("a queue");
    world.start();
    world.down("PRECONDITION").await;
    admin.channel.queue_delete("brygga.in".into(), QueueDeleteOptions::default()).await.expect("deleted");
    world.up().await;
    post(&world, 0..3).await;
    ends_with(world, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_told_and_tried_until_it_is_right() {
    let rabbit = Rabbit::shared().await;
    let mut world = World::open(rabbit, &noon()).await;
    rabbit.user("brygga-2", "another-one").await;
    rabbit.allow(&world.vhost, "brygga-2").await;
    "brygga-2".clone_into(&mut world.config.broker.user);
    world.start();
    world.down("ACCESS_REFUSED").await;
    let PartState::Down(why) = world.state() else { panic!("it is down") };
    assert!(!why.contains(PASSWORD), "a password is never told");
    rabbit.user("brygga-2", PASSWORD).await;
    world.up().await;
    post(&world, 0..3).await;
    ends_with(world, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_is_changed_in_its_file_is_used_without_a_restart() {
    let rabbit = Rabbit::shared().await;
    let mut world = World::open(rabbit, &noon()).await;
    rabbit.user("brygga-3", "the-new-one").await;
    rabbit.allow(&world.vhost, "brygga-3").await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("password");
    std::fs::write(&file, "the-old-one\n").expect("written");
    let text = format!("[amqp]\nurl = \"amqp://brygga-3@localhost\"\npassword_file = \"{}\"", file.display());
    let mut whole = Section::of_text(&text, &Machine).expect("TOML");
    world.config.password = Amqp::read(&mut whole.section("amqp").expect("the table")).expect("no faults").password;
    "brygga-3".clone_into(&mut world.config.broker.user);
    world.start();
    world.down("ACCESS_REFUSED").await;
    std::fs::write(&file, "the-new-one\n").expect("written");
    world.up().await;
    world.stop().await;
}

/// What `/metrics` says of the messages that wait in `brygga.in`.
fn waiting(world: &World) -> Option<i64> {
    let text = world.numbers.text(&world.health);
    let line = text.lines().find_map(|line| line.strip_prefix("brygga_queue_ready{queue=\"brygga.in\"} "))?;
    line.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_numbers_show_what_waits_in_the_queue_while_it_is_consumed_and_nothing_when_it_is_not() {
    let rabbit = Rabbit::shared().await;
    let mut world = World::open(rabbit, &noon()).await;
    // What the consumer holds does not wait; more than that does.
    (world.config.prefetch, world.config.batch_size) = (5, 5);
    world.start_up().await;
    world.stop().await;
    assert_eq!(waiting(&world), None, "nobody keeps the number right");
    post(&world, 0..40).await;
    // Whoever holds the writer keeps the batches from ending for a while.
    let held = world.desk.store.begin("hold").await.expect("the writer");
    world.start_up().await;
    until("it is seen that some wait", async || waiting(&world).is_some_and(|waiting| (30..=40).contains(&waiting))).await;
    drop(held);
    world.stored(40).await;
    until("it is seen that none waits", async || waiting(&world) == Some(0)).await;
    ends_with(world, 40).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_store_is_away_nothing_is_consumed_and_no_delivery_is_used_up() {
    let rabbit = Rabbit::shared().await;
    let mut world = World::open(rabbit, &noon()).await;
    // One delivery more than the one that going away costs would set a message aside.
    world.config.delivery_limit = 2;
    world.start_up().await;
    let admin = Supplier::connect(world.port, &world.vhost, "brygga").await;
    // Whoever holds the writer keeps everybody else from writing, until they give up waiting.
    let held = world.desk.store.begin("hold").await.expect("the writer");
    post(&world, 0..50).await;
    world.down("store").await;
    until("nobody consumes", async || admin.consumers("brygga.in").await == 0).await;
    // Long enough for several tries; none of them opens the channel.
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(admin.consumers("brygga.in").await, 0);
    }
    assert_eq!(admin.ready("brygga.in").await, 50, "all are back in the queue, none in the dead queue");
    drop(held);
    world.up().await;
    ends_with(world, 50).await;
}
