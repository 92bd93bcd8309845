//! A whole feed over HTTPS: in order, past trouble and past what is refused. On both engines.

use std::time::{Duration, Instant};

use brygga::dead_letter::retry;
use brygga::domain::Code;
use brygga::journey::{Journey, RelayFault};
use brygga::remote::HttpsCourier;
use brygga::store::postgres::PostgresStore;
use brygga::store::sqlite::SqliteStore;
use brygga::store::{Clock, DeadLetter, Store, Survey as _};

use super::system::{Reply, System};
use crate::privacy::secrets;
use crate::relay::{demo, feed, journey};
use crate::servers::postgres::Server;

const FEEDS: [&str; 2] = ["1863.ame", "1863.forsorjningsstod"];

async fn relay<S: Store>(journey: &Journey, store: &S, courier: &HttpsCourier, name: &str) -> Result<(), RelayFault> {
    while journey.relay(store, courier, &feed(name), "one").await? {}
    Ok(())
}

async fn refused<S: Store>(store: &S) -> Vec<DeadLetter> {
    let mut tx = store.begin("test").await.expect("a transaction");
    let mut letters = crate::harness::dead_letters(&mut tx).await;
    letters.retain(|letter| letter.cause.code == Code::RelayRefused);
    assert!(tx.census().await.expect("a census").adds_up());
    letters
}

async fn past_trouble_and_past_what_is_refused<S: Store>(store: S) {
    let (journey, (_, arrivals)) = (journey(), demo());
    let secrets: Vec<String> = arrivals.iter().flat_map(|arrival| secrets(&String::from_utf8_lossy(&arrival.bytes))).collect();
    journey.take(&store, arrivals).await.expect("taken");
    let system = System::start().await;
    let courier = system.courier();
    let [ame, fs] = FEEDS;
    // Taken, then trouble: the same comes again, and what is refused is passed over.
    system.next([Reply::plain(200), Reply::plain(503)]);
    let fault = relay(&journey, &store, &courier, ame).await.expect_err("it waits");
    assert_eq!(fault.to_string(), "the system answered 503");
    system.next([Reply::Status(429, vec![("retry-after", "2".to_owned())])]);
    let fault = relay(&journey, &store, &courier, ame).await.expect_err("it waits");
    assert_eq!(fault.at_least(), Duration::from_secs(2));
    system.next([Reply::plain(200), Reply::plain(400)]);
    relay(&journey, &store, &courier, ame).await.expect("the feed goes on");
    let asked = system.asked();
    let keys: Vec<&str> = asked.iter().map(super::system::Asked::key).collect();
    assert_eq!((keys[1], keys[2]), (keys[3], keys[3]), "what was not taken comes again with the same key");
    let mut unique: Vec<&str> = keys[3..].to_vec();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), keys.len() - 3, "each once");
    assert!(unique.len() > 5 && !unique.contains(&keys[0]));
    // The system is mended: what it had refused goes out again, after the rest.
    let letters = refused(&store).await;
    assert_eq!(letters.len(), 1);
    let again = retry(&journey, &store, letters[0].message, "somebody").await.expect("run").expect("there is one");
    assert_eq!(again.entries, 1);
    relay(&journey, &store, &courier, ame).await.expect("relayed");
    let rest = system.asked().len() - asked.len();
    assert!(rest >= 1 && refused(&store).await.is_empty());
    assert!(system.asked()[asked.len()..].iter().any(|asked| asked.key() == keys[4]), "{} never comes", keys[4]);
    relay(&journey, &store, &courier, fs).await.expect("relayed");
    let disclosed: Vec<_> = system.asked()[asked.len() + rest..].to_vec();
    assert!(disclosed.iter().any(|asked| asked.header("ce-type").is_some_and(|kind| kind.starts_with("fs."))));
    let bodies: String = disclosed.iter().map(|asked| String::from_utf8_lossy(&asked.body).into_owned()).collect();
    assert!(secrets.iter().any(|secret| bodies.contains(secret.as_str())), "there is something to hide");
    for asked in system.asked() {
        let heads: String = asked.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        for secret in &secrets {
            assert!(!heads.contains(secret.as_str()) && !asked.path.contains(secret.as_str()), "something of a person");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_over_https_goes_past_trouble_and_past_what_is_refused_on_sqlite() {
    let store = SqliteStore::in_memory(Clock::at(demo().0.instant)).await.expect("a store");
    past_trouble_and_past_what_is_refused(store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_over_https_goes_past_trouble_and_past_what_is_refused_on_postgres() {
    let server = Server::shared().await;
    let store = PostgresStore::open(&server.database().await, Clock::at(demo().0.instant)).await.expect("the store opens");
    past_trouble_and_past_what_is_refused(store.clone()).await;
    store.close().await;
}

/// As a service does it, with its own pauses.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_leaves_a_system_alone_as_long_as_it_asks() {
    let system = System::start().await;
    system.next([Reply::Status(503, vec![("retry-after", "6".to_owned())])]);
    let mut service = super::service::Service::embedded(&system);
    service.start();
    service.drop_reports(0..1);
    let deadline = Instant::now() + Duration::from_mins(1);
    // Whichever of the two feeds it was that was told to wait: the same entry comes again.
    let again = loop {
        let asked = system.asked();
        let of_it: Vec<_> = asked.iter().filter(|one| one.key() == asked[0].key()).cloned().collect();
        if of_it.len() == 2 {
            break of_it;
        }
        assert!(Instant::now() < deadline, "it never comes again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let alone = again[1].at.duration_since(again[0].at);
    assert!(alone >= Duration::from_secs(6), "{alone:?}: longer than any pause of its own");
}
