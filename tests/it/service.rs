//! The service on its data folder: keys, locks, troubled files, many reports at once, and the real binary end to end.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use brygga::app::{DataFolder, FolderError, Scenario, ScenarioMessage};
use brygga::domain::{RecipientId, Syntax};
use brygga::feed::{Cursor, Method};
use brygga::spool::Dropped;
use brygga::store::{Store as _, Survey as _};
use serde_json::Value;
use uuid::Uuid;

use crate::harness::{Desk, drop_file, root};

fn message(contract: &str, text: &str) -> ScenarioMessage {
    let name = Dropped { contract: contract.parse().expect("a contract"), message_id: Uuid::now_v7(), syntax: Syntax::Json };
    let login = "hallefors-ame".to_owned().try_into().expect("a login");
    ScenarioMessage { order: "01".to_owned(), login, name, bytes: text.as_bytes().to_vec() }
}

fn file(name: &str) -> String {
    std::fs::read_to_string(root().join("benches").join(name)).expect("a message")
}

fn at_noon(messages: Vec<ScenarioMessage>) -> Scenario {
    Scenario { title: "made here".to_owned(), instant: "2026-03-16T11:00:00Z".parse().expect("an instant"), messages }
}

async fn standing(desk: &Desk) -> usize {
    let af = RecipientId::arbetsformedlingen();
    let page = desk.journey.page(&desk.store, &af, Cursor::START, 10_000).await.expect("a page");
    page.entries.iter().filter(|entry| entry.method == Method::Put).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_reaches_every_report_at_once_however_many_and_a_waiver_reaches_them_in_time() {
    let consent = file("consent.json");
    let report = file("report.json");
    let revision = |n: i32, revoked: &str| consent.replace("\"revision\": 1", &format!("\"revision\": {n}{revoked}"));
    let many: Vec<ScenarioMessage> =
        (0..230).map(|n| message("activity-report.v1", &report.replace("AR-2602-09", &format!("AR-{n}")))).collect();
    let desk = Desk::open(&at_noon(Vec::new())).await;
    desk.run(&at_noon(many)).await;
    assert_eq!(standing(&desk).await, 0, "nothing without a waiver");
    desk.run(&at_noon(vec![message("consent.v1", &revision(1, ""))])).await;
    for _ in 0..20 {
        desk.journey.sweep(&desk.store).await.expect("a sweep");
    }
    assert_eq!(standing(&desk).await, 2 * 230, "the sweep has released what one transaction did not");
    desk.run(&at_noon(vec![message("consent.v1", &revision(2, ",\n \"revokedAt\": \"2026-03-16T10:00:00\""))])).await;
    assert_eq!(standing(&desk).await, 0, "the first page after the revocation holds nothing of the person");
    let mut tx = desk.store.begin("test").await.expect("a transaction");
    assert!(tx.census().await.expect("a census").adds_up());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_made_once_and_never_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let held = DataFolder::hold(folder.path()).expect("held");
    held.store(None).await.expect("a store").close().await;
    let second = DataFolder::hold(folder.path()).expect_err("one service holds a folder");
    assert!(matches!(&second, FolderError::Held(who) if *who == std::process::id().to_string()), "{second}");
    drop(held);
    let key = folder.path().join("keys/service.key");
    let text = std::fs::read_to_string(&key).expect("a key");
    std::fs::remove_file(&key).expect("removed");
    let lost = DataFolder::hold(folder.path()).expect("held again");
    assert!(matches!(lost.keys(), Err(FolderError::Key(_))), "a lost key is told, not replaced");
    assert!(!key.exists());
    let other = if text.starts_with('A') { "B" } else { "A" };
    std::fs::write(&key, format!("{other}{}", text.get(1..).expect("more"))).expect("another key");
    assert!(matches!(lost.store(None).await, Err(FolderError::Key(_))), "a foreign key is told");
    std::fs::write(&key, text).expect("the right key");
    lost.store(None).await.expect("the right key opens it again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_with_an_impossible_name_keeps_nobody_waiting() {
    let scenario = at_noon(vec![message("activity-report.v1", &file("report.json"))]);
    let desk = Desk::open(&scenario).await;
    drop_file(&desk.data.spool(), "hallefors-ame", &format!("{}.json", "x".repeat(240)), b"{}");
    assert_eq!(desk.run(&scenario).await.len(), 1);
    assert_eq!(std::fs::read_dir(desk.data.spool().failed()).expect("failed").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_the_store_does_not_take_is_a_dead_letter_and_keeps_no_other_waiting() {
    let desk = Desk::open(&at_noon(Vec::new())).await;
    let report = file("report.json");
    let mut messages: Vec<ScenarioMessage> =
        (0..6).map(|n| message("activity-report.v1", &report.replace("AR-2602-09", &format!("AR-{n}")))).collect();
    crate::harness::refuse_in_sqlite(desk.path(), messages[2].name.message_id).await;
    messages.push(message("activity-report.v1", &report.replace("AR-2602-09", "AR-9")));
    for message in &messages {
        drop_file(&desk.data.spool(), "hallefors-ame", &message.name.name(), &message.bytes);
    }
    assert_eq!(desk.inbox.take(&desk.journey, &desk.store).await.expect("the store is there").len(), 7);
    assert!(desk.inbox.take(&desk.journey, &desk.store).await.expect("the store is there").is_empty());
    let mut tx = desk.store.begin("test").await.expect("a transaction");
    let census = tx.census().await.expect("a census");
    assert!(census.adds_up() && (census.journeys, census.refused, census.restricted) == (6, 1, 1), "{census:?}");
}

struct Demo(std::process::Child);

impl Drop for Demo {
    fn drop(&mut self) {
        let _killed = self.0.kill();
        let _reaped = self.0.wait();
    }
}

#[test]
fn the_demo_serves_takes_a_dropped_file_within_a_second_and_stops_when_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let mut demo = Demo(
        Command::new(env!("CARGO_BIN_EXE_brygga"))
            .args(["demo", "--listen", "127.0.0.1:0", "--console", "127.0.0.1:0", "--data"])
            .arg(&data)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the demo starts"),
    );
    let mut lines = BufReader::new(demo.0.stdout.take().expect("its output")).lines();
    let mut url = String::new();
    for line in lines.by_ref() {
        let line = line.expect("a line");
        if let Some((_, found)) = line.split_once("feed:  ") {
            found.clone_into(&mut url);
        }
        if line.starts_with("Serving") {
            break;
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let events = |url: &str| -> Vec<Value> {
        let url = format!("{url}?limit=500");
        runtime.block_on(async { reqwest::get(url).await.expect("an answer").json().await.expect("events") })
    };
    let before = events(&url);
    assert!(before.len() > 10);

    let second =
        Command::new(env!("CARGO_BIN_EXE_brygga")).args(["demo", "--once", "--data"]).arg(&data).output().expect("runs");
    assert_eq!(second.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&second.stderr).contains(&demo.0.id().to_string()), "it is told who holds the folder");

    let spool = brygga::spool::SpoolFolders::new(&data);
    for (contract, text) in
        [("consent.v1", file("consent.json")), ("activity-report.v1", file("report.json").replace("AR-2602-09", "AR-X"))]
    {
        let name = message(contract, "").name.name();
        drop_file(&spool, "hallefors-ame", &name, text.as_bytes());
        let begun = Instant::now();
        while spool.inbox().join("hallefors-ame").join(&name).exists() {
            assert!(begun.elapsed() < Duration::from_secs(10), "the file is still there");
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(begun.elapsed() < Duration::from_secs(1), "taken within a second");
    }
    assert!(events(&url).len() > before.len(), "the dropped report is in the feed");

    let told = Command::new("kill").args(["-TERM", &demo.0.id().to_string()]).status().expect("kill runs");
    assert!(told.success());
    assert_eq!(demo.0.wait().expect("it ends").code(), Some(0));
}
