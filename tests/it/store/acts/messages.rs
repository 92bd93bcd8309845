//! Messages: what is stored reads back as itself, each id and content once, and nothing of what is not committed.

use std::fmt::Debug;

use brygga::domain::{Code, Trace};
use brygga::store::{LegState, MessageKind, MessageState, NewMessage, Store as _, StoreError, Survey as _, Tx as _};
use uuid::Uuid;

use super::super::engine::{Engine, on_both_engines};
use super::{Hall, fingerprint, leg, login, message, person, report_key};
use crate::store::desk::{PERSONS, noon};

/// Everything of a message, to be compared.
fn whole(message: &NewMessage) -> impl Debug + PartialEq + use<> {
    let envelope = &message.envelope;
    (
        (envelope.login.clone(), envelope.message_id, envelope.contract.clone(), envelope.syntax),
        (envelope.message_time, envelope.received_at, envelope.trace.clone(), message.fingerprint, message.kind),
        (message.state, message.violations.clone(), message.restricted, message.person, message.report),
        (message.revision, message.content, message.fan_out, message.sealed.clone()),
    )
}

async fn a_message_reads_back_as_itself_before_and_after_its_commit<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let mut full = message(1);
    full.envelope.trace = Trace {
        parent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().expect("a traceparent")),
        correlation_id: Some(Uuid::from_u128(77)),
    };
    full.violations = vec![(Code::ContractItems, "/days".to_owned()), (Code::ContractUnknownField, "?".to_owned())];
    let mut bare = message(2);
    (bare.kind, bare.state, bare.restricted) = (MessageKind::Unknown, MessageState::Refused, true);
    (bare.person, bare.report, bare.revision, bare.content) = (None, None, None, None);
    let mut tx = hall.begin().await;
    let mut numbers = Vec::new();
    for one in [&full, &bare] {
        let number = tx.insert_message(one).await.expect("stored");
        let stored = tx.message(number).await.expect("read").expect("there");
        assert_eq!((stored.number, whole(&stored.message), stored.discarded_at), (number, whole(one), None));
        numbers.push(number);
    }
    assert!(numbers[0] < numbers[1], "numbers go up");
    tx.commit().await.expect("committed");
    let mut tx = hall.begin().await;
    for (one, number) in [&full, &bare].into_iter().zip(numbers) {
        let stored = tx.message(number).await.expect("read").expect("there");
        assert_eq!(whole(&stored.message), whole(one));
    }
    let nobody = brygga::domain::MessageNumber(4711);
    assert!(tx.message(nobody).await.expect("what is not there is no error").is_none());
}

async fn what_is_not_committed_is_not_there<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let mut tx = hall.begin().await;
    let number = tx.insert_message(&message(1)).await.expect("stored");
    tx.put_leg(&leg(number, 1, LegState::Held, Some(noon()))).await.expect("written");
    tx.census().await.expect("even what was written out");
    drop(tx);
    let mut tx = hall.begin().await;
    assert!(tx.message(number).await.expect("read").is_none());
    assert!(tx.legs(number).await.expect("read").is_empty());
    assert_eq!(tx.receipts(&login(), Uuid::from_u128(1)).await.expect("read"), []);
    assert_eq!(tx.census().await.expect("counted").received, 0);
    drop(tx);
    assert!(!hall.store.has_work().await.expect("asked"));
}

async fn a_receipt_is_found_by_login_and_id_and_each_content_under_it_once<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let mut other = message(1);
    other.fingerprint = fingerprint(9);
    let mut tx = hall.begin().await;
    assert_eq!(tx.receipts(&login(), Uuid::from_u128(1)).await.expect("read"), []);
    let first = tx.insert_message(&message(1)).await.expect("stored");
    let second = tx.insert_message(&other).await.expect("another content under the same id is a conflict, not a fault");
    let receipts = tx.receipts(&login(), Uuid::from_u128(1)).await.expect("read");
    assert_eq!(receipts.iter().map(|receipt| receipt.number).collect::<Vec<_>>(), [first, second]);
    assert_eq!(receipts[1].fingerprint, Some(fingerprint(9)));
    assert_eq!(tx.receipts(&login(), Uuid::from_u128(2)).await.expect("read"), []);
    let elsewhere = "hallefors-forsorjningsstod".to_owned().try_into().expect("a login");
    assert_eq!(tx.receipts(&elsewhere, Uuid::from_u128(1)).await.expect("read"), []);
    tx.commit().await.expect("committed");
    // Somebody who has not looked stores the same once more: it is begun again, and then it is found.
    let mut tx = hall.begin().await;
    let again = match tx.insert_message(&message(1)).await {
        Ok(_) => tx.commit().await,
        Err(error) => {
            drop(tx);
            Err(error)
        }
    };
    assert!(matches!(again, Err(StoreError::Contended)), "{again:?}");
    let mut tx = hall.begin().await;
    assert_eq!(tx.receipts(&login(), Uuid::from_u128(1)).await.expect("read").len(), 2);
}

async fn a_message_changes_and_is_discarded_and_run_again<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let mut refused = message(1);
    (refused.state, refused.report, refused.fan_out) = (MessageState::Refused, None, 0);
    refused.violations = vec![(Code::ContractItems, "/days".to_owned())];
    let mut tx = hall.begin().await;
    let number = tx.insert_message(&refused).await.expect("stored");
    tx.discard_message(number).await.expect("discarded");
    tx.commit().await.expect("committed");
    let mut tx = hall.begin().await;
    let stored = tx.message(number).await.expect("read").expect("there");
    assert_eq!((stored.discarded_at, stored.message.state), (Some(noon()), MessageState::Refused), "it stays refused");
    let changed = message(1);
    tx.update_message(number, &changed).await.expect("changed");
    let stored = tx.message(number).await.expect("read").expect("there");
    assert_eq!((whole(&stored.message), stored.discarded_at), (whole(&changed), None));
    tx.put_leg(&leg(number, 1, LegState::Published, None)).await.expect("written");
    tx.commit().await.expect("committed");
    let mut tx = hall.begin().await;
    tx.divert_message(number).await.expect("diverted");
    assert!(tx.legs(number).await.expect("read").is_empty(), "its legs are not counted any more");
    tx.commit().await.expect("committed");
    let mut tx = hall.begin().await;
    assert_eq!(tx.message(number).await.expect("read").expect("there").message.state, MessageState::Diverted);
    assert!(tx.legs(number).await.expect("read").is_empty());
    assert!(tx.census().await.expect("counted").adds_up());
}

async fn a_persons_messages_come_by_kind_in_order_and_a_reports_journeys_by_revision<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let of = |id: u128, kind, state, revision| {
        let mut one = message(id);
        (one.person, one.report, one.kind, one.state) = (Some(person(1)), Some(report_key(1)), kind, state);
        one.revision = Some(revision);
        one
    };
    let (report, consent) = (MessageKind::Report, MessageKind::Consent);
    let all = [
        of(1, report, MessageState::Journey, 3),
        of(2, consent, MessageState::Recorded, 1),
        of(3, report, MessageState::Refused, 4),
        of(4, report, MessageState::Journey, 1),
        message(5),
    ];
    let mut tx = hall.begin().await;
    let mut numbers = Vec::new();
    for one in &all[..3] {
        numbers.push(tx.insert_message(one).await.expect("stored"));
    }
    tx.commit().await.expect("committed");
    let mut tx = hall.begin().await;
    for is_fresh in [true, false] {
        if is_fresh {
            for one in &all[3..] {
                numbers.push(tx.insert_message(one).await.expect("stored"));
            }
        }
        let of_kind = tx.messages_of(&person(1), report).await.expect("read");
        let found: Vec<_> = of_kind.iter().map(|stored| stored.number).collect();
        assert_eq!(found, [numbers[0], numbers[2], numbers[3]]);
        let journeys = tx.revisions(&report_key(1)).await.expect("read");
        let found: Vec<_> = journeys.iter().map(|stored| stored.number).collect();
        assert_eq!(found, [numbers[3], numbers[0]], "by revision, journeys alone");
        assert_eq!(tx.messages_of(&person(1), consent).await.expect("read").len(), 1);
        assert!(tx.messages_of(&person(9), report).await.expect("read").is_empty());
        assert!(tx.revisions(&report_key(9)).await.expect("read").is_empty());
        if is_fresh {
            tx.commit().await.expect("committed");
            tx = hall.begin().await;
        }
    }
}

async fn a_service_takes_the_fixtures_reports_through_this_port<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let made = hall.made(PERSONS[0], 1);
    assert_eq!(made.renditions.len(), 2, "the report and one absence: what the acts on feeds are shown with");
    let stored = hall.publish(&made).await;
    let mut tx = hall.begin().await;
    assert_eq!(whole(&tx.message(stored.number).await.expect("read").expect("there").message), whole(&made.new));
}

on_both_engines! {
    a_message_reads_back_as_itself_before_and_after_its_commit,
    what_is_not_committed_is_not_there,
    a_receipt_is_found_by_login_and_id_and_each_content_under_it_once,
    a_message_changes_and_is_discarded_and_run_again,
    a_persons_messages_come_by_kind_in_order_and_a_reports_journeys_by_revision,
    a_service_takes_the_fixtures_reports_through_this_port,
}
