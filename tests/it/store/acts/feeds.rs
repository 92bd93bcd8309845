//! Feeds: positions, what stands in a page, what takes an entry's place, what was served and confirmed.

use brygga::domain::Position;
use brygga::feed::Method;
use brygga::store::{EntryState, Feeds as _, Store as _, StoreError, Survey as _, Tx as _};
use jiff::ToSpan as _;

use EntryState::{Live, Replaced};
use Method::{Delete, Put};

use super::super::engine::{Engine, on_both_engines};
use super::{Hall, ame, message, put};
use crate::store::desk::{PERSONS, af, noon};

const START: Position = Position(0);

async fn positions_begin_at_one_and_a_rollback_leaves_no_gap<E: Engine>() {
    let hall = Hall::<E>::open().await;
    assert!(!hall.store.has_after(&af(), START).await.expect("asked"));
    let made = hall.made(PERSONS[0], 1);
    let mut tx = hall.keyed().await;
    put(&mut tx, &made).await;
    let seen = tx.page(&af(), START, 10).await.expect("read").len();
    drop(tx);
    assert_eq!((seen, hall.store.has_after(&af(), START).await.expect("asked")), (2, false), "seen by itself alone");
    let stored = hall.publish(&made).await;
    hall.publish(&hall.made(PERSONS[1], 2)).await;
    let mut tx = hall.begin().await;
    let page = tx.page(&af(), START, 10).await.expect("read");
    let positions: Vec<i64> = page.iter().map(|entry| entry.position.0).collect();
    assert_eq!(positions, [1, 2, 3, 4]);
    let (first, heading) = (&page[0], made.renditions[0].heading());
    assert_eq!(
        (first.subject, first.contract.clone(), first.syntax),
        (heading.subject, heading.contract.to_string(), heading.syntax)
    );
    assert_eq!((first.method, first.published_at, first.until), (Method::Put, noon(), Some(made.until)));
    assert_eq!((first.report, first.message, first.illustrative), (made.new.report, stored.number, heading.illustrative));
    assert!(!first.served && !first.flagged && first.traceparent.is_none() && !first.sealed.is_empty());
    assert_eq!(tx.recipients().await.expect("read"), [af()]);
    assert_eq!(tx.feeds_of(&stored.message.report.expect("a report")).await.expect("read"), [af()]);
    drop(tx);
    for (after, expected) in [(0, true), (3, true), (4, false), (9, false)] {
        assert_eq!(hall.store.has_after(&af(), Position(after)).await.expect("asked"), expected, "{after}");
    }
    assert!(!hall.store.has_after(&ame(), START).await.expect("asked"), "another feed");
}

async fn a_page_begins_after_a_position_and_is_bounded<E: Engine>() {
    let hall = Hall::<E>::open().await;
    for id in 1..5 {
        hall.publish(&hall.made(PERSONS[0], id)).await;
    }
    let mut tx = hall.begin().await;
    for (after, limit, expected) in [(0, 3, 1..=3), (3, 3, 4..=6), (6, 100, 7..=8)] {
        let page = tx.page(&af(), Position(after), limit).await.expect("read");
        let positions: Vec<i64> = page.iter().map(|entry| entry.position.0).collect();
        assert_eq!(positions, expected.collect::<Vec<_>>());
    }
    assert!(tx.page(&af(), Position(8), 10).await.expect("read").is_empty());
    assert!(tx.page(&ame(), START, 10).await.expect("read").is_empty());
}

async fn a_newer_entry_of_a_subject_takes_the_olders_place<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let made = hall.made(PERSONS[0], 1);
    let mut again = hall.made(PERSONS[0], 1);
    again.new.envelope.message_id = uuid::Uuid::from_u128(2);
    hall.publish(&made).await;
    let report = made.new.report.expect("a report");
    let stored = hall.publish(&again).await;
    let mut tx = hall.keyed().await;
    let states = |entries: &[brygga::store::EntryRow]| {
        entries.iter().map(|entry| (entry.position.0, entry.state, entry.method)).collect::<Vec<_>>()
    };
    let entries = tx.entries(&report, &af()).await.expect("read");
    assert_eq!(states(&entries), [(1, Replaced, Put), (2, Replaced, Put), (3, Live, Put), (4, Live, Put)]);
    assert_eq!((entries[2].message, entries[2].fingerprint.clone()), (stored.number, vec![1; 32]));
    // Twice in one transaction: the first of the two is never seen, and its position is there all the same.
    let subject = made.renditions[0].heading().subject;
    tx.publish(&made.renditions[0], &stored, &[9; 32], made.until).await.expect("published");
    tx.publish_delete(&af(), &subject, &stored).await.expect("published");
    tx.commit().await.expect("committed");
    let mut tx = hall.begin().await;
    let entries = tx.entries(&report, &af()).await.expect("read");
    assert_eq!(states(&entries)[2..], [(3, Replaced, Put), (4, Live, Put), (5, Replaced, Put), (6, Live, Delete)]);
    let page = tx.page(&af(), START, 10).await.expect("read");
    let delete = &page[1];
    assert_eq!(page.iter().map(|entry| entry.position.0).collect::<Vec<_>>(), [4, 6]);
    assert_eq!((delete.subject, delete.method, delete.until), (subject, Delete, None));
    assert!(delete.sealed.is_empty() && entries[5].fingerprint.is_empty(), "it carries no content");
    assert_eq!(delete.contract, made.renditions[0].heading().contract.to_string(), "of the same type as what it takes back");
    let never = brygga::domain::Subject::from_slice(&[9; 16]).expect("as long as a subject");
    let nothing = tx.publish_delete(&af(), &never, &stored).await;
    assert!(matches!(nothing, Err(StoreError::Inconsistent { .. })), "nothing to take back: {nothing:?}");
}

async fn an_entry_is_kept_for_a_newer_revision_or_taken_out_for_good<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let made = hall.made(PERSONS[0], 1);
    let report = made.new.report.expect("a report");
    let mut tx = hall.keyed().await;
    let first = put(&mut tx, &made).await;
    let newer = tx.insert_message(&message(7)).await.expect("stored");
    let until = made.until - 24.hours();
    // In the transaction that publishes them, and again after its commit.
    for round in 0..2 {
        let entries = tx.entries(&report, &af()).await.expect("read");
        let (kept, gone) = (entries[0].position, entries[1].position);
        assert_eq!(entries[0].message, if round == 0 { first.number } else { newer });
        tx.keep_entry(&af(), kept, newer, until).await.expect("kept");
        tx.withdraw_entry(&af(), gone).await.expect("withdrawn");
        let entries = tx.entries(&report, &af()).await.expect("read");
        assert_eq!((entries[0].message, entries[0].state), (newer, EntryState::Live));
        assert_eq!(entries[1].state, EntryState::Withdrawn);
        tx.commit().await.expect("committed");
        tx = hall.keyed().await;
        let page = tx.page(&af(), START, 10).await.expect("read");
        assert_eq!(
            page.iter().map(|entry| (entry.position.0, entry.until, entry.message)).collect::<Vec<_>>(),
            [(1, Some(until), newer)]
        );
    }
    assert!(hall.store.has_after(&af(), START).await.expect("asked"));
    assert!(!hall.store.has_after(&af(), Position(1)).await.expect("asked"), "what was withdrawn is nothing to come for");
}

async fn serving_marks_once_and_counts_pages_that_are_not_empty<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let mut tx = hall.begin().await;
    assert_eq!(tx.mark_served(&af(), &[]).await.expect("a feed that nobody knows has no pages"), 0);
    drop(tx);
    let made = hall.made(PERSONS[0], 1);
    let report = made.new.report.expect("a report");
    hall.publish(&made).await;
    for (positions, pages) in [(vec![1], 1), (vec![1, 2], 2), (vec![], 2)] {
        let mut tx = hall.begin().await;
        tx.lock_deliveries(&[af()]).await.expect("locked");
        let positions: Vec<Position> = positions.into_iter().map(Position).collect();
        assert_eq!(tx.mark_served(&af(), &positions).await.expect("marked"), pages);
        let entries = tx.entries(&report, &af()).await.expect("read");
        assert_eq!((entries[0].served, entries[1].served), (true, pages == 2));
        tx.commit().await.expect("committed");
    }
    let mut tx = hall.begin().await;
    let marks = tx.marks().await.expect("read");
    assert_eq!(marks.feeds[&af()], brygga::seal::FeedMark { head: 2, pages: 2 });
    let page = tx.page(&af(), START, 10).await.expect("read");
    assert!(page.iter().all(|entry| entry.served), "and it stays in the feed");
}

async fn a_page_says_who_is_protected_now<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let made = hall.made(PERSONS[0], 1);
    hall.publish(&made).await;
    hall.publish(&hall.made(PERSONS[1], 2)).await;
    let mut tx = hall.begin().await;
    let person = made.new.person.expect("a person");
    tx.lock_persons(&[person]).await.expect("locked");
    tx.set_flag(&person).await.expect("set");
    tx.commit().await.expect("committed");
    let page = hall.begin().await.page(&af(), START, 10).await.expect("read");
    assert_eq!(page.iter().map(|entry| entry.flagged).collect::<Vec<_>>(), [true, true, false, false]);
}

on_both_engines! {
    positions_begin_at_one_and_a_rollback_leaves_no_gap,
    a_page_begins_after_a_position_and_is_bounded,
    a_newer_entry_of_a_subject_takes_the_olders_place,
    an_entry_is_kept_for_a_newer_revision_or_taken_out_for_good,
    serving_marks_once_and_counts_pages_that_are_not_empty,
    a_page_says_who_is_protected_now,
}
