//! Readers that wait: cheap however many they are, and answered when the service stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use brygga::domain::{Position, RecipientId};
use brygga::store::sqlite::{SqliteStore, SqliteTx};
use brygga::store::{Store, Stored};
use jiff::Timestamp;

use super::server::{Files, Served, Setting, until};

/// The embedded store, and how often it was asked.
#[derive(Debug, Clone)]
struct Counted {
    store: SqliteStore,
    epochs: Arc<AtomicUsize>,
    looks: Arc<AtomicUsize>,
}

impl Store for Counted {
    type Tx = SqliteTx;

    async fn begin(&self, name: &'static str) -> Stored<SqliteTx> {
        self.store.begin(name).await
    }

    async fn ping(&self) -> Stored<()> {
        self.store.ping().await
    }

    async fn epoch(&self) -> Stored<u32> {
        self.epochs.fetch_add(1, Ordering::SeqCst);
        self.store.epoch().await
    }

    async fn has_after(&self, recipient: &RecipientId, position: Position) -> Stored<bool> {
        self.looks.fetch_add(1, Ordering::SeqCst);
        self.store.has_after(recipient, position).await
    }

    async fn has_work(&self) -> Stored<bool> {
        self.store.has_work().await
    }

    async fn has_unconfirmed(&self, recipient: &RecipientId) -> Stored<bool> {
        self.store.has_unconfirmed(recipient).await
    }

    async fn take_lease(&self, recipient: &RecipientId, owner: &str, lasts: Duration) -> Stored<bool> {
        self.store.take_lease(recipient, owner, lasts).await
    }

    async fn give_back(&self) -> Stored<()> {
        self.store.give_back().await
    }

    fn now(&self) -> Timestamp {
        self.store.now()
    }

    fn connections(&self) -> u64 {
        self.store.connections()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_waiting_readers_ask_the_store_no_more_than_one() {
    const READERS: usize = 300;
    let files = Files::new();
    let af = files.af();
    let (epochs, looks) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counted =
        |store: &SqliteStore| Counted { store: store.clone(), epochs: Arc::clone(&epochs), looks: Arc::clone(&looks) };
    let setting = Setting { keys: "burst = 1000", ..Setting::default() };
    let served = Served::over(files, setting, counted).await;
    let mut readers = Vec::new();
    for _ in 0..READERS {
        let mut wire = served.connect(&af).await.expect("a connection");
        readers.push(tokio::spawn(async move { wire.get("/v1/feed?timeout=60000").await }));
    }
    // Each asks once for the epoch and once whether there is anything; then it waits.
    until("all of them wait", || async { epochs.load(Ordering::SeqCst) >= READERS && looks.load(Ordering::SeqCst) >= READERS })
        .await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (before, begun) = (looks.load(Ordering::SeqCst), Instant::now());
    tokio::time::sleep(Duration::from_secs(2)).await;
    let during = u128::try_from(looks.load(Ordering::SeqCst) - before).expect("a number");
    // One reader alone looks ten times a second.
    let of_one = begun.elapsed().as_millis() / 100 + 2;
    assert!(during <= of_one, "the store was asked {during} times, {of_one} times are one reader's");
    assert_eq!(epochs.load(Ordering::SeqCst), READERS);
    served.desk.run(&served.demo).await;
    for reader in readers {
        let answer = reader.await.expect("a task").expect("an answer");
        assert_eq!(answer.status, 200);
        assert!(!answer.json().as_array().expect("a page").is_empty(), "the commit wakes each of them");
    }
    // When nobody waits any more, nobody looks.
    until("the looking ends", || async {
        let before = looks.load(Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(500)).await;
        looks.load(Ordering::SeqCst) == before
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_readers_are_answered_and_connections_ended_when_the_service_stops() {
    let served = Served::plain(false).await;
    let af = served.files.af();
    let mut idle = served.connect(&af).await.expect("a connection");
    assert_eq!(idle.get("/api-info").await.expect("an answer").status, 200);
    let mut wire = served.connect(&af).await.expect("a connection");
    let waiting = tokio::spawn(async move { wire.get("/v1/feed?timeout=60000").await });
    let mut shaking = tokio::net::TcpStream::connect(("127.0.0.1", served.port)).await.expect("a connection");
    tokio::time::sleep(Duration::from_millis(300)).await;
    served.stop.send_replace(true);
    let answer = tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("at once").expect("a task");
    let answer = answer.expect("an answer");
    assert_eq!((answer.status, answer.body.as_slice()), (200, b"[]".as_slice()));
    tokio::time::timeout(Duration::from_secs(30), served.serving).await.expect("stopped").expect("a task");
    assert!(idle.is_ended().await);
    let mut rest = Vec::new();
    let ended = tokio::io::AsyncReadExt::read_to_end(&mut shaking, &mut rest);
    tokio::time::timeout(Duration::from_secs(30), ended).await.expect("ended").ok();
}
