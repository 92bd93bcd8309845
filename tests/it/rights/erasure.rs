//! An erasure on a data folder: by the command line, beside a service that goes on.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use brygga::app::restore::check;
use brygga::app::{DataFolder, Scenario, ScenarioMessage};
use brygga::journey::{Journey, Outcome};
use brygga::seal::{Holder, KeyStore, RetentionClass, WrappingKeys};
use brygga::spool::Outbox;
use brygga::store::sqlite::keys::SqliteKeyStore;
use brygga::store::{Clock, Store as _, Survey as _};
use secrecy::SecretString;
use serde_json::Value;
use sqlx::{ConnectOptions as _, Row as _};

use super::people::{
    FIRST, SECOND, can_be_opened, consent, counts, files, first, first_ones_values, leaks, noon, of_second, read, report,
    revocation,
};
use crate::harness::{Desk, brygga, folder_in_memory, set};

fn at_noon(messages: Vec<ScenarioMessage>) -> Scenario {
    Scenario { title: "made here".to_owned(), instant: noon(), messages }
}

fn later() -> jiff::Timestamp {
    noon() + jiff::SignedDuration::from_mins(5)
}

/// Runs the command as a process of its own, with a personnummer on its standard input.
fn erase(folder: &Path, number: &str) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_brygga"));
    command.args(["subject", "erase", "--json", "--operator", "ada", "--reason", "begäran 2026-17", "--data"]).arg(folder);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    child.stdin.take().expect("a pipe").write_all(format!("{number}\n").as_bytes()).expect("written");
    let output = child.wait_with_output().expect("it ends");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code().expect("a code"), said)
}

async fn bare(path: &Path) -> sqlx::SqliteConnection {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).busy_timeout(std::time::Duration::from_secs(10));
    options.connect().await.expect("the file opens")
}

/// Backs a folder up as an operator does, while the service runs: the content, and apart from it the keys.
async fn back_up(folder: &Path, to: &Path) {
    for (from, name) in [("brygga.db", "content"), ("keys/keys.db", "keys")] {
        let mut db = bare(&folder.join(from)).await;
        let to = to.join(name);
        sqlx::query("VACUUM INTO ?1").bind(to.to_str().expect("a path")).execute(&mut db).await.expect("backed up");
    }
}

/// The sealed contents of the first participant in a content: messages and documents.
async fn sealed(content: &Path, journey: &Journey) -> Vec<Vec<u8>> {
    let mut db = bare(content).await;
    let sql = "SELECT sealed FROM messages WHERE person = ?1 AND length(sealed) > 0 \
        UNION ALL SELECT sealed FROM entries WHERE person = ?1 AND length(sealed) > 0";
    let query = sqlx::query(sql).bind(first(journey).as_bytes().to_vec());
    query.fetch_all(&mut db).await.expect("read").iter().map(|row| row.get(0)).collect()
}

fn wrapping(folder: &Path) -> WrappingKeys {
    let text = std::fs::read_to_string(folder.join("keys/wrapping.key")).expect("wrapping keys");
    WrappingKeys::read([&SecretString::from(text)]).expect("keys")
}

#[test]
fn what_is_erased_is_in_no_file_and_no_earlier_backup_and_the_service_goes_on() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let backup = folder_in_memory();
    let messages = [consent("H-0102"), report("AR-1"), of_second(consent("H-0103")), of_second(report("AR-2")), report("AR-3")];
    let desk = runtime.block_on(async {
        let desk = Desk::open(&at_noon(Vec::new())).await;
        desk.run(&at_noon(messages[..4].to_vec())).await;
        assert_eq!(counts(&read(&desk.journey, &desk.store).await), (4, 0));
        back_up(desk.path(), backup.path()).await;
        // Nobody fetches what comes of this one.
        desk.run(&at_noon(messages[4..].to_vec())).await;
        Outbox::new(desk.data.spool()).deliver(&desk.journey, &desk.store).await.expect("delivered");
        let old = SqliteKeyStore::open(&backup.path().join("keys")).await.expect("a key store");
        let contents = sealed(&backup.path().join("content"), &desk.journey).await;
        let openable = can_be_opened(&contents, &[&old], &wrapping(desk.path())).await;
        assert_eq!((contents.len(), openable), (5, 5), "before it the backups yield everything");
        desk
    });
    let (code, said) = erase(desk.path(), FIRST);
    assert_eq!(code, 0, "{said}");
    let said: Value = serde_json::from_str(&said).expect("one object");
    assert_eq!((&said["messages"], &said["withdrawn"], &said["deletes"]), (&3.into(), &2.into(), &4.into()), "{said}");
    assert_eq!((&said["entries"], &said["oldDestroyed"]), (&6.into(), &true.into()), "{said}");
    assert!(said["kept"].as_array().is_some_and(|kept| kept.iter().all(|rest| rest["rule"].is_string())), "{said}");
    assert!(!said.to_string().contains("2392"));
    runtime.block_on(async {
        // The same service as before, which knew the old wrapping key.
        let entries = read(&desk.journey, &desk.store).await;
        assert_eq!(counts(&entries), (2, 2), "the second stays, and the first is taken back");
        Outbox::new(desk.data.spool()).deliver(&desk.journey, &desk.store).await.expect("delivered");
        let again = desk.run(&at_noon(vec![messages[0].clone(), messages[1].clone(), messages[4].clone()])).await;
        assert!(again.iter().all(|(_, outcome)| matches!(outcome, Outcome::Duplicate(_))), "{again:?}");
        let mut other = report("AR-1");
        other.name = messages[1].name.clone();
        let other = desk.run(&at_noon(vec![other])).await;
        assert!(matches!(other[0].1, Outcome::Duplicate(_)), "whatever bytes come under its id: {other:?}");
        desk.run(&at_noon(vec![of_second(report("AR-4"))])).await;
        assert_eq!(counts(&read(&desk.journey, &desk.store).await), (4, 2));
        for _ in 0..3 {
            desk.journey.sweep(&desk.store).await.expect("swept");
        }
        let mut tx = desk.store.begin("test").await.expect("a transaction");
        let census = tx.census().await.expect("a census");
        assert!(census.adds_up(), "{census:?}");
        assert!(crate::harness::dead_letters(&mut tx).await.is_empty() && tx.held().await.expect("read").is_empty());
        drop(tx);
        check(&desk.store, desk.journey.vault()).await.expect("nothing is behind");
        brygga::audit::verify(&desk.store, []).await.expect("read").expect("the chain holds");
        // Everything that is left, and the earlier backups, with every key that is left.
        let old = SqliteKeyStore::open(&backup.path().join("keys")).await.expect("a key store");
        let (now, wrapping) = (desk.journey.vault().store(), wrapping(desk.path()));
        let mut contents = sealed(&desk.path().join("brygga.db"), &desk.journey).await;
        assert!(contents.is_empty(), "nothing of the first is kept");
        contents = sealed(&backup.path().join("content"), &desk.journey).await;
        assert_eq!(contents.len(), 5, "a waiver, a report, and what three were given of it");
        assert_eq!(can_be_opened(&contents, &[now, &old], &wrapping).await, 0);
        old.close().await;
    });
    let mut all = files(desk.path());
    all.extend(files(backup.path()));
    assert!(all.len() > 8, "{all:?}");
    assert_eq!(leaks(&all, &first_ones_values()), 0);
    let (code, said) = erase(desk.path(), "20160603-2397");
    assert_eq!(code, 1, "nothing is held of somebody else: {said}");
    let (code, said) = erase(desk.path(), "19990723-2391");
    assert_eq!(code, 2, "a number that is none: {said}");
    assert!(!said.contains("2391"));
}

#[test]
fn a_restored_backup_does_not_bring_the_erased_back_nor_does_their_sender() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let backup = folder_in_memory();
    let late = report("AR-3");
    let desk = runtime.block_on(async {
        let desk = Desk::open(&at_noon(Vec::new())).await;
        let messages = vec![consent("H-0102"), report("AR-1"), of_second(consent("H-0103")), of_second(report("AR-2"))];
        desk.run(&at_noon(messages)).await;
        assert_eq!(counts(&read(&desk.journey, &desk.store).await), (4, 0));
        back_up(desk.path(), backup.path()).await;
        desk.run(&at_noon(vec![late.clone()])).await;
        desk
    });
    let (code, said) = erase(desk.path(), FIRST);
    assert_eq!(code, 0, "{said}");
    let folder = runtime.block_on(desk.close());
    for name in ["brygga.db-wal", "brygga.db-shm"] {
        std::fs::remove_file(folder.path().join(name)).unwrap_or_default();
    }
    std::fs::copy(backup.path().join("content"), folder.path().join("brygga.db")).expect("restored");
    let (code, said) = brygga(&["restore", "accept", "--json", "--data", &folder.path().display().to_string()]);
    assert_eq!(code, 0, "{said}");
    let said: Value = serde_json::from_str(&said).expect("one object");
    assert_eq!(said["erasures"], 2, "two classes: {said}");
    runtime.block_on(async {
        let data = DataFolder::hold(folder.path()).expect("nobody holds it");
        let store = data.store(None).await.expect("a store");
        let journey = Journey::new(set(), data.keys().expect("keys"), data.vault().await.expect("a vault"));
        check(&store, journey.vault()).await.expect("accepted");
        assert!(sealed(&folder.path().join("brygga.db"), &journey).await.is_empty(), "blanked again");
        assert_eq!(counts(&read(&journey, &store).await), (2, 2), "and taken back once more");
        // It came after the backup, and its sender sends it again.
        let again = journey.take(&store, [late.arrival(noon())]).await.expect("taken");
        assert!(matches!(again[0], Outcome::Duplicate(_)), "{again:?}");
        let mut tx = store.begin("test").await.expect("a transaction");
        assert!(tx.census().await.expect("a census").adds_up());
        drop(tx);
        store.close().await;
    });
}

#[test]
fn an_erasure_that_was_cut_short_is_finished_by_the_next_and_the_participant_can_come_again() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let desk = runtime.block_on(async {
        let desk = Desk::open(&at_noon(Vec::new())).await;
        desk.run(&at_noon(vec![consent("H-0102"), report("AR-1")])).await;
        assert_eq!(counts(&read(&desk.journey, &desk.store).await), (2, 0));
        desk.run(&at_noon(vec![consent("H-0104"), revocation("H-0104")])).await;
        // The keys went, and the content did not commit.
        let person = first(&desk.journey);
        let holders = RetentionClass::OF_PERSONS.map(|class| Holder::person(&person, class));
        let keys = SqliteKeyStore::open(&desk.path().join("keys/keys.db")).await.expect("a key store");
        assert_eq!(keys.destroy(&holders).await.expect("destroyed"), 2);
        keys.close().await;
        assert_eq!(counts(&read(&desk.journey, &desk.store).await), (0, 0), "a page in between shows nothing");
        desk.journey.sweep(&desk.store).await.expect("swept");
        desk
    });
    let (code, said) = erase(desk.path(), FIRST);
    assert_eq!(code, 0, "{said}");
    runtime.block_on(async {
        assert_eq!(counts(&read(&desk.journey, &desk.store).await), (0, 2), "what had been served is taken back");
        // A revocation holds although its content is gone; another waiver opens the gate as anybody's does.
        desk.run(&at_noon(vec![consent("H-0104"), report("AR-5")])).await;
        assert_eq!(counts(&read(&desk.journey, &desk.store).await), (0, 2), "revoked is revoked");
        desk.run(&at_noon(vec![consent("H-0105")])).await;
        assert_eq!(counts(&read(&desk.journey, &desk.store).await), (2, 2), "and what comes anew is served");
    });
    let (code, said) = erase(desk.path(), FIRST);
    assert_eq!(code, 0, "{said}");
    runtime.block_on(async {
        assert_eq!(counts(&read(&desk.journey, &desk.store).await), (0, 4), "and can be erased again");
    });
}

#[test]
fn what_came_by_a_clock_that_is_ahead_of_the_erasure_goes_with_the_rest() {
    tokio::runtime::Runtime::new().expect("a runtime").block_on(async {
        let desk = Desk::open(&at_noon(Vec::new())).await;
        desk.run(&at_noon(vec![consent("H-0102"), report("AR-1")])).await;
        let ahead = desk.store.clone().with_clock(Clock::at(later()));
        desk.journey.take(&ahead, [report("AR-2").arrival(later())]).await.expect("taken");
        let shown = read(&desk.journey, &desk.store).await.len();
        let person = first(&desk.journey);
        let erased =
            desk.journey.erase(&desk.store, &person, "ada", "begäran", false).await.expect("erased").expect("it was held");
        assert_eq!(erased.messages, 3);
        assert!(sealed(&desk.path().join("brygga.db"), &desk.journey).await.is_empty(), "nothing is kept");
        let (puts, deletes) = counts(&read(&desk.journey, &desk.store).await);
        assert!(shown > 0 && puts == 0 && deletes > 0, "{puts} of {shown} are shown, {deletes} are taken back");
        let erasures = desk.journey.vault().store().erasures().await.expect("the ledger");
        assert!(!erasures.is_empty() && erasures.iter().all(|one| one.at >= later()), "a replay finds all of it old");
    });
}

#[test]
fn two_erasures_at_once_lose_no_key_of_those_who_stay() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let desk = runtime.block_on(async {
        let desk = Desk::open(&at_noon(Vec::new())).await;
        desk.run(&at_noon(vec![consent("H-0102"), of_second(consent("H-0103")), of_second(report("AR-2"))])).await;
        assert_eq!(counts(&read(&desk.journey, &desk.store).await), (2, 0));
        desk
    });
    // Each of them changes the wrapping key, and the file of it.
    std::thread::scope(|scope| {
        let all = [(); 4].map(|()| scope.spawn(|| erase(desk.path(), FIRST)));
        for one in all {
            let (code, said) = one.join().expect("it ends");
            assert_eq!(code, 0, "{said}");
        }
    });
    let text = std::fs::read_to_string(desk.path().join("keys/wrapping.key")).expect("wrapping keys");
    assert_eq!(text.lines().count(), 1);
    runtime.block_on(async {
        assert_eq!(counts(&read(&desk.journey, &desk.store).await), (2, 0), "what the second has is still opened");
    });
    let (code, said) = erase(desk.path(), SECOND);
    assert_eq!(code, 0, "{said}");
}
