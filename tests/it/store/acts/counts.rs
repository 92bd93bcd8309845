//! What is counted, what waits for somebody, and what a restore asks.

use brygga::domain::{Categories, Category, Code, Position};
use brygga::seal::{FeedMark, Marks, Revocation};
use brygga::store::{Census, Feeds as _, LegState, MessageKind, MessageState, Store as _, Survey as _, Tx as _};
use jiff::ToSpan as _;

use MessageState::{Diverted, Duplicate, Journey, Recorded, Refused};

use super::super::engine::{Engine, on_both_engines};
use super::{Hall, leg, message, person, report_key};
use crate::store::desk::{PERSONS, af, noon};

async fn every_message_and_leg_is_counted_in_its_one_state<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let mut tx = hall.begin().await;
    let states = [Journey, Journey, Journey, Journey, Journey, Refused, Refused, Diverted, Recorded, Duplicate];
    let legs = [LegState::Published, LegState::Held, LegState::Refused, LegState::Superseded, LegState::Withdrawn];
    let mut first = None;
    for (id, state) in (1_u8..).zip(states) {
        let mut one = message(id.into());
        (one.state, one.fan_out, one.restricted) = (state, i64::from(state == Journey), id == 7);
        let number = tx.insert_message(&one).await.expect("stored");
        first.get_or_insert(number);
        if state == Journey {
            tx.put_leg(&leg(number, id, legs[usize::from(id) - 1], None)).await.expect("written");
        }
    }
    for _ in 0..3 {
        tx.count_duplicate(first.expect("a message")).await.expect("counted");
    }
    let wanted = Census {
        received: 13,
        duplicates: 4,
        refused: 2,
        diverted: 1,
        recorded: 1,
        journeys: 5,
        restricted: 1,
        fan_out: 5,
        published: 1,
        held: 1,
        legs_refused: 1,
        superseded: 1,
        withdrawn: 1,
    };
    assert_eq!(tx.census().await.expect("counted"), wanted);
    tx.commit().await.expect("committed");
    assert_eq!(hall.begin().await.census().await.expect("counted"), wanted);
    assert!(wanted.adds_up());
}

async fn lists_show_what_an_operator_may_see_oldest_first<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let mut tx = hall.begin().await;
    let mut refused = message(1);
    (refused.state, refused.kind, refused.violations) =
        (MessageState::Refused, MessageKind::Report, vec![(Code::ContractItems, "/days".to_owned())]);
    refused.envelope.received_at = noon() - 2.hours();
    let mut restricted = refused.clone();
    (restricted.restricted, restricted.envelope.message_id) = (true, uuid::Uuid::from_u128(2));
    // No list shows it, so nobody could end an alarm for it.
    restricted.envelope.received_at = noon() - 5.hours();
    let mut discarded = refused.clone();
    discarded.envelope.message_id = uuid::Uuid::from_u128(3);
    discarded.envelope.received_at = noon() - 3.hours();
    let mut with_leg = message(4);
    with_leg.envelope.received_at = noon() - 1.hours();
    let of_leg = tx.insert_message(&with_leg).await.expect("stored");
    let mut no_terms = leg(of_leg, 4, LegState::Refused, None);
    no_terms.code = Some(Code::AgreementNone);
    tx.put_leg(&no_terms).await.expect("written");
    let whole = tx.insert_message(&refused).await.expect("stored");
    tx.insert_message(&restricted).await.expect("stored");
    let gone = tx.insert_message(&discarded).await.expect("stored");
    tx.discard_message(gone).await.expect("discarded");
    let holding = tx.insert_message(&message(5)).await.expect("stored");
    let mut waits = leg(holding, 5, LegState::Held, Some(noon() + 1.hours()));
    waits.code = Some(Code::ConsentMissing);
    tx.put_leg(&waits).await.expect("written");
    tx.commit().await.expect("committed");
    let mut tx = hall.begin().await;
    let letters = crate::harness::dead_letters(&mut tx).await;
    let brief: Vec<_> = letters.iter().map(|one| (one.message, one.recipient.clone(), one.cause.code)).collect();
    assert_eq!(brief, [(whole, None, Code::ContractItems), (of_leg, Some(af()), Code::AgreementNone)]);
    let letter = &letters[0];
    assert_eq!((letter.cause.login.clone(), letter.message_id), (super::login(), refused.envelope.message_id));
    assert_eq!((letter.cause.contract.as_str(), letter.received_at), ("activity-report.v1", noon() - 2.hours()));
    let held = tx.held().await.expect("read");
    assert_eq!(held.len(), 1);
    assert_eq!((held[0].message, held[0].recipient.clone(), held[0].code), (holding, af(), Code::ConsentMissing));
    assert_eq!((held[0].due_at, held[0].received_at), (Some(noon() + 1.hours()), noon()));
    let standing = tx.standing().await.expect("read");
    assert_eq!((standing.oldest_dead_letter, standing.oldest_due), (Some(noon() - 2.hours()), None));
    tx.discard_message(whole).await.expect("discarded");
    let standing = tx.standing().await.expect("read");
    assert_eq!(standing.oldest_dead_letter, Some(noon() - 1.hours()), "a refused leg is a dead letter too");
}

async fn a_feeds_standing_says_what_nobody_has_fetched<E: Engine>() {
    let hall = Hall::<E>::open().await;
    hall.publish(&hall.made(PERSONS[0], 1)).await;
    hall.engine.clock().set(noon() + 1.hours());
    hall.publish(&hall.made(PERSONS[1], 2)).await;
    let mut tx = hall.begin().await;
    let feed = tx.standing().await.expect("read").feeds.remove(0);
    assert_eq!((feed.recipient, feed.head.0, feed.waiting, feed.oldest_waiting), (af(), 4, 4, Some(noon())));
    tx.lock_deliveries(&[af()]).await.expect("locked");
    tx.mark_served(&af(), &[1, 2].map(brygga::domain::Position)).await.expect("marked");
    let feed = tx.standing().await.expect("read").feeds.remove(0);
    assert_eq!((feed.head.0, feed.waiting, feed.oldest_waiting), (4, 2, Some(noon() + 1.hours())));
}

async fn marks_say_how_far_the_content_has_come<E: Engine>() {
    let hall = Hall::<E>::open().await;
    assert_eq!(hall.begin().await.marks().await.expect("read"), Marks::default());
    let stored = hall.publish(&hall.made(PERSONS[0], 1)).await;
    let mut tx = hall.begin().await;
    let marks = tx.marks().await.expect("read");
    assert_eq!(marks.messages, stored.number.0);
    assert_eq!(marks.feeds, [(af(), FeedMark { head: 2, pages: 0 })].into());
    let another = tx.insert_message(&message(9)).await.expect("stored");
    assert_eq!(tx.marks().await.expect("read").messages, another.0, "its own among it");
    drop(tx);
    assert_eq!(hall.store.epoch().await.expect("read"), 1);
    let mut tx = hall.begin().await;
    tx.begin_epoch(5).await.expect("begun");
    drop(tx);
    assert_eq!(hall.store.epoch().await.expect("read"), 1, "not committed");
    let mut tx = hall.begin().await;
    tx.begin_epoch(5).await.expect("begun");
    tx.commit().await.expect("committed");
    assert_eq!(hall.engine.process().await.epoch().await.expect("read"), 5);
}

async fn a_revocation_that_a_backup_had_lost_is_kept_once<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let some = Categories::NONE.with(Category::Attendance).with(Category::AbsenceReason);
    let of = |number, consent, categories| Revocation {
        consent: report_key(consent),
        person: person(number),
        revoked_at: noon(),
        categories,
    };
    let (whole, part, other) = (of(1, 1, None), of(1, 2, Some(some)), of(2, 3, None));
    let mut tx = hall.begin().await;
    tx.lock_persons(&[person(1), person(2)]).await.expect("locked");
    assert_eq!(tx.kept_revocations(&person(1)).await.expect("read"), []);
    for one in [whole, part, other, whole] {
        tx.keep_revocation(&one).await.expect("kept");
    }
    for is_committed in [false, true] {
        assert_eq!(tx.kept_revocations(&person(1)).await.expect("read"), [whole, part]);
        assert_eq!(tx.kept_revocations(&person(2)).await.expect("read"), [other]);
        if !is_committed {
            tx.commit().await.expect("committed");
            tx = hall.begin().await;
            tx.lock(&brygga::store::Concerned::whole(person(1))).await.expect("locked");
        }
    }
}

async fn when_the_newest_served_entry_of_a_feed_was_served_is_told<E: Engine>() {
    let hall = Hall::<E>::open().await;
    for (person, id) in PERSONS.iter().take(2).zip(1..) {
        hall.publish(&hall.made(person, id)).await;
    }
    assert_eq!(hall.begin().await.last_served().await.expect("read"), [(af(), None)]);
    for (seconds, position) in [(1, 1), (2, 2)] {
        hall.engine.clock().set(noon() + seconds.seconds());
        let mut tx = hall.begin().await;
        tx.lock_deliveries(&[af()]).await.expect("locked");
        tx.mark_served(&af(), &[Position(position)]).await.expect("marked");
        tx.commit().await.expect("committed");
    }
    assert_eq!(hall.begin().await.last_served().await.expect("read"), [(af(), Some(noon() + 2.seconds()))]);
}

on_both_engines! {
    when_the_newest_served_entry_of_a_feed_was_served_is_told,
    every_message_and_leg_is_counted_in_its_one_state,
    lists_show_what_an_operator_may_see_oldest_first,
    a_feeds_standing_says_what_nobody_has_fetched,
    marks_say_how_far_the_content_has_come,
    a_revocation_that_a_backup_had_lost_is_kept_once,
}
