//! Several processes take from one queue into one PostgreSQL, and a reader follows the feed meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;

use brygga::amqp::AmqpIntake;
use brygga::domain::{Position, RecipientId};
use brygga::feed::Cursor;
use brygga::journey::Journey;
use brygga::seal::{ServiceKeys, Vault};
use brygga::store::postgres::PostgresStore;
use brygga::store::{Clock, Store as _, Survey as _};
use brygga::telemetry::{Health, Numbers};
use tokio::sync::watch;
use uuid::Uuid;

use super::world::{Post, Supplier, World, noon, until};
use crate::harness::set;
use crate::servers::postgres::Server;
use crate::servers::rabbit::Rabbit;

const REPORTS: usize = 90;

#[tokio::test(flavor = "multi_thread")]
async fn three_processes_on_one_queue_and_one_postgresql_leave_no_gap_and_nothing_twice() {
    let rabbit = Rabbit::shared().await;
    let mut world = World::open(rabbit, &noon()).await;
    // Declares what is posted to.
    world.start_up().await;
    world.stop().await;
    let settings = Server::shared().await.database().await;
    let vault = Vault::ephemeral().expect("random numbers");
    let journey = Journey::new(set(), Arc::new(ServiceKeys::derive(&[7; 32])), vault).guarded();
    (world.config.batch_size, world.config.prefetch) = (5, 20);
    let (stop, stopping) = watch::channel(false);
    let mut processes = Vec::new();
    for _ in 0..3 {
        let store = PostgresStore::open(&settings, Clock::at(noon().instant)).await.expect("the store opens");
        let (health, numbers) = (Health::default(), Arc::new(Numbers::default()));
        let intake = AmqpIntake::new(world.config.clone(), &journey, &store.intake(), &health, &numbers).expect("wired");
        processes.push(tokio::spawn(intake.run(stopping.clone())));
    }
    let supplier = Supplier::connect(world.port, &world.vhost, "hallefors-ame").await;
    let posting = async {
        let consent = std::fs::read(crate::harness::root().join("benches/consent.json")).expect("a consent");
        let post = Post::new("hallefors-ame", "consent.v1", "application/json", Uuid::now_v7(), &consent);
        supplier.post(&post).await.expect("posted");
        for n in 0..REPORTS {
            let post = Post::report(Uuid::now_v7(), &format!("AR-{n}"));
            supplier.post(&post).await.expect("posted");
            if n % 9 == 0 {
                // The same message again, perhaps to another process.
                supplier.post(&post).await.expect("posted");
            }
        }
    };
    let store = PostgresStore::open(&settings, Clock::at(noon().instant)).await.expect("the store opens");
    let (reader, af) = (store.feed(), RecipientId::arbetsformedlingen());
    let mut seen: BTreeMap<Position, String> = BTreeMap::new();
    let reading = async {
        let mut cursor = Cursor::START;
        while seen.len() < 2 * REPORTS {
            let page = journey.page(&reader, &af, cursor, 7).await.expect("a page");
            for entry in page.entries {
                cursor = Cursor::at(entry.position);
                assert!(seen.insert(entry.position, entry.subject.to_hex()).is_none(), "{:?} comes twice", entry.position);
            }
            // What was due and is held for a consent that came later is settled by any process.
            journey.sweep(&store).await.expect("swept");
        }
    };
    tokio::time::timeout(std::time::Duration::from_mins(2), async { tokio::join!(posting, reading) }).await.expect("in time");
    until("the queue is empty", async || supplier.ready("brygga.in").await == 0).await;
    stop.send(true).expect("they listen");
    for process in processes {
        process.await.expect("it ends");
    }
    world.drained().await;
    let positions: Vec<i64> = seen.keys().map(|position| position.0).collect();
    let wanted: Vec<i64> = (1..=i64::try_from(2 * REPORTS).expect("few")).collect();
    assert_eq!(positions, wanted, "no gap");
    let mut subjects: Vec<&String> = seen.values().collect();
    subjects.sort();
    subjects.dedup();
    assert_eq!(subjects.len(), 2 * REPORTS, "each document once");
    let mut tx = store.begin("test").await.expect("a transaction");
    let census = tx.census().await.expect("counted");
    assert!(census.adds_up() && census.duplicates >= 10, "{census:?}");
}
