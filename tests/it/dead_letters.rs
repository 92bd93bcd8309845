//! The operators' desk on dead letters: who sees what, what is unmasked for whom, and acts on what has changed.

use brygga::dead_letter::{
    Act, Language, Letter, Look, Query, advice, comment_as, discard_as, groups, look, page, retry_as, unmask,
};
use brygga::domain::{Area, KommunCode, MessageNumber, Operator, Role, Scope};
use brygga::journey::{Arrival, Journey};
use brygga::store::sqlite::SqliteStore;
use brygga::store::{AuditAct, Clock, LetterState, Store as _, Survey as _, Tx as _};
use jiff::ToSpan as _;

use crate::harness::{dead_letters, root, scenario};
use crate::privacy::secrets;
use crate::relay::journey;

struct Desk {
    journey: Journey,
    store: SqliteStore,
    clock: Clock,
    secrets: Vec<String>,
}

/// A store that has taken a scenario's messages.
async fn desk(folder: &str) -> Desk {
    let (scenario, _) = scenario(&root().join(folder));
    let arrivals: Vec<Arrival> = scenario.messages.iter().map(|message| message.arrival(scenario.instant)).collect();
    let secrets = arrivals.iter().flat_map(|arrival| secrets(&String::from_utf8_lossy(&arrival.bytes))).collect();
    let clock = Clock::at(scenario.instant);
    let store = SqliteStore::in_memory(clock.clone()).await.expect("a store");
    let journey = journey();
    journey.take(&store, arrivals).await.expect("taken");
    Desk { journey, store, clock, secrets }
}

impl Desk {
    async fn letter(&self, who: &Operator, number: MessageNumber) -> Option<Box<Letter>> {
        match look(&self.journey, &self.store, who, number).await.expect("looked") {
            Look::Letter(letter) => Some(letter),
            _ => None,
        }
    }

    /// The number of a report of Hällefors that breaks a rule of the agreement, so that its whole document can be seen.
    async fn refused(&self) -> MessageNumber {
        let mut tx = self.store.begin("test").await.expect("a transaction");
        let letters = dead_letters(&mut tx).await;
        let is_one = |code: &str| code.starts_with("agreement.");
        letters.iter().find(|one| one.recipient.is_none() && is_one(one.cause.code.as_str())).expect("one").message
    }

    async fn acts(&self, number: MessageNumber, act: AuditAct) -> Vec<(String, String, Option<String>)> {
        let mut tx = self.store.begin("test").await.expect("a transaction");
        let all = tx.audited(number).await.expect("read");
        let rows = all.into_iter().map(|one| one.row).filter(|row| row.act == act);
        rows.map(|row| (row.actor, row.detail, row.reason)).collect()
    }
}

fn who(role: Role, scope: Scope) -> Operator {
    Operator { name: format!("a-{}", role.as_str()), role, scope }
}

fn operator() -> Operator {
    who(Role::Operator, Scope::Everything)
}

fn of_kommun(code: &str) -> Scope {
    Scope::Areas(vec![Area { kommun: KommunCode::try_from(code.to_owned()).expect("a code"), namnd: None }])
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_person_is_in_any_letter_of_any_scenario_before_it_is_unmasked() {
    let read = std::fs::read_dir(root().join("fixtures/scenarios")).expect("scenarios");
    let mut folders: Vec<String> =
        read.map(|entry| format!("fixtures/scenarios/{}", entry.expect("a folder").file_name().to_string_lossy())).collect();
    folders.push("fixtures/demo".to_owned());
    let mut looked_at = 0;
    for folder in folders {
        let desk = desk(&folder).await;
        for role in Role::ALL {
            let who = who(*role, Scope::Everything);
            let all = page(&desk.journey, &desk.store, &who, &Query::open(1000)).await.expect("a page");
            let groups = groups(&desk.journey, &desk.store, &who).await.expect("groups");
            let mut seen = vec![format!("{all:?} {groups:?}")];
            for one in &all.letters {
                let Some(letter) = desk.letter(&who, one.message).await else { continue };
                looked_at += 1;
                seen.push(format!("{:?} {:?} {:?}", letter.document, letter.tree, letter.history));
                for (code, place) in &letter.stored.message.violations {
                    seen.push(format!("{place} {:?}", advice(*code, Language::Swedish)));
                }
            }
            let seen = seen.join("\n");
            for secret in &desk.secrets {
                assert!(!seen.contains(secret.as_str()), "something of a person is shown in {folder}");
            }
        }
    }
    assert!(looked_at > 20, "{looked_at} letters");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sees_one_kommun_sees_its_letters_in_lists_groups_and_by_number_and_no_others() {
    let desk = desk("fixtures/demo").await;
    let everything = page(&desk.journey, &desk.store, &operator(), &Query::open(1000)).await.expect("a page");
    let mut seen = 0;
    for (code, name) in [("1863", "hallefors-"), ("1273", "osby-"), ("0181", "sodertalje-"), ("1281", "lund-"), ("9999", "?")] {
        let who = who(Role::Operator, of_kommun(code));
        let mut query = Query::open(2);
        let mut mine = Vec::new();
        loop {
            let page = page(&desk.journey, &desk.store, &who, &query).await.expect("a page");
            mine.extend(page.letters);
            let Some(next) = page.next else { break };
            query.after = Some(next);
        }
        let wanted: Vec<_> =
            everything.letters.iter().filter(|one| one.cause.login.as_str().starts_with(name)).cloned().collect();
        assert_eq!(mine, wanted);
        seen += mine.len();
        let groups = groups(&desk.journey, &desk.store, &who).await.expect("groups");
        assert_eq!(groups.iter().map(|one| one.group.letters).sum::<i64>(), i64::try_from(mine.len()).expect("few"));
        for group in &groups {
            let query = Query { group: Some(group.id.clone()), ..Query::open(1000) };
            let page = page(&desk.journey, &desk.store, &who, &query).await.expect("a page");
            assert_eq!(i64::try_from(page.letters.len()), Ok(group.group.letters));
            assert!(page.letters.iter().all(|one| one.cause == group.group.cause));
        }
        for one in everything.letters.iter().filter(|one| !wanted.contains(one)) {
            assert!(desk.letter(&who, one.message).await.is_none(), "others' letters are not there");
            let act = retry_as(&desk.journey, &desk.store, &who, one.message, None).await.expect("asked");
            assert_eq!(act, Act::Nothing);
            let act = unmask(&desk.journey, &desk.store, &who, one.message, "note", "because").await.expect("asked");
            assert_eq!(act, Act::Nothing);
        }
    }
    assert!(seen > 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_field_is_unmasked_for_one_person_for_ten_minutes_and_for_a_reason() {
    let desk = desk("fixtures/demo").await;
    let number = desk.refused().await;
    let place = "participant.personNumber";
    let ask = async |who: &Operator, place: &str, reason: &str| {
        unmask(&desk.journey, &desk.store, who, number, place, reason).await.expect("asked")
    };
    for role in [Role::Viewer, Role::Admin] {
        assert_eq!(ask(&who(role, Scope::Everything), place, "curious").await, Act::NotAllowed);
    }
    assert_eq!(ask(&operator(), place, "  ").await, Act::NoReason);
    assert_eq!(ask(&operator(), "period.from", "it is shown anyway").await, Act::Nothing);
    assert_eq!(ask(&operator(), "participant", "all of it").await, Act::Nothing);
    assert!(desk.acts(number, AuditAct::Reading).await.is_empty());
    let Act::Done(value) = ask(&operator(), place, "the sender asks").await else { panic!("a value") };
    assert!(value.chars().filter(char::is_ascii_digit).count() >= 10);
    let row = ("a-operator".to_owned(), format!("unmasked {place}"), Some("the sender asks".to_owned()));
    assert_eq!(desk.acts(number, AuditAct::Reading).await, [row]);
    let sees = async |who: &Operator| {
        let letter = desk.letter(who, number).await.expect("a letter");
        assert!(!format!("{:?}", letter.document).contains(&value));
        format!("{:?}", letter.tree).contains(&value)
    };
    assert!(sees(&operator()).await);
    for role in [Role::Viewer, Role::Privacy] {
        assert!(!sees(&who(role, Scope::Everything)).await, "nobody else sees it");
    }
    desk.clock.set(desk.clock.now() + 10.minutes());
    assert!(!sees(&operator()).await, "its time is over");
}

#[tokio::test(flavor = "multi_thread")]
async fn values_are_told_of_nobody_who_may_be_protected() {
    let desk = desk("fixtures/demo").await;
    let (number, place) = (desk.refused().await, "participant.personNumber");
    let ask = async |number| unmask(&desk.journey, &desk.store, &operator(), number, place, "asked").await.expect("asked");
    let Act::Done(value) = ask(number).await else { panic!("a value") };
    let mut tx = desk.store.begin("test").await.expect("a transaction");
    let mut stored = tx.message(number).await.expect("read").expect("a message");
    tx.set_flag(&stored.message.person.expect("a participant")).await.expect("set");
    tx.commit().await.expect("committed");
    assert_eq!(ask(number).await, Act::Nothing);
    let letter = desk.letter(&operator(), number).await.expect("a letter");
    assert!(!format!("{:?}", letter.tree).contains(&value), "what was unmasked before is masked again");

    // Of a stranger's report it was never asked whom it is about.
    let mut tx = desk.journey.begin(&desk.store, "test").await.expect("a transaction");
    stored = tx.message(number).await.expect("read").expect("a message");
    let bytes = tx.open(&stored.message).await.expect("read").expect("its content");
    drop(tx);
    let envelope = stored.message.envelope;
    let arrival = Arrival {
        login: "stranger".to_owned().try_into().expect("a login"),
        message_id: uuid::Uuid::now_v7(),
        contract: envelope.contract,
        syntax: envelope.syntax,
        message_time: envelope.message_time,
        bytes,
        trace: envelope.trace,
        defect: None,
    };
    let taken = desk.journey.take(&desk.store, [arrival]).await.expect("taken");
    let letter = desk.letter(&operator(), taken[0].number()).await.expect("a letter");
    assert!(letter.document.is_some() && letter.stored.message.person.is_none(), "it can be read, and nobody knows of whom");
    assert_eq!(ask(taken[0].number()).await, Act::Nothing);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_set_aside_is_not_run_by_whoever_opened_it_before() {
    let desk = desk("fixtures/demo").await;
    let number = desk.refused().await;
    let act = discard_as(&desk.journey, &desk.store, &operator(), number, None, "sent anew").await.expect("asked");
    assert!(matches!(act, Act::Done(())));
    assert!(desk.journey.retry(&desk.store, number, "late").await.expect("asked").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_on_a_letter_that_has_changed_since_it_was_seen_does_nothing() {
    let desk = desk("fixtures/demo").await;
    let number = desk.refused().await;
    let (first, second) = (operator(), Operator { name: "another".to_owned(), ..operator() });
    let standing = desk.letter(&first, number).await.expect("a letter").standing;
    assert_eq!(desk.letter(&second, number).await.expect("a letter").standing, standing, "looking changes nothing");
    for role in [Role::Viewer, Role::Admin, Role::Privacy] {
        let who = who(role, Scope::Everything);
        let act = retry_as(&desk.journey, &desk.store, &who, number, Some(&standing)).await.expect("asked");
        assert_eq!(act, Act::NotAllowed);
    }
    let run =
        async |who: &Operator, seen: &str| retry_as(&desk.journey, &desk.store, who, number, Some(seen)).await.expect("run");
    assert!(matches!(run(&first, &standing).await, Act::Done(_)), "it is refused again");
    assert_eq!(run(&first, &standing).await, Act::Changed, "clicking twice does it once");
    let set_aside = async |seen: &str, reason: &str| {
        discard_as(&desk.journey, &desk.store, &second, number, Some(seen), reason).await.expect("asked")
    };
    assert_eq!(set_aside(&standing, "sent anew").await, Act::Changed);
    let now = desk.letter(&second, number).await.expect("a letter");
    assert_eq!(now.history.iter().filter(|act| act.row.act == AuditAct::Operator).count(), 1);
    let group = now.group.clone().expect("a group");
    assert!(group.1 > 0);
    let comment = async |text: &str| comment_as(&desk.journey, &desk.store, &first, number, text).await.expect("asked");
    assert_eq!((comment(" ").await, comment("the supplier knows").await), (Act::NoReason, Act::Done(())));
    assert_eq!(set_aside(&now.standing, "sent anew").await, Act::Changed, "a comment is worth reading first");
    let now = desk.letter(&second, number).await.expect("a letter");
    assert_eq!(
        (set_aside(&now.standing, " ").await, set_aside(&now.standing, "sent anew").await),
        (Act::NoReason, Act::Done(()))
    );
    assert!(desk.letter(&first, number).await.is_none());
    assert_eq!(run(&first, &now.standing).await, Act::Changed);
    let aside = Query { state: LetterState::Discarded, ..Query::open(10) };
    let page = page(&desk.journey, &desk.store, &first, &aside).await.expect("a page");
    assert_eq!(page.letters.iter().map(|one| one.message).collect::<Vec<_>>(), [number]);
    let told: Vec<_> = desk.acts(number, AuditAct::Operator).await.into_iter().map(|(_, what, _)| what).collect();
    assert_eq!(told, ["retry", "comment", "discard"]);
    let mut tx = desk.store.begin("test").await.expect("a transaction");
    assert!(tx.census().await.expect("counted").adds_up());
    tx.commit().await.expect("committed");
}
