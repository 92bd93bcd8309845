//! Input that is too much of something: each has its own code, none crashes and none slows the rest.

use std::time::{Duration, Instant};

use brygga::app::{Scenario, ScenarioMessage};
use brygga::domain::Syntax;
use brygga::journey::Outcome;
use brygga::spool::Dropped;
use brygga::store::{MessageState, Store as _, Tx as _};
use uuid::Uuid;

use crate::harness::{Desk, drop_file};

fn name(syntax: Syntax) -> Dropped {
    Dropped { contract: "activity-report.v1".parse().expect("a contract"), message_id: Uuid::now_v7(), syntax }
}

fn one(syntax: Syntax, bytes: Vec<u8>) -> Scenario {
    let login = "hallefors-ame".to_owned().try_into().expect("a login");
    let message = ScenarioMessage { order: "01".to_owned(), login, name: name(syntax), bytes };
    let instant = "2026-03-16T08:00:00Z".parse().expect("an instant");
    Scenario { title: "one message".to_owned(), instant, messages: vec![message] }
}

/// The code that a message is refused with.
async fn code_of(syntax: Syntax, bytes: Vec<u8>) -> String {
    let scenario = one(syntax, bytes);
    let desk = Desk::open(&scenario).await;
    let begun = Instant::now();
    let outcome = desk.run(&scenario).await.pop().expect("an outcome").1;
    assert!(begun.elapsed() < Duration::from_secs(10), "one bad message takes its time from all others");
    assert!(matches!(outcome, Outcome::Stored(_, MessageState::Refused)));
    let mut tx = desk.store.begin("test").await.expect("a transaction");
    let stored = tx.message(outcome.number()).await.expect("a store").expect("a message");
    stored.message.violations.first().map(|(code, _)| code.to_string()).expect("a code")
}

const ROOT: &str = "<activityReport xmlns=\"urn:brygga:activity-report:v1\"";

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_64_mib_is_refused_by_its_size() {
    assert_eq!(code_of(Syntax::Json, vec![b' '; 64 * 1024 * 1024]).await, "transport.oversize");
}

#[tokio::test(flavor = "multi_thread")]
async fn nesting_of_100_000_is_refused_in_both_syntaxes() {
    assert_eq!(code_of(Syntax::Json, "[".repeat(100_000).into_bytes()).await, "decode.depth");
    let nested = format!("{{\"note\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(code_of(Syntax::Json, nested.into_bytes()).await, "decode.depth");
    let xml = format!("{ROOT}>{}{}</activityReport>", "<a>".repeat(100_000), "</a>".repeat(100_000));
    assert_eq!(code_of(Syntax::Xml, xml.into_bytes()).await, "decode.depth");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_of_anything_is_refused() {
    let attributes: String = (0..100_000).map(|n| format!(" a{n}=\"\"")).collect();
    let xml = format!("{ROOT}{attributes}></activityReport>");
    assert!(xml.len() > 1024 * 1024 || code_of(Syntax::Xml, xml.clone().into_bytes()).await.starts_with("decode."));
    let some: String = (0..60_000).map(|n| format!(" a{n}=\"\"")).collect();
    let code = code_of(Syntax::Xml, format!("{ROOT}{some}></activityReport>").into_bytes()).await;
    assert_eq!(code, "decode.attribute", "the contract has no attributes, so the first is enough");
    let elements = format!("{ROOT}>{}</activityReport>", "<a/>".repeat(100_000));
    let code = code_of(Syntax::Xml, elements.into_bytes()).await;
    assert!(code == "decode.duplicate-key" || code == "decode.too-many-nodes", "{code}");
    let items = format!("{{\"days\":[{}1]}}", "1,".repeat(100_000));
    assert_eq!(code_of(Syntax::Json, items.into_bytes()).await, "decode.too-many-nodes");
    let namespaces: String = (0..10_000).map(|n| format!(" xmlns:n{n}=\"u\"")).collect();
    let code = code_of(Syntax::Xml, format!("{ROOT}{namespaces}></activityReport>").into_bytes()).await;
    assert_eq!(code, "decode.namespace");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_whose_name_cannot_be_read_is_set_aside_and_the_rest_goes_on() {
    let scenario = one(Syntax::Json, b"{}".to_vec());
    let desk = Desk::open(&scenario).await;
    drop_file(&desk.data.spool(), "hallefors-ame", "rapport.json", b"{}");
    drop_file(&desk.data.spool(), "hallefors-ame", ".hidden.json", b"{}");
    let outcomes = desk.run(&scenario).await;
    assert_eq!(outcomes.len(), 1, "the good name was taken");
    let failed: Vec<_> = std::fs::read_dir(desk.data.spool().failed()).expect("failed").collect();
    assert_eq!(failed.len(), 1);
    let left: Vec<_> = std::fs::read_dir(desk.data.spool().inbox().join("hallefors-ame")).expect("inbox").collect();
    assert_eq!(left.len(), 1, "a file that is still being written is left alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_login_and_an_empty_file_are_refused() {
    assert_eq!(code_of(Syntax::Json, Vec::new()).await, "decode.empty");
    let mut scenario = one(Syntax::Json, b"{}".to_vec());
    scenario.messages[0].login = "nobody".to_owned().try_into().expect("a login");
    let desk = Desk::open(&scenario).await;
    let outcome = desk.run(&scenario).await.pop().expect("an outcome").1;
    let mut tx = desk.store.begin("test").await.expect("a transaction");
    let stored = tx.message(outcome.number()).await.expect("a store").expect("a message");
    assert_eq!(stored.message.violations, [(brygga::domain::Code::TransportSender, "the document".to_owned())]);
}
