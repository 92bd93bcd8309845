//! Dead letters as the desk looks through them: groups that count right whatever changes, pages that miss and repeat nothing,
//! and nothing restricted or diverted among them.

use std::collections::BTreeMap;

use brygga::domain::{Code, Operator, Position, ReceiptKind, Role, Scope};
use brygga::store::{
    Cause, DeadLetter, DeadLetters, Feeds as _, LegState, LetterChoice, LetterGroup, LetterKey, LetterPage, LetterState,
    MessageState, NewMessage, ReceiptRow, Receipts as _, Tx as _, UnmaskedField,
};
use jiff::ToSpan as _;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _};
use uuid::Uuid;

use super::super::engine::{Engine, on_both_engines};
use super::{Hall, af, leg, login, message};
use crate::harness::{dead_letters, folder_in_memory, root};
use crate::servers::postgres::Server;
use crate::store::desk::{PERSONS, noon};

/// A refused message that came so many minutes after noon.
fn refused(id: u128, code: Code, place: &str) -> NewMessage {
    let mut one = message(id);
    (one.state, one.report, one.fan_out) = (MessageState::Refused, None, 0);
    one.violations = vec![(code, place.to_owned()), (Code::ContractType, "note".to_owned())];
    one.envelope.received_at = noon() + i64::try_from(id).expect("small").minutes();
    one
}

fn cause(code: Code, place: &str) -> Cause {
    Cause { login: login(), code, contract: "activity-report.v1".to_owned(), place: place.to_owned() }
}

async fn counted<T: DeadLetters>(tx: &mut T) -> BTreeMap<(Code, String), i64> {
    let groups = tx.letter_groups().await.expect("read");
    let again = tx.letter_groups().await.expect("read");
    assert_eq!(groups, again, "looking changes nothing");
    groups.into_iter().map(|one| ((one.cause.code, one.cause.place), one.letters)).collect()
}

async fn groups_count_what_waits_by_cause_whatever_becomes_of_it<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let mut tx = hall.begin().await;
    assert_eq!(tx.letter_groups().await.expect("read"), []);
    let mut numbers = Vec::new();
    for (id, place) in [(1, "days[0].date"), (2, "days[17].date"), (3, "absences[1].times[2].from")] {
        numbers.push(tx.insert_message(&refused(id, Code::ContractDate, place)).await.expect("stored"));
    }
    let mut restricted = refused(4, Code::ContractDate, "days[0].date");
    restricted.restricted = true;
    let restricted = tx.insert_message(&restricted).await.expect("stored");
    let journey = tx.insert_message(&message(5)).await.expect("stored");
    tx.put_leg(&leg(journey, 5, LegState::Held, None)).await.expect("written");
    tx.commit().await.expect("committed");

    let mut tx = hall.begin().await;
    let groups = tx.letter_groups().await.expect("read");
    let days = LetterGroup {
        cause: cause(Code::ContractDate, "days[].date"),
        letters: 2,
        first: noon() + 1.minutes(),
        last: noon() + 2.minutes(),
    };
    let absences = LetterGroup {
        cause: cause(Code::ContractDate, "absences[].times[].from"),
        letters: 1,
        first: noon() + 3.minutes(),
        last: noon() + 3.minutes(),
    };
    assert_eq!(groups, [days, absences], "the largest first; nothing restricted");
    let mut dead = leg(journey, 5, LegState::Refused, None);
    dead.code = Some(Code::TranslateReason);
    tx.put_leg(&dead).await.expect("written");
    tx.discard_message(numbers[0]).await.expect("discarded");
    // Run again: one is refused for something else, one is a report now, one says nothing of whom it is about.
    tx.update_message(numbers[1], &refused(2, Code::AgreementAge, "the document")).await.expect("changed");
    tx.update_message(numbers[2], &message(3)).await.expect("changed");
    tx.commit().await.expect("committed");

    let mut tx = hall.begin().await;
    let wanted = [((Code::TranslateReason, String::new()), 1), ((Code::AgreementAge, "the document".to_owned()), 1)];
    assert_eq!(counted(&mut tx).await, wanted.into());
    let aside = LetterPage { state: LetterState::Discarded, ..LetterPage::open(LetterChoice::All, 10) };
    let discarded = tx.dead_letters(&aside).await.expect("read");
    assert_eq!(discarded.iter().map(|one| one.message).collect::<Vec<_>>(), [numbers[0]]);
    // What was restricted becomes readable, and what was readable becomes restricted.
    tx.update_message(restricted, &refused(4, Code::ContractDate, "days[0].date")).await.expect("changed");
    let mut unreadable = refused(2, Code::IdentityUnreadable, "the document");
    unreadable.restricted = true;
    tx.update_message(numbers[1], &unreadable).await.expect("changed");
    tx.discard_message(journey).await.expect("discarded");
    let wanted = [((Code::ContractDate, "days[].date".to_owned()), 1)];
    assert_eq!(counted(&mut tx).await, wanted.clone().into(), "a leg is set aside with its message");
    tx.commit().await.expect("committed");

    let mut tx = hall.begin().await;
    assert_eq!(counted(&mut tx).await, wanted.into());
    tx.divert_message(journey).await.expect("diverted");
    tx.divert_message(restricted).await.expect("diverted");
    assert_eq!(counted(&mut tx).await, BTreeMap::new());
    let all = [&dead_letters(&mut tx).await[..], &tx.dead_letters(&aside).await.expect("read")].concat();
    assert_eq!(all.iter().map(|one| one.message).collect::<Vec<_>>(), [numbers[0]], "nothing diverted is in any list");
}

/// Whether a way of asking asks for a letter.
type Wanted<'a> = &'a dyn Fn(&DeadLetter) -> bool;

/// Reads all pages of so many letters.
async fn walk<T: DeadLetters>(tx: &mut T, page: &LetterPage) -> Vec<LetterKey> {
    let (mut page, mut all) = (page.clone(), Vec::new());
    loop {
        let letters = tx.dead_letters(&page).await.expect("read");
        assert!(i64::try_from(letters.len()).expect("few") <= page.limit);
        let Some(last) = letters.last() else { return all };
        page.after = Some(last.key());
        all.extend(letters.iter().map(DeadLetter::key));
    }
}

async fn pages_in_either_direction_hold_each_letter_once<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let other: brygga::domain::Login = "hallefors-fs".to_owned().try_into().expect("a login");
    let mut tx = hall.begin().await;
    for id in 1..=40_u128 {
        let code = if id % 3 == 0 { Code::ContractMissing } else { Code::ContractDate };
        let mut one = refused(id, code, if id % 2 == 0 { "days[1].date" } else { "note" });
        // Several at the same instant, and not in the order of their numbers.
        one.envelope.received_at = noon() - i64::try_from(id / 4).expect("small").minutes();
        if id % 5 == 0 {
            one.envelope.login = other.clone();
        }
        if id % 8 == 0 {
            one.envelope.trace.correlation_id = Some(Uuid::from_u128(77));
        }
        let number = tx.insert_message(&one).await.expect("stored");
        if id % 4 == 0 {
            let mut dead = leg(number, 1, LegState::Refused, None);
            dead.code = Some(Code::TranslateValue);
            tx.put_leg(&dead).await.expect("written");
        }
    }
    tx.commit().await.expect("committed");
    let mut tx = hall.begin().await;
    let all = dead_letters(&mut tx).await;
    assert_eq!(all.len(), 50);
    assert!(all.is_sorted_by_key(DeadLetter::key));
    let of_cause = cause(Code::ContractDate, "days[].date");
    let id = Uuid::from_u128(77);
    let choices: [(LetterChoice, Wanted<'_>); 8] = [
        (LetterChoice::All, &|_| true),
        (LetterChoice::Sender(other.clone()), &|one| one.cause.login == other),
        (LetterChoice::Code(Code::TranslateValue), &|one| one.cause.code == Code::TranslateValue),
        (LetterChoice::SenderCode(login(), Code::ContractDate), &|one| {
            one.cause.login == login() && one.cause.code == Code::ContractDate
        }),
        (LetterChoice::Cause(of_cause.clone()), &|one| one.cause == of_cause),
        (LetterChoice::Correlation(id, None, None), &|one| one.correlation == Some(id)),
        (LetterChoice::Correlation(id, Some(other.clone()), None), &|one| {
            one.correlation == Some(id) && one.cause.login == other
        }),
        (LetterChoice::Correlation(id, None, Some(Code::TranslateValue)), &|one| {
            one.correlation == Some(id) && one.cause.code == Code::TranslateValue
        }),
    ];
    let (from, before) = (noon() - 7.minutes(), noon() - 2.minutes());
    for (choice, is_wanted) in choices {
        for (from, before) in [(None, None), (Some(from), None), (None, Some(before)), (Some(from), Some(before))] {
            let is_inside = |one: &DeadLetter| {
                from.is_none_or(|from| one.received_at >= from) && before.is_none_or(|before| one.received_at < before)
            };
            let mut wanted: Vec<_> = all.iter().filter(|one| is_wanted(one) && is_inside(one)).map(DeadLetter::key).collect();
            for newest_first in [false, true] {
                let page = LetterPage { from, before, newest_first, ..LetterPage::open(choice.clone(), 3) };
                assert_eq!(walk(&mut tx, &page).await, wanted, "{page:?}");
                wanted.reverse();
            }
        }
    }
    // What comes and goes between two pages moves nothing else.
    let mut page = LetterPage::open(LetterChoice::All, 25);
    let first = tx.dead_letters(&page).await.expect("read");
    page.after = first.last().map(DeadLetter::key);
    tx.discard_message(first[3].message).await.expect("discarded");
    let mut early = refused(99, Code::ContractDate, "note");
    early.envelope.received_at = noon() - 3.hours();
    tx.insert_message(&early).await.expect("stored");
    let second = tx.dead_letters(&page).await.expect("read");
    assert_eq!(second, all[25..]);
}

async fn what_a_recipient_rejects_is_a_letter_for_as_long_as_its_entry_stands<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let stored = hall.publish(&hall.made(PERSONS[0], 1)).await;
    let mut tx = hall.begin().await;
    tx.lock_deliveries(&[af()]).await.expect("locked");
    tx.mark_served(&af(), &[Position(1), Position(2)]).await.expect("marked");
    let row = |position, kind, code: Option<&str>| ReceiptRow {
        recipient: af(),
        position: Position(position),
        kind,
        code: code.map(ToOwned::to_owned),
        message: stored.number,
        stated_at: noon(),
    };
    let rejected = ReceiptKind::Rejected;
    let rows = [row(1, ReceiptKind::Received, None), row(1, rejected, Some("stangd-period")), row(2, rejected, Some("annat"))];
    tx.put_receipts(&rows).await.expect("stored");
    tx.commit().await.expect("committed");
    let mut tx = hall.begin().await;
    let letters = dead_letters(&mut tx).await;
    let said: Vec<_> = letters.iter().map(|one| (one.position, one.said.as_deref(), one.cause.code)).collect();
    let code = Code::RecipientRejected;
    assert_eq!(said, [(Some(Position(1)), Some("stangd-period"), code), (Some(Position(2)), Some("annat"), code)]);
    assert!(letters.iter().all(|one| one.message == stored.number && one.recipient == Some(af())));
    tx.settle_rejection(&af(), Position(1)).await.expect("set aside");
    assert_eq!(counted(&mut tx).await, [((code, String::new()), 1)].into());
    let later = tx.insert_message(&message(9)).await.expect("stored");
    tx.keep_entry(&af(), Position(2), later, noon() + 1.hours()).await.expect("kept");
    let moved = dead_letters(&mut tx).await;
    assert_eq!(moved.iter().map(|one| one.message).collect::<Vec<_>>(), [later], "it hangs on the newer message");
    tx.commit().await.expect("committed");
    let mut tx = hall.begin().await;
    tx.withdraw_entry(&af(), Position(2)).await.expect("withdrawn");
    assert_eq!(dead_letters(&mut tx).await, []);
    assert_eq!(counted(&mut tx).await, BTreeMap::new());
    let aside = LetterPage { state: LetterState::Discarded, ..LetterPage::open(LetterChoice::All, 10) };
    assert_eq!(tx.dead_letters(&aside).await.expect("read").len(), 1);
}

/// What the lists of dead letters are made of, read past them.
const BY_HAND: &str = "SELECT number FROM messages WHERE state = 'refused' AND NOT restricted AND discarded_at IS NULL UNION ALL \
    SELECT message FROM legs JOIN messages ON number = message WHERE legs.state = 'refused' AND discarded_at IS NULL UNION ALL \
    SELECT message FROM entries WHERE state = 'live' AND refused_at IS NOT NULL AND discarded_at IS NULL UNION ALL \
    SELECT entries.message FROM receipts JOIN entries ON entries.recipient = receipts.recipient \
    AND entries.position = receipts.position WHERE entries.state = 'live' AND kind = 'rejected' AND settled_at IS NULL ORDER BY 1";

async fn the_demos_letters_are_what_its_rows_say_and_a_migration_finds_the_same<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let (scenario, arrivals) = crate::relay::demo();
    hall.engine.clock().set(scenario.instant);
    hall.journey.take(&hall.store, arrivals).await.expect("taken");
    let mut tx = hall.begin().await;
    let (letters, groups) = (dead_letters(&mut tx).await, tx.letter_groups().await.expect("read"));
    tx.commit().await.expect("committed");
    assert!(letters.len() > 5 && groups.len() > 3);
    let mut numbers: Vec<i64> = letters.iter().map(|one| one.message.0).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, hall.engine.numbers(BY_HAND).await);
    assert_eq!(groups.iter().map(|one| one.letters).sum::<i64>(), i64::try_from(letters.len()).expect("few"));
    // A store that was there before has no rows yet: the migration makes them.
    hall.engine.numbers("DELETE FROM dead_letters RETURNING message").await;
    let mut tx = hall.begin().await;
    assert_eq!(tx.letter_groups().await.expect("read"), []);
    tx.commit().await.expect("committed");
    let text = std::fs::read_to_string(root().join(E::MIGRATIONS).join(FILE)).expect("the migration");
    let (_, filling) = text.split_once("-- What is there already").expect("what fills the table");
    let (_, filling) = filling.split_once('\n').expect("a line");
    for statement in filling.split(';').filter(|statement| !statement.trim().is_empty()) {
        hall.engine.numbers(format!("{statement} RETURNING message").leak()).await;
    }
    let mut tx = hall.begin().await;
    assert_eq!((dead_letters(&mut tx).await, tx.letter_groups().await.expect("read")), (letters, groups));
}

/// The migration that makes the table.
const FILE: &str = "0006_dead_letters.sql";

/// What many letters belong to.
const ID: &str = "'00000000-0000-0000-0000-000000000000'::uuid";

/// How many letters the plans are made for.
const MANY: usize = 20_000;

/// Rows of many causes and senders, as either engine takes them.
fn filling(uuid: &str, correlation: &str) -> String {
    format!(
        "INSERT INTO dead_letters (message, part, login, message_id, correlation, contract, code, place, received_at, state) \
         WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {MANY}) SELECT n, '', \
         'sender-' || n % 2, {uuid}, {correlation}, 'activity-report.v1', CASE n / 2 % 4 WHEN 0 THEN 'contract.date' \
         WHEN 1 THEN 'contract.missing' WHEN 2 THEN 'agreement.age' ELSE 'contract.type' END, 'days[].x' || n / 7 % 3, n, \
         CASE n / 50 % 3 WHEN 0 THEN 'discarded' ELSE 'open' END FROM n"
    )
}

fn pages(statements: &[&'static str]) -> Vec<&'static str> {
    let pages: Vec<_> = statements.iter().copied().filter(|one| one.contains("FROM dead_letters WHERE")).collect();
    assert_eq!(pages.len(), 12, "each way of asking, in either direction");
    pages
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_letters_is_read_along_an_index_on_postgres() {
    let server = Server::shared().await;
    let settings = server.database().await;
    let clock = brygga::store::Clock::at(noon());
    let store = brygga::store::postgres::PostgresStore::open(&settings, clock).await.expect("the store opens");
    let mut bare = server.connect(&settings.database).await.expect("a connection");
    let filling = filling("gen_random_uuid()", ID);
    for statement in ["ALTER TABLE dead_letters DISABLE TRIGGER USER", filling.as_str(), "ANALYZE dead_letters"] {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut bare).await.expect("filled");
    }
    for statement in pages(brygga::store::postgres::STATEMENTS) {
        let more = match (statement.contains("$12"), statement.contains("correlation ="), statement.contains("$10")) {
            (true, ..) => ", 'sender-1', 'contract.date', 'activity-report.v1', 'days[].x1'".to_owned(),
            (_, true, _) => format!(", {ID}, NULL, NULL"),
            (_, _, true) => ", 'sender-1', 'contract.date'".to_owned(),
            _ if statement.contains("code = $9") => ", 'contract.date'".to_owned(),
            _ if statement.contains("$9") => ", 'sender-1'".to_owned(),
            _ => String::new(),
        };
        let far = MANY / 2;
        let explain = format!(
            "DEALLOCATE ALL; PREPARE page AS {statement}; \
             EXPLAIN EXECUTE page ('open', {far}, 0, '', 9223372036854775807, 0, '', 50{more})"
        );
        let rows = sqlx::raw_sql(AssertSqlSafe(explain)).fetch_all(&mut bare).await.expect("explained");
        let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        let plan = plan.join("\n");
        assert!(!plan.contains("Seq Scan") && !plan.contains("Sort"), "{statement}\n{plan}");
    }
    store.close().await;
}

#[tokio::test]
async fn every_page_of_letters_is_read_along_an_index_on_sqlite() {
    let folder = folder_in_memory();
    let path = folder.path().join("brygga.db");
    let clock = brygga::store::Clock::at(noon());
    brygga::store::sqlite::SqliteStore::open(&path, clock).await.expect("the store opens").close().await;
    let mut bare = SqliteConnectOptions::new().filename(path).connect().await.expect("a connection");
    sqlx::raw_sql(AssertSqlSafe(filling("randomblob(16)", "zeroblob(16)"))).execute(&mut bare).await.expect("filled");
    for statement in pages(brygga::store::sqlite::STATEMENTS) {
        let explain = format!("EXPLAIN QUERY PLAN {statement}");
        let rows = sqlx::query(AssertSqlSafe(explain)).fetch_all(&mut bare).await.expect("explained");
        let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
        let plan = plan.join("\n");
        assert!(plan.contains("SEARCH") && !plan.contains("SCAN") && !plan.contains("TEMP B-TREE"), "{statement}\n{plan}");
    }
}

async fn a_field_is_unmasked_for_one_operator_and_for_its_time<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let mut tx = hall.begin().await;
    let number = tx.insert_message(&refused(1, Code::ContractDate, "note")).await.expect("stored");
    let field = |place: &str, minutes: i64| UnmaskedField { place: place.to_owned(), until: noon() + minutes.minutes() };
    for one in [field("note", 1), field("note", 10), field("days[0].date", 5)] {
        tx.keep_unmasked_field(&operator("one"), number, &one).await.expect("kept");
    }
    tx.commit().await.expect("committed");
    let mut tx = hall.begin().await;
    let both = [field("days[0].date", 5), field("note", 10)];
    assert_eq!(tx.unmasked_fields(&operator("one"), number).await.expect("read"), both);
    assert_eq!(tx.unmasked_fields(&operator("another"), number).await.expect("read"), []);
    drop(tx);
    hall.engine.clock().set(noon() + 5.minutes());
    let mut tx = hall.begin().await;
    assert_eq!(tx.unmasked_fields(&operator("one"), number).await.expect("read"), [field("note", 10)], "its time is over");
}

on_both_engines! {
    a_field_is_unmasked_for_one_operator_and_for_its_time,
    groups_count_what_waits_by_cause_whatever_becomes_of_it,
    pages_in_either_direction_hold_each_letter_once,
    what_a_recipient_rejects_is_a_letter_for_as_long_as_its_entry_stands,
    the_demos_letters_are_what_its_rows_say_and_a_migration_finds_the_same,
}

fn operator(name: &str) -> Operator {
    Operator { name: name.to_owned(), role: Role::Operator, scope: Scope::Everything }
}
