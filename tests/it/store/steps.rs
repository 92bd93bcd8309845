//! A page that is built while something else commits, in either order: two processes, each stopped where it changes what
//! stands in the feed.

use std::collections::BTreeMap;
use std::sync::Arc;

use brygga::domain::Subject;
use brygga::feed::{Cursor, Method};
use brygga::journey::{Arrival, Journey, Page};
use brygga::seal::{ServiceKeys, Vault};
use brygga::store::{Store, Tx as _};
use jiff::Timestamp;

use super::desk::{PERSONS, af, arrival, consent, noon, report};
use super::engine::{Engine, on_both_engines};
use crate::harness::set;

/// What a reader holds who lets the last event of a subject win.
type Held = BTreeMap<Subject, Vec<u8>>;

/// Something that commits while a page is built.
struct Change {
    arrival: Arrival,
    /// When both happen.
    at: Timestamp,
}

fn journey() -> Journey {
    Journey::new(set(), Arc::new(ServiceKeys::derive(&[7; 32])), Vault::ephemeral().expect("random numbers"))
}

fn fold(held: &mut Held, page: &Page) {
    for served in &page.entries {
        match served.method {
            Method::Put => held.insert(served.subject, served.document.clone()),
            Method::Delete => held.remove(&served.subject),
        };
    }
}

async fn read<S: Store>(journey: &Journey, store: &S, after: Cursor) -> Page {
    journey.page(store, &af(), after, 100).await.expect("a page")
}

fn before() -> Vec<Arrival> {
    let mut waiver = consent(PERSONS[0], false);
    waiver.bytes = text(&waiver).replace("2026-12-31", "2026-03-20").into_bytes();
    vec![waiver, report(PERSONS[0], "AR-1")]
}

fn text(arrival: &Arrival) -> String {
    String::from_utf8(arrival.bytes.clone()).expect("text")
}

/// What the reader holds after a page was built while the change committed, and what it would hold had nothing met.
async fn meet<E: Engine>(change: &Change, page_first: bool) -> (Held, Held) {
    let engine = E::open(noon()).await;
    let (reader, writer) = (engine.process().await, engine.process().await);
    let journey = journey();
    journey.take(&writer, before()).await.expect("taken");
    // To make the row that both will lock is as good as a lock; here it is there already.
    let mut tx = writer.begin("test").await.expect("a transaction");
    tx.lock_deliveries(&[af()]).await.expect("locked");
    tx.commit().await.expect("committed");
    engine.clock().set(change.at);
    let gate = engine.gate().await;
    let build = || {
        let (journey, store) = (journey.clone(), reader.clone());
        tokio::spawn(async move { read(&journey, &store, Cursor::START).await })
    };
    let commit = || {
        let (journey, store, arrival) = (journey.clone(), writer.clone(), change.arrival.clone());
        tokio::spawn(async move { journey.take(&store, vec![arrival]).await.expect("taken") })
    };
    let (page, committed) = if page_first {
        let page = build();
        engine.wait_for_waiting(1).await;
        (page, commit())
    } else {
        let committed = commit();
        engine.wait_for_waiting(1).await;
        (build(), committed)
    };
    engine.wait_for_waiting(2).await;
    E::open_gate(gate).await;
    let page = page.await.expect("ends");
    committed.await.expect("ends");
    let mut held = Held::new();
    fold(&mut held, &page);
    let cursor = page.entries.last().map_or(Cursor::START, |last| Cursor::at(last.position));
    fold(&mut held, &read(&journey, &reader, cursor).await);
    (held, alone::<E>(change).await)
}

/// What a reader holds who comes after everything.
async fn alone<E: Engine>(change: &Change) -> Held {
    let engine = E::open(noon()).await;
    let (store, journey) = (engine.process().await, journey());
    journey.take(&store, before()).await.expect("taken");
    engine.clock().set(change.at);
    journey.take(&store, vec![change.arrival.clone()]).await.expect("taken");
    let mut held = Held::new();
    fold(&mut held, &read(&journey, &store, Cursor::START).await);
    held
}

/// What the reader held before: what a page shows to whom nothing has happened.
async fn untouched<E: Engine>() -> Held {
    let engine = E::open(noon()).await;
    let (store, journey) = (engine.process().await, journey());
    journey.take(&store, before()).await.expect("taken");
    let mut held = Held::new();
    fold(&mut held, &read(&journey, &store, Cursor::START).await);
    held
}

async fn a_revocation_that_commits_while_a_page_is_built_leaves_the_reader_with_nothing<E: Engine>() {
    let change = Change { arrival: consent(PERSONS[0], true), at: noon() };
    for page_first in [true, false] {
        let (held, alone) = meet::<E>(&change, page_first).await;
        assert!(held.is_empty() && alone.is_empty(), "page first: {page_first}: {} documents", held.len());
    }
}

async fn a_correction_that_commits_while_a_page_is_built_reaches_the_reader<E: Engine>() {
    let mut corrected = report(PERSONS[0], "AR-1");
    let original = "\"revision\":1,\"kind\":\"original\"";
    let attended = "\"to\":\"2026-02-23T16:00:00\"}]}";
    let words = text(&corrected);
    assert!(words.contains(original) && words.contains(attended), "the form has not changed");
    let words = words.replace(original, "\"revision\":2,\"kind\":\"correction\"");
    corrected.bytes = words.replace(attended, "\"to\":\"2026-02-23T13:30:00\"}]}").into_bytes();
    let change = Change { arrival: corrected, at: noon() };
    let before = untouched::<E>().await;
    for page_first in [true, false] {
        let (held, alone) = meet::<E>(&change, page_first).await;
        assert_eq!(held.len(), alone.len(), "page first: {page_first}");
        assert!(held == alone, "page first: {page_first}: the reader holds something else");
        let changed = before.iter().filter(|(subject, document)| held.get(*subject).is_some_and(|now| now != *document));
        assert!(changed.count() > 0, "the attended time that was corrected is seen");
    }
}

async fn a_renewal_that_commits_while_a_page_is_built_of_what_has_expired_loses_nothing<E: Engine>() {
    let words = text(&consent(PERSONS[0], false)).replace(&format!("H-{}", PERSONS[0]), "H-renewed");
    let words = words.replace("2026-02-02T10:00:00", "2026-03-24T10:00:00").replace("\"2026-02-02\"", "\"2026-03-24\"");
    let at = "2026-03-25T11:00:00Z".parse().expect("an instant");
    let change = Change { arrival: arrival("consent.v1", words), at };
    let before = untouched::<E>().await;
    for page_first in [true, false] {
        let (held, alone) = meet::<E>(&change, page_first).await;
        assert_eq!(held.len(), before.len(), "page first: {page_first}");
        assert!(held == alone && held == before, "page first: {page_first}: the reader holds something else");
    }
}

on_both_engines! {
    a_revocation_that_commits_while_a_page_is_built_leaves_the_reader_with_nothing,
    a_correction_that_commits_while_a_page_is_built_reaches_the_reader,
    a_renewal_that_commits_while_a_page_is_built_of_what_has_expired_loses_nothing,
}
