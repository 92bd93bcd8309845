//! What a system does not take: a dead letter of its own, the feed goes on, and a person sends it again or sets it aside. On
//! both engines.

use brygga::dead_letter::{Again, Look, discard, look, retry};
use brygga::domain::{Code, MessageNumber, Operator};
use brygga::journey::{Delivery, Journey, Parcel};
use brygga::store::postgres::PostgresStore;
use brygga::store::sqlite::SqliteStore;
use brygga::store::{Clock, DeadLetter, MessageState, Store, Survey as _, Tx as _};

use crate::relay::{Recipient, demo, feed, journey, relay_all};
use crate::servers::postgres::Server;

const NAME: &str = "1863.ame";

/// The dead letters that systems have made.
async fn undelivered<S: Store>(store: &S) -> Vec<DeadLetter> {
    let mut tx = store.begin("test").await.expect("a transaction");
    let mut letters = crate::harness::dead_letters(&mut tx).await;
    letters.retain(|letter| letter.cause.code == Code::RelayRefused);
    letters
}

/// How many entries of the feed are refused, by the numbers that operators see.
async fn counted<S: Store>(store: &S) -> i64 {
    let mut tx = store.begin("test").await.expect("a transaction");
    let standing = tx.standing().await.expect("read");
    assert!(tx.census().await.expect("a census").adds_up());
    standing.feeds.iter().find(|one| one.recipient == feed(NAME)).expect("a feed").refused
}

fn ids(parcels: &[Parcel]) -> Vec<&str> {
    parcels.iter().map(|parcel| parcel.event_id.as_str()).collect()
}

async fn a_dead_letter_of_its_own<S: Store>(store: S, journey: Journey) {
    let (_, arrivals) = demo();
    journey.take(&store, arrivals).await.expect("taken");
    let to = Recipient::default();
    to.next(&[Delivery::Arrived, Delivery::Refused("status 422".to_owned()), Delivery::Arrived]);
    relay_all(&journey, &store, &to, NAME, "one").await.expect("the feed goes on");
    let all = to.arrived();
    assert!(all.len() > 5, "everything after it has gone out");
    assert_eq!(counted(&store).await, 1);
    let letters = undelivered(&store).await;
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].recipient, Some(feed(NAME)));
    assert_eq!(Some(letters[0].message_id), all[1].correlation_id, "it hangs on the message that it answers");
    let number = letters[0].message;
    relay_all(&journey, &store, &to, NAME, "one").await.expect("nothing to do");
    assert_eq!(to.arrived().len(), all.len(), "a dead letter is not sent again by itself");

    let (said, _) = looked_at(&journey, &store, number).await;
    assert_eq!(said, ["status 422"]);

    // Refused again, and again a dead letter; the id is the same each time.
    to.next(&[Delivery::Refused("status 400".to_owned())]);
    let again = retry(&journey, &store, number, "somebody").await.expect("run").expect("there is one");
    assert_eq!(again.entries, 1);
    assert_eq!(counted(&store).await, 0);
    relay_all(&journey, &store, &to, NAME, "one").await.expect("relayed");
    assert_eq!(counted(&store).await, 1);
    assert_eq!(looked_at(&journey, &store, number).await.0, ["status 400"]);
    retry(&journey, &store, number, "somebody").await.expect("run").expect("there is one");
    relay_all(&journey, &store, &to, NAME, "one").await.expect("relayed");
    let sent = to.arrived();
    let of_it = ids(&sent).iter().filter(|id| **id == all[1].event_id).count();
    assert_eq!((of_it, counted(&store).await, undelivered(&store).await.len()), (3, 0, 0));
    let again = retry(&journey, &store, number, "somebody").await.expect("run");
    assert!(again.is_none_or(|again| again.entries == 0), "what has arrived is not sent again");
}

/// What systems said of a message, and whether the message itself was shown.
async fn looked_at<S: Store>(journey: &Journey, store: &S, number: MessageNumber) -> (Vec<String>, bool) {
    let (entries, whole) = match look(journey, store, &Operator::on_the_host("somebody"), number).await.expect("looked at") {
        Look::Letter(letter) => (letter.undelivered, true),
        Look::Undelivered(_, entries) => (entries, false),
        Look::Nothing => (Vec::new(), false),
    };
    (entries.into_iter().map(|entry| entry.said).collect(), whole)
}

async fn set_aside_for_good<S: Store>(store: S, journey: Journey) {
    let (_, arrivals) = demo();
    journey.take(&store, arrivals).await.expect("taken");
    let to = Recipient::default();
    to.next(&vec![Delivery::Refused("status 400".to_owned()); 200]);
    relay_all(&journey, &store, &to, NAME, "one").await.expect("the feed goes on");
    let all = to.arrived();
    let letters = undelivered(&store).await;
    assert_eq!(counted(&store).await, i64::try_from(all.len()).expect("few"), "each one is counted");

    // What became of a message cannot be told from what its system did not take.
    let (mut diverted, mut published) = (0, 0);
    for letter in &letters {
        let mut tx = store.begin("test").await.expect("a transaction");
        let stored = tx.message(letter.message).await.expect("read").expect("a message");
        drop(tx);
        let (said, whole) = looked_at(&journey, &store, letter.message).await;
        assert!(!said.is_empty());
        match stored.message.state {
            MessageState::Diverted => {
                assert!(!whole, "a diverted report is shown to nobody");
                diverted += 1;
            }
            MessageState::Journey | MessageState::Recorded if !whole => published += 1,
            MessageState::Refused => assert_eq!(whole, !stored.message.restricted),
            _ => {}
        }
    }
    assert!(diverted > 0 && published > 0, "{diverted} diverted, {published} others");

    let number = letters[0].message;
    assert!(discard(&store, number, "somebody", "the system is gone").await.expect("set aside"));
    assert_eq!(looked_at(&journey, &store, number).await.0, Vec::<String>::new());
    assert!(undelivered(&store).await.iter().all(|letter| letter.message != number));
    let again = retry(&journey, &store, number, "somebody").await.expect("run");
    assert_eq!(again.map_or(0, |Again { entries, .. }| entries), 0, "what is set aside is not sent again");
    relay_all(&journey, &store, &to, NAME, "one").await.expect("nothing to do");
    assert_eq!(to.arrived().len(), all.len());
    counted(&store).await;
}

async fn sqlite() -> SqliteStore {
    SqliteStore::in_memory(Clock::at(demo().0.instant)).await.expect("a store")
}

async fn postgres() -> PostgresStore {
    let server = Server::shared().await;
    PostgresStore::open(&server.database().await, Clock::at(demo().0.instant)).await.expect("the store opens")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_system_refuses_is_a_dead_letter_and_the_feed_goes_on_on_sqlite() {
    a_dead_letter_of_its_own(sqlite().await, journey()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_system_refuses_is_a_dead_letter_and_the_feed_goes_on_on_postgres() {
    let store = postgres().await;
    a_dead_letter_of_its_own(store.clone(), journey()).await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_system_refuses_tells_nothing_of_its_message_and_can_be_set_aside_on_sqlite() {
    set_aside_for_good(sqlite().await, journey()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_system_refuses_tells_nothing_of_its_message_and_can_be_set_aside_on_postgres() {
    let store = postgres().await;
    set_aside_for_good(store.clone(), journey()).await;
    store.close().await;
}
