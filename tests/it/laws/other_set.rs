//! Another contract set comes into force: what it narrows is shown to nobody after it, and what it leaves stays where it is.

use std::sync::Arc;

use brygga::agreement::{GateKind, Illustrations};
use brygga::domain::{Code, MessageNumber, Party};
use brygga::feed::{Cursor, Method};
use brygga::journey::{BasisRecord, ContractSet};
use brygga::store::{AuditAct, LegState, Store as _, Survey as _};

use super::message::{CONSENTABLE, Waiver, report};
use super::report::{PERSONS, plain};
use super::run;
use super::world::{AGREEMENT, Agreement, Home, World, af, at, fs, repository, usual};

const PERSON: &str = PERSONS[0];

/// The usual set with its agreement's text changed.
fn changed(change: impl Fn(&str) -> String) -> Arc<ContractSet> {
    let mut files = repository().clone();
    files.insert(format!("agreements/{AGREEMENT}.toml"), change(&Agreement::usual(GateKind::NoSecrecyBoundary).toml()));
    Arc::new(ContractSet::load(&files, Illustrations::All).expect("the set loads"))
}

/// A world with one report in the feed of Arbetsförmedlingen, two documents, and one held for a person without a waiver; and
/// the numbers of both.
async fn world<H: Home>() -> (World<H>, [MessageNumber; 2]) {
    let world = World::<H>::new(usual(GateKind::NoSecrecyBoundary)).await;
    world.take(vec![Waiver::new(PERSON, "W-1", Party::Arbetsformedlingen, &CONSENTABLE).arrival(1)]).await;
    let (shown, _) = world.take_one(report(2, &plain(PERSON).tree())).await;
    let (held, _) = world.take_one(report(3, &plain(PERSONS[1]).tree())).await;
    (world, [shown, held])
}

/// Puts a set in force; `follow` says whether what it changes is made due, as a service does at once.
async fn put_in_force<H: Home>(world: &mut World<H>, set: Arc<ContractSet>, follow: bool) {
    world.journey.put_in_force(set);
    world.journey = world.journey.in_force();
    if follow {
        world.journey.make_changed_due(&world.store).await.expect("made due");
    }
}

fn shorter(text: &str) -> String {
    text.replace("to = \"2026-06-30\"", "to = \"2026-02-15\"")
}

fn without_reasons(text: &str) -> String {
    let text = text.replace(", \"af.avvikelserapport.v1\"]", "]");
    text.replace("absence-reason = \"with-consent\"", "absence-reason = \"never\"")
}

fn what_a_shortened_agreement_no_longer_covers_is_not_served<H: Home>() {
    run(async {
        for follow in [false, true] {
            let (mut world, [number, waiting]) = world::<H>().await;
            let served = world.page(&af(), Cursor::START, 1).await;
            put_in_force(&mut world, changed(shorter), follow).await;
            if follow {
                world.sweep().await;
            }
            assert_eq!(world.read(&af()).await, [], "no page shows what the terms no longer cover");
            assert_eq!(world.read(&fs()).await, []);
            world.sweep().await;
            assert_eq!(world.read(&af()).await, [], "and nobody takes back what was served lawfully");
            let to_af = world.leg(number, &af()).await;
            assert_eq!((served.len(), to_af.state, to_af.documents), (1, LegState::Published, 1), "one document stays with AF");
            let to_fs = world.leg(number, &fs()).await;
            assert_eq!((to_fs.state, to_fs.code), (LegState::Refused, Some(Code::AgreementPeriod)));
            if follow {
                let held = world.leg(waiting, &af()).await;
                assert_eq!((held.state, held.code), (LegState::Refused, Some(Code::AgreementPeriod)), "held legs follow");
            }
            world.census().await;
        }
    });
}

fn what_the_contracts_now_refuse_is_shown_to_nobody_and_counted_as_what_became_of_it<H: Home>() {
    run(async {
        for was_served in [false, true] {
            let (mut world, [number, waiting]) = world::<H>().await;
            let served = if was_served { world.page(&af(), Cursor::START, 1).await } else { Vec::new() };
            let mut files = repository().clone();
            files.insert(format!("agreements/{AGREEMENT}.toml"), Agreement::usual(GateKind::NoSecrecyBoundary).toml());
            let name = "messages/activity-report/v1/schema.json";
            let stricter = files.get(name).expect("the contract").replace("\"maximum\": 100,", "\"maximum\": 50,");
            files.insert(name, stricter);
            // Another table makes everything be decided anew.
            files.insert("translations/prov.txt", String::new());
            let set = ContractSet::load(&files, Illustrations::All).expect("the set loads");
            put_in_force(&mut world, Arc::new(set), true).await;
            assert_eq!(world.read(&af()).await, [], "decided under other tables, it is shown to nobody");
            world.sweep().await;
            assert_eq!(world.read(&af()).await, [], "and nobody takes back what was served lawfully");
            let leg = world.leg(number, &af()).await;
            let expected =
                if was_served { (LegState::Published, None, 1) } else { (LegState::Refused, Some(Code::ContractRange), 0) };
            assert_eq!((leg.state, leg.code, leg.documents), expected, "{}", served.len());
            assert_eq!(world.leg(waiting, &af()).await.state, LegState::Refused, "held legs follow");
            world.census().await;
        }
    });
}

fn a_category_that_is_taken_away_is_not_served_and_what_was_served_of_it_is_taken_back<H: Home>() {
    run(async {
        for (was_served, follow) in [(false, false), (false, true), (true, false), (true, true)] {
            let (mut world, [number, _]) = world::<H>().await;
            let before = if was_served { world.read(&af()).await } else { Vec::new() };
            put_in_force(&mut world, changed(without_reasons), follow).await;
            if follow {
                world.sweep().await;
            }
            let told = format!("served {was_served}, followed {follow}");
            let first = world.read(&af()).await;
            let deviations = |events: &[super::world::Event], method| {
                events.iter().filter(|one| one.contract == "af.avvikelserapport.v1" && one.method == method).count()
            };
            assert_eq!(deviations(&first, Method::Put), 0, "{told}");
            world.sweep().await;
            let mut held = super::world::Held::new();
            for events in [before, first, world.read(&af()).await] {
                super::world::fold(&mut held, &events);
            }
            let contracts: Vec<&str> = held.values().map(|(contract, ..)| contract.as_str()).collect();
            assert_eq!(contracts, ["af.deltaganderapport.v1"], "{told}: its reader holds what the new terms allow");
            let leg = world.leg(number, &af()).await;
            let basis = BasisRecord::read(&leg.basis);
            assert_eq!((leg.state, basis.set.as_str()), (LegState::Published, world.journey.set().digest()), "{told}");
            world.census().await;
        }
    });
}

fn what_another_set_leaves_as_it_was_stays_at_its_position<H: Home>() {
    run(async {
        let (mut world, _) = world::<H>().await;
        let before = world.read(&af()).await;
        let set = changed(|text| format!("# More words.\n{}", text.replace("purpose = \"Prov\"", "purpose = \"Annat\"")));
        assert_ne!(set.digest(), world.journey.set().digest());
        put_in_force(&mut world, set, true).await;
        let mut tx = world.store.begin("test").await.expect("a transaction");
        assert!(brygga::store::Tx::due(&mut tx, 10).await.expect("looked").is_empty(), "nothing of it decides anything");
        drop(tx);
        assert_eq!(world.read(&af()).await, before);
    });
}

fn whoever_has_begun_by_one_set_ends_by_it_and_each_message_says_by_which<H: Home>() {
    run(async {
        let (mut world, [number, _]) = world::<H>().await;
        let (old, set) = (world.journey.clone(), changed(shorter));
        world.journey.put_in_force(Arc::clone(&set));
        assert_eq!(old.set().digest(), world.journey.set().digest(), "what was handed out stays what it is");
        world.journey = world.journey.in_force();
        assert_eq!(world.journey.set().digest(), set.digest());
        world.clock.set(at("2026-03-02T13:00:00Z"));
        let (late, state) = world.take_one(report(9, &plain(PERSONS[2]).tree())).await;
        assert_eq!(state, brygga::store::MessageState::Refused);
        let digest_of = async |number| {
            let mut tx = world.store.begin("test").await.expect("a transaction");
            let rows = tx.audited(number).await.expect("read");
            let judged = rows.iter().find(|one| one.row.act == AuditAct::Decision && one.row.recipient.is_none());
            judged.and_then(|one| one.row.basis.clone()).expect("it says by which set")
        };
        assert_eq!(digest_of(number).await, old.set().record());
        assert_eq!(digest_of(late).await, set.record());
    });
}

fn terms_that_open_more_reach_what_is_in_the_feed<H: Home>() {
    run(async {
        let (mut world, _) = world::<H>().await;
        put_in_force(&mut world, changed(without_reasons), true).await;
        world.sweep().await;
        assert_eq!(world.read(&af()).await.len(), 1);
        put_in_force(&mut world, usual(GateKind::NoSecrecyBoundary), true).await;
        world.sweep().await;
        let contracts: Vec<String> = world.read(&af()).await.into_iter().map(|one| one.contract).collect();
        assert!(contracts.contains(&"af.avvikelserapport.v1".to_owned()), "{contracts:?}");
    });
}

on_both_engines! {
    what_a_shortened_agreement_no_longer_covers_is_not_served,
    what_the_contracts_now_refuse_is_shown_to_nobody_and_counted_as_what_became_of_it,
    a_category_that_is_taken_away_is_not_served_and_what_was_served_of_it_is_taken_back,
    what_another_set_leaves_as_it_was_stays_at_its_position,
    whoever_has_begun_by_one_set_ends_by_it_and_each_message_says_by_which,
    terms_that_open_more_reach_what_is_in_the_feed,
}
