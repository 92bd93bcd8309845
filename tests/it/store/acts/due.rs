//! Legs, and what falls due.

use brygga::domain::Code;
use brygga::store::{DueAnswer, DueReport, LegState, Store as _, Survey as _, Tx as _};
use jiff::ToSpan as _;

use super::super::engine::{Engine, on_both_engines};
use super::{Hall, ame, leg, message, person, report_key};
use crate::store::desk::{af, noon};

async fn a_leg_is_written_and_changed_under_its_message_and_recipient<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let mut tx = hall.begin().await;
    let number = tx.insert_message(&message(1)).await.expect("stored");
    let mut to_af = leg(number, 1, LegState::Held, Some(noon()));
    let mut to_ame = to_af.clone();
    to_ame.id.recipient = ame();
    for one in [&to_af, &to_ame] {
        tx.put_leg(one).await.expect("written");
    }
    assert_eq!(tx.legs(number).await.expect("read"), [to_ame.clone(), to_af.clone()], "by recipient");
    tx.commit().await.expect("committed");
    (to_af.state, to_af.code, to_af.due_at) = (LegState::Refused, Some(Code::ConsentHoldExpired), None);
    (to_af.documents, to_af.basis) = (2, "{\"gate\":\"waiver\"}".to_owned());
    let mut tx = hall.begin().await;
    tx.put_leg(&to_af).await.expect("changed");
    tx.commit().await.expect("committed");
    let mut tx = hall.begin().await;
    assert_eq!(tx.legs(number).await.expect("read"), [to_ame, to_af]);
    assert_eq!(tx.legs(brygga::domain::MessageNumber(4711)).await.expect("read"), []);
}

/// Claims in a transaction of its own: its locks are gone when it has committed.
async fn claimed<E: Engine>(hall: &Hall<E>, limit: i64) -> Vec<DueReport> {
    let mut tx = hall.begin().await;
    let claimed = tx.claim_due(limit).await.expect("claimed");
    tx.commit().await.expect("committed");
    claimed
}

/// Three reports of three participants, due an hour apart, the third of them first.
async fn three<E: Engine>(hall: &Hall<E>) -> [DueReport; 3] {
    let mut tx = hall.begin().await;
    for (id, hours) in [(1_u8, 2), (2, 3), (3, 1)] {
        tx.lock_persons(&[person(id)]).await.expect("locked");
        let number = tx.insert_message(&message(id.into())).await.expect("stored");
        tx.put_leg(&leg(number, id, LegState::Held, Some(noon() + hours.hours()))).await.expect("written");
    }
    tx.commit().await.expect("committed");
    [1, 2, 3].map(|id| DueReport { person: person(id), report: report_key(id) })
}

async fn what_is_due_is_claimed_in_order_and_up_to_a_number<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let [one, two, three] = three(&hall).await;
    assert!(!hall.store.has_work().await.expect("asked"), "nothing is due yet");
    assert!(claimed(&hall, 10).await.is_empty());
    hall.engine.clock().set(noon() + 2.hours());
    assert!(hall.store.has_work().await.expect("asked"));
    assert_eq!(claimed(&hall, 10).await, [three, one], "the longest due first");
    assert_eq!(claimed(&hall, 1).await, [three]);
    hall.engine.clock().set(noon() + 3.hours());
    let mut tx = hall.begin().await;
    assert_eq!(tx.claim_due(10).await.expect("claimed"), [three, one, two]);
    for stored in tx.revisions(&three.report).await.expect("read") {
        let mut leg = tx.legs(stored.number).await.expect("read").remove(0);
        leg.due_at = None;
        tx.put_leg(&leg).await.expect("written");
    }
    tx.commit().await.expect("committed");
    let standing = hall.begin().await.standing().await.expect("read");
    assert_eq!(standing.oldest_due, Some(noon() + 2.hours()));
    assert_eq!(claimed(&hall, 10).await, [one, two], "what was settled is not due any more");
}

async fn what_is_put_off_is_due_again_at_its_new_time_and_counts_as_late_then<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let [one, two, three] = three(&hall).await;
    hall.engine.clock().set(noon() + 2.hours());
    let mut tx = hall.begin().await;
    assert_eq!(tx.due(10).await.expect("looked"), [three, one]);
    let messages = tx.put_off_due(&three.report, noon() + 3.hours()).await.expect("put off");
    assert_eq!(messages.len(), 1);
    assert!(tx.put_off_due(&two.report, noon() + 9.hours()).await.expect("nothing of it is due").is_empty());
    assert_eq!(tx.legs(messages[0]).await.expect("read")[0].due_at, Some(noon() + 3.hours()));
    let stored = tx.message(messages[0]).await.expect("read").expect("there");
    let (person, recipients) = (stored.message.person.expect("a person"), vec![ame()]);
    let answer = DueAnswer { message: stored.number, person, recipients, due_at: noon() + 1.hours(), illustrative: false };
    tx.keep_due_answer(&answer).await.expect("kept");
    tx.commit().await.expect("committed");
    let mut tx = hall.begin().await;
    assert_eq!(tx.due(10).await.expect("looked"), [one]);
    assert_eq!(tx.due_answers(10).await.expect("looked"), std::slice::from_ref(&answer));
    assert_eq!(tx.standing().await.expect("read").oldest_due, Some(noon() + 1.hours()), "an answer can be late too");
    tx.put_off_due_answer(answer.message, noon() + 3.hours()).await.expect("put off");
    assert!(tx.due_answers(10).await.expect("looked").is_empty());
    tx.commit().await.expect("committed");
    hall.engine.clock().set(noon() + 3.hours());
    let mut tx = hall.begin().await;
    assert_eq!(tx.due(1).await.expect("looked"), [one], "the longest due first");
    assert_eq!(tx.due(10).await.expect("looked").len(), 3);
    assert_eq!(tx.due_answers(10).await.expect("looked").len(), 1);
}

async fn what_one_claims_no_other_does<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let reports = three(&hall).await;
    hall.engine.clock().set(noon() + 3.hours());
    let other = hall.engine.process().await;
    let mut first = hall.begin().await;
    let claimed = first.claim_due(1).await.expect("claimed");
    let second = tokio::spawn(async move {
        let mut tx = other.begin("test").await.expect("a transaction");
        let claimed = tx.claim_due(10).await.expect("claimed");
        tx.commit().await.expect("committed");
        claimed
    });
    // One engine gives the other what is left, the other lets it wait.
    tokio::time::sleep(std::time::Duration::from_millis(30)).await;
    for due in &claimed {
        for stored in first.revisions(&due.report).await.expect("read") {
            let mut leg = first.legs(stored.number).await.expect("read").remove(0);
            leg.due_at = None;
            first.put_leg(&leg).await.expect("written");
        }
    }
    first.commit().await.expect("committed");
    let rest = second.await.expect("it ends");
    assert_eq!(claimed, [reports[2]]);
    assert!(!rest.contains(&reports[2]), "claimed twice: {rest:?}");
}

async fn a_report_is_made_due_now_but_for_what_a_newer_revision_has_replaced<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let mut tx = hall.begin().await;
    tx.lock_persons(&[person(1)]).await.expect("locked");
    let old = tx.insert_message(&message(1)).await.expect("stored");
    let mut newer = message(2);
    (newer.person, newer.report, newer.revision) = (Some(person(1)), Some(report_key(1)), Some(2));
    let new = tx.insert_message(&newer).await.expect("stored");
    tx.put_leg(&leg(old, 1, LegState::Superseded, None)).await.expect("written");
    tx.put_leg(&leg(new, 1, LegState::Published, None)).await.expect("written");
    tx.make_due(&report_key(1)).await.expect("made due");
    for is_committed in [false, true] {
        assert_eq!(tx.legs(old).await.expect("read")[0].due_at, None);
        assert_eq!(tx.legs(new).await.expect("read")[0].due_at, Some(noon()));
        if !is_committed {
            tx.commit().await.expect("committed");
            tx = hall.begin().await;
        }
    }
    assert_eq!(tx.claim_due(10).await.expect("claimed"), [DueReport { person: person(1), report: report_key(1) }]);
    tx.make_due(&report_key(9)).await.expect("a report that nobody knows");
    drop(tx);
    assert!(hall.store.has_work().await.expect("asked"));
    assert!(!hall.store.has_after(&af(), brygga::domain::Position(0)).await.expect("asked"));
}

on_both_engines! {
    a_leg_is_written_and_changed_under_its_message_and_recipient,
    what_is_due_is_claimed_in_order_and_up_to_a_number,
    what_is_put_off_is_due_again_at_its_new_time_and_counts_as_late_then,
    what_one_claims_no_other_does,
    a_report_is_made_due_now_but_for_what_a_newer_revision_has_replaced,
}
