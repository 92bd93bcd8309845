//! The same messages on both engines, one by one and in batches: states, legs, feeds and counts are the same.

use std::path::PathBuf;
use std::sync::Arc;

use brygga::app::Scenario;
use brygga::domain::{MessageNumber, Trace};
use brygga::feed::Cursor;
use brygga::journey::{Arrival, Journey};
use brygga::seal::{ServiceKeys, Vault};
use brygga::store::sqlite::SqliteStore;
use brygga::store::{Census, Clock, LegRow, MessageState, Store, Survey as _, Tx as _};
use sqlx::Executor as _;

use crate::harness::{root, scenario, set};
use crate::servers::postgres::{Server, empty};

/// Position, subject, what it says, document.
type Entry = (i64, String, &'static str, Vec<u8>);

/// What a scenario has come to, apart from the store's own numbers of messages.
#[derive(Debug, PartialEq, Eq)]
struct Came {
    messages: Vec<(MessageState, Vec<String>, Vec<LegRow>)>,
    feeds: Vec<(String, Vec<Entry>)>,
    census: Census,
}

fn arrivals(scenario: &Scenario) -> Vec<Arrival> {
    let arrival = |message: &brygga::app::ScenarioMessage| Arrival {
        login: message.login.clone(),
        message_id: message.name.message_id,
        contract: message.name.contract.clone(),
        syntax: message.name.syntax,
        message_time: scenario.instant,
        bytes: message.bytes.clone(),
        trace: Trace::default(),
        defect: None,
    };
    scenario.messages.iter().map(arrival).collect()
}

async fn came<S: Store>(journey: &Journey, store: &S, batches: Vec<Vec<Arrival>>) -> Came {
    let mut numbers = Vec::new();
    for batch in batches {
        let outcomes = journey.take(store, batch).await.expect("taken");
        numbers.extend(outcomes.iter().map(brygga::journey::Outcome::number));
    }
    let index = |number: MessageNumber| {
        let place = numbers.iter().position(|known| *known == number).expect("a message of the scenario");
        MessageNumber(i64::try_from(place).expect("few"))
    };
    let mut tx = store.begin("test").await.expect("a transaction");
    let mut messages = Vec::new();
    for number in &numbers {
        let stored = tx.message(*number).await.expect("read").expect("there");
        let violations = stored.message.violations.iter().map(|(code, place)| format!("{code} {place}")).collect();
        let mut legs = tx.legs(*number).await.expect("read");
        for leg in &mut legs {
            leg.id.message = index(leg.id.message);
        }
        messages.push((stored.message.state, violations, legs));
    }
    let census = tx.census().await.expect("counted");
    assert!(census.adds_up(), "law 6: {census:?}");
    let recipients = tx.recipients().await.expect("read");
    tx.commit().await.expect("committed");
    let mut feeds = Vec::new();
    for recipient in recipients {
        let page = journey.page(store, &recipient, Cursor::START, 1000).await.expect("a page");
        let entry = |one: brygga::journey::Served| (one.position.0, one.subject.to_hex(), one.method.as_str(), one.document);
        feeds.push((recipient.to_string(), page.entries.into_iter().map(entry).collect()));
    }
    Came { messages, feeds, census }
}

fn folders() -> Vec<PathBuf> {
    let read = std::fs::read_dir(root().join("fixtures/scenarios")).expect("scenarios");
    let mut folders: Vec<PathBuf> = read.map(|entry| entry.expect("a folder").path()).collect();
    folders.sort();
    folders.push(root().join("fixtures/demo"));
    folders
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_comes_to_the_same_on_both_engines_one_by_one_and_in_batches() {
    let server = Server::shared().await;
    let settings = server.database().await;
    let journey = Journey::new(set(), Arc::new(ServiceKeys::derive(&[7; 32])), Vault::ephemeral().expect("random numbers"));
    let clock = Clock::at(jiff::Timestamp::UNIX_EPOCH);
    let postgres = brygga::store::postgres::PostgresStore::open(&settings, clock.clone()).await.expect("the store opens");
    let mut bare = server.connect(&settings.database).await.expect("a connection");
    bare.execute("CREATE EXTENSION pg_stat_statements").await.expect("an extension");
    for folder in folders() {
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        let (scenario, _) = scenario(&folder);
        clock.set(scenario.instant);
        let arrivals = arrivals(&scenario);
        let sqlite = SqliteStore::in_memory(clock.clone()).await.expect("a store");
        let wanted = came(&journey, &sqlite, arrivals.iter().map(|one| vec![one.clone()]).collect()).await;
        for size in [1, arrivals.len(), 7] {
            let batches = arrivals.chunks(size).map(<[Arrival]>::to_vec).collect();
            empty(&mut bare).await;
            assert_eq!(came(&journey, &postgres, batches).await, wanted, "{name} in batches of {size}");
        }
    }
    let translated = "SELECT count(*), sum(jit_functions)::bigint FROM pg_stat_statements \
                      WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let (statements, functions): (i64, i64) = sqlx::query_as(translated).fetch_one(&mut bare).await.expect("counted");
    assert!(statements > 20, "{statements} statements were run");
    assert_eq!(functions, 0, "so small statements are never worth to be translated to machine code");
}
