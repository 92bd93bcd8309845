//! Messages that the program fails on: they harm no neighbour, they come to an end, and nothing is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use brygga::domain::{Code, Keys};
use brygga::journey::Journey;
use futures_util::StreamExt as _;
use lapin::options::{BasicConsumeOptions, BasicNackOptions};
use lapin::types::FieldTable;
use uuid::Uuid;

use super::world::{Post, Supplier, World, noon, until};
use crate::servers::rabbit::Rabbit;

/// Keys that fail a number of times on what carries a mark, as a faulty program would.
struct Failing {
    keys: Arc<dyn Keys>,
    purpose: &'static str,
    mark: &'static [u8],
    left: AtomicI32,
}

impl Keys for Failing {
    fn digest(&self, purpose: &'static str, parts: &[&[u8]]) -> [u8; 32] {
        let is_marked = parts.iter().any(|part| part.windows(self.mark.len()).any(|window| window == self.mark));
        let fails = purpose == self.purpose && is_marked && self.left.fetch_sub(1, Ordering::Relaxed) > 0;
        assert!(!fails, "planted by the test");
        self.keys.digest(purpose, parts)
    }
}

async fn failing(world: &World, purpose: &'static str, mark: &'static [u8], times: i32) -> Journey {
    let keys = world.desk.data.keys().expect("keys");
    let failing = Failing { keys, purpose, mark, left: AtomicI32::new(times) };
    let vault = world.desk.data.vault().await.expect("a vault");
    Journey::new(Arc::clone(world.desk.journey.set()), Arc::new(failing), vault)
}

/// The state and code of a stored message, restricted or not.
async fn code_of(world: &World, number: i64) -> Option<Code> {
    use brygga::store::{Store as _, Tx as _};
    let mut tx = world.desk.store.begin("look").await.expect("a transaction");
    let stored = tx.message(brygga::domain::MessageNumber(number)).await.expect("the store");
    stored.and_then(|stored| stored.message.violations.first().map(|(code, _)| *code))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_breaks_its_batch_is_run_alone_and_kept_while_the_rest_flows_on() {
    let rabbit = Rabbit::shared().await;
    let mut world = World::open(rabbit, &noon()).await;
    // Declares the queue, so that a whole batch waits in it.
    world.start_up().await;
    world.stop().await;
    let supplier = Supplier::connect(world.port, &world.vhost, "hallefors-ame").await;
    for n in 0..10 {
        let name = if n == 4 { "AR-POISON".to_owned() } else { format!("AR-{n}") };
        supplier.post(&Post::report(Uuid::now_v7(), &name)).await.expect("posted");
    }
    // Once in the batch, once alone; then it is stored without being opened.
    let journey = failing(&world, "fingerprint", b"AR-POISON", 2).await;
    world.start_by(&journey);
    world.stored(10).await;
    world.stop().await;
    world.drained().await;
    let census = world.census().await;
    assert_eq!((census.journeys, census.refused, census.restricted, census.duplicates), (9, 1, 1, 0), "{census:?}");
    assert_eq!(code_of(&world, 5).await, Some(Code::TransportDeliveryLimit));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_can_not_even_be_stored_goes_by_the_dead_queue_and_is_run_there_once_more() {
    let rabbit = Rabbit::shared().await;
    let mut world = World::open(rabbit, &noon()).await;
    let journey = failing(&world, "fingerprint", b"AR-POISON", 3).await;
    world.start_by(&journey);
    world.up().await;
    let supplier = Supplier::connect(world.port, &world.vhost, "hallefors-ame").await;
    for name in ["AR-1", "AR-POISON", "AR-2"] {
        supplier.post(&Post::report(Uuid::now_v7(), name)).await.expect("posted");
    }
    world.stored(3).await;
    world.stop().await;
    world.drained().await;
    let census = world.census().await;
    assert_eq!((census.journeys, census.refused), (3, 0), "it was well when it ran alone: {census:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn past_the_delivery_limit_a_message_is_run_once_more_and_refused_where_the_program_fails_on_it_again() {
    let rabbit = Rabbit::shared().await;
    let mut world = World::open(rabbit, &noon()).await;
    world.config.delivery_limit = 2;
    world.start_up().await;
    world.stop().await;
    let supplier = Supplier::connect(world.port, &world.vhost, "hallefors-ame").await;
    let poison = Post::report(Uuid::now_v7(), "AR-POISON");
    let innocent = Post::new("hallefors-ame", "consent.v1", "application/json", Uuid::now_v7(), b"{}");
    supplier.post(&poison).await.expect("posted");
    supplier.post(&innocent).await.expect("posted");
    // A consumer that gives everything back, as one that crashes would.
    let brygga = Supplier::connect(world.port, &world.vhost, "brygga").await;
    let options = BasicConsumeOptions::default();
    let consuming = brygga.channel.basic_consume("brygga.in".into(), "crashing".into(), options, FieldTable::default());
    let mut consumer = consuming.await.expect("a consumer");
    for _ in 0..6 {
        let delivery = consumer.next().await.expect("a delivery").expect("a delivery");
        delivery.nack(BasicNackOptions { requeue: true, multiple: false }).await.expect("given back");
    }
    until("both are in the dead queue", async || brygga.ready("brygga.dead").await == 2).await;
    // The program fails on every report's person, inside the way.
    let journey = failing(&world, "report", b"AR-POISON", i32::MAX).await;
    world.start_by(&journey);
    world.stored(2).await;
    world.stop().await;
    world.drained().await;
    let census = world.census().await;
    assert_eq!((census.refused, census.duplicates), (2, 0), "{census:?}");
    let mut codes = vec![code_of(&world, 1).await, code_of(&world, 2).await];
    codes.sort();
    assert_eq!(codes.last(), Some(&Some(Code::IdentityUnreadable)), "the other was only run: {codes:?}");
    assert_eq!(codes.first(), Some(&Some(Code::TransportDeliveryLimit)), "{codes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_the_store_does_not_take_is_a_dead_letter_and_keeps_no_other_waiting() {
    let rabbit = Rabbit::shared().await;
    let mut world = World::open(rabbit, &noon()).await;
    world.start_up().await;
    world.stop().await;
    let poison = Uuid::now_v7();
    crate::harness::refuse_in_sqlite(world.desk.path(), poison).await;
    let supplier = Supplier::connect(world.port, &world.vhost, "hallefors-ame").await;
    for n in 0..8 {
        let id = if n == 3 { poison } else { Uuid::now_v7() };
        supplier.post(&Post::report(id, &format!("AR-{n}"))).await.expect("posted");
    }
    world.start();
    world.stored(8).await;
    world.stop().await;
    world.drained().await;
    let census = world.census().await;
    assert_eq!((census.journeys, census.refused, census.restricted, census.duplicates), (7, 1, 1, 0), "{census:?}");
}
