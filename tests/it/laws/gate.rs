//! Law 3: the gate holds when served; and what a protection flag does to whatever came before.

use brygga::agreement::GateKind;
use brygga::domain::{Category, Code, Party};
use brygga::feed::{Cursor, Method};
use brygga::store::{LegState, MessageState, Store};
use serde_json::json;

use super::message::{CONSENTABLE, Waiver, flag, report};
use super::report::{PERSONS, plain};
use super::run;
use super::world::{Event, Home, World, af, fs, usual};

const PERSON: &str = PERSONS[0];

fn waiver() -> Waiver {
    Waiver::new(PERSON, "W-1", Party::Arbetsformedlingen, &CONSENTABLE)
}

/// How many documents of a method there are.
fn count(events: &[Event], method: Method) -> usize {
    events.iter().filter(|event| event.method == method).count()
}

async fn published<H: Home>() -> World<H> {
    let world = World::<H>::new(usual(GateKind::Waiver)).await;
    world.take(vec![waiver().arrival(1)]).await;
    let (_, state) = world.take_one(report(2, &plain(PERSON).tree())).await;
    assert_eq!(state, MessageState::Journey);
    world
}

fn what_was_served_gets_its_delete_and_is_never_served_again<H: Home>() {
    run(async {
        let world = published::<H>().await;
        let served = world.page(&af(), Cursor::START, 10).await;
        assert_eq!((served.len(), count(&served, Method::Put)), (2, 2), "a report and one absence");
        let cursor = Cursor::at(served[1].position);
        world.take(vec![waiver().revoking(2, &[]).arrival(3)]).await;

        assert_eq!(count(&world.read(&af()).await, Method::Put), 0, "from the start");
        let after = world.page(&af(), cursor, 10).await;
        assert_eq!((after.len(), count(&after, Method::Delete)), (2, 2), "from the old cursor");
        assert!(after.iter().all(|event| event.document.is_empty() && event.position > served[1].position));
        let subjects = |events: &[Event]| events.iter().map(|event| event.subject).collect::<std::collections::BTreeSet<_>>();
        assert_eq!(subjects(&after), subjects(&served));
        let census = world.census().await;
        assert_eq!((census.withdrawn, census.held), (1, 1), "taken back from one, still waiting for the other");
    });
}

fn what_nobody_fetched_vanishes_and_an_open_gate_publishes_anew<H: Home>() {
    run(async {
        let world = published::<H>().await;
        world.take(vec![waiver().revoking(2, &[]).arrival(3)]).await;
        assert_eq!(world.read(&af()).await, [], "nothing was served, so there is nothing to delete");
        let anew = Waiver::new(PERSON, "W-2", Party::Arbetsformedlingen, &CONSENTABLE);
        world.take(vec![anew.arrival(4)]).await;
        let events = world.read(&af()).await;
        assert_eq!(count(&events, Method::Put), 2);
        assert!(events.iter().all(|event| event.position.0 > 2), "at new positions");
        assert_eq!(world.census().await.published, 1);
    });
}

fn a_page_in_the_middle_marks_only_itself_as_served<H: Home>() {
    run(async {
        let world = published::<H>().await;
        let first = world.page(&af(), Cursor::START, 1).await;
        world.take(vec![waiver().revoking(2, &[]).arrival(3)]).await;
        let rest = world.read(&af()).await;
        assert_eq!((rest.len(), rest[0].method, rest[0].subject), (1, Method::Delete, first[0].subject));
    });
}

fn a_partial_revocation_takes_back_only_what_rested_on_it<H: Home>() {
    run(async {
        let world = published::<H>().await;
        let served = world.read(&af()).await;
        world.take(vec![waiver().revoking(2, &[Category::AbsenceReason]).arrival(3)]).await;
        let events = world.read(&af()).await;
        assert_eq!((count(&events, Method::Put), count(&events, Method::Delete)), (1, 1));
        assert!(events[0] == served[0] || events[0] == served[1], "the report stays where it was");
        assert!(events[1].position > served[1].position);
    });
}

fn a_delete_that_a_new_document_hid_is_still_owed<H: Home>() {
    run(async {
        let world = published::<H>().await;
        let served = world.read(&af()).await;
        world.take(vec![waiver().revoking(2, &[]).arrival(3)]).await;
        // Nobody polls; a new waiver publishes anew over the deletes and ends before anybody has looked.
        let mut anew = Waiver::new(PERSON, "W-2", Party::Arbetsformedlingen, &CONSENTABLE);
        anew.to = "2026-03-04";
        world.take(vec![anew.arrival(4)]).await;
        world.clock.set(super::world::at("2026-03-05T12:00:00Z"));
        world.sweep().await;
        let after = world.page(&af(), Cursor::at(served[1].position), 10).await;
        assert_eq!((after.len(), count(&after, Method::Delete)), (2, 2));
    });
}

fn a_delete_that_another_reader_has_seen_is_still_owed<H: Home>() {
    run(async {
        let world = published::<H>().await;
        let served = world.read(&af()).await;
        let behind = Cursor::at(served[1].position);
        world.take(vec![waiver().revoking(2, &[]).arrival(3)]).await;
        assert_eq!(count(&world.page(&af(), behind, 10).await, Method::Delete), 2, "one reader, or one whose connection broke");
        // A new waiver publishes anew over the deletes that were served, and is taken back before anybody has looked.
        let anew = Waiver::new(PERSON, "W-2", Party::Arbetsformedlingen, &CONSENTABLE);
        world.take(vec![anew.arrival(4)]).await;
        world.take(vec![anew.revoking(2, &[]).arrival(5)]).await;
        let after = world.page(&af(), behind, 10).await;
        assert_eq!((after.len(), count(&after, Method::Delete)), (2, 2), "who reads on from there holds nothing of the person");
    });
}

fn a_flag_takes_back_everything_and_diverts_what_came_before_and_after<H: Home>() {
    run(async {
        let world = published::<H>().await;
        world.take(vec![Waiver::new(PERSON, "W-fs", Party::Forsorjningsstod, &CONSENTABLE).arrival(5)]).await;
        let mut wrong = plain(PERSON).tree();
        wrong["placement"]["activity"] = json!("Något annat");
        assert_eq!(world.take_one(report(6, &wrong)).await.1, MessageState::Refused);
        let served = world.read(&af()).await;
        world.take(vec![flag(7, PERSON)]).await;
        let mut late = plain(PERSON).revision(2, "correction").tree();
        late["unknown"] = json!(true);
        assert_eq!(world.take_one(report(8, &late)).await.1, MessageState::Diverted);
        let events = world.read(&af()).await;
        assert_eq!((count(&events, Method::Put), count(&events, Method::Delete)), (0, served.len()));
        assert_eq!(world.read(&fs()).await, [], "nobody had fetched it");
        let census = world.census().await;
        assert_eq!((census.diverted, census.refused, census.journeys, census.fan_out), (3, 0, 0, 0));
        let mut tx = world.store.begin("test").await.expect("a transaction");
        assert_eq!(crate::harness::dead_letters(&mut tx).await, [], "a protected person is in no list");
    });
}

fn a_flag_counts_even_in_a_message_whose_id_was_used_before<H: Home>() {
    run(async {
        let world = published::<H>().await;
        let mut flagged = plain(PERSON).revision(2, "correction").tree();
        flagged["participant"]["protectedIdentity"] = json!(true);
        let (number, state) = world.take_one(report(2, &flagged)).await;
        assert_eq!(state, MessageState::Diverted, "{:?}", world.message(number).await.message.violations);
        assert_eq!(count(&world.read(&af()).await, Method::Put), 0);
        assert_eq!(world.census().await.diverted, 2);
    });
}

fn a_cancellation_that_comes_after_a_higher_correction_takes_nothing_back<H: Home>() {
    run(async {
        let world = published::<H>().await;
        let (corrected, _) = world.take_one(report(3, &plain(PERSON).revision(3, "correction").tree())).await;
        let before = world.read(&af()).await;
        let (cancelled, _) = world.take_one(report(4, &plain(PERSON).revision(2, "cancellation").tree())).await;
        assert_eq!(world.read(&af()).await, before);
        assert_eq!(world.leg(corrected, &af()).await.state, LegState::Published);
        let leg = world.leg(cancelled, &af()).await;
        assert_eq!((leg.state, leg.code), (LegState::Superseded, Some(Code::JourneySuperseded)));
    });
}

on_both_engines! {
    what_was_served_gets_its_delete_and_is_never_served_again,
    what_nobody_fetched_vanishes_and_an_open_gate_publishes_anew,
    a_page_in_the_middle_marks_only_itself_as_served,
    a_partial_revocation_takes_back_only_what_rested_on_it,
    a_delete_that_a_new_document_hid_is_still_owed,
    a_delete_that_another_reader_has_seen_is_still_owed,
    a_flag_takes_back_everything_and_diverts_what_came_before_and_after,
    a_flag_counts_even_in_a_message_whose_id_was_used_before,
    a_cancellation_that_comes_after_a_higher_correction_takes_nothing_back,
}
