//! A revocation that commits in one process while another is in the middle of something: while a long poll waits, while a
//! relay sends, while a dead letter is retried. (While a page is built: `steps`.) On both engines.

use std::sync::{Arc, Mutex};

use brygga::agreement::Illustrations;
use brygga::app::embedded;
use brygga::dead_letter;
use brygga::domain::{MessageNumber, RecipientId};
use brygga::feed::{Cursor, Method};
use brygga::http::{Bound, FeedOf};
use brygga::journey::{Arrival, ContractSet, Courier, Delivery, Journey, Parcel};
use brygga::seal::{ServiceKeys, Vault};
use brygga::store::{LegState, MessageState, Store, Survey as _, Tx as _};
use serde_json::Value;
use tokio::sync::watch;

use super::desk::{PERSONS, af, consent, noon, report};
use super::engine::{Engine, Step, on_both_engines};
use super::stepped::Stepped;
use crate::harness::{root, set};

fn journey() -> Journey {
    Journey::new(set(), Arc::new(ServiceKeys::derive(&[7; 32])), Vault::ephemeral().expect("random numbers"))
}

async fn take<S: Store>(journey: &Journey, store: &S, arrivals: Vec<Arrival>) -> MessageNumber {
    journey.take(store, arrivals).await.expect("taken").last().expect("an outcome").number()
}

async fn read<S: Store>(journey: &Journey, store: &S, recipient: &RecipientId, after: Cursor) -> Vec<(Method, String)> {
    let page = journey.page(store, recipient, after, 100).await.expect("a page");
    page.entries.into_iter().map(|served| (served.method, served.subject.to_hex())).collect()
}

/// Serves Arbetsförmedlingen's feed from one process; gives its address and what keeps it.
async fn serve<S: Store>(journey: &Journey, store: S) -> (String, watch::Sender<bool>) {
    let bound = Bound::bind("127.0.0.1:0".parse().expect("loopback")).await.expect("a port");
    let url = format!("http://{}/v1/feed", bound.address().expect("an address"));
    let (stop, stopping) = watch::channel(false);
    let feed = FeedOf { journey: journey.clone(), store, recipient: af(), stopping: stopping.clone() };
    tokio::spawn(bound.serve(feed, std::future::pending()));
    (url, stop)
}

async fn events(url: &str, query: &str) -> Vec<Value> {
    let answer = reqwest::get(format!("{url}{query}")).await.expect("an answer");
    assert_eq!(answer.status(), 200);
    answer.json().await.expect("a JSON array")
}

/// Subjects of the documents, and of the `DELETE`s.
fn subjects(events: &[Value]) -> (Vec<&str>, Vec<&str>) {
    let of = |is_delete: bool| {
        let events = events.iter().filter(|event| (event["method"] == "DELETE") == is_delete);
        let mut names: Vec<&str> = events.map(|event| event["subject"].as_str().expect("a subject")).collect();
        names.sort_unstable();
        names
    };
    (of(false), of(true))
}

async fn a_revocation_answers_the_long_poll_that_waits_behind_what_it_takes_back<E: Engine>() {
    let engine = E::open(noon()).await;
    let (reader, writer) = (engine.process().await, engine.process().await);
    let journey = journey();
    take(&journey, &writer, vec![consent(PERSONS[0], false), report(PERSONS[0], "AR-1")]).await;
    let (url, _serving) = serve(&journey, reader).await;
    let served = events(&url, "").await;
    assert_eq!(served.len(), 2, "a report and an absence");
    let last = served[1]["id"].as_str().expect("an id");
    let (asked, query) = (url.clone(), format!("?lastEventId={last}&timeout=30000"));
    let waiting = tokio::spawn(async move { events(&asked, &query).await });
    // Whether it waits already cannot be seen from outside; what it is answered is the same.
    tokio::time::sleep(std::time::Duration::from_millis(150)).await;
    take(&journey, &writer, vec![consent(PERSONS[0], true)]).await;
    let after = waiting.await.expect("an answer");
    assert_eq!(subjects(&after), (Vec::new(), subjects(&served).0), "what it holds is taken back, and nothing else is told");
    assert_eq!(subjects(&events(&url, "").await).0, Vec::<&str>::new());
}

async fn a_long_poll_that_was_woken_before_a_revocation_committed_shows_nothing_of_the_person<E: Engine>() {
    let engine = E::open(noon()).await;
    let (reader, writer) = (Stepped::new(engine.process().await, "page"), engine.process().await);
    let journey = journey();
    let (url, _serving) = serve(&journey, reader.clone()).await;
    let asked = url.clone();
    let waiting = tokio::spawn(async move { events(&asked, "?timeout=30000").await });
    take(&journey, &writer, vec![consent(PERSONS[0], false), report(PERSONS[0], "AR-1")]).await;
    // It has been woken and is about to build its page.
    reader.wait_for(1).await;
    take(&journey, &writer, vec![consent(PERSONS[0], true)]).await;
    take(&journey, &writer, vec![consent(PERSONS[1], false), report(PERSONS[1], "AR-2")]).await;
    reader.let_go();
    let shown = waiting.await.expect("an answer");
    let of_other = read(&journey, &writer, &af(), Cursor::START).await;
    assert_eq!((shown.len(), of_other.len()), (2, 2), "the other person's alone");
    assert!(of_other.iter().all(|(method, _)| *method == Method::Put), "nothing of the first was served, so nothing is owed");
    let mut others: Vec<String> = of_other.into_iter().map(|(_, subject)| subject).collect();
    others.sort_unstable();
    assert_eq!(subjects(&shown), (others.iter().map(String::as_str).collect(), Vec::new()));
}

/// The försörjningsstöd of a kommun in which it is behind a waiver too.
fn pushed() -> RecipientId {
    RecipientId::from_stored("0181.forsorjningsstod".to_owned())
}

/// A message of the desk as that kommun sends it.
fn there(mut arrival: Arrival) -> Arrival {
    let text = String::from_utf8(arrival.bytes).expect("text");
    let changes = [
        ("212000-1942", "212000-0159"),
        ("Socialnämnden", "Arbetslivsnämnden"),
        ("\"Praktik\"", "\"APP\""),
        ("hallefors-2026", "sodertalje-2026"),
        ("\"arbetsformedlingen\"", "\"forsorjningsstod\""),
    ];
    arrival.bytes = changes.iter().fold(text, |text, (from, to)| text.replace(from, to)).into_bytes();
    arrival.login = "sodertalje-ame".to_owned().try_into().expect("a login");
    arrival
}

/// A recipient in whose sight something happens in another process before it says that it has got anything.
struct Meanwhile<S> {
    journey: Journey,
    writer: S,
    /// What happens before the first answer.
    change: Mutex<Option<Arrival>>,
    first: Delivery,
    arrived: Mutex<Vec<Parcel>>,
}

impl<S: Store> Courier for Meanwhile<S> {
    async fn deliver(&self, parcel: &Parcel) -> Delivery {
        self.arrived.lock().expect("a lock").push(parcel.clone());
        let change = self.change.lock().expect("a lock").take();
        let Some(change) = change else { return Delivery::Arrived };
        take(&self.journey, &self.writer, vec![change]).await;
        self.first.clone()
    }
}

impl<S: Store> Meanwhile<S> {
    fn new(journey: &Journey, writer: S, change: Option<Arrival>, first: Delivery) -> Self {
        let (change, arrived) = (Mutex::new(change), Mutex::default());
        Self { journey: journey.clone(), writer, change, first, arrived }
    }

    async fn relay(&self, store: &impl Store) {
        for _ in 0..3 {
            let relayed = self.journey.relay(store, self, &pushed(), "one").await;
            assert!(relayed.is_ok() || matches!(self.first, Delivery::Later { .. }), "{relayed:?}");
        }
    }

    fn arrived(&self) -> Vec<Parcel> {
        self.arrived.lock().expect("a lock").clone()
    }
}

async fn a_revocation_that_commits_before_the_relay_hands_over_sends_nothing<E: Engine>() {
    let engine = E::open(noon()).await;
    let (relaying, writer) = (Stepped::new(engine.process().await, "relay"), engine.process().await);
    let journey = journey();
    take(&journey, &writer, vec![there(consent(PERSONS[0], false)), there(report(PERSONS[0], "AR-1"))]).await;
    let courier = Arc::new(Meanwhile::new(&journey, writer.clone(), None, Delivery::Arrived));
    let (its_courier, its_store) = (Arc::clone(&courier), relaying.clone());
    let relay = tokio::spawn(async move { its_courier.relay(&its_store).await });
    // It has seen that there is something to send.
    relaying.wait_for(1).await;
    take(&journey, &writer, vec![there(consent(PERSONS[0], true))]).await;
    relaying.let_go();
    relay.await.expect("it ends");
    assert_eq!(courier.arrived().len(), 0, "nothing of the person was sent, so there is nothing to take back");
}

async fn a_revocation_that_commits_while_the_relay_sends_is_followed_by_its_delete<E: Engine>() {
    for first in [Delivery::Arrived, Delivery::later("no answer")] {
        let engine = E::open(noon()).await;
        let (relaying, writer) = (engine.process().await, engine.process().await);
        let journey = journey();
        take(&journey, &writer, vec![there(consent(PERSONS[0], false)), there(report(PERSONS[0], "AR-1"))]).await;
        let change = there(consent(PERSONS[0], true));
        let courier = Meanwhile::new(&journey, writer, Some(change), first.clone());
        courier.relay(&relaying).await;
        let arrived = courier.arrived();
        let brief: Vec<_> = arrived.iter().map(|parcel| (parcel.method, parcel.document.is_empty())).collect();
        // Whether it has arrived or nobody knows: what was sent once is never sent again, its DELETE goes.
        assert_eq!(brief, [(Method::Put, false), (Method::Delete, true)], "{first:?}");
        assert_eq!(arrived[0].subject, arrived[1].subject);
        assert_ne!(arrived[0].event_id, arrived[1].event_id);
    }
}

/// A set under which the report is refused and becomes a dead letter: nobody has signed the agreement.
fn unsigned(journey: &Journey) -> Journey {
    let files = embedded::contracts_from(&root().join("contracts")).expect("the contracts can be read");
    let set = ContractSet::load(&files, Illustrations::None).expect("a set without flaws");
    Journey::new(Arc::new(set), Arc::new(ServiceKeys::derive(&[7; 32])), journey.vault().clone())
}

async fn a_revocation_and_the_retry_of_a_dead_letter_leave_nothing_in_the_feed_in_either_order<E: Engine>() {
    for (step, retry_first) in [(Step::Persons, true), (Step::Persons, false), (Step::Positions, true)] {
        let engine = E::open(noon()).await;
        let (operator, writer) = (engine.process().await, engine.process().await);
        let journey = journey();
        take(&journey, &writer, vec![consent(PERSONS[0], false), report(PERSONS[0], "AR-0")]).await;
        let served = read(&journey, &writer, &af(), Cursor::START).await;
        let letter = take(&unsigned(&journey), &writer, vec![report(PERSONS[0], "AR-1")]).await;
        let gate = engine.gate_at(step).await;
        let retry = || {
            let (journey, store) = (journey.clone(), operator.clone());
            tokio::spawn(async move { dead_letter::retry(&journey, &store, letter, "somebody").await.expect("run") })
        };
        let revoke = || {
            let (journey, store) = (journey.clone(), writer.clone());
            tokio::spawn(async move { take(&journey, &store, vec![consent(PERSONS[0], true)]).await })
        };
        let (retried, revoked) = if retry_first {
            let retried = retry();
            engine.wait_for_waiting(1).await;
            (retried, revoke())
        } else {
            let revoked = revoke();
            engine.wait_for_waiting(1).await;
            (retry(), revoked)
        };
        engine.wait_for_waiting(2).await;
        E::open_gate(gate).await;
        revoked.await.expect("ends");
        assert!(retried.await.expect("ends").is_some(), "there is such a letter");
        let shown = read(&journey, &writer, &af(), Cursor::START).await;
        assert!(shown.iter().all(|(method, _)| *method == Method::Delete), "{step:?}, retry first: {retry_first}: {shown:?}");
        assert_eq!(shown.len(), served.len(), "what nobody has fetched needs no DELETE");
        let mut tx = writer.begin("test").await.expect("a transaction");
        let stored = tx.message(letter).await.expect("read").expect("it is there");
        assert_eq!(stored.message.state, MessageState::Journey);
        let legs = tx.legs(letter).await.expect("read");
        let leg = legs.iter().find(|leg| leg.id.recipient == af()).expect("a leg");
        assert_eq!(leg.state, LegState::Withdrawn, "{step:?}, retry first: {retry_first}");
        assert!(tx.census().await.expect("counted").adds_up());
    }
}

on_both_engines! {
    a_revocation_answers_the_long_poll_that_waits_behind_what_it_takes_back,
    a_long_poll_that_was_woken_before_a_revocation_committed_shows_nothing_of_the_person,
    a_revocation_that_commits_before_the_relay_hands_over_sends_nothing,
    a_revocation_that_commits_while_the_relay_sends_is_followed_by_its_delete,
    a_revocation_and_the_retry_of_a_dead_letter_leave_nothing_in_the_feed_in_either_order,
}
