//! Time, flags and locks.

use std::time::Duration;

use brygga::store::{Concerned, Feeds as _, Store as _, Survey as _, Tx as _};
use jiff::{Timestamp, ToSpan as _};

use super::super::engine::{Engine, on_both_engines};
use super::{Hall, ame, message, person};
use crate::store::desk::{af, noon};

async fn time_stands_within_a_transaction_and_goes_on_outside<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let tx = hall.begin().await;
    let later = noon() + 3.hours();
    hall.engine.clock().set(later);
    assert_eq!((tx.now(), hall.store.now()), (noon(), later));
    drop(tx);
    assert_eq!(hall.begin().await.now(), later);
    let odd: Timestamp = "2026-03-16T11:00:00.123456789Z".parse().expect("an instant");
    hall.engine.clock().set(odd);
    let tx = hall.begin().await;
    assert_eq!(tx.now(), "2026-03-16T11:00:00.123456Z".parse().expect("an instant"), "to the microsecond");
}

async fn a_flag_is_only_ever_set_and_needs_the_participants_row<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let mut tx = hall.begin().await;
    assert!(!tx.is_flagged(&person(1)).await.expect("nobody knows the person"));
    tx.lock_persons(&[person(1), person(2)]).await.expect("locked");
    assert!(!tx.is_flagged(&person(1)).await.expect("read"));
    tx.set_flag(&person(1)).await.expect("set");
    assert!(tx.is_flagged(&person(1)).await.expect("read"), "a transaction reads what it has written");
    tx.commit().await.expect("committed");
    for _ in 0..2 {
        let mut tx = hall.begin().await;
        tx.lock_persons(&[person(1), person(2)]).await.expect("what is there already stays");
        assert!(tx.is_flagged(&person(1)).await.expect("read"));
        assert!(!tx.is_flagged(&person(2)).await.expect("read"));
        tx.set_flag(&person(1)).await.expect("once more");
        tx.commit().await.expect("committed");
    }
}

/// Whoever locks a participant waits for whoever has, and then reads what that one has written.
async fn a_participants_row_keeps_others_waiting<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let other = hall.engine.process().await;
    for whole in [false, true] {
        let same = person(if whole { 4 } else { 3 });
        // To make a row is as good as a lock; here it is there already.
        let mut tx = hall.begin().await;
        tx.lock_persons(&[same]).await.expect("locked");
        tx.commit().await.expect("committed");
        let mut first = hall.begin().await;
        first.lock_persons(&[same]).await.expect("locked");
        let store = other.clone();
        let second = tokio::spawn(async move {
            let mut tx = store.begin("test").await.expect("a transaction");
            let concerned = Concerned { persons: vec![same], whole: vec![same], ..Concerned::default() };
            if whole { tx.lock(&concerned).await } else { tx.lock_persons(&[same]).await }.expect("locked in the end");
            tx.is_flagged(&same).await.expect("read")
        });
        hall.engine.wait_for_waiting(1).await;
        assert!(!second.is_finished(), "the row is not its own");
        first.set_flag(&same).await.expect("set");
        first.commit().await.expect("committed");
        assert!(second.await.expect("it ends"), "it reads what was committed before the lock was its own");
    }
}

/// A page and whoever takes back keep each other waiting by the recipient's delivery row.
async fn a_delivery_row_keeps_others_waiting<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let other = hall.engine.process().await;
    let made = hall.made(crate::store::desk::PERSONS[0], 1);
    let stored = hall.publish(&made).await;
    let mut tx = hall.begin().await;
    tx.lock_deliveries(&[af()]).await.expect("locked");
    tx.commit().await.expect("committed");
    let mut first = hall.begin().await;
    first.lock_deliveries(&[af(), ame()]).await.expect("locked");
    let entries = first.page(&af(), brygga::domain::Position(0), 10).await.expect("read");
    let report = stored.message.report.expect("a report");
    let second = tokio::spawn(async move {
        let mut tx = other.begin("test").await.expect("a transaction");
        tx.lock_deliveries(&[af()]).await.expect("locked in the end");
        tx.entries(&report, &af()).await.expect("read")
    });
    hall.engine.wait_for_waiting(1).await;
    assert!(!second.is_finished(), "the row is not its own");
    let positions: Vec<_> = entries.iter().map(|entry| entry.position).collect();
    first.mark_served(&af(), &positions).await.expect("marked");
    first.commit().await.expect("committed");
    let seen = second.await.expect("it ends");
    assert!(seen.len() == 2 && seen.iter().all(|entry| entry.served), "it sees what the page has served");
}

/// What a lock is for: what was read before it is read again.
async fn what_was_read_before_a_lock_is_read_again<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let mut tx = hall.begin().await;
    let mut one = message(1);
    one.person = Some(person(1));
    tx.insert_message(&one).await.expect("stored");
    let found = tx.messages_of(&person(1), one.kind).await.expect("read").len();
    tx.lock(&Concerned::whole(person(1))).await.expect("locked");
    assert_eq!((found, tx.messages_of(&person(1), one.kind).await.expect("read").len()), (1, 1), "its own among it");
    tx.lock(&Concerned::default()).await.expect("nothing to lock is no fault");
    tx.lock_persons(&[]).await.expect("nor here");
    tx.lock_deliveries(&[]).await.expect("nor here");
    tx.commit().await.expect("committed");
}

async fn a_lease_is_anothers_until_it_has_run_out<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let other = hall.engine.process().await;
    let minute = |minutes: i64| noon() + minutes.minutes();
    let lasts = |minutes: u64| Duration::from_secs(60 * minutes);
    assert!(hall.store.take_lease(&ame(), "one", lasts(1)).await.expect("asked"));
    assert!(!other.take_lease(&ame(), "two", lasts(1)).await.expect("asked"));
    assert!(hall.store.take_lease(&ame(), "one", lasts(2)).await.expect("asked"), "its own is kept");
    assert!(other.take_lease(&af(), "two", lasts(1)).await.expect("asked"), "another feed is another lease");
    hall.engine.clock().set(minute(1));
    assert!(!other.take_lease(&ame(), "two", lasts(2)).await.expect("asked"));
    hall.engine.clock().set(minute(2));
    assert!(other.take_lease(&ame(), "two", lasts(1)).await.expect("asked"), "it has run out");
    assert!(!hall.store.take_lease(&ame(), "one", lasts(2)).await.expect("asked"));
    assert!(!hall.store.take_lease(&ame(), "one", Duration::ZERO).await.expect("asked"), "it is not one's to give back");
    assert!(other.take_lease(&ame(), "two", Duration::ZERO).await.expect("asked"), "it is given back");
    assert!(hall.store.take_lease(&ame(), "one", lasts(2)).await.expect("asked"));
}

async fn a_store_answers<E: Engine>() {
    let hall = Hall::<E>::open().await;
    hall.store.ping().await.expect("it answers");
    let mut tx = hall.begin().await;
    assert_eq!(tx.recipients().await.expect("read"), []);
    assert_eq!(crate::harness::dead_letters(&mut tx).await, []);
    assert_eq!(tx.held().await.expect("read"), []);
    assert!(tx.claim_due(10).await.expect("read").is_empty());
    assert!(tx.claim_due_answers(10).await.expect("read").is_empty());
    tx.commit().await.expect("an empty transaction ends like any other");
}

on_both_engines! {
    time_stands_within_a_transaction_and_goes_on_outside,
    a_flag_is_only_ever_set_and_needs_the_participants_row,
    a_participants_row_keeps_others_waiting,
    a_delivery_row_keeps_others_waiting,
    what_was_read_before_a_lock_is_read_again,
    a_lease_is_anothers_until_it_has_run_out,
    a_store_answers,
}
