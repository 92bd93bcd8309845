//! A flag is lifted by a named act, which publishes nothing; each diverted report is run again or set aside; and a later message
//! sets the flag again.

use brygga::agreement::GateKind;
use brygga::domain::{Party, PersonKey, PersonNumber};
use brygga::feed::Method;
use brygga::journey::Rerun;
use brygga::store::{Concerned, MessageState, Store, Tx as _};
use serde_json::json;

use super::message::{CONSENTABLE, Waiver, flag, report};
use super::report::{PERSONS, plain};
use super::run;
use super::world::{Home, World, af, usual};

const PERSON: &str = PERSONS[0];

fn person<H: Home>(world: &World<H>) -> PersonKey {
    let day = jiff::civil::date(2026, 3, 2);
    world.journey.keys().person(&PersonNumber::parse(PERSON, day).expect("a number"))
}

async fn lift<H: Home>(world: &World<H>) -> Option<Vec<i64>> {
    let lifted = world.journey.lift_flag(&world.store, &person(world), "somebody", "decided").await.expect("lifted");
    lifted.map(|lifted| lifted.waiting.iter().map(|one| one.number.0).collect())
}

async fn world<H: Home>() -> World<H> {
    let world = World::<H>::new(usual(GateKind::Waiver)).await;
    let waiver = Waiver::new(PERSON, "W-1", Party::Arbetsformedlingen, &CONSENTABLE);
    world.take(vec![waiver.arrival(1)]).await;
    world
}

fn lifting_publishes_nothing_and_a_rerun_publishes_one_report<H: Home>() {
    run(async {
        let world = world::<H>().await;
        let (first, _) = world.take_one(report(2, &plain(PERSON).tree())).await;
        assert_eq!(world.read(&af()).await.len(), 2);
        world.take(vec![flag(3, PERSON)]).await;
        let mut other = plain(PERSON).tree();
        other["reportId"] = json!("AR-OTHER");
        let (second, state) = world.take_one(report(4, &other)).await;
        assert_eq!(state, MessageState::Diverted);
        assert_eq!(
            world.journey.rerun_diverted(&world.store, first, "somebody").await.expect("asked"),
            None,
            "still protected"
        );
        let counts = world.journey.count_protected(&world.store, "somebody").await.expect("counted");
        assert_eq!((counts.persons, counts.diverted), (1, 2));

        assert_eq!(lift(&world).await, Some(vec![first.0, second.0]));
        assert_eq!(lift(&world).await, Some(vec![first.0, second.0]), "what waits is said again");
        assert!(world.read(&af()).await.iter().all(|event| event.method == Method::Delete));
        world.sweep().await;
        assert_eq!(world.census().await.journeys, 0, "nothing goes by itself");
        let state = world.journey.rerun_diverted(&world.store, first, "somebody").await.expect("run");
        assert_eq!(state, Some(Rerun::Moved(MessageState::Journey)));
        let events = world.read(&af()).await;
        assert_eq!(events.iter().filter(|event| event.method == Method::Put).count(), 2);
        assert!(world.journey.discard_diverted(&world.store, second, "somebody", "old").await.expect("discarded"));
        assert_eq!(world.journey.rerun_diverted(&world.store, second, "somebody").await.expect("asked"), None);
        assert_eq!(lift(&world).await, None, "nothing waits any more");
        let census = world.census().await;
        assert_eq!((census.diverted, census.journeys), (1, 1));

        world.take(vec![flag(5, PERSON)]).await;
        assert!(world.read(&af()).await.iter().all(|event| event.method == Method::Delete), "a newer message sets it again");
        assert_eq!(world.census().await.diverted, 2);
    });
}

fn a_report_that_carried_the_flag_itself_can_be_run_again_and_stays_settled<H: Home>() {
    run(async {
        let world = world::<H>().await;
        let mut tree = plain(PERSON).tree();
        tree["participant"]["protectedIdentity"] = json!(true);
        let (number, state) = world.take_one(report(2, &tree)).await;
        assert_eq!(state, MessageState::Diverted);
        assert_eq!(lift(&world).await, Some(vec![number.0]));
        let state = world.journey.rerun_diverted(&world.store, number, "somebody").await.expect("run");
        assert_eq!(state, Some(Rerun::Moved(MessageState::Journey)));
        assert_eq!(world.read(&af()).await.len(), 2);
        let mut tx = world.store.begin("test").await.expect("a transaction");
        assert!(!tx.is_flagged(&person(&world)).await.expect("asked"), "its own flag is from before the lifting");
        drop(tx);
        // A revocation settles it anew from its bytes.
        let waiver = Waiver::new(PERSON, "W-1", Party::Arbetsformedlingen, &CONSENTABLE);
        world.take(vec![waiver.revoking(2, &[]).arrival(3)]).await;
        let anew = Waiver::new(PERSON, "W-2", Party::Arbetsformedlingen, &CONSENTABLE);
        world.take(vec![anew.arrival(4)]).await;
        let events = world.read(&af()).await;
        assert_eq!(events.iter().filter(|event| event.method == Method::Put).count(), 2);
        world.census().await;
    });
}

fn what_its_sender_has_cancelled_is_not_run_again<H: Home>() {
    run(async {
        let world = world::<H>().await;
        world.take(vec![flag(2, PERSON)]).await;
        let (first, _) = world.take_one(report(3, &plain(PERSON).tree())).await;
        let (second, state) = world.take_one(report(4, &plain(PERSON).revision(2, "cancellation").tree())).await;
        assert_eq!(state, MessageState::Diverted);
        assert_eq!(lift(&world).await, Some(vec![first.0, second.0]));
        let rerun = async |number| world.journey.rerun_diverted(&world.store, number, "somebody").await.expect("asked");
        assert_eq!(rerun(first).await, Some(Rerun::Outdated(second)));
        assert_eq!(world.read(&af()).await, []);
        assert_eq!(rerun(second).await, Some(Rerun::Moved(MessageState::Journey)));
        assert!(matches!(rerun(first).await, Some(Rerun::Moved(_))));
        assert_eq!(world.read(&af()).await, [], "it is cancelled");
        world.census().await;
    });
}

/// Who is protected by the ledger that a restore goes by.
async fn in_ledger<H: Home>(world: &World<H>) -> Vec<PersonKey> {
    world.journey.vault().store().flags().await.expect("read")
}

fn the_ledger_lets_go_of_a_flag_only_after_the_content_has<H: Home>() {
    run(async {
        let world = world::<H>().await;
        world.take(vec![flag(2, PERSON)]).await;
        assert_eq!(in_ledger(&world).await, [person(&world)]);
        // The content does not commit; then it does, and the process ends right after it.
        for commits in [false, true] {
            let mut tx = world.journey.begin(&world.store, "test").await.expect("a transaction");
            tx.lock(&Concerned::whole(person(&world))).await.expect("locked");
            tx.lift_flag(&person(&world)).await.expect("lifted");
            if commits {
                tx.commit().await.expect("committed");
            } else {
                drop(tx);
            }
            assert_eq!(in_ledger(&world).await, [person(&world)], "a restore sets it again");
        }
        world.take(vec![flag(3, PERSON)]).await;
        assert_eq!(lift(&world).await, Some(Vec::new()));
        assert_eq!(in_ledger(&world).await, []);
        world.take(vec![flag(4, PERSON)]).await;
        assert_eq!(in_ledger(&world).await, [person(&world)]);
    });
}

on_both_engines! {
    what_its_sender_has_cancelled_is_not_run_again,
    the_ledger_lets_go_of_a_flag_only_after_the_content_has,
    lifting_publishes_nothing_and_a_rerun_publishes_one_report,
    a_report_that_carried_the_flag_itself_can_be_run_again_and_stays_settled,
}
