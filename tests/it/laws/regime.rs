//! The law as dated data: what a consent is worth on which side of a change of the law, and what is recorded of it.

use std::sync::Arc;

use brygga::agreement::{GateKind, Illustrations};
use brygga::domain::{Code, MessageNumber, Party};
use brygga::feed::Method;
use brygga::journey::{Arrival, BasisRecord, ContractSet};
use brygga::store::LegState;

use super::message::{CONSENTABLE, Waiver, report};
use super::report::{PERSONS, plain};
use super::run;
use super::world::{AGREEMENT, Agreement, Home, World, af, at, repository};

const PERSON: &str = PERSONS[1];
const CONSENT_OF_BOTH_LAWS: &str = "PuL (1998:204) 10 §; GDPR art. 6.1 a";
const TASK_OF_BOTH_LAWS: &str = "PuL (1998:204) 10 § d; GDPR art. 6.1 e";
/// The last instant before 2018-05-25 in Sweden, and the first of it.
const BEFORE: &str = "2018-05-24T21:59:59Z";
const AFTER: &str = "2018-05-24T22:00:00Z";

/// The usual agreement in the year 2018, on another legal ground.
fn set(legal_ground: &str) -> ContractSet {
    let mut files = repository().clone();
    let text = Agreement::usual(GateKind::NoSecrecyBoundary).toml().replace("\"2026-0", "\"2018-0");
    let text = text.replace("legal_ground = \"GDPR art. 6.1 e\"", &format!("legal_ground = \"{legal_ground}\""));
    files.insert(format!("agreements/{AGREEMENT}.toml"), text);
    ContractSet::load(&files, Illustrations::All).expect("the set loads")
}

/// A message of 2026, eight years earlier.
fn of_2018(mut arrival: Arrival) -> Arrival {
    arrival.bytes = String::from_utf8(arrival.bytes).expect("text").replace("2026-", "2018-").into_bytes();
    arrival
}

/// A consent of one kind, given at a local time, and confirmed at another where it is.
fn consent(id: u128, kind: &'static str, given: &str, confirmed: Option<&str>) -> Arrival {
    let mut consent = Waiver::new(PERSON, &format!("C-{id}"), Party::Arbetsformedlingen, &CONSENTABLE);
    consent.kind = kind;
    let mut arrival = of_2018(consent.arrival(id));
    let mut tree: serde_json::Value = serde_json::from_slice(&arrival.bytes).expect("a consent");
    tree["givenAt"] = given.into();
    if let Some(confirmed) = confirmed {
        tree["gdprConfirmedAt"] = confirmed.into();
    }
    arrival.bytes = tree.to_string().into_bytes();
    arrival
}

async fn world<H: Home>(legal_ground: &str, instant: &str) -> World<H> {
    let world = World::<H>::new(Arc::new(set(legal_ground))).await;
    world.clock.set(at(instant));
    world
}

async fn basis<H: Home>(world: &World<H>, number: MessageNumber) -> BasisRecord {
    BasisRecord::read(&world.leg(number, &af()).await.basis)
}

fn a_consent_from_before_the_gdpr_is_a_ground_after_it_only_when_confirmed<H: Home>() {
    let table = [
        // When it was given, when confirmed, when the report is disclosed, what becomes of the leg.
        ("2018-05-24T23:59:59", None, BEFORE, None),
        ("2018-05-24T23:59:59", None, AFTER, Some(Code::ConsentUnconfirmed)),
        ("2018-05-24T23:59:59", Some("2018-05-24T23:59:59"), AFTER, None),
        ("2018-05-24T23:59:59", Some("2018-06-01T10:00:00"), AFTER, Some(Code::ConsentUnconfirmed)),
        ("2018-05-25T00:00:00", None, AFTER, None),
        ("2018-04-01T10:00:00", None, BEFORE, None),
    ];
    run(async {
        for (given, confirmed, disclosed, expected) in table {
            let world = world::<H>(CONSENT_OF_BOTH_LAWS, disclosed).await;
            world.take(vec![consent(1, "secrecy-waiver", "2018-01-01T10:00:00", None)]).await;
            world.take(vec![consent(2, "gdpr-consent", given, confirmed)]).await;
            let (number, _) = world.take_one(of_2018(report(3, &plain(PERSON).tree()))).await;
            let leg = world.leg(number, &af()).await;
            let told = format!("given {given}, confirmed {confirmed:?}, disclosed {disclosed}");
            assert_eq!(leg.code, expected, "{told}");
            assert_eq!(leg.state, if expected.is_some() { LegState::Held } else { LegState::Published }, "{told}");
            assert_eq!(world.read(&af()).await.len(), if expected.is_some() { 0 } else { 2 }, "{told}");
        }
    });
}

fn a_secrecy_waiver_from_before_the_gdpr_opens_its_gate_after_it<H: Home>() {
    run(async {
        for (given, disclosed) in [("2018-01-01T10:00:00", BEFORE), ("2018-01-01T10:00:00", AFTER)] {
            let world = world::<H>(TASK_OF_BOTH_LAWS, disclosed).await;
            world.take(vec![consent(1, "secrecy-waiver", given, None)]).await;
            let (number, _) = world.take_one(of_2018(report(2, &plain(PERSON).tree()))).await;
            assert_eq!(world.leg(number, &af()).await.state, LegState::Published, "{disclosed}");
            assert_eq!(basis(&world, number).await.transitions, [], "no transition touches a waiver");
        }
    });
}

fn where_the_ground_is_a_task_a_gdpr_consent_is_recorded_and_decides_nothing<H: Home>() {
    run(async {
        let world = world::<H>(TASK_OF_BOTH_LAWS, AFTER).await;
        world.take(vec![consent(1, "secrecy-waiver", "2018-01-01T10:00:00", None)]).await;
        world.take(vec![consent(2, "gdpr-consent", "2018-01-01T10:00:00", None)]).await;
        let (number, _) = world.take_one(of_2018(report(3, &plain(PERSON).tree()))).await;
        assert_eq!(world.leg(number, &af()).await.state, LegState::Published);
        let basis = basis(&world, number).await;
        let [touched] = &*basis.transitions else { panic!("one consent is touched: {:?}", basis.transitions) };
        assert_eq!((touched.row.as_str(), touched.confirmed), ("gdpr-recital-171", false));
        assert!(!basis.consents.contains(&touched.consent), "it rests on the waiver alone");
    });
}

fn what_stands_in_the_feed_when_the_law_changes_is_not_served_after_it<H: Home>() {
    run(async {
        let world = world::<H>(CONSENT_OF_BOTH_LAWS, BEFORE).await;
        world.take(vec![consent(1, "secrecy-waiver", "2018-01-01T10:00:00", None)]).await;
        world.take(vec![consent(2, "gdpr-consent", "2018-01-01T10:00:00", None)]).await;
        let (number, _) = world.take_one(of_2018(report(3, &plain(PERSON).tree()))).await;
        assert_eq!(basis(&world, number).await.regime.as_deref(), Some("pul-1998"));
        let first = world.page(&af(), brygga::feed::Cursor::START, 1).await;
        assert_eq!(first.len(), 1, "one of two was served while it might be");
        world.clock.set(at(AFTER));
        assert_eq!(world.read(&af()).await, [], "no sweep is needed for it");
        world.sweep().await;
        let leg = world.leg(number, &af()).await;
        assert_eq!((leg.state, leg.code), (LegState::Held, Some(Code::ConsentUnconfirmed)));
        assert!(world.read(&af()).await.iter().all(|event| event.method != Method::Delete), "nobody takes the served one back");
        let confirmed = consent(2, "gdpr-consent", "2018-01-01T10:00:00", Some("2018-05-24T23:00:00"));
        let mut tree: serde_json::Value = serde_json::from_slice(&confirmed.bytes).expect("a consent");
        tree["revision"] = 2.into();
        let confirmed = Arrival { message_id: uuid::Uuid::from_u128(4), bytes: tree.to_string().into_bytes(), ..confirmed };
        world.take(vec![confirmed]).await;
        assert_eq!(world.read(&af()).await.len(), 2, "confirmed, both are shown");
        let after = basis(&world, number).await;
        assert_eq!(after.regime.as_deref(), Some("gdpr-2018"));
        assert_eq!(after.transitions.iter().map(|one| one.confirmed).collect::<Vec<_>>(), [true]);
        world.census().await;
    });
}

fn the_end_of_the_hold_period_takes_nothing_back_of_what_was_served_before_the_law_changed<H: Home>() {
    run(async {
        let world = world::<H>(CONSENT_OF_BOTH_LAWS, BEFORE).await;
        world.take(vec![consent(1, "secrecy-waiver", "2018-01-01T10:00:00", None)]).await;
        world.take(vec![consent(2, "gdpr-consent", "2018-01-01T10:00:00", None)]).await;
        let (number, _) = world.take_one(of_2018(report(3, &plain(PERSON).tree()))).await;
        assert_eq!(world.read(&af()).await.len(), 2);
        for later in [AFTER, "2018-07-30T10:00:00Z"] {
            world.clock.set(at(later));
            world.sweep().await;
            assert_eq!(world.read(&af()).await, [], "{later}: shown to nobody, and no DELETE");
        }
        assert_eq!(world.leg(number, &af()).await.state, LegState::Published, "it stays with its recipient");
        world.census().await;
    });
}

fn every_disclosure_records_the_rows_that_it_was_decided_under<H: Home>() {
    run(async {
        for (instant, regime, grounds, sensitive, other) in
            [(BEFORE, "pul-1998", ["pul-10-d"], "pul-13", "gdpr-9"), (AFTER, "gdpr-2018", ["gdpr-6-1-e"], "gdpr-9", "pul-13")]
        {
            let world = world::<H>(TASK_OF_BOTH_LAWS, instant).await;
            world.take(vec![consent(1, "secrecy-waiver", "2018-01-01T10:00:00", None)]).await;
            let (number, _) = world.take_one(of_2018(report(2, &plain(PERSON).tree()))).await;
            let basis = basis(&world, number).await;
            assert_eq!((basis.regime.as_deref(), basis.grounds.as_slice()), (Some(regime), &grounds.map(str::to_owned)[..]));
            for row in ["osl-26-1", "osl-10-1", "osl-12-2", "osl-28-11-2009", "solpul-6", sensitive] {
                assert!(basis.rules.iter().any(|known| known == row), "{row}: {:?}", basis.rules);
            }
            for row in ["osl-8-2", "osl-10-28", "osl-28-11-2022", other] {
                assert!(!basis.rules.iter().any(|known| known == row), "{row}: {:?}", basis.rules);
            }
            assert_eq!((basis.agreement.as_str(), basis.version, basis.gate.as_deref()), (AGREEMENT, 1, Some("waiver")));
            assert_eq!((basis.purpose.as_str(), basis.legal_ground.as_str()), ("Prov", TASK_OF_BOTH_LAWS));
            assert_eq!(basis.contract, "activity-report.v1");
            assert_eq!(basis.documents, ["af.deltaganderapport.v1", "af.avvikelserapport.v1"]);
            assert_eq!((basis.consents.len(), basis.set.as_str()), (1, world.journey.set().digest()));
        }
    });
}

on_both_engines! {
    a_consent_from_before_the_gdpr_is_a_ground_after_it_only_when_confirmed,
    a_secrecy_waiver_from_before_the_gdpr_opens_its_gate_after_it,
    where_the_ground_is_a_task_a_gdpr_consent_is_recorded_and_decides_nothing,
    what_stands_in_the_feed_when_the_law_changes_is_not_served_after_it,
    the_end_of_the_hold_period_takes_nothing_back_of_what_was_served_before_the_law_changed,
    every_disclosure_records_the_rows_that_it_was_decided_under,
}
