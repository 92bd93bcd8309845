//! What a date alone changes: the end of an activity, of a hold period, of a waiver, of the terms.

use brygga::agreement::GateKind;
use brygga::domain::{Code, Party};
use brygga::feed::{Cursor, Method};
use brygga::store::LegState;
use serde_json::json;

use super::message::{CONSENTABLE, Waiver, report};
use super::report::{PERSONS, plain};
use super::run;
use super::world::{Home, World, af, at, fs, usual};

const PERSON: &str = PERSONS[1];

fn waiver(to: &'static str) -> Waiver {
    let mut waiver = Waiver::new(PERSON, "W-1", Party::Arbetsformedlingen, &CONSENTABLE);
    waiver.to = to;
    waiver
}

fn an_activity_that_has_not_ended_is_held_and_published_when_it_has<H: Home>() {
    run(async {
        let world = World::<H>::new(usual(GateKind::NoSecrecyBoundary)).await;
        world.take(vec![waiver("2026-12-31").arrival(1)]).await;
        let mut tree = plain(PERSON).tree();
        tree["period"]["to"] = json!("2026-03-10");
        tree["days"][0]["date"] = json!("2026-03-10");
        tree["days"][0]["expected"] = json!({ "from": "2026-03-10T08:00:00", "to": "2026-03-10T16:00:00" });
        tree["days"][0].as_object_mut().expect("a day").remove("attended");
        tree["absences"][0]["date"] = json!("2026-03-10");
        let (number, _) = world.take_one(report(2, &tree)).await;
        for (instant, open) in
            [("2026-03-09T12:00:00Z", false), ("2026-03-10T14:59:59Z", false), ("2026-03-10T15:00:00Z", true)]
        {
            world.clock.set(at(instant));
            world.sweep().await;
            for (recipient, documents) in [(af(), 2), (fs(), 1)] {
                let leg = world.leg(number, &recipient).await;
                let expected = if open { (LegState::Published, None) } else { (LegState::Held, Some(Code::AgreementNotEnded)) };
                assert_eq!((leg.state, leg.code), expected, "{instant}");
                assert_eq!(world.read(&recipient).await.len(), if open { documents } else { 0 }, "{instant}");
            }
            world.census().await;
        }
    });
}

fn a_report_whose_waiver_never_comes_is_refused_when_the_hold_period_is_over<H: Home>() {
    run(async {
        let world = World::<H>::new(usual(GateKind::Waiver)).await;
        let (number, _) = world.take_one(report(1, &plain(PERSON).tree())).await;
        for (instant, state, code) in [
            ("2026-04-01T11:59:59Z", LegState::Held, Code::ConsentMissing),
            ("2026-04-01T12:00:00Z", LegState::Refused, Code::ConsentHoldExpired),
        ] {
            world.clock.set(at(instant));
            world.sweep().await;
            for recipient in [af(), fs()] {
                let leg = world.leg(number, &recipient).await;
                assert_eq!((leg.state, leg.code), (state, Some(code)), "{instant}");
            }
            world.census().await;
        }
    });
}

fn a_waiver_that_begins_later_opens_the_gate_on_its_day<H: Home>() {
    run(async {
        let world = World::<H>::new(usual(GateKind::Waiver)).await;
        let mut later = waiver("2026-12-31");
        later.from = "2026-03-05";
        world.take(vec![later.arrival(1)]).await;
        let (number, _) = world.take_one(report(2, &plain(PERSON).tree())).await;
        assert_eq!(world.leg(number, &af()).await.code, Some(Code::ConsentNotYet));
        // Midnight in Sweden.
        for (instant, documents) in [("2026-03-04T22:59:59Z", 0), ("2026-03-04T23:00:00Z", 2)] {
            world.clock.set(at(instant));
            world.sweep().await;
            assert_eq!(world.read(&af()).await.len(), documents, "{instant}");
        }
    });
}

/// The order in which page and sweep find that a waiver has ended must not matter.
#[derive(Debug, Clone, Copy)]
enum First {
    Page,
    Sweep,
}

const ORDERS: [[First; 4]; 2] =
    [[First::Page, First::Sweep, First::Page, First::Sweep], [First::Sweep, First::Page, First::Sweep, First::Page]];

fn an_ended_waiver_lets_what_nobody_fetched_lapse<H: Home>() {
    for order in ORDERS {
        run(async {
            let world = World::<H>::new(usual(GateKind::Waiver)).await;
            world.take(vec![waiver("2026-03-10").arrival(1)]).await;
            let (number, _) = world.take_one(report(2, &plain(PERSON).tree())).await;
            assert_eq!(world.leg(number, &af()).await.state, LegState::Published);
            // The first instant after the waiver's last day, in Sweden.
            world.clock.set(at("2026-03-10T23:00:00Z"));
            for step in order {
                match step {
                    First::Page => assert_eq!(world.read(&af()).await, [], "{order:?}"),
                    First::Sweep => world.sweep().await,
                }
                world.census().await;
            }
            let leg = world.leg(number, &af()).await;
            assert_eq!((leg.state, leg.code), (LegState::Withdrawn, Some(Code::JourneyLapsed)), "{order:?}");
        });
    }
}

fn an_ended_waiver_leaves_what_was_served_without_a_delete<H: Home>() {
    for order in ORDERS {
        run(async {
            let world = World::<H>::new(usual(GateKind::Waiver)).await;
            world.take(vec![waiver("2026-03-10").arrival(1)]).await;
            let (number, _) = world.take_one(report(2, &plain(PERSON).tree())).await;
            world.clock.set(at("2026-03-10T22:59:59Z"));
            let served = world.read(&af()).await;
            assert_eq!(served.len(), 2, "served in the last second");
            world.clock.set(at("2026-03-10T23:00:00Z"));
            for step in order {
                match step {
                    First::Page => {
                        let after = world.page(&af(), Cursor::at(served[1].position), 10).await;
                        assert_eq!(after, [], "{order:?}: nothing is taken back");
                        let again = world.read(&af()).await;
                        assert_eq!(again, [], "{order:?}: the gate is shut to whoever starts again");
                    }
                    First::Sweep => world.sweep().await,
                }
                world.census().await;
            }
            let leg = world.leg(number, &af()).await;
            assert_eq!((leg.state, leg.code), (LegState::Published, None), "{order:?}");
        });
    }
}

fn a_correction_that_lapsed_unseen_takes_back_what_it_was_to_replace<H: Home>() {
    for order in ORDERS {
        run(async {
            let world = World::<H>::new(usual(GateKind::Waiver)).await;
            world.take(vec![waiver("2026-03-10").arrival(1)]).await;
            world.take_one(report(2, &plain(PERSON).tree())).await;
            let served = world.read(&af()).await;
            let mut corrected = plain(PERSON).revision(2, "correction").tree();
            corrected["participant"]["givenName"] = json!("Rättad");
            let (number, _) = world.take_one(report(3, &corrected)).await;
            world.clock.set(at("2026-03-10T23:00:00Z"));
            let mut after = Vec::new();
            for step in order {
                match step {
                    First::Page => after = world.page(&af(), Cursor::at(served[1].position), 10).await,
                    First::Sweep => world.sweep().await,
                }
                world.census().await;
            }
            after = if after.is_empty() { world.page(&af(), Cursor::at(served[1].position), 10).await } else { after };
            assert_eq!(after.iter().filter(|event| event.method == Method::Delete).count(), 2, "{order:?}");
            assert_eq!(after.len(), 2, "{order:?}");
            let leg = world.leg(number, &af()).await;
            assert_eq!((leg.state, leg.code), (LegState::Withdrawn, Some(Code::JourneyLapsed)), "{order:?}");
        });
    }
}

fn a_second_waiver_carries_on_where_the_first_ends<H: Home>() {
    for order in ORDERS {
        run(async {
            let world = World::<H>::new(usual(GateKind::Waiver)).await;
            let longer = Waiver::new(PERSON, "W-2", Party::Arbetsformedlingen, &CONSENTABLE);
            world.take(vec![waiver("2026-03-10").arrival(1), longer.arrival(3)]).await;
            world.take_one(report(2, &plain(PERSON).tree())).await;
            world.clock.set(at("2026-03-11T12:00:00Z"));
            for step in order {
                match step {
                    First::Page => drop(world.read(&af()).await),
                    First::Sweep => world.sweep().await,
                }
            }
            let events = world.read(&af()).await;
            assert_eq!((events.len(), events.iter().filter(|event| event.method == Method::Put).count()), (2, 2), "{order:?}");
        });
    }
}

fn nothing_is_served_after_the_terms_have_closed<H: Home>() {
    run(async {
        let world = World::<H>::new(usual(GateKind::NoSecrecyBoundary)).await;
        let (number, _) = world.take_one(report(2, &plain(PERSON).tree())).await;
        // The terms end on 30 June; 31 days more are for late reports.
        world.clock.set(at("2026-07-31T21:59:59Z"));
        let served = world.read(&fs()).await;
        assert_eq!(served.len(), 1);
        world.clock.set(at("2026-07-31T22:00:00Z"));
        assert_eq!(world.read(&fs()).await, []);
        world.sweep().await;
        assert_eq!(world.page(&fs(), Cursor::at(served[0].position), 10).await, []);
        assert_eq!(world.leg(number, &fs()).await.state, LegState::Published, "it was served in time");
        world.census().await;
    });
}

fn a_revocation_after_the_terms_have_closed_takes_back_what_was_served<H: Home>() {
    run(async {
        let world = World::<H>::new(usual(GateKind::Waiver)).await;
        world.take(vec![waiver("2026-12-31").arrival(1)]).await;
        let (number, _) = world.take_one(report(2, &plain(PERSON).tree())).await;
        let served = world.read(&af()).await;
        assert_eq!(served.len(), 2);
        world.clock.set(at("2026-08-03T12:00:00Z"));
        world.sweep().await;
        assert_eq!(world.page(&af(), Cursor::at(served[1].position), 10).await, [], "a date alone takes nothing back");
        world.take(vec![waiver("2026-12-31").revoking(2, &[]).arrival(3)]).await;
        let after = world.page(&af(), Cursor::at(served[1].position), 10).await;
        assert_eq!((after.len(), after.iter().filter(|event| event.method == Method::Delete).count()), (2, 2));
        let leg = world.leg(number, &af()).await;
        assert_eq!((leg.state, leg.code), (LegState::Withdrawn, Some(Code::ConsentRevoked)));
        world.census().await;
    });
}

fn a_waiver_whose_end_is_moved_into_the_past_shows_nothing_more<H: Home>() {
    run(async {
        let world = World::<H>::new(usual(GateKind::Waiver)).await;
        world.take(vec![waiver("2026-12-31").arrival(1)]).await;
        let (number, _) = world.take_one(report(2, &plain(PERSON).tree())).await;
        assert_eq!(world.read(&af()).await.len(), 2);
        let mut shorter = waiver("2026-03-01");
        shorter.revision = 2;
        world.take(vec![shorter.arrival(3)]).await;
        assert_eq!(world.read(&af()).await, [], "the gate is shut to whoever starts again");
        assert_eq!(world.leg(number, &af()).await.state, LegState::Published, "it was served in time");
        world.census().await;
    });
}

fn what_is_published_once_more_with_the_same_content_is_nothing_newer<H: Home>() {
    for order in ORDERS {
        run(async {
            let world = World::<H>::new(usual(GateKind::Waiver)).await;
            let longer = Waiver::new(PERSON, "W-2", Party::Arbetsformedlingen, &CONSENTABLE);
            world.take(vec![waiver("2026-03-10").arrival(1), longer.arrival(3)]).await;
            let (number, _) = world.take_one(report(2, &plain(PERSON).tree())).await;
            let served = world.read(&af()).await;
            world.clock.set(at("2026-03-11T12:00:00Z"));
            // Whoever finds first that one of two waivers has ended, nobody is shown anything else from here on.
            match order[0] {
                First::Page => assert_eq!(world.read(&af()).await, [], "it waits for the sweep"),
                First::Sweep => {}
            }
            world.sweep().await;
            world.clock.set(at("2026-08-03T12:00:00Z"));
            world.sweep().await;
            assert_eq!(world.page(&af(), Cursor::at(served[1].position), 10).await, [], "{order:?}: nothing is taken back");
            let leg = world.leg(number, &af()).await;
            assert_eq!((leg.state, leg.code), (LegState::Published, None), "{order:?}");
            world.census().await;
        });
    }
}

on_both_engines! {
    an_activity_that_has_not_ended_is_held_and_published_when_it_has,
    a_report_whose_waiver_never_comes_is_refused_when_the_hold_period_is_over,
    a_waiver_that_begins_later_opens_the_gate_on_its_day,
    an_ended_waiver_lets_what_nobody_fetched_lapse,
    an_ended_waiver_leaves_what_was_served_without_a_delete,
    a_correction_that_lapsed_unseen_takes_back_what_it_was_to_replace,
    a_second_waiver_carries_on_where_the_first_ends,
    nothing_is_served_after_the_terms_have_closed,
    a_revocation_after_the_terms_have_closed_takes_back_what_was_served,
    a_waiver_whose_end_is_moved_into_the_past_shows_nothing_more,
    what_is_published_once_more_with_the_same_content_is_nothing_newer,
}
