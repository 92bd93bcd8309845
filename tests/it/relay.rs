//! Relays: in the order of positions, by one process at a time, again with the same id after a death, and with the gate
//! asked anew. On both engines.

use std::sync::{Arc, Mutex};

use brygga::app::Scenario;
use brygga::domain::RecipientId;
use brygga::feed::Method;
use brygga::journey::{Arrival, Courier, Delivery, Journey, Parcel, RelayFault};
use brygga::seal::{ServiceKeys, Vault};
use brygga::store::postgres::PostgresStore;
use brygga::store::sqlite::SqliteStore;
use brygga::store::{Clock, Store, Survey as _, WithdrawalFilter, WithdrawalStep, Withdrawals as _};
use jiff::{SignedDuration, Timestamp};

use crate::harness::{root, scenario, set};
use crate::servers::postgres::Server;

/// A recipient who keeps what arrives, and takes it or not.
#[derive(Clone, Default)]
pub(crate) struct Recipient {
    /// Contracts of this beginning are not taken now; of any, where it is empty.
    closed_to: &'static str,
    /// Whether its sender's process dies before it hears that anything has arrived.
    dies: bool,
    arrived: Arc<Mutex<Vec<Parcel>>>,
    answers: Arc<Mutex<Vec<Delivery>>>,
}

impl Recipient {
    pub(crate) fn next(&self, answers: &[Delivery]) {
        self.answers.lock().expect("a lock").extend(answers.iter().rev().cloned());
    }

    pub(crate) fn arrived(&self) -> Vec<Parcel> {
        self.arrived.lock().expect("a lock").clone()
    }
}

impl Courier for Recipient {
    async fn deliver(&self, parcel: &Parcel) -> Delivery {
        self.arrived.lock().expect("a lock").push(parcel.clone());
        if self.dies {
            std::future::pending::<()>().await;
        }
        if !self.closed_to.is_empty() && parcel.contract.starts_with(self.closed_to) {
            return Delivery::later("closed");
        }
        self.answers.lock().expect("a lock").pop().unwrap_or(Delivery::Arrived)
    }
}

pub(crate) fn feed(name: &str) -> RecipientId {
    RecipientId::from_stored(name.to_owned())
}

/// The demo's messages for one store.
pub(crate) fn demo() -> (Scenario, Vec<Arrival>) {
    let (scenario, _) = scenario(&root().join("fixtures/demo"));
    let arrivals = scenario.messages.iter().map(|message| message.arrival(scenario.instant)).collect();
    (scenario, arrivals)
}

pub(crate) fn journey() -> Journey {
    let vault = Vault::ephemeral().expect("random numbers");
    Journey::new(set(), Arc::new(ServiceKeys::derive(&[7; 32])), vault)
}

pub(crate) async fn relay_all<S: Store>(
    journey: &Journey,
    store: &S,
    to: &Recipient,
    name: &str,
    owner: &str,
) -> Result<(), RelayFault> {
    while journey.relay(store, to, &feed(name), owner).await? {}
    Ok(())
}

async fn in_order_once_and_again_after_a_death<S: Store>(store: S, clock: Clock, journey: Journey) {
    let (scenario, arrivals) = demo();
    journey.take(&store, arrivals).await.expect("taken");
    // Killed between sending and confirming: what has arrived comes again, with the same id.
    let dying = Recipient { dies: true, ..Recipient::default() };
    let (doomed, its_store, its_journey) = (dying.clone(), store.clone(), journey.clone());
    let process = tokio::spawn(async move { relay_all(&its_journey, &its_store, &doomed, "1863.ame", "one").await });
    while dying.arrived().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    process.abort();
    drop(process.await);
    let (name, to) = ("1863.ame", Recipient::default());
    // Not now: the first stays first, and comes again with the same id.
    to.next(&[Delivery::Arrived, Delivery::later("closed")]);
    let fault = relay_all(&journey, &store, &to, name, "one").await.expect_err("it waits");
    assert!(matches!(fault, RelayFault::Recipient { .. }), "{fault}");
    let before = to.arrived();
    assert_eq!(before.len(), 2);
    assert_eq!(before[0].event_id, dying.arrived()[0].event_id, "sent and never confirmed is sent again");
    // Another process has no business here while the lease runs, and goes on when it has run out.
    relay_all(&journey, &store, &to, name, "two").await.expect("nothing to do");
    assert_eq!(to.arrived().len(), 2, "the lease is another's");
    let later = scenario.instant.checked_add(SignedDuration::from_hours(1)).expect("an instant");
    clock.set(later);
    relay_all(&journey, &store, &to, name, "two").await.expect("relayed");
    let all = to.arrived();
    assert_eq!(all[2].event_id, before[1].event_id, "handed over and unconfirmed is sent again");
    let ids: Vec<&str> = all[2..].iter().map(|parcel| parcel.event_id.as_str()).collect();
    let mut unique = ids.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), ids.len(), "each once");
    assert!(ids.len() > 5 && all.iter().all(|parcel| parcel.correlation_id.is_some() && parcel.method == Method::Put));
    relay_all(&journey, &store, &to, name, "two").await.expect("relayed");
    assert_eq!(to.arrived().len(), all.len(), "confirmed is not sent again");
    let mut tx = store.begin("test").await.expect("a transaction");
    assert!(tx.census().await.expect("a census").adds_up());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_is_relayed_in_order_once_and_again_after_a_death_on_sqlite() {
    let clock = Clock::at(demo().0.instant);
    let store = SqliteStore::in_memory(clock.clone()).await.expect("a store");
    in_order_once_and_again_after_a_death(store, clock, journey()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_is_relayed_in_order_once_and_again_after_a_death_on_postgres() {
    let clock = Clock::at(demo().0.instant);
    let server = Server::shared().await;
    let store = PostgresStore::open(&server.database().await, clock.clone()).await.expect("the store opens");
    in_order_once_and_again_after_a_death(store.clone(), clock, journey()).await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_handed_over_and_has_lapsed_meanwhile_is_taken_back_instead() {
    let (scenario, arrivals) = demo();
    let clock = Clock::at(scenario.instant);
    let store = SqliteStore::in_memory(clock.clone()).await.expect("a store");
    let journey = journey();
    journey.take(&store, arrivals).await.expect("taken");
    let mut tx = store.begin("test").await.expect("a transaction");
    let names: Vec<RecipientId> = tx.recipients().await.expect("read");
    drop(tx);
    let name = names.iter().find(|name| name.as_str().ends_with(".forsorjningsstod")).expect("a feed").as_str().to_owned();
    let closed = Recipient { closed_to: "fs.", ..Recipient::default() };
    relay_all(&journey, &store, &closed, &name, "one").await.expect_err("it waits");
    let handed_over = closed.arrived().pop().expect("a disclosure");
    assert!(handed_over.contract.starts_with("fs.") && handed_over.method == Method::Put);
    // Far beyond the end of every agreement: the gate is shut by date.
    clock.set("2040-01-01T00:00:00Z".parse::<Timestamp>().expect("an instant"));
    let open = Recipient::default();
    relay_all(&journey, &store, &open, &name, "one").await.expect("relayed");
    let all = open.arrived();
    let of_it: Vec<&Parcel> = all.iter().filter(|parcel| parcel.subject == handed_over.subject).collect();
    assert_eq!(of_it.len(), 1);
    assert_eq!((of_it[0].method, of_it[0].document.len()), (Method::Delete, 0));
    assert_ne!(of_it[0].event_id, handed_over.event_id);
    assert!(all.iter().all(|parcel| parcel.method == Method::Delete || !parcel.contract.starts_with("fs.")));
    // Its system has taken the `DELETE`: the row of the ledger has come to its end.
    let mut tx = store.begin("test").await.expect("a transaction");
    let filter = WithdrawalFilter { recipient: Some(feed(&name)), open: false, limit: 100 };
    let ledger = tx.withdrawals(&filter).await.expect("read");
    let of_it = ledger.iter().find(|row| row.subject == handed_over.subject).expect("a row");
    assert_eq!((of_it.step, of_it.lapsed_at), (WithdrawalStep::Acknowledged, Some(of_it.at)));
    assert!(of_it.delete.is_some() && of_it.served_at.is_some() && of_it.acknowledged_at.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_system_does_not_take_for_days_has_one_row_of_the_audit_log() {
    let server = Server::shared().await;
    let settings = server.database().await;
    let store = PostgresStore::open(&settings, Clock::at(demo().0.instant)).await.expect("the store opens");
    let (journey, to) = (journey(), Recipient::default());
    journey.take(&store, demo().1).await.expect("taken");
    to.next(&vec![Delivery::later("closed"); 5]);
    for _ in 0..5 {
        relay_all(&journey, &store, &to, "1863.ame", "one").await.expect_err("it waits");
    }
    let mut bare = server.connect(&settings.database).await.expect("a connection");
    let sql = "SELECT count(*) FROM audit WHERE act = 'page-served' AND recipient = '1863.ame'";
    let rows: i64 = sqlx::query_scalar(sql).fetch_one(&mut bare).await.expect("counted");
    assert_eq!((to.arrived().len(), rows), (5, 1));
    relay_all(&journey, &store, &to, "1863.ame", "one").await.expect("relayed");
    let rows: i64 = sqlx::query_scalar(sql).fetch_one(&mut bare).await.expect("counted");
    assert_eq!(rows, i64::try_from(to.arrived().len() - 5).expect("few"), "each entry has its own");
    store.close().await;
}
