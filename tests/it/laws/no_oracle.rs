//! No answer tells whether a person is unknown, has not consented, has revoked or is protected: the bytes and the times are
//! the same, for good and for faulty reports, whatever the gates.

use brygga::agreement::GateKind;
use brygga::answer::Kind;
use brygga::domain::{Category, Party, RecipientId};
use brygga::feed::Cursor;
use brygga::journey::Arrival;
use brygga::store::Store;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde_json::{Value, json};

use super::message::{CONSENTABLE, Waiver, flag, report};
use super::report::{PERSONS, plain};
use super::run;
use super::world::{Home, World, start, usual};

const PERSON: &str = PERSONS[0];

/// What is known of the person, or becomes known while the report waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Situation {
    Unknown,
    NoConsent,
    Revoked,
    RevokedWhilePublished,
    OwnFlag,
    StoredFlag,
    FlaggedWhileHeld,
    FlaggedWhilePublished,
}

const SITUATIONS: [Situation; 8] = [
    Situation::Unknown,
    Situation::NoConsent,
    Situation::Revoked,
    Situation::RevokedWhilePublished,
    Situation::OwnFlag,
    Situation::StoredFlag,
    Situation::FlaggedWhileHeld,
    Situation::FlaggedWhilePublished,
];

/// What the supplier sends, each at an hour.
type Sent = Vec<(i64, u128, Value)>;

/// What the supplier is told: when, by which contract, in which bytes.
type Told = Vec<(SignedDuration, String, String)>;

fn ame() -> RecipientId {
    RecipientId::from_stored("1863.ame".to_owned())
}

fn waiver(party: Party) -> Waiver {
    Waiver::new(PERSON, &format!("W-{}", party.as_str()), party, &CONSENTABLE)
}

const PARTIES: [Party; 2] = [Party::Arbetsformedlingen, Party::Forsorjningsstod];

/// Messages from elsewhere by which the situation comes about; their ids begin at 1000.
fn setting(situation: Situation) -> Vec<Arrival> {
    let waivers = |ids: u128| PARTIES.iter().zip(ids..).map(|(party, id)| waiver(*party).arrival(id)).collect::<Vec<_>>();
    match situation {
        Situation::Unknown | Situation::OwnFlag | Situation::FlaggedWhileHeld => Vec::new(),
        Situation::NoConsent => {
            let mut other = plain(PERSON);
            other.id = "another".to_owned();
            vec![report(1000, &other.tree())]
        }
        Situation::Revoked => {
            let revoked = PARTIES.iter().zip(1010..).map(|(party, id)| waiver(*party).revoking(2, &[]).arrival(id));
            waivers(1000).into_iter().chain(revoked).collect()
        }
        Situation::RevokedWhilePublished | Situation::FlaggedWhilePublished => waivers(1000),
        Situation::StoredFlag => vec![flag(1000, PERSON)],
    }
}

/// What comes ten days later.
fn later(situation: Situation) -> Vec<Arrival> {
    match situation {
        Situation::RevokedWhilePublished => {
            let revoked = PARTIES.iter().zip(1020..).map(|(party, id)| waiver(*party).revoking(2, &[]).arrival(id));
            revoked.collect()
        }
        Situation::FlaggedWhileHeld | Situation::FlaggedWhilePublished => vec![flag(1020, PERSON)],
        _ => Vec::new(),
    }
}

async fn told<H: Home>(situation: Situation, gate_of_fs: GateKind, sent: &Sent) -> Told {
    let world = World::<H>::new(usual(gate_of_fs)).await;
    world.take(setting(situation)).await;
    let hour = |hours: i64| start().checked_add(SignedDuration::from_hours(hours)).expect("an instant");
    let mut instants: Vec<Timestamp> = (0..17).map(|day| hour(day * 48)).collect();
    // The last moment of each hold period, in which nothing may be told yet.
    instants.extend(sent.iter().map(|(at, ..)| hour(at + 30 * 24).checked_sub(1.microsecond()).expect("an instant")));
    instants.extend(sent.iter().flat_map(|(at, ..)| [hour(*at), hour(at + 30 * 24)]));
    instants.sort();
    instants.dedup();
    for now in instants {
        world.clock.set(now);
        for (_, id, tree) in sent.iter().filter(|(at, ..)| hour(*at) == now) {
            let mut tree = tree.clone();
            if situation == Situation::OwnFlag && tree["participant"].is_object() {
                tree["participant"]["protectedIdentity"] = json!(true);
            }
            world.take(vec![report(*id, &tree)]).await;
        }
        if now == hour(240) {
            world.take(later(situation)).await;
        }
        if world.store.has_work().await.expect("asked") {
            world.sweep().await;
        }
    }
    let page = world.journey.page(&world.store, &ame(), Cursor::START, 1000).await.expect("a page");
    let mut told = Vec::new();
    for entry in page.entries {
        let text = String::from_utf8(entry.document).expect("text");
        let answer: Value = serde_json::from_str(&text).expect("JSON");
        let reference = entry.contract.parse().expect("a reference");
        let contract = world.journey.set().catalogue.contract(&reference).expect("a contract of its own");
        assert!(contract.fits(&answer), "{text} breaks {reference}");
        let id: uuid::Uuid = answer["messageId"].as_str().expect("an id").parse().expect("a UUID");
        if id.as_u128() < 1000 {
            told.push((entry.published_at.duration_since(start()), entry.contract, text));
        }
    }
    told
}

/// What suppliers send, by name: good, faulty, repeated, corrected, cancelled, under an id that was used.
fn suppliers() -> Vec<(&'static str, Sent)> {
    let good = plain(PERSON).tree();
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut tree = good.clone();
        change(&mut tree);
        tree
    };
    let unknown_field = changed(&|tree| tree["participant"]["hobby"] = json!("x"));
    let unknown_activity = changed(&|tree| tree["placement"]["activity"] = json!("Något annat"));
    let outside: Value = serde_json::from_str(&good.to_string().replace("2026-", "2024-")).expect("JSON");
    let other = changed(&|tree| tree["placement"]["extentPercent"] = json!(50));
    let second = plain(PERSON).revision(2, "correction").tree();
    let cancelled = plain(PERSON).revision(3, "cancellation").tree();
    vec![
        ("good", vec![(0, 1, good.clone())]),
        ("a contract's fault", vec![(0, 1, unknown_field), (6, 2, good.clone())]),
        ("an agreement's fault", vec![(0, 1, unknown_activity), (6, 2, outside)]),
        ("a repetition and a conflict", vec![(0, 1, good.clone()), (6, 2, good.clone()), (12, 3, other.clone())]),
        ("an id used twice", vec![(0, 1, good.clone()), (0, 1, good.clone()), (6, 1, other)]),
        ("a correction", vec![(0, 1, good.clone()), (48, 2, second.clone())]),
        ("a correction that comes first", vec![(0, 2, second.clone()), (48, 1, good.clone())]),
        ("a cancellation", vec![(0, 1, good), (300, 2, second), (360, 3, cancelled)]),
    ]
}

fn whatever_is_known_of_a_person_the_answers_are_the_same_to_the_byte_and_to_the_instant<H: Home>() {
    run(async {
        let gates = [GateKind::Waiver, GateKind::NoSecrecyBoundary];
        for (row, gate_of_fs) in gates.into_iter().enumerate() {
            for (column, (name, sent)) in suppliers().into_iter().enumerate() {
                // Where a case costs more, each way of sending meets one of the gates.
                if H::share(gates.len()) < gates.len() && (row + column) % 2 > 0 {
                    continue;
                }
                let reference = told::<H>(Situation::Unknown, gate_of_fs, &sent).await;
                assert!(!reference.is_empty(), "{name}: something is told");
                for situation in SITUATIONS {
                    let same = told::<H>(situation, gate_of_fs, &sent).await;
                    assert_eq!(same, reference, "{name}, {situation:?}, {gate_of_fs:?}");
                }
            }
        }
    });
}

fn a_held_report_is_accepted_at_once_and_told_as_not_forwarded_when_its_hold_period_ends<H: Home>() {
    run(async {
        let told = told::<H>(Situation::StoredFlag, GateKind::NoSecrecyBoundary, &vec![(0, 1, plain(PERSON).tree())]).await;
        let brief: Vec<_> = told.iter().map(|(at, contract, _)| (at.as_hours(), contract.as_str())).collect();
        assert_eq!(brief, [(0, Kind::Accepted.contract()), (30 * 24, Kind::NotForwarded.contract())]);
        let id = "00000000-0000-0000-0000-000000000001";
        let accepted = json!({ "messageId": id, "contract": "activity-report.v1", "heldUntil": "2026-04-01T12:00:00Z" });
        assert_eq!(told[0].2, accepted.to_string());
        assert_eq!(told[1].2, json!({ "messageId": id, "contract": "activity-report.v1" }).to_string());
    });
}

fn a_report_that_was_forwarded_to_all_is_accepted_and_nothing_more<H: Home>() {
    run(async {
        for party in [None, Some(Party::Forsorjningsstod)] {
            let world = World::<H>::new(usual(GateKind::Waiver)).await;
            world.take(vec![waiver(Party::Arbetsformedlingen).arrival(1000)]).await;
            world.take(party.iter().map(|party| waiver(*party).arrival(1001)).collect()).await;
            world.take(vec![report(1, &plain(PERSON).tree())]).await;
            world.clock.set(start().checked_add(SignedDuration::from_hours(31 * 24)).expect("an instant"));
            world.sweep().await;
            let page = world.journey.page(&world.store, &ame(), Cursor::START, 100).await.expect("a page");
            let contracts: Vec<String> = page.entries.into_iter().map(|entry| entry.contract).collect();
            let not_forwarded = contracts.iter().filter(|contract| *contract == Kind::NotForwarded.contract()).count();
            assert_eq!(not_forwarded, usize::from(party.is_none()), "once for the message, if any waiver is missing");
        }
    });
}

fn a_served_report_that_is_taken_back_was_forwarded<H: Home>() {
    run(async {
        for protected in [false, true] {
            let world = World::<H>::new(usual(GateKind::NoSecrecyBoundary)).await;
            world.take(vec![waiver(Party::Arbetsformedlingen).arrival(1000)]).await;
            world.take(vec![report(1, &plain(PERSON).tree())]).await;
            assert_eq!(world.read(&super::world::af()).await.len(), 2, "a report and one absence");
            let taken_back = waiver(Party::Arbetsformedlingen).revoking(2, &[]).arrival(1001);
            world.take(vec![if protected { flag(1001, PERSON) } else { taken_back }]).await;
            world.clock.set(start().checked_add(SignedDuration::from_hours(31 * 24)).expect("an instant"));
            world.sweep().await;
            let page = world.journey.page(&world.store, &ame(), Cursor::START, 100).await.expect("a page");
            assert!(page.entries.iter().all(|entry| entry.contract != Kind::NotForwarded.contract()));
        }
    });
}

fn a_flag_a_consent_and_a_revocation_get_the_same_answer_and_their_faults_a_rejection<H: Home>() {
    run(async {
        let world = World::<H>::new(usual(GateKind::Waiver)).await;
        let consent = waiver(Party::Arbetsformedlingen);
        let mut broken = consent.clone();
        broken.categories = vec![Category::Report; 40];
        world.take(vec![consent.arrival(1), consent.revoking(2, &[]).arrival(1), flag(1, PERSON), broken.arrival(2)]).await;
        let page = world.journey.page(&world.store, &ame(), Cursor::START, 100).await.expect("a page");
        let texts: Vec<String> =
            page.entries.iter().map(|entry| String::from_utf8(entry.document.clone()).expect("text")).collect();
        let id = "00000000-0000-0000-0000-000000000001";
        for (text, contract) in texts.iter().zip(["consent.v1", "consent.v1", "protection.v1"]) {
            assert_eq!(*text, json!({ "messageId": id, "contract": contract }).to_string());
        }
        let rejection: Value = serde_json::from_str(&texts[3]).expect("JSON");
        assert_eq!(rejection["violations"][0]["code"], "contract.items", "{rejection}");
        assert_eq!(texts.len(), 4);
    });
}

fn the_comparison_itself_can_fail<H: Home>() {
    run(async {
        let sent = vec![(0, 1, plain(PERSON).tree())];
        let unknown = told::<H>(Situation::Unknown, GateKind::Waiver, &sent).await;
        let world = World::<H>::new(usual(GateKind::Waiver)).await;
        world.take(PARTIES.iter().zip(1000..).map(|(party, id)| waiver(*party).arrival(id)).collect()).await;
        world.take(vec![report(1, &plain(PERSON).tree())]).await;
        world.clock.set(start().checked_add(SignedDuration::from_hours(31 * 24)).expect("an instant"));
        world.sweep().await;
        let page = world.journey.page(&world.store, &ame(), Cursor::START, 100).await.expect("a page");
        assert_eq!(page.entries.len() - 2, unknown.len() - 1, "a forwarded report has one answer less");
    });
}

on_both_engines! {
    whatever_is_known_of_a_person_the_answers_are_the_same_to_the_byte_and_to_the_instant,
    a_held_report_is_accepted_at_once_and_told_as_not_forwarded_when_its_hold_period_ends,
    a_report_that_was_forwarded_to_all_is_accepted_and_nothing_more,
    a_served_report_that_is_taken_back_was_forwarded,
    a_flag_a_consent_and_a_revocation_get_the_same_answer_and_their_faults_a_rejection,
    the_comparison_itself_can_fail,
}
