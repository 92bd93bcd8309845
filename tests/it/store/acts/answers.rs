//! Answers in the systems' feeds, and what is looked at when a hold period ends.

use brygga::answer::{Kind, Letterhead};
use brygga::domain::{MessageNumber, Position};
use brygga::feed::Method;
use brygga::store::{DueAnswer, FeedEntry, Feeds as _, RefusedEntry, Store as _, StoredMessage, Survey as _, Tx as _};
use jiff::{Timestamp, ToSpan as _};

use super::super::engine::{Engine, on_both_engines};
use super::{Hall, ame, message, person};
use crate::store::desk::{PERSONS, af, noon};

fn due(message: MessageNumber, id: u8, due_at: Timestamp) -> DueAnswer {
    DueAnswer { message, person: person(id), recipients: vec![af(), ame()], due_at, illustrative: true }
}

/// Claims in a transaction of its own: its locks are gone when it has committed.
async fn claimed<E: Engine>(hall: &Hall<E>, limit: i64) -> Vec<DueAnswer> {
    let mut tx = hall.begin().await;
    let claimed = tx.claim_due_answers(limit).await.expect("claimed");
    tx.commit().await.expect("committed");
    claimed
}

async fn answers_stand_in_the_senders_feed_until_they_are_confirmed<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let mut tx = hall.begin().await;
    let number = tx.insert_message(&message(1)).await.expect("stored");
    let stored = StoredMessage { number, message: message(1), discarded_at: None };
    let head = || Letterhead::of(&stored, &hall.journey.set().catalogue, hall.journey.keys()).expect("a system's login");
    let answers = [head().accepted(Some(noon()), true), head().not_forwarded(false)];
    assert_eq!(answers[0].to(), &ame());
    tx.publish_answers(&answers).await.expect("published");
    tx.publish_answers(&[]).await.expect("none is no fault");
    tx.commit().await.expect("committed");
    // What is for a reader who comes by itself waits for nobody to send it.
    hall.publish(&hall.made(PERSONS[0], 2)).await;
    assert!(hall.store.has_work().await.expect("asked"));
    assert!(hall.store.has_unconfirmed(&ame()).await.expect("asked"));
    assert!(!hall.store.has_unconfirmed(&af()).await.expect("asked"));
    let mut tx = hall.begin().await;
    assert!(tx.unconfirmed(&af(), 10).await.expect("read").is_empty());
    let waiting = tx.unconfirmed(&ame(), 10).await.expect("read");
    for (entry, (answer, place)) in waiting.iter().zip(answers.iter().zip(1..)) {
        assert_eq!((entry.position, entry.subject, entry.method), (Position(place), *answer.subject(), Method::Put));
        assert_eq!((entry.contract.as_str(), entry.syntax), (answer.kind().contract(), Kind::SYNTAX));
        assert_eq!((entry.message, entry.report, entry.until), (number, None, None), "it has no gate that could shut");
        assert_eq!((entry.sealed.as_bytes(), entry.illustrative), (answer.document(), answer.illustrative()));
    }
    assert_eq!(waiting.len(), 2);
    assert_eq!(tx.unconfirmed(&ame(), 1).await.expect("read").len(), 1);
    tx.mark_served(&ame(), &[Position(1)]).await.expect("handed over");
    tx.confirm(&ame(), Position(1)).await.expect("confirmed");
    tx.commit().await.expect("committed");
    let mut tx = hall.begin().await;
    let waiting = tx.unconfirmed(&ame(), 10).await.expect("read");
    assert_eq!(waiting.iter().map(|entry| (entry.position.0, entry.served)).collect::<Vec<_>>(), [(2, false)]);
    assert_eq!(tx.page(&ame(), Position(0), 10).await.expect("read").len(), 2, "it stays in the feed");
    tx.withdraw_entry(&ame(), Position(2)).await.expect("withdrawn");
    tx.commit().await.expect("committed");
    assert!(!hall.store.has_unconfirmed(&ame()).await.expect("asked"));
    assert!(!hall.store.has_work().await.expect("asked"));
}

async fn what_a_system_does_not_take_steps_aside_until_it_is_sent_again_or_set_aside<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let mut tx = hall.begin().await;
    let number = tx.insert_message(&message(1)).await.expect("stored");
    let stored = StoredMessage { number, message: message(1), discarded_at: None };
    let head = || Letterhead::of(&stored, &hall.journey.set().catalogue, hall.journey.keys()).expect("a system's login");
    tx.publish_answers(&[head().accepted(None, false), head().not_forwarded(false)]).await.expect("published");
    tx.commit().await.expect("committed");
    let mut tx = hall.begin().await;
    let of = |position| RefusedEntry {
        recipient: ame(),
        position: Position(position),
        code: brygga::domain::Code::RelayRefused,
        said: "400".to_owned(),
    };
    let places = |entries: Vec<FeedEntry>| entries.iter().map(|entry| entry.position.0).collect::<Vec<_>>();
    tx.refuse_entry(&ame(), Position(1), "400").await.expect("refused");
    tx.refuse_entry(&ame(), Position(1), "another word").await.expect("the first stands");
    assert_eq!(tx.refused_entries(number).await.expect("read"), [of(1)]);
    assert_eq!(places(tx.unconfirmed(&ame(), 10).await.expect("read")), [2], "the feed goes on");
    assert_eq!(tx.standing().await.expect("read").feeds[0].refused, 1);
    assert_eq!(crate::harness::dead_letters(&mut tx).await[0].cause.code, brygga::domain::Code::RelayRefused);
    tx.release_entry(&ame(), Position(1)).await.expect("released");
    assert_eq!(tx.refused_entries(number).await.expect("read"), []);
    assert_eq!(places(tx.unconfirmed(&ame(), 10).await.expect("read")), [1, 2], "at its own position");
    tx.confirm(&ame(), Position(1)).await.expect("confirmed");
    tx.refuse_entry(&ame(), Position(1), "400").await.expect("it has arrived after all");
    tx.refuse_entry(&ame(), Position(2), "400").await.expect("refused");
    assert_eq!(tx.refused_entries(number).await.expect("read"), [of(2)]);
    tx.commit().await.expect("committed");
    assert!(!hall.store.has_unconfirmed(&ame()).await.expect("asked") && !hall.store.has_work().await.expect("asked"));
    let mut tx = hall.begin().await;
    tx.discard_entry(&ame(), Position(2)).await.expect("set aside");
    tx.release_entry(&ame(), Position(2)).await.expect("for good");
    assert_eq!(tx.refused_entries(number).await.expect("read"), []);
    assert_eq!(
        (tx.standing().await.expect("read").feeds[0].refused, crate::harness::dead_letters(&mut tx).await.len()),
        (0, 0)
    );
    assert!(tx.unconfirmed(&ame(), 10).await.expect("read").is_empty());
}

async fn a_hold_periods_end_is_kept_once_and_claimed_when_it_has_come<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let mut tx = hall.begin().await;
    let mut kept = Vec::new();
    tx.lock_persons(&[1, 2, 3].map(person)).await.expect("locked");
    for (id, hours) in [(1_u8, 2), (2, 1), (3, 9)] {
        let number = tx.insert_message(&message(id.into())).await.expect("stored");
        kept.push(due(number, id, noon() + hours.hours()));
    }
    for one in &kept {
        tx.keep_due_answer(one).await.expect("kept");
    }
    tx.keep_due_answer(&due(kept[0].message, 7, noon())).await.expect("the first stands");
    tx.commit().await.expect("committed");
    assert!(!hall.store.has_work().await.expect("asked"));
    assert!(claimed(&hall, 10).await.is_empty());
    hall.engine.clock().set(noon() + 2.hours());
    assert!(hall.store.has_work().await.expect("asked"));
    let (first, second) = (kept[1].clone(), kept[0].clone());
    assert_eq!(claimed(&hall, 1).await, std::slice::from_ref(&first));
    let mut tx = hall.begin().await;
    assert_eq!(tx.claim_due_answers(10).await.expect("claimed"), [first.clone(), second.clone()], "the longest ended first");
    tx.end_due_answer(first.message).await.expect("ended");
    tx.end_due_answer(MessageNumber(4711)).await.expect("one that nobody knows");
    tx.commit().await.expect("committed");
    assert_eq!(claimed(&hall, 10).await, [second]);
}

on_both_engines! {
    what_a_system_does_not_take_steps_aside_until_it_is_sent_again_or_set_aside,
    answers_stand_in_the_senders_feed_until_they_are_confirmed,
    a_hold_periods_end_is_kept_once_and_claimed_when_it_has_come,
}
