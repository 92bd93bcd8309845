//! What a date has ended while something else is recorded: a waiver that comes later, a revocation of some categories, a law that
//! asks for more.

use std::sync::Arc;

use brygga::agreement::{GateKind, Illustrations};
use brygga::domain::{Category, Code, MessageNumber, Party};
use brygga::feed::{Cursor, Method};
use brygga::journey::ContractSet;
use brygga::store::LegState;

use super::message::{CONSENTABLE, Waiver, report};
use super::report::{PERSONS, plain};
use super::run;
use super::world::{AGREEMENT, Agreement, Event, Home, World, af, at, repository, usual};

const PERSON: &str = PERSONS[1];

/// A waiver to Arbetsförmedlingen from a day to another.
fn waiver(id: &str, from: &'static str, to: &'static str) -> Waiver {
    Waiver { from, to, ..Waiver::new(PERSON, id, Party::Arbetsformedlingen, &CONSENTABLE) }
}

/// A world in which a report was shown under a waiver that ends on 10 March: its number, and what was shown.
async fn shown<H: Home>() -> (World<H>, MessageNumber, Vec<Event>) {
    let world = World::<H>::new(usual(GateKind::Waiver)).await;
    world.take(vec![waiver("W-1", "2026-01-01", "2026-03-10").arrival(1)]).await;
    let (number, _) = world.take_one(report(2, &plain(PERSON).tree())).await;
    let served = world.read(&af()).await;
    assert_eq!(served.len(), 2);
    (world, number, served)
}

async fn since<H: Home>(world: &World<H>, served: &[Event]) -> Vec<Event> {
    world.page(&af(), Cursor::at(served[1].position), 10).await
}

fn deleted(events: &[Event]) -> Vec<&str> {
    events.iter().filter(|event| event.method == Method::Delete).map(|event| event.contract.as_str()).collect()
}

fn a_waiver_that_ends_before_a_later_one_begins_takes_nothing_back<H: Home>() {
    // Within the hold period of the report, and long after it.
    for (begins, before, begun) in [
        ("2026-03-20", "2026-03-19T12:00:00Z", "2026-03-20T12:00:00Z"),
        ("2026-05-20", "2026-05-19T12:00:00Z", "2026-05-20T12:00:00Z"),
    ] {
        for page_first in [true, false] {
            run(async {
                let (world, number, served) = shown::<H>().await;
                world.take(vec![waiver("W-2", begins, "2026-12-31").arrival(3)]).await;
                for instant in ["2026-03-10T23:00:00Z", before] {
                    world.clock.set(at(instant));
                    if page_first {
                        assert_eq!(since(&world, &served).await, [], "{instant}: nothing is taken back");
                    }
                    world.sweep().await;
                    assert_eq!(since(&world, &served).await, [], "{instant}: nothing is taken back");
                    assert_eq!(world.read(&af()).await, [], "{instant}: the gate is shut to whoever starts again");
                    let leg = world.leg(number, &af()).await;
                    assert_eq!((leg.state, leg.code), (LegState::Held, Some(Code::ConsentNotYet)), "{instant}");
                    world.census().await;
                }
                world.clock.set(at(begun));
                world.sweep().await;
                let documents = |events: &[Event]| events.iter().map(|event| event.document.clone()).collect::<Vec<_>>();
                assert_eq!(documents(&world.read(&af()).await), documents(&served), "{begun}: shown anew");
                assert_eq!(world.leg(number, &af()).await.state, LegState::Published);
                world.census().await;
            });
        }
    }
}

fn what_was_never_shown_waits_for_a_later_waiver_no_longer_than_its_hold_period<H: Home>() {
    run(async {
        let world = World::<H>::new(usual(GateKind::Waiver)).await;
        let ended = waiver("W-1", "2026-01-01", "2026-02-20");
        world.take(vec![ended.arrival(1), waiver("W-2", "2026-05-20", "2026-12-31").arrival(3)]).await;
        let (number, _) = world.take_one(report(2, &plain(PERSON).tree())).await;
        assert_eq!(world.leg(number, &af()).await.code, Some(Code::ConsentNotYet));
        world.clock.set(at("2026-04-01T12:00:00Z"));
        world.sweep().await;
        let leg = world.leg(number, &af()).await;
        assert_eq!((leg.state, leg.code), (LegState::Refused, Some(Code::ConsentHoldExpired)));
        world.census().await;
    });
}

fn a_revocation_takes_back_what_an_ended_waiver_left_although_a_later_one_is_to_come<H: Home>() {
    run(async {
        let (world, number, served) = shown::<H>().await;
        world.take(vec![waiver("W-2", "2026-03-20", "2026-12-31").arrival(3)]).await;
        world.clock.set(at("2026-03-12T12:00:00Z"));
        world.sweep().await;
        world.take(vec![waiver("W-1", "2026-01-01", "2026-03-10").revoking(2, &[]).arrival(4)]).await;
        assert_eq!(deleted(&since(&world, &served).await).len(), 2);
        assert_eq!(world.leg(number, &af()).await.code, Some(Code::ConsentNotYet), "the later one still comes");
        world.census().await;
    });
}

/// After the waiver has ended, after that with a later one to come, and after the terms have closed.
const ENDS: [(&str, bool); 3] =
    [("2026-03-12T12:00:00Z", false), ("2026-03-12T12:00:00Z", true), ("2026-08-03T12:00:00Z", false)];

fn a_revocation_of_some_categories_takes_back_the_documents_that_carry_them_after_the_end<H: Home>() {
    let (reports, deviations) = ("af.deltaganderapport.v1", "af.avvikelserapport.v1");
    for (instant, later) in ENDS {
        for (category, gone) in [
            (Category::FreeText, vec![deviations]),
            (Category::AbsenceReason, vec![deviations]),
            (Category::Attendance, vec![reports]),
        ] {
            for swept in [true, false] {
                run(async {
                    let (world, number, served) = shown::<H>().await;
                    if later {
                        let other: Vec<_> = CONSENTABLE.into_iter().filter(|one| *one != category).collect();
                        let to_come = Waiver { categories: other, ..waiver("W-2", "2026-03-20", "2026-12-31") };
                        world.take(vec![to_come.arrival(3)]).await;
                    }
                    world.clock.set(at(instant));
                    if swept {
                        world.sweep().await;
                    }
                    let told = format!("{instant}, {later}, {category}, {swept}");
                    let some = waiver("W-1", "2026-01-01", "2026-03-10").revoking(2, &[category]);
                    world.take(vec![some.arrival(4)]).await;
                    let after = since(&world, &served).await;
                    assert_eq!((deleted(&after), after.len()), (gone.clone(), 1), "{told}");
                    let leg = world.leg(number, &af()).await;
                    let expected = if later { (LegState::Held, 0) } else { (LegState::Published, 1) };
                    assert_eq!((leg.state, leg.documents), expected, "{told}");
                    // Once more changes nothing.
                    world.take(vec![some.revoking(3, &[category]).arrival(5)]).await;
                    world.sweep().await;
                    assert_eq!(since(&world, &served).await, after, "{told}");
                    world.census().await;
                    // And the rest goes with the rest.
                    world.take(vec![some.revoking(4, &[]).arrival(6)]).await;
                    assert_eq!(deleted(&since(&world, &served).await).len(), 2, "{told}");
                    world.census().await;
                });
            }
        }
    }
}

fn what_was_narrowed_in_time_is_not_taken_back_by_the_end<H: Home>() {
    run(async {
        let (world, number, served) = shown::<H>().await;
        let some = waiver("W-1", "2026-01-01", "2026-03-10").revoking(2, &[Category::FreeText]);
        world.take(vec![some.arrival(4)]).await;
        let narrower = since(&world, &served).await;
        assert_eq!((narrower.len(), deleted(&narrower).len()), (1, 0), "a version without it");
        for instant in ["2026-03-12T12:00:00Z", "2026-08-03T12:00:00Z"] {
            world.clock.set(at(instant));
            world.sweep().await;
            assert_eq!(world.page(&af(), Cursor::at(narrower[0].position), 10).await, [], "{instant}");
            let leg = world.leg(number, &af()).await;
            assert_eq!((leg.state, leg.documents), (LegState::Published, 2), "{instant}");
            world.census().await;
        }
    });
}

fn a_ground_that_begins_to_need_a_consent_shows_nothing_from_that_day_on<H: Home>() {
    run(async {
        let mut files = repository().clone();
        let law = files.get("law.toml").expect("the law");
        // A day before it on which something else changes: whoever looked again then has not looked on the day itself.
        let rows = "\n[[rule]]\nid = \"other\"\nact = \"X\"\nrule = \"1 §\"\nwords = \"x\"\nfrom = \"2026-03-05\"\n\
             [[ground]]\nid = \"later\"\nact = \"Y\"\nrule = \"1 §\"\nwords = \"x\"\nfrom = \"2026-03-10\"\ncites = [\"Y 1 §\"]\n\
             needs = \"gdpr-consent\"\n";
        let law = format!("{law}{rows}");
        files.insert("law.toml", law);
        let agreement = Agreement::usual(GateKind::Waiver).toml().replace("GDPR art. 6.1 e", "GDPR art. 6.1 e; Y 1 §");
        files.insert(format!("agreements/{AGREEMENT}.toml"), agreement);
        let set = ContractSet::load(&files, Illustrations::All).expect("the set loads");
        let world = World::<H>::new(Arc::new(set)).await;
        world.take(vec![waiver("W-1", "2026-01-01", "2026-12-31").arrival(1)]).await;
        let (number, _) = world.take_one(report(2, &plain(PERSON).tree())).await;
        world.clock.set(at("2026-03-09T22:59:59Z"));
        let served = world.page(&af(), Cursor::START, 1).await;
        assert_eq!(served.len(), 1, "one of two, in the last second");
        world.clock.set(at("2026-03-09T23:00:00Z"));
        assert_eq!(world.read(&af()).await, [], "no sweep is needed for it");
        world.sweep().await;
        assert_ne!(world.leg(number, &af()).await.state, LegState::Published);
        let consent = Waiver { kind: "gdpr-consent", ..waiver("C-1", "2026-01-01", "2026-12-31") };
        world.take(vec![consent.arrival(3)]).await;
        assert_eq!(world.read(&af()).await.iter().filter(|event| event.method == Method::Put).count(), 2);
        world.census().await;
    });
}

on_both_engines! {
    a_waiver_that_ends_before_a_later_one_begins_takes_nothing_back,
    what_was_never_shown_waits_for_a_later_waiver_no_longer_than_its_hold_period,
    a_revocation_takes_back_what_an_ended_waiver_left_although_a_later_one_is_to_come,
    a_revocation_of_some_categories_takes_back_the_documents_that_carry_them_after_the_end,
    what_was_narrowed_in_time_is_not_taken_back_by_the_end,
    a_ground_that_begins_to_need_a_consent_shows_nothing_from_that_day_on,
}
