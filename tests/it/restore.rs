//! A content that comes back from a backup: refused until it is accepted, and then nothing that was decided is undone.

use std::path::Path;
use std::sync::Arc;

use brygga::app::restore::{Behind, accept, accept_by, check};
use brygga::app::{DataFolder, Scenario, ScenarioMessage};
use brygga::domain::{RecipientId, Syntax};
use brygga::feed::{Cursor, Method};
use brygga::journey::{Journey, Served};
use brygga::seal::{ServiceKeys, Vault, WrappingKey, WrappingKeys, WrappingSource};
use brygga::spool::Dropped;
use brygga::store::postgres::PostgresStore;
use brygga::store::postgres::keys::PostgresKeyStore;
use brygga::store::sqlite::SqliteStore;
use brygga::store::{Clock, Store, Survey as _};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor as _};
use uuid::Uuid;

use crate::harness::{Desk, brygga, root, set};
use crate::servers::postgres::Server;

const SECOND: &str = "20020309-2390";

fn message(contract: &str, text: &str) -> ScenarioMessage {
    let name = Dropped { contract: contract.parse().expect("a contract"), message_id: Uuid::now_v7(), syntax: Syntax::Json };
    let login = if contract == "protection.v1" { "hallefors-fs" } else { "hallefors-ame" };
    let login = login.to_owned().try_into().expect("a login");
    ScenarioMessage { order: "01".to_owned(), login, name, bytes: text.as_bytes().to_vec() }
}

fn at_noon(messages: Vec<ScenarioMessage>) -> Scenario {
    Scenario { title: "made here".to_owned(), instant: "2026-03-16T11:00:00Z".parse().expect("an instant"), messages }
}

fn file(name: &str) -> String {
    std::fs::read_to_string(root().join("benches").join(name)).expect("a message")
}

/// A waiver and a report of one person, and of another.
fn both() -> Vec<ScenarioMessage> {
    let (consent, report) = (file("consent.json"), file("report.json"));
    let second = |text: &str| text.replace("199907232392", "200203092390").replace("19990723-2392", SECOND);
    let other = second(&report).replace("AR-2602-09", "AR-2602-10");
    vec![
        message("consent.v1", &consent),
        message("activity-report.v1", &report),
        message("consent.v1", &second(&consent).replace("H-0102", "H-0103")),
        message("activity-report.v1", &other),
    ]
}

fn revocation() -> ScenarioMessage {
    let text = file("consent.json").replace("\"revision\": 1", "\"revision\": 2,\n \"revokedAt\": \"2026-03-16T10:00:00\"");
    message("consent.v1", &text)
}

fn flag() -> ScenarioMessage {
    let text = r#"{ "sender": { "organisation": "212000-1942", "namnd": "Socialnämnden" },
        "participant": { "personNumber": "200203092390" }, "kind": "skyddad-folkbokforing", "from": "2026-02-20" }"#;
    message("protection.v1", text)
}

async fn read<S: Store>(journey: &Journey, store: &S) -> Vec<Served> {
    let af = RecipientId::arbetsformedlingen();
    journey.page(store, &af, Cursor::START, 1000).await.expect("a page").entries
}

fn count(entries: &[Served], method: Method) -> usize {
    entries.iter().filter(|entry| entry.method == method).count()
}

/// The content's file, beside the service.
async fn bare(folder: &Path) -> sqlx::SqliteConnection {
    use sqlx::ConnectOptions as _;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.join("brygga.db"));
    options.connect().await.expect("the content opens")
}

/// Backs the content up as an operator does, while the service runs.
async fn back_up(folder: &Path, to: &Path) {
    let mut db = bare(folder).await;
    let to = to.to_str().expect("a path");
    sqlx::query("VACUUM INTO ?1").bind(to).execute(&mut db).await.expect("backed up");
}

fn put_back(folder: &Path, backup: &Path) {
    for name in ["brygga.db-wal", "brygga.db-shm"] {
        let path = folder.join(name);
        if path.exists() {
            std::fs::remove_file(path).expect("removed");
        }
    }
    std::fs::copy(backup, folder.join("brygga.db")).expect("restored");
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime")
}

/// A folder in which both reports were served, then a backup was made, then one person revoked and the other became
/// protected, and then the backup came back.
struct Restored {
    runtime: tokio::runtime::Runtime,
    folder: tempfile::TempDir,
    /// The id of the last event that the reader had.
    cursor: String,
}

fn restored(served_before: bool, served_after: bool) -> Restored {
    let runtime = runtime();
    let (folder, cursor) = runtime.block_on(async {
        let desk = Desk::open(&at_noon(Vec::new())).await;
        desk.run(&at_noon(both())).await;
        if served_before {
            assert_eq!(count(&read(&desk.journey, &desk.store).await, Method::Put), 4);
        }
        let backup = desk.path().join("backup");
        back_up(desk.path(), &backup).await;
        if served_after {
            assert_eq!(count(&read(&desk.journey, &desk.store).await, Method::Put), 4);
        }
        desk.run(&at_noon(vec![revocation(), flag()])).await;
        let entries = read(&desk.journey, &desk.store).await;
        assert_eq!(count(&entries, Method::Put), 0);
        let af = RecipientId::arbetsformedlingen();
        let cursor = entries.last().map_or_else(String::new, |entry| entry.event(desk.journey.keys(), &af, 1).id);
        check(&desk.store, desk.journey.vault()).await.expect("nothing is behind yet");
        let folder = desk.close().await;
        put_back(folder.path(), &backup);
        (folder, cursor)
    });
    Restored { runtime, folder, cursor }
}

impl Restored {
    fn data(&self) -> String {
        self.folder.path().display().to_string()
    }

    async fn open(&self) -> (DataFolder, SqliteStore, Journey) {
        let data = DataFolder::hold(self.folder.path()).expect("nobody holds it");
        let store = data.store(None).await.expect("a store");
        let journey = Journey::new(set(), data.keys().expect("keys"), data.vault().await.expect("a vault"));
        (data, store, journey)
    }
}

#[test]
fn a_service_refuses_a_restored_content_until_it_is_accepted() {
    let restored = restored(true, false);
    restored.runtime.block_on(async {
        let (_data, store, journey) = restored.open().await;
        let refused = check(&store, journey.vault()).await;
        let Err(Behind::Content(behind)) = refused else { panic!("{refused:?}") };
        assert!(behind.iter().any(|what| what.starts_with("messages: 4 of 6")), "{behind:?}");
        assert!(behind.iter().any(|what| what.contains("arbetsformedlingen")), "{behind:?}");
    });
    let (code, said) = brygga(&["demo", "--once", "--data", &restored.data()]);
    assert_eq!(code, 2);
    assert!(said.contains("brygga restore accept"), "{said}");
    let (code, said) = brygga(&["restore", "accept", "--json", "--operator", "ada", "--data", &restored.data()]);
    assert_eq!(code, 0, "{said}");
    let said: Value = serde_json::from_str(&said).expect("one object");
    assert_eq!((&said["epoch"], &said["revocations"], &said["flags"]), (&2.into(), &1.into(), &1.into()), "{said}");
    restored.runtime.block_on(async {
        let (_data, store, journey) = restored.open().await;
        check(&store, journey.vault()).await.expect("accepted");
        assert_eq!(store.epoch().await.expect("an epoch"), 2);
        let af = RecipientId::arbetsformedlingen();
        assert!(Cursor::read(Some(&restored.cursor), journey.keys(), &af, 1).is_ok());
        assert!(Cursor::read(Some(&restored.cursor), journey.keys(), &af, 2).is_err(), "a reader's old place is gone: 410");
    });
    let (code, _) = brygga(&["restore", "accept", "--json", "--data", &restored.data()]);
    assert_eq!(code, 1, "there is nothing to accept twice");
}

#[test]
fn a_content_that_has_forgotten_nothing_but_receipts_is_behind_too() {
    runtime().block_on(async {
        let desk = Desk::open(&at_noon(Vec::new())).await;
        desk.run(&at_noon(both())).await;
        let entries = read(&desk.journey, &desk.store).await;
        let backup = desk.path().join("backup");
        back_up(desk.path(), &backup).await;
        let af = RecipientId::arbetsformedlingen();
        let id = entries[0].event(desk.journey.keys(), &af, 1).id;
        let batch =
            format!("{{\"receipts\":[{{\"eventId\":\"{id}\",\"kind\":\"accepted\",\"at\":\"2026-03-16T11:30:00Z\"}}]}}");
        let stated = brygga::receipt::read(batch.as_bytes()).expect("a batch");
        for _ in 0..2 {
            assert_eq!(desk.journey.take_receipts(&desk.store, &af, &stated).await.expect("taken"), [Ok(())]);
        }
        let folder = desk.close().await;
        put_back(folder.path(), &backup);
        let data = DataFolder::hold(folder.path()).expect("nobody holds it");
        let store = data.store(None).await.expect("a store");
        let refused = check(&store, &data.vault().await.expect("a vault")).await;
        let Err(Behind::Content(behind)) = refused else { panic!("{refused:?}") };
        assert_eq!(behind, ["pages of arbetsformedlingen: 1 of 2"]);
    });
}

/// What the reader had before the backup, or between backup and restore, is taken back; what nobody had is never shown.
#[test]
fn neither_a_revocation_nor_a_flag_is_undone_by_a_backup() {
    for (before, after) in [(true, false), (false, true), (false, false)] {
        let restored = restored(before, after);
        let (code, said) = brygga(&["restore", "accept", "--data", &restored.data()]);
        assert_eq!(code, 0, "{said}");
        restored.runtime.block_on(async {
            let (_data, store, journey) = restored.open().await;
            let entries = read(&journey, &store).await;
            let deletes = if before || after { 4 } else { 0 };
            assert_eq!((count(&entries, Method::Put), count(&entries, Method::Delete)), (0, deletes), "{before} {after}");
            let mut tx = store.begin("test").await.expect("a transaction");
            let census = tx.census().await.expect("a census");
            assert!(census.adds_up(), "{census:?}");
            assert_eq!(census.diverted, 1, "the protected person's report");
            drop(tx);
            // The lost waiver of another consent would open a gate; the lost revocation of this one stays, even when the
            // sender sends the waiver once more.
            for _ in 0..5 {
                journey.sweep(&store).await.expect("swept");
            }
            assert_eq!(count(&read(&journey, &store).await, Method::Put), 0);
        });
    }
}

/// All had been shown after the backup; the acceptance ends after its first step of two entries, and is begun again.
#[test]
fn an_acceptance_that_was_cut_short_is_known_by_the_next_one() {
    let restored = restored(false, true);
    restored.runtime.block_on(async {
        let (_data, store, journey) = restored.open().await;
        let mut bare = bare(restored.folder.path()).await;
        let cut = "CREATE TRIGGER cut BEFORE UPDATE OF served_at ON entries WHEN NEW.position > 2 \
            BEGIN SELECT RAISE(ABORT, 'cut'); END";
        sqlx::query(cut).execute(&mut bare).await.expect("made");
        accept_by(&journey, &store, "ada", 2).await.expect_err("its second step fails");
        let served: i64 = sqlx::query_scalar("SELECT count(*) FROM entries WHERE served_at IS NOT NULL")
            .fetch_one(&mut bare)
            .await
            .expect("counted");
        assert_eq!(served, 2, "the first step stays");
        let refused = check(&store, journey.vault()).await;
        assert!(matches!(refused, Err(Behind::Content(_))), "no service may use it yet: {refused:?}");
        sqlx::query("DROP TRIGGER cut").execute(&mut bare).await.expect("dropped");
        let accepted = accept_by(&journey, &store, "ada", 2).await.expect("accepted").expect("it is still behind");
        assert_eq!((accepted.epoch, store.epoch().await.expect("an epoch")), (2, 2));
        check(&store, journey.vault()).await.expect("accepted");
        let entries = read(&journey, &store).await;
        assert_eq!((count(&entries, Method::Put), count(&entries, Method::Delete)), (0, 4), "all of it had been shown");
    });
}

#[test]
fn a_key_store_that_is_not_the_contents_own_is_refused() {
    let restored = restored(true, false);
    let keys = restored.folder.path().join("keys");
    for name in ["keys.db", "keys.db-wal", "keys.db-shm"] {
        let path = keys.join(name);
        if path.exists() {
            std::fs::remove_file(path).expect("removed");
        }
    }
    let (code, said) = brygga(&["demo", "--once", "--data", &restored.data()]);
    assert_eq!(code, 2);
    assert!(said.contains("keys.db is missing"), "{said}");
    std::fs::File::create(keys.join("keys.db")).expect("an empty file");
    restored.runtime.block_on(async {
        let (_data, store, journey) = restored.open().await;
        let refused = check(&store, journey.vault()).await;
        assert!(matches!(refused, Err(Behind::Keys)), "{refused:?}");
    });
}

/// The same on PostgreSQL: the content's database comes back as it was, the key store's stays.
#[tokio::test(flavor = "multi_thread")]
async fn a_restored_postgres_is_refused_until_it_is_accepted_and_nothing_is_undone() {
    let shared = Server::shared().await;
    let (content, keys) = (shared.database().await, shared.database().await);
    let instant = at_noon(Vec::new()).instant;
    let open = async |settings: &brygga::config::Postgres| {
        PostgresStore::open(settings, Clock::at(instant)).await.expect("the content opens")
    };
    let secret = WrappingKey::new_secret().expect("random numbers");
    let wrapping = WrappingKeys::read([&secret]).expect("a key");
    let source = WrappingSource::new(move || Ok(wrapping.clone())).expect("a source");
    let vault = Vault::new(Arc::new(PostgresKeyStore::open(&keys).await.expect("the key store opens")), source);
    let journey = Journey::new(set(), Arc::new(ServiceKeys::derive(&[7; 32])), vault);
    let take = async |store: &PostgresStore, messages: Vec<ScenarioMessage>| {
        let arrivals: Vec<_> = messages.iter().map(|message| message.arrival(instant)).collect();
        journey.take(store, arrivals).await.expect("taken");
    };

    let store = open(&content).await;
    check(&store, journey.vault()).await.expect("both are new");
    take(&store, both()).await;
    let served = read(&journey, &store).await;
    assert_eq!(count(&served, Method::Put), 4);
    check(&store, journey.vault()).await.expect("nothing is behind");
    store.close().await;
    let mut backup = content.clone();
    backup.database.push_str("_backup");
    let mut bare = shared.connect("postgres").await.expect("the server is there");
    let copy = format!("CREATE DATABASE {} TEMPLATE {}", backup.database, content.database);
    bare.execute(AssertSqlSafe(copy)).await.expect("backed up");
    let store = open(&content).await;
    take(&store, vec![revocation()]).await;
    take(&store, vec![flag()]).await;
    assert_eq!(count(&read(&journey, &store).await, Method::Put), 0);
    store.close().await;

    let store = open(&backup).await;
    let refused = check(&store, journey.vault()).await;
    assert!(matches!(refused, Err(Behind::Content(_))), "{refused:?}");
    let accepted = accept(&journey, &store, "ada").await.expect("replayed").expect("it was behind");
    assert_eq!((accepted.epoch, accepted.revocations, accepted.flags), (2, 1, 1));
    check(&store, journey.vault()).await.expect("accepted");
    assert_eq!(store.epoch().await.expect("an epoch"), 2);
    let entries = read(&journey, &store).await;
    assert_eq!((count(&entries, Method::Put), count(&entries, Method::Delete)), (0, 4));
    let af = RecipientId::arbetsformedlingen();
    let old = served.last().expect("an entry").event(journey.keys(), &af, 1).id;
    assert!(Cursor::read(Some(&old), journey.keys(), &af, 2).is_err(), "a reader's old place is gone: 410");
    assert!(accept(&journey, &store, "ada").await.expect("asked").is_none(), "there is nothing to accept twice");
    // The waiver once more, as its sender would send it: what was revoked stays revoked.
    take(&store, vec![message("consent.v1", &file("consent.json"))]).await;
    for _ in 0..3 {
        journey.sweep(&store).await.expect("swept");
    }
    assert_eq!(count(&read(&journey, &store).await, Method::Put), 0);
    store.close().await;
}
