//! `explain` tells the whole story of a message without a value, and of nobody who is protected.

use brygga::agreement::GateKind;
use brygga::domain::{Category, Code, Login, Party, RecipientId};
use brygga::feed::{Cursor, Method};
use brygga::journey::{FieldFate, LegStory, Story, explain};
use brygga::store::{EntryState, LegState, Store as _, Survey as _, WithdrawalStep};
use uuid::Uuid;

use super::message::{CONSENTABLE, Waiver, flag, report};
use super::report::{PERSONS, plain};
use super::run;
use super::world::{Home, World, af, fs, usual};

const PERSON: &str = PERSONS[2];

fn waiver() -> Waiver {
    let without: Vec<Category> = CONSENTABLE.into_iter().filter(|category| *category != Category::AbsenceReason).collect();
    Waiver::new(PERSON, "W-1", Party::Arbetsformedlingen, &without)
}

async fn stories<H: Home>(world: &World<H>, id: u128) -> Vec<Story> {
    explain(&world.journey, &world.store, Uuid::from_u128(id), "reader").await.expect("explained")
}

fn leg<'a>(story: &'a Story, recipient: &RecipientId) -> &'a LegStory {
    story.legs.iter().find(|leg| leg.row.id.recipient == *recipient).expect("a leg")
}

fn fate(leg: &LegStory, path: &str) -> FieldFate {
    leg.fields.iter().find(|(known, _)| known == path).unwrap_or_else(|| panic!("{path} is not told")).1.clone()
}

fn each_field_is_disclosed_withheld_by_a_line_or_absent<H: Home>() {
    run(async {
        let world = World::<H>::new(usual(GateKind::NoSecrecyBoundary)).await;
        world.take(vec![waiver().arrival(1)]).await;
        world.take_one(report(2, &plain(PERSON).tree())).await;
        let stories = stories(&world, 2).await;
        let [story] = &*stories else { panic!("one message: {}", stories.len()) };
        assert!(story.readable && story.revisions.len() == 1 && story.corrections.is_empty());
        let to_af = leg(story, &af());
        assert!(to_af.recorded && to_af.row.state == LegState::Published);
        assert_eq!(fate(to_af, "participant.personNumber"), FieldFate::Disclosed);
        assert_eq!(fate(to_af, "caseReference"), FieldFate::Absent, "this report has none");
        let FieldFate::Withheld { category, line: Some(line), .. } = fate(to_af, "absences[].reason") else {
            panic!("the waiver does not name it: {:?}", fate(to_af, "absences[].reason"));
        };
        assert_eq!(category, Category::AbsenceReason);
        let text = super::world::Agreement::usual(GateKind::NoSecrecyBoundary).toml();
        assert!(text.lines().nth(line - 1).expect("the line").starts_with("absence-reason = \"with-consent\""));
        let states: Vec<_> = to_af.entries.iter().map(|entry| (entry.state, entry.served_at.is_some())).collect();
        assert_eq!(states.len(), usize::try_from(to_af.row.documents).expect("small"));
        assert!(states.iter().all(|state| *state == (EntryState::Live, false)), "nobody has fetched anything");
        world.read(&af()).await;
        let after = self::stories(&world, 2).await;
        assert!(leg(&after[0], &af()).entries.iter().all(|entry| entry.served_at == Some(world.store.now())));
    });
}

fn a_leg_that_waits_is_told_as_it_would_be_decided_now<H: Home>() {
    run(async {
        let world = World::<H>::new(usual(GateKind::Waiver)).await;
        world.take_one(report(2, &plain(PERSON).tree())).await;
        let stories = stories(&world, 2).await;
        let to_af = leg(&stories[0], &af());
        assert!(!to_af.recorded && to_af.row.state == LegState::Held && to_af.entries.is_empty());
        assert_eq!(fate(to_af, "participant.personNumber"), FieldFate::Unknown);
        assert!(matches!(fate(to_af, "placement.extentPercent"), FieldFate::Unknown | FieldFate::Absent));
    });
}

fn a_correction_is_shown_to_have_reached_everybody_who_was_served_what_it_corrects<H: Home>() {
    run(async {
        let world = World::<H>::new(usual(GateKind::NoSecrecyBoundary)).await;
        world.take(vec![Waiver::new(PERSON, "W-1", Party::Arbetsformedlingen, &CONSENTABLE).arrival(1)]).await;
        world.take_one(report(2, &plain(PERSON).tree())).await;
        let served = world.read(&af()).await;
        world.read(&fs()).await;
        let mut corrected = plain(PERSON);
        (corrected.revision, corrected.kind) = (2, "correction");
        let mut tree = corrected.tree();
        tree.as_object_mut().expect("a report").remove("absences");
        tree["placement"]["extentPercent"] = serde_json::json!(37);
        world.take_one(report(3, &tree)).await;
        let stories = stories(&world, 3).await;
        let story = &stories[0];
        assert_eq!(story.revisions.iter().map(|one| one.revision).collect::<Vec<_>>(), [1, 2]);
        let to_af: Vec<_> = story.corrections.iter().filter(|one| one.recipient == af()).collect();
        assert_eq!(to_af.len(), served.len(), "one for each document that it was served");
        assert!(to_af.iter().all(|one| one.by.is_some() && !one.reached), "it has not asked since");
        assert_eq!(to_af.iter().filter(|one| one.deleted).count(), 1, "the absence is no longer reported");
        let news = world.page(&af(), Cursor::at(served.last().expect("served").position), 10).await;
        assert!(news.iter().any(|event| event.method == Method::Delete));
        let after = self::stories(&world, 3).await;
        assert!(after[0].corrections.iter().filter(|one| one.recipient == af()).all(|one| one.reached));
        let first = self::stories(&world, 2).await;
        assert!(first[0].corrections.is_empty(), "it corrects nothing itself");
        assert!(first[0].legs.iter().all(|leg| leg.row.state == LegState::Superseded));
    });
}

fn what_was_disclosed_is_still_told_after_the_waiver_was_revoked<H: Home>() {
    run(async {
        let world = World::<H>::new(usual(GateKind::Waiver)).await;
        world.take(vec![waiver().arrival(1)]).await;
        world.take_one(report(2, &plain(PERSON).tree())).await;
        world.read(&af()).await;
        world.take(vec![waiver().revoking(2, &[]).arrival(3)]).await;
        let stories = stories(&world, 2).await;
        let to_af = leg(&stories[0], &af());
        assert_eq!(to_af.row.state, LegState::Withdrawn);
        assert_eq!(fate(to_af, "participant.personNumber"), FieldFate::Disclosed);
        assert!(matches!(fate(to_af, "absences[].reason"), FieldFate::Withheld { .. }));
        assert!(to_af.entries.iter().any(|entry| entry.method == Method::Delete));
    });
}

fn what_a_recipient_has_said_and_how_far_it_has_followed_is_told<H: Home>() {
    run(async {
        let world = World::<H>::new(usual(GateKind::Waiver)).await;
        world.take(vec![waiver().arrival(1)]).await;
        world.take_one(report(2, &plain(PERSON).tree())).await;
        let [served] = &*world.read(&af()).await else { panic!("no reason is shown, so one document is") };
        let served = served.clone();
        super::receipts::say(&world, std::slice::from_ref(&served), "accepted").await;
        world.take(vec![waiver().revoking(2, &[]).arrival(3)]).await;
        let told = async || {
            let stories = stories(&world, 2).await;
            let to_af = leg(&stories[0], &af());
            let receipts: Vec<_> =
                to_af.receipts.iter().map(|one| (one.position, one.kind.as_str(), one.received_at)).collect();
            let [withdrawal] = &*to_af.withdrawals else { panic!("one row: {:?}", to_af.withdrawals) };
            assert_eq!((withdrawal.position, withdrawal.code), (served.position, Code::ConsentRevoked));
            let at = withdrawal.served_at.is_some();
            (receipts, withdrawal.step, withdrawal.delete, at, withdrawal.acknowledged_at.is_some())
        };
        let accepted = (served.position, "accepted", world.store.now());
        let (receipts, step, delete, ..) = told().await;
        assert_eq!((receipts, step), (vec![accepted], WithdrawalStep::DeletePublished));
        let deletes = world.page(&af(), Cursor::at(served.position), 10).await;
        assert_eq!(Some(deletes[0].position), delete);
        super::receipts::say(&world, &deletes, "withdrawal-acknowledged").await;
        let (receipts, step, _, was_served, is_acknowledged) = told().await;
        assert_eq!(receipts, [accepted, (deletes[0].position, "withdrawal-acknowledged", world.store.now())]);
        assert_eq!((step, was_served, is_acknowledged), (WithdrawalStep::Acknowledged, true, true));
        // What was withdrawn unseen, and of nobody else's entries.
        let later = Waiver::new(PERSON, "W-2", Party::Arbetsformedlingen, &CONSENTABLE);
        world.take(vec![later.arrival(4)]).await;
        world.take(vec![later.revoking(2, &[]).arrival(5)]).await;
        let stories = stories(&world, 2).await;
        let steps: Vec<_> = leg(&stories[0], &af()).withdrawals.iter().map(|one| one.step).collect();
        assert!(steps.contains(&WithdrawalStep::BeforeServing), "{steps:?}");
        assert!(leg(&stories[0], &fs()).withdrawals.is_empty());
    });
}

fn what_came_under_several_logins_is_told_for_each_and_a_reading_leaves_its_row<H: Home>() {
    run(async {
        let world = World::<H>::new(usual(GateKind::NoSecrecyBoundary)).await;
        world.take_one(report(2, &plain(PERSON).tree())).await;
        let mut other = report(2, &plain(PERSON).tree());
        other.login = Login::try_from("lund-ame".to_owned()).expect("a login");
        world.take_one(other).await;
        let stories = stories(&world, 2).await;
        let logins: Vec<&str> = stories.iter().map(|story| story.stored.message.envelope.login.as_str()).collect();
        assert_eq!(logins, ["hallefors-ame", "lund-ame"]);
        assert!(stories[1].legs.is_empty(), "it is refused, for its organisation is another's");
        assert!(self::stories(&world, 3).await.is_empty());
    });
}

fn of_a_protected_person_nothing_is_told_and_it_looks_like_nothing_there<H: Home>() {
    run(async {
        let world = World::<H>::new(usual(GateKind::NoSecrecyBoundary)).await;
        world.take(vec![waiver().arrival(1)]).await;
        world.take_one(report(2, &plain(PERSON).tree())).await;
        assert_eq!(stories(&world, 2).await.len(), 1);
        world.take(vec![flag(3, PERSON)]).await;
        for id in [1, 2, 3, 4] {
            assert!(stories(&world, id).await.is_empty(), "message {id}");
        }
        let mut tx = world.store.begin("test").await.expect("a transaction");
        assert!(tx.census().await.expect("counted").diverted == 1);
    });
}

on_both_engines! {
    each_field_is_disclosed_withheld_by_a_line_or_absent,
    a_leg_that_waits_is_told_as_it_would_be_decided_now,
    a_correction_is_shown_to_have_reached_everybody_who_was_served_what_it_corrects,
    what_was_disclosed_is_still_told_after_the_waiver_was_revoked,
    what_a_recipient_has_said_and_how_far_it_has_followed_is_told,
    what_came_under_several_logins_is_told_for_each_and_a_reading_leaves_its_row,
    of_a_protected_person_nothing_is_told_and_it_looks_like_nothing_there,
}
