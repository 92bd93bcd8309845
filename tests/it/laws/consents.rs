//! Consents as operators look after them: listed without a person, revoked on a participant's word, recorded from paper. Each
//! takes the way of any message.

use brygga::agreement::GateKind;
use brygga::consent::ConsentStanding;
use brygga::domain::{Category, Code, Party};
use brygga::feed::Method;
use brygga::journey::{ListedConsent, Outcome};
use brygga::store::{MessageState, Store, Survey as _};

use super::message::{CONSENTABLE, Waiver, flag, report};
use super::report::{PERSONS, plain};
use super::run;
use super::world::{Home, World, af, usual};

const PERSON: &str = PERSONS[0];

fn waiver() -> Waiver {
    Waiver::new(PERSON, "W-1", Party::Arbetsformedlingen, &CONSENTABLE)
}

async fn listed<H: Home>(world: &World<H>) -> Vec<ListedConsent> {
    world.journey.list_consents(&world.store, None, 100, "somebody").await.expect("listed")
}

fn a_revocation_by_an_operator_reaches_what_was_served<H: Home>() {
    run(async {
        let world = World::<H>::new(usual(GateKind::Waiver)).await;
        // A report waits for the waiver, which is brought on paper.
        let (number, _) = world.take_one(report(2, &plain(PERSON).tree())).await;
        assert_eq!(world.read(&af()).await, []);
        let recorded = world.journey.record_consent(&world.store, &waiver().arrival(1), "somebody").await.expect("stored");
        assert!(matches!(recorded, Some(Outcome::Stored(_, MessageState::Recorded))));
        let again = world.journey.record_consent(&world.store, &waiver().arrival(1), "somebody").await.expect("stored");
        assert!(matches!(again, Some(Outcome::Duplicate(_))));
        let mut tx = world.store.begin("test").await.expect("a transaction");
        let acts = tx.audited(again.expect("an outcome").number()).await.expect("read");
        drop(tx);
        let said: Vec<&str> = acts.iter().map(|act| &*act.row.detail).filter(|text| text.starts_with("consent")).collect();
        assert_eq!(said, ["consent recorded: recorded", "consent recorded: duplicate"]);
        assert_eq!(world.read(&af()).await.len(), 2);

        let all = listed(&world).await;
        assert_eq!(
            (all.len(), all[0].standing, all[0].categories.iter().count()),
            (1, ConsentStanding::InForce, CONSENTABLE.len())
        );
        let revoke = async |number, categories: &[Category]| {
            let done = world.journey.revoke_consent(&world.store, number, categories, "somebody", "said at the counter");
            done.await.expect("stored")
        };
        let done = revoke(all[0].message.number, &[Category::AbsenceReason]).await;
        assert!(matches!(done, Some(Outcome::Stored(_, MessageState::Recorded))), "{done:?}");
        let all = listed(&world).await;
        assert_eq!((all[0].standing, all[0].revision.revision), (ConsentStanding::InForce, 2));
        assert!(!all[0].categories.contains(Category::AbsenceReason));
        let methods: Vec<Method> = world.read(&af()).await.iter().map(|event| event.method).collect();
        assert_eq!(methods, [Method::Put, Method::Delete], "a version without it, and a DELETE for what needs it");
        // From any of its messages, and on top of the highest revision.
        let done = revoke(all[0].message.number, &[]).await;
        assert!(matches!(done, Some(Outcome::Stored(_, MessageState::Recorded))), "{done:?}");
        assert_eq!(listed(&world).await[0].standing, ConsentStanding::Revoked);
        assert!(world.read(&af()).await.iter().all(|event| event.method == Method::Delete));
        assert_eq!(world.leg(number, &af()).await.code, Some(Code::ConsentRevoked));
        assert_eq!(revoke(number, &[]).await, None, "a report is no consent");
        world.census().await;
        let mut tx = world.store.begin("test").await.expect("a transaction");
        let acts = tx.audited(all[0].message.number).await.expect("read");
        assert!(acts.iter().any(|act| act.row.reason.as_deref() == Some("said at the counter")), "kept in the audit log");
    });
}

fn a_protected_persons_consents_are_in_no_list<H: Home>() {
    run(async {
        let world = World::<H>::new(usual(GateKind::Waiver)).await;
        world.take(vec![waiver().arrival(1)]).await;
        let other = Waiver::new(PERSONS[1], "W-2", Party::Arbetsformedlingen, &CONSENTABLE);
        world.take(vec![other.revoking(2, &[]).arrival(2)]).await;
        world.take(vec![flag(3, PERSON)]).await;
        let all = listed(&world).await;
        assert_eq!((all.len(), all[0].standing), (1, ConsentStanding::Revoked));
        assert_eq!(all[0].message.message.envelope.message_id.as_u128(), 2);
    });
}

on_both_engines! {
    a_revocation_by_an_operator_reaches_what_was_served,
    a_protected_persons_consents_are_in_no_list,
}
