//! Sealing on the data folder: nothing of a person in the databases, no row in another's place, rotation, lost keys.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use brygga::app::Scenario;
use brygga::domain::{Login, RecipientId, Syntax, Trace};
use brygga::feed::{Cursor, Method};
use brygga::journey::{Arrival, Journey, Outcome, Served};
use brygga::seal::{SealError, Vault, WrappingKeys, WrappingSource};
use brygga::spool::Dropped;
use brygga::store::sqlite::keys::SqliteKeyStore;
use brygga::store::{MessageState, Store as _, StoreError, Stored, Survey as _};
use secrecy::SecretString;
use serde_json::Value;
use sqlx::{ConnectOptions as _, Row as _};
use uuid::Uuid;

use crate::harness::{Desk, brygga, drop_file, root, scenario};
use crate::privacy::secrets;

fn demo() -> Scenario {
    scenario(&root().join("fixtures/demo")).0
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime")
}

async fn read(journey: &Journey, desk: &Desk) -> Stored<Vec<Served>> {
    let af = RecipientId::arbetsformedlingen();
    journey.page(&desk.store, &af, Cursor::START, 10_000).await.map(|page| page.entries)
}

async fn open(path: &Path) -> sqlx::SqliteConnection {
    let busy = std::time::Duration::from_secs(10);
    sqlx::sqlite::SqliteConnectOptions::new().filename(path).busy_timeout(busy).connect().await.expect("the file opens")
}

async fn change(path: &Path, sql: &'static str) {
    let mut db = open(path).await;
    assert!(sqlx::query(sql).execute(&mut db).await.expect("changed").rows_affected() > 0, "nothing was changed");
}

/// Every file of a folder's databases, write-ahead logs among them.
fn databases(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in [folder.to_owned(), folder.join("keys")] {
        for file in std::fs::read_dir(folder).expect("a folder") {
            let path = file.expect("a file").path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().contains(".db")) {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn nothing_of_a_participant_stands_in_the_databases() {
    let demo = demo();
    let mut secret: HashSet<String> = HashSet::new();
    for message in &demo.messages {
        secret.extend(secrets(&String::from_utf8_lossy(&message.bytes)));
    }
    // What is shorter may stand among random bytes by chance.
    secret.retain(|value| value.len() >= 6);
    assert!(secret.len() > 50, "there is something to look for");
    let runtime = runtime();
    let desk = runtime.block_on(async {
        let desk = Desk::open(&demo).await;
        desk.run(&demo).await;
        assert!(read(&desk.journey, &desk).await.expect("a page").len() > 10);
        desk
    });
    let files = databases(desk.path());
    assert!(files.len() >= 4, "two databases and their logs: {files:?}");
    let mut all = String::new();
    for file in files {
        all.push_str(&String::from_utf8_lossy(&std::fs::read(file).expect("a database")));
    }
    assert!(all.contains("hallefors-ame"), "what may stand there is found");
    let leaks = secret.iter().filter(|value| all.contains(value.as_str())).count();
    assert_eq!(leaks, 0, "so many values of persons stand in the databases");
}

#[test]
fn a_row_that_was_changed_or_put_in_anothers_place_is_not_shown() {
    let demo = demo();
    runtime().block_on(async {
        let desk = Desk::open(&demo).await;
        desk.run(&demo).await;
        let whole = read(&desk.journey, &desk).await.expect("a page").len();
        let database = desk.path().join("brygga.db");
        // The first document of the feed gets the bytes of another.
        let swap = "UPDATE entries SET sealed = (SELECT sealed FROM entries AS other WHERE other.recipient = entries.recipient \
            AND other.state = 'live' AND other.method = 'PUT' ORDER BY position DESC LIMIT 1) \
            WHERE recipient = 'arbetsformedlingen' AND position = (SELECT min(position) FROM entries \
            WHERE recipient = 'arbetsformedlingen' AND state = 'live' AND method = 'PUT')";
        let mut db = open(&database).await;
        let sql = "SELECT position, sealed FROM entries WHERE recipient = 'arbetsformedlingen' AND state = 'live' \
            AND method = 'PUT' ORDER BY position LIMIT 1";
        let before = sqlx::query(sql).fetch_one(&mut db).await.expect("an entry");
        let (position, sealed): (i64, Vec<u8>) = (before.get(0), before.get(1));
        change(&database, swap).await;
        let refused = read(&desk.journey, &desk).await;
        assert!(matches!(refused, Err(StoreError::Seal(SealError::Foreign))), "{refused:?}");
        for at in [0, 20, 40, sealed.len() - 1] {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            put_back(&mut db, position, &changed).await;
            let refused = read(&desk.journey, &desk).await;
            assert!(matches!(refused, Err(StoreError::Seal(_))), "byte {at}: {refused:?}");
        }
        put_back(&mut db, position, &sealed).await;
        assert_eq!(read(&desk.journey, &desk).await.expect("as it was").len(), whole);
        let other_holder = "UPDATE data_keys SET wrapped = (SELECT wrapped FROM data_keys AS other WHERE other.id > data_keys.id \
            ORDER BY id LIMIT 1) WHERE id <> (SELECT max(id) FROM data_keys)";
        change(&desk.path().join("keys/keys.db"), other_holder).await;
        let refused = read(&desk.journey, &desk).await;
        assert!(matches!(refused, Err(StoreError::Seal(SealError::Key))), "a key in another's place: {refused:?}");
    });
}

async fn put_back(db: &mut sqlx::SqliteConnection, position: i64, sealed: &[u8]) {
    let sql = "UPDATE entries SET sealed = ?2 WHERE recipient = 'arbetsformedlingen' AND position = ?1";
    sqlx::query(sql).bind(position).bind(sealed).execute(&mut *db).await.expect("put back");
}

#[test]
fn wrapping_keys_change_while_the_service_runs_and_the_old_one_opens_nothing() {
    let mut first = demo();
    let mut second = demo();
    let half = first.messages.len() / 2;
    second.messages = first.messages.split_off(half);
    let runtime = runtime();
    let desk = runtime.block_on(async {
        let desk = Desk::open(&first).await;
        desk.run(&first).await;
        desk
    });
    let file = desk.path().join("keys/wrapping.key");
    let old = std::fs::read_to_string(&file).expect("a wrapping key");
    let ids = |desk: &Desk| -> Vec<String> {
        let af = RecipientId::arbetsformedlingen();
        let entries = runtime.block_on(read(&desk.journey, desk)).expect("a page");
        entries.iter().map(|entry| entry.event(desk.journey.keys(), &af, 1).id).collect()
    };
    let before = ids(&desk);
    let (code, said) = brygga(&["keys", "rotate", "--json", "--data", &desk.path().display().to_string()]);
    assert_eq!(code, 0, "{said}");
    let said: Value = serde_json::from_str(&said).expect("one object");
    assert!(said["dataKeys"].as_i64().expect("a count") > 10);
    assert_ne!(said["before"], said["wrappingKey"]);
    assert_eq!(ids(&desk), before, "the running service reads on, and ids stay as they were");
    let again = runtime.block_on(desk.run(&second));
    assert_eq!(again.len(), second.messages.len(), "and takes messages");
    assert!(ids(&desk).len() > before.len());
    let new = std::fs::read_to_string(&file).expect("a wrapping key");
    assert_eq!(new.lines().count(), 1);
    assert!(!new.contains(old.trim()));
    let (_, said) = brygga(&["keys", "rotate", "--json", "--data", &desk.path().display().to_string()]);
    let twice: Value = serde_json::from_str(&said).expect("one object");
    assert!(twice["dataKeys"].as_i64() > Some(10), "it can be done again: {said}");
    runtime.block_on(async {
        let store = SqliteKeyStore::open(&desk.path().join("keys/keys.db")).await.expect("the key store");
        let only_old = WrappingSource::new(move || WrappingKeys::read([&SecretString::from(old.clone())])).expect("a key");
        let journey = Journey::new(
            Arc::clone(desk.journey.set()),
            desk.data.keys().expect("keys"),
            Vault::new(Arc::new(store), only_old),
        );
        let refused = read(&journey, &desk).await;
        assert!(matches!(refused, Err(StoreError::Seal(SealError::Wrapping(_)))), "{refused:?}");
    });
}

#[test]
fn where_a_key_is_gone_its_content_is_gone_and_the_rest_goes_on() {
    let demo = demo();
    let runtime = runtime();
    let desk = runtime.block_on(async {
        let desk = Desk::open(&demo).await;
        desk.run(&demo).await;
        desk
    });
    let before = runtime.block_on(read(&desk.journey, &desk)).expect("a page");
    let keys = desk.path().join("keys/keys.db");
    runtime.block_on(async {
        let mut db = open(&desk.path().join("brygga.db")).await;
        let sql = "SELECT person FROM entries WHERE recipient = 'arbetsformedlingen' AND state = 'live' AND method = 'PUT' \
            ORDER BY position LIMIT 1";
        let person: Vec<u8> = sqlx::query(sql).fetch_one(&mut db).await.expect("an entry").get(0);
        let mut db = open(&keys).await;
        let gone = sqlx::query("DELETE FROM data_keys WHERE holder = ?1").bind(person).execute(&mut db).await.expect("deleted");
        assert_eq!(gone.rows_affected(), 2, "one for messages, one for documents");
        sqlx::query("DELETE FROM data_keys WHERE class = 'unreadable'").execute(&mut db).await.expect("deleted");
    });
    let after = runtime.block_on(read(&desk.journey, &desk)).expect("the others are shown");
    let puts = |entries: &[Served]| entries.iter().filter(|entry| entry.method == Method::Put).count();
    assert!(puts(&after) < puts(&before) && puts(&after) > 5, "{} of {}", puts(&after), puts(&before));
    let mut lost = 0;
    let data = desk.path().display().to_string();
    let (_, all) = brygga(&["dead-letters", "list", "--json", "--data", &data]);
    let all: Value = serde_json::from_str(&all).expect("one object");
    for one in all["deadLetters"].as_array().expect("letters") {
        let (code, letter) = brygga(&["dead-letters", "show", "--json", "--data", &data, &one["message"].to_string()]);
        assert_eq!(code, 0, "a letter without content is still a letter");
        let letter: Value = serde_json::from_str(&letter).expect("one object");
        lost += usize::from(letter["document"].is_null());
    }
    assert!(lost > 0, "some letter's key is gone");
    runtime.block_on(async {
        for _ in 0..10 {
            desk.journey.sweep(&desk.store).await.expect("what is due and cannot be read rests");
        }
    });
}

/// A message of Hällefors' AME; a report has another id and name each time.
fn arrival(contract: &str, sample: &str, serial: usize) -> Arrival {
    let bytes = std::fs::read_to_string(root().join("benches").join(sample)).expect("a sample");
    Arrival {
        login: Login::try_from("hallefors-ame".to_owned()).expect("a login"),
        message_id: Uuid::from_u128(0xD0_0000 + serial as u128),
        contract: contract.parse().expect("a contract"),
        syntax: Syntax::Json,
        message_time: demo().instant,
        bytes: bytes.replace("AR-2602-09", &format!("AR-2602-{serial}")).into_bytes(),
        trace: Trace::default(),
        defect: None,
    }
}

#[test]
fn a_consent_that_was_relied_on_before_opens_nothing_once_its_key_is_gone() {
    let demo = demo();
    runtime().block_on(async {
        let desk = Desk::open(&demo).await;
        let take = async |arrival: Arrival| {
            desk.journey.take(&desk.store, [arrival]).await.expect("taken");
            read(&desk.journey, &desk).await.expect("a page").len()
        };
        take(arrival("consent.v1", "consent.json", 0)).await;
        assert_eq!(take(arrival("activity-report.v1", "report.json", 1)).await, 2, "a report and a deviation");
        assert_eq!(take(arrival("activity-report.v1", "report.json", 2)).await, 4, "the consent is remembered");
        change(&desk.path().join("keys/keys.db"), "DELETE FROM data_keys WHERE class = 'journal'").await;
        assert_eq!(take(arrival("activity-report.v1", "report.json", 3)).await, 4, "the third waits for a waiver");
    });
}

/// A message of the same participant under another id of its own.
fn consent(serial: usize, id: &str, revision: usize) -> Arrival {
    let mut arrival = arrival("consent.v1", "consent.json", serial);
    let text = String::from_utf8(arrival.bytes).expect("UTF-8").replace("H-0102", id);
    let revoked = "\"revision\": 2,\n \"revokedAt\": \"2026-03-10T10:00:00\"";
    arrival.bytes = if revision == 1 { text } else { text.replace("\"revision\": 1", revoked) }.into_bytes();
    arrival
}

#[test]
fn a_revocation_and_a_flag_hold_although_their_participants_key_is_damaged() {
    runtime().block_on(async {
        for is_flag in [false, true] {
            let desk = Desk::open(&demo()).await;
            for arrival in [consent(1, "H-0102", 1), arrival("activity-report.v1", "report.json", 3)] {
                desk.journey.take(&desk.store, [arrival]).await.expect("taken");
            }
            assert_eq!(read(&desk.journey, &desk).await.expect("a page").len(), 2, "a report and a deviation");
            change(&desk.path().join("keys/keys.db"), "UPDATE data_keys SET wrapped = zeroblob(length(wrapped))").await;
            let mut urgent = consent(4, "H-0102", 2);
            if is_flag {
                let mut flagged = arrival("activity-report.v1", "report.json", 5);
                let text = String::from_utf8(flagged.bytes).expect("UTF-8");
                let own = "\"personNumber\":\"19990723-2392\"";
                assert!(text.contains(own), "the fixture has changed");
                flagged.bytes = text.replace(own, &format!("{own}, \"protectedIdentity\": true")).into_bytes();
                urgent = flagged;
            }
            let name = Dropped { contract: urgent.contract.clone(), message_id: urgent.message_id, syntax: urgent.syntax };
            drop_file(&desk.data.spool(), urgent.login.as_str(), &name.name(), &urgent.bytes);
            let outcomes = desk.inbox.take(&desk.journey, &desk.store).await.expect("the store is there");
            assert!(matches!(*outcomes, [Outcome::Stored(_, MessageState::Refused)]), "{outcomes:?}");
            let entries = read(&desk.journey, &desk).await.expect("a page");
            let count = |method| entries.iter().filter(|entry| entry.method == method).count();
            assert_eq!((count(Method::Put), count(Method::Delete)), (0, 2), "flag: {is_flag}");
            let ledger = (desk.journey.vault().store().revocations().await, desk.journey.vault().store().flags().await);
            let noted = (ledger.0.expect("read").len(), ledger.1.expect("read").len());
            assert_eq!(noted, if is_flag { (0, 1) } else { (1, 0) });
            let mut tx = desk.store.begin("test").await.expect("a transaction");
            assert!(tx.census().await.expect("counted").adds_up());
        }
    });
}

#[test]
fn a_damaged_consent_shuts_the_gate_and_a_revocation_of_another_is_recorded() {
    runtime().block_on(async {
        let desk = Desk::open(&demo()).await;
        for arrival in [consent(1, "H-0102", 1), consent(2, "H-0103", 1), arrival("activity-report.v1", "report.json", 3)] {
            desk.journey.take(&desk.store, [arrival]).await.expect("taken");
        }
        assert_eq!(read(&desk.journey, &desk).await.expect("a page").len(), 2, "a report and a deviation");
        let mut db = open(&desk.path().join("brygga.db")).await;
        let first = sqlx::query("SELECT number, sealed FROM messages ORDER BY number LIMIT 1").fetch_one(&mut db).await;
        let first = first.expect("a consent");
        let (number, mut sealed): (i64, Vec<u8>) = (first.get(0), first.get(1));
        *sealed.last_mut().expect("bytes") ^= 1;
        let damage = sqlx::query("UPDATE messages SET sealed = ?2 WHERE number = ?1").bind(number).bind(sealed);
        damage.execute(&mut db).await.expect("damaged");
        let outcomes = desk.journey.take(&desk.store, [consent(4, "H-0103", 2)]).await.expect("taken");
        assert!(matches!(outcomes[0], Outcome::Stored(_, MessageState::Recorded)), "{outcomes:?}");
        let entries = read(&desk.journey, &desk).await.expect("a page");
        assert_eq!(entries.iter().filter(|entry| entry.method == Method::Put).count(), 0);
        assert_eq!(entries.iter().filter(|entry| entry.method == Method::Delete).count(), 2, "what was shown is taken back");
        let outcomes = desk.journey.take(&desk.store, [arrival("activity-report.v1", "report.json", 5)]).await.expect("taken");
        assert!(matches!(outcomes[0], Outcome::Stored(_, MessageState::Journey)), "{outcomes:?}");
        assert_eq!(read(&desk.journey, &desk).await.expect("a page").len(), 2, "nothing is shown without a waiver");
    });
}
