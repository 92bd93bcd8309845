//! Receipts, over real mutual TLS: recorded once, told to the sender, written into the ledger, and a rejection as a dead letter
//! that can be published anew.

#![cfg(test)]

use brygga::dead_letter::{discard, retry};
use brygga::domain::{Code, RecipientId};
use brygga::feed::Cursor;
use brygga::store::{DeadLetter, Store as _, Survey as _};
use serde_json::{Value, json};

use crate::tls::server::{Files, Served, Setting, client};
use crate::tls::wire::{Answer, Wire};

const AT: &str = "2026-03-16T11:30:00Z";

fn receipt(id: &Value, kind: &str) -> Value {
    json!({ "eventId": id, "kind": kind, "at": AT })
}

fn rejected(id: &Value, code: &str) -> Value {
    json!({ "eventId": id, "kind": "rejected", "code": code, "at": AT })
}

async fn post(wire: &mut Wire, body: &Value) -> Answer {
    let text = body.to_string();
    let lines = format!("content-type: application/json\r\ncontent-length: {}\r\n\r\n{text}", text.len());
    wire.send(&format!("POST /v1/receipts HTTP/1.1\r\nhost: localhost\r\n{lines}")).await.expect("sent");
    wire.next().await.expect("an answer")
}

/// Sends receipts; gives what became of each: `recorded`, or the problem.
async fn send(wire: &mut Wire, receipts: &[Value]) -> Vec<String> {
    let answer = post(wire, &json!({ "receipts": receipts })).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")));
    let results = answer.json()["results"].as_array().expect("a list").clone();
    let word = |result: &Value| result["problem"].as_str().or(result["result"].as_str()).expect("a word").to_owned();
    results.iter().map(word).collect()
}

async fn served() -> (Served, Wire) {
    let served = Served::plain(true).await;
    let wire = served.connect(&served.files.af()).await.expect("a connection");
    (served, wire)
}

async fn events(wire: &mut Wire) -> Vec<Value> {
    wire.get("/v1/feed?limit=500").await.expect("an answer").json().as_array().expect("a page").clone()
}

/// The receipts that a system was told.
async fn told(served: &Served, feed: &str) -> Vec<Value> {
    let feed = RecipientId::from_stored(feed.to_owned());
    let page = served.desk.journey.page(&served.desk.store, &feed, Cursor::START, 1000).await.expect("a page");
    let receipts = page.entries.iter().filter(|entry| entry.contract == "receipt.v1");
    receipts.map(|entry| serde_json::from_slice(&entry.document).expect("JSON")).collect()
}

async fn all_told(served: &Served) -> Vec<Value> {
    let mut tx = served.desk.store.begin("test").await.expect("a transaction");
    let feeds = tx.recipients().await.expect("read");
    drop(tx);
    let mut all = Vec::new();
    for feed in feeds.iter().filter(|feed| feed.is_pushed()) {
        all.extend(told(served, feed.as_str()).await);
    }
    all
}

async fn letters(served: &Served) -> Vec<DeadLetter> {
    let mut tx = served.desk.store.begin("test").await.expect("a transaction");
    let mut letters = crate::harness::dead_letters(&mut tx).await;
    letters.retain(|letter| letter.cause.code == Code::RecipientRejected);
    assert!(tx.census().await.expect("counted").adds_up(), "law 6");
    letters
}

async fn counted(served: &Served) -> (i64, i64) {
    let mut tx = served.desk.store.begin("test").await.expect("a transaction");
    let census = tx.census().await.expect("counted");
    assert!(census.adds_up(), "law 6: {census:?}");
    (census.received, census.recorded)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_is_recorded_once_and_told_to_the_sender_of_the_report() {
    let (served, mut wire) = served().await;
    let events = events(&mut wire).await;
    let (first, second) = (&events[0]["id"], &events[1]["id"]);
    let before = counted(&served).await;
    let batch =
        [receipt(first, "received"), receipt(first, "accepted"), receipt(second, "received"), receipt(first, "received")];
    for _ in 0..2 {
        assert_eq!(send(&mut wire, &batch).await, ["recorded"; 4], "the same again has the same answer");
        let (received, recorded) = counted(&served).await;
        assert_eq!((received - before.0, recorded - before.1), (3, 3), "each is counted once");
    }
    let told = all_told(&served).await;
    assert_eq!(told.len(), 3);
    assert!(told.iter().all(|one| one["at"] == AT && one["code"].is_null() && one["messageId"].is_string()));
    let subjects: Vec<&str> = told.iter().map(|one| one["subject"].as_str().expect("a subject")).collect();
    let of_first = subjects.iter().filter(|subject| events[0]["subject"] == **subject).count();
    let of_second = subjects.iter().filter(|subject| events[1]["subject"] == **subject).count();
    assert_eq!((of_first, of_second), (2, 1));
    let contract = served.desk.journey.set().catalogue.contract(&"receipt.v1".parse().expect("a contract"));
    assert!(contract.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_refused_by_itself_and_a_body_of_another_form_whole() {
    let (served, mut wire) = served().await;
    let events = events(&mut wire).await;
    let (id, before) = (&events[0]["id"], counted(&served).await);
    let forged = json!("AAAAAQAAAAAAAAABIxZW-Bl6IgUR-gwC3Fkp2g");
    let batch = [
        receipt(&forged, "received"),
        receipt(&json!("null"), "received"),
        receipt(id, "withdrawal-acknowledged"),
        receipt(id, "rejected"),
        rejected(id, "hon var sjuk"),
        json!({ "eventId": id, "kind": "received", "code": "dubblett", "at": AT }),
        rejected(id, "dubblett"),
        receipt(id, "accepted"),
        rejected(id, "ovrigt"),
    ];
    let expected = ["foreign-id", "foreign-id", "kind", "code", "code", "code", "recorded", "conflict", "conflict"];
    assert_eq!(send(&mut wire, &batch).await, expected);
    assert_eq!(counted(&served).await.0 - before.0, 1);
    for (bad, status, problem) in [
        (json!([]), 400, "receipts"),
        (json!({ "receipts": [] }), 400, "receipts"),
        (
            json!({ "receipts": [receipt(id, "received"), { "eventId": id, "kind": "received", "at": AT, "note": "x" }] }),
            400,
            "receipts",
        ),
        (json!({ "receipts": vec![receipt(id, "received"); 501] }), 400, "receipts"),
    ] {
        let mut wire = served.connect(&served.files.af()).await.expect("a connection");
        let answer = post(&mut wire, &bad).await;
        assert_eq!((answer.status, answer.problem().as_str()), (status, problem));
        assert!(!String::from_utf8_lossy(&answer.body).contains("note"), "nothing is repeated");
    }
    assert_eq!(counted(&served).await.0 - before.0, 1, "nothing of a batch of another form is recorded");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_says_anything_of_what_another_was_served_or_nobody() {
    let files = Files::new();
    let (af, other) = (files.af(), files.client_ca.issue(crate::tls::pki::Says::organisation("162120001942")));
    let clients = format!(
        "{}{}",
        client("arbetsformedlingen", "organisation = \"2021002114\""),
        client("1863.forsorjningsstod", "organisation = \"2120001942\"")
    );
    let served = Served::with(files, Setting { take: true, clients, ..Setting::default() }).await;
    let mut wire = served.connect(&af).await.expect("a connection");
    let all = events(&mut wire).await;
    let mut stranger = served.connect(&other).await.expect("a connection");
    assert_eq!(send(&mut stranger, &[receipt(&all[0]["id"], "received")]).await, ["foreign-id"]);
    // An id of the feed that was never served: it can only be had by whoever makes ids.
    let far = brygga::domain::Position(1_000_000);
    let unserved = brygga::feed::event_id(served.desk.journey.keys(), &RecipientId::arbetsformedlingen(), 1, far);
    let batch = [receipt(&json!(unserved), "received"), receipt(&all[0]["id"], "received")];
    assert_eq!(send(&mut wire, &batch).await, ["not-served", "recorded"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_is_a_dead_letter_that_is_published_anew_or_set_aside() {
    let (served, mut wire) = served().await;
    let events_before = events(&mut wire).await;
    let (one, two) = (&events_before[0], &events_before[1]);
    assert_eq!(send(&mut wire, &[rejected(&one["id"], "felaktigt-format")]).await, ["recorded"]);
    let found = letters(&served).await;
    assert_eq!((found.len(), found[0].said.as_deref()), (1, Some("felaktigt-format")));
    assert_eq!(all_told(&served).await[0]["code"], "felaktigt-format");
    let (journey, store) = (&served.desk.journey, &served.desk.store);
    let again = retry(journey, store, found[0].message, "somebody").await.expect("run").expect("there is one");
    assert_eq!((again.entries, letters(&served).await.len()), (1, 0));
    let after = events(&mut wire).await;
    let anew = after.iter().find(|event| event["subject"] == one["subject"]).expect("the document");
    assert_eq!((anew["data"].clone(), after.len()), (one["data"].clone(), events_before.len()));
    assert_ne!(anew["id"], one["id"], "at a new position");
    assert_eq!(send(&mut wire, &[receipt(&anew["id"], "accepted")]).await, ["recorded"], "of which something else can be said");

    assert_eq!(send(&mut wire, &[rejected(&two["id"], "ovrigt")]).await, ["recorded"]);
    let found = letters(&served).await;
    assert!(discard(store, found[0].message, "somebody", "agreed by telephone").await.expect("discarded"));
    assert_eq!(letters(&served).await, []);
    assert_eq!(send(&mut wire, &[rejected(&two["id"], "ovrigt")]).await, ["recorded"]);
    assert_eq!(letters(&served).await, [], "the same again brings it not back");
}
