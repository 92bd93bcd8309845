//! A PostgreSQL that is stopped where it stands keeps every connection and answers nothing. Nobody waits for it without end,
//! and all goes on by itself when it does.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use brygga::http::{Bound, FeedOf};
use brygga::journey::Journey;
use brygga::seal::{ServiceKeys, Vault};
use brygga::store::postgres::PostgresStore;
use brygga::store::{Clock, Store as _, StoreError, Survey as _, Tx as _};
use tokio::sync::watch;

use super::desk::{PERSONS, af, consent, noon, report};
use crate::harness::{root, set};
use crate::servers::keeper::free_port;
use crate::servers::postgres::Server;

/// How long anything may take on a machine that has much else to do; the bounds themselves are a second or two.
const PATIENCE: Duration = Duration::from_secs(40);

/// Asks until the answer has this status.
async fn until(url: &str, wanted: u16) -> reqwest::Response {
    let begun = Instant::now();
    loop {
        let asked = tokio::time::timeout(PATIENCE, reqwest::get(url)).await.expect("an answer in bounded time");
        match asked {
            Ok(answer) if answer.status() == wanted => return answer,
            last => assert!(begun.elapsed() < PATIENCE, "{url} never came to {wanted}: {last:?}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn bounded<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.expect("it is given up in bounded time")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_postgres_is_given_up_in_bounded_time_and_used_again_when_it_goes_on() {
    let server = Server::own().await;
    let mut settings = server.database().await;
    (settings.statement_timeout, settings.lock_timeout) = (Duration::from_millis(800), Duration::from_millis(600));
    (settings.answer_timeout, settings.acquire_timeout) = (Duration::from_secs(1), Duration::from_secs(2));
    let store = PostgresStore::open(&settings, Clock::at(noon())).await.expect("the store opens");
    let vault = Vault::ephemeral().expect("random numbers");
    let journey = Journey::new(set(), std::sync::Arc::new(ServiceKeys::derive(&[7; 32])), vault);
    journey.take(&store, vec![consent(PERSONS[0], false), report(PERSONS[0], "AR-0")]).await.expect("taken");
    let bound = Bound::bind("127.0.0.1:0".parse().expect("loopback")).await.expect("a port");
    let url = format!("http://{}/v1/feed", bound.address().expect("an address"));
    let (_stop, stopping) = watch::channel(false);
    let feed = FeedOf { journey: journey.clone(), store: store.feed(), recipient: af(), stopping: stopping.clone() };
    tokio::spawn(bound.serve(feed, std::future::pending()));
    until(&url, 200).await;

    let mut begun = store.begin("test").await.expect("a transaction");
    let committing = store.begin("test").await.expect("a transaction");
    server.pause();
    let census = bounded(begun.census()).await;
    assert!(matches!(&census, Err(StoreError::Away(words)) if words.contains("does not answer")), "{census:?}");
    assert!(matches!(bounded(committing.commit()).await, Err(StoreError::Away(_))));
    drop(begun);
    // More of each than there are connections: none may be lost to whoever gave up.
    let mut given_up = Vec::new();
    for number in 0..12 {
        let (journey, store) = (journey.clone(), store.clone());
        let arrival = report(PERSONS[0], &format!("AR-{}", number % 3));
        given_up.push(tokio::spawn(async move { journey.take(&store, vec![arrival]).await.map(drop) }));
    }
    for task in given_up {
        let taken = bounded(task).await.expect("no panic");
        assert!(matches!(taken, Err(StoreError::Away(_))), "{taken:?}");
    }
    assert!(bounded(store.ping()).await.is_err() && bounded(store.has_work()).await.is_err());
    let away = until(&url, 503).await;
    assert!(away.headers().contains_key("retry-after"));

    server.go_on();
    until(&url, 200).await;
    let begun = Instant::now();
    while journey.take(&store, vec![report(PERSONS[0], "AR-9")]).await.is_err() {
        assert!(begun.elapsed() < PATIENCE, "it does not go on");
    }
    let (one, two, three, four) =
        tokio::join!(store.begin("test"), store.begin("test"), store.begin("test"), store.begin("test"));
    for tx in [one, two, three, four] {
        let mut tx = tx.expect("every connection is there again");
        assert!(tx.census().await.expect("counted").adds_up());
        tx.commit().await.expect("committed");
    }
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND datname = current_database()";
    let mut bare = server.connect(&settings.database).await.expect("a connection");
    let begun = Instant::now();
    while sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut bare).await.expect("counted") > 0 {
        assert!(begun.elapsed() < PATIENCE, "transactions stand open");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A service, killed when the test ends.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_says_that_its_postgres_does_not_answer_and_is_ready_again_by_itself() {
    let server = Server::own().await;
    let (content, keys) = (server.database().await, server.database().await);
    let folder = tempfile::tempdir().expect("a folder");
    let secret = folder.path().join("secret");
    std::fs::write(&secret, format!("{}Bwc=\n", "BwcH".repeat(10))).expect("written");
    let (secret, port) = (secret.display(), free_port());
    let bounds = "tls = \"off\"\nacquire_timeout_ms = 1000\nstatement_timeout_ms = 1000\nlock_timeout_ms = 800\n\
        answer_timeout_ms = 1500\n";
    let url = |name: &str| format!("url = \"postgres://postgres@127.0.0.1:{}/{name}\"\n{bounds}", content.port);
    let text = format!(
        "[contracts]\nfolder = \"{}\"\nillustrations = [\"hallefors-2026\"]\n[management]\nlisten = \"127.0.0.1:{port}\"\n\
        [store]\nkind = \"postgres\"\n{}[keys]\nservice_key_file = \"{secret}\"\nwrapping_key_files = [\"{secret}\"]\n\
        store = \"postgres\"\n{}",
        root().join("contracts").display(),
        url(&content.database),
        url(&keys.database),
    );
    let config = folder.path().join("brygga.toml");
    std::fs::write(&config, text).expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_brygga"));
    command.args(["serve", "--config"]).arg(&config).stdout(Stdio::null()).stderr(Stdio::null());
    let _serving = Serving(command.spawn().expect("started"));
    let ready = format!("http://127.0.0.1:{port}/readyz");
    until(&ready, 200).await;
    server.pause();
    let told = until(&ready, 503).await.text().await.expect("text");
    assert!(told.contains("does not answer") || told.contains("no connection"), "{told}");
    server.go_on();
    until(&ready, 200).await;
}
