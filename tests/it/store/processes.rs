//! Several processes on one PostgreSQL, stepped into each other's gaps.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use brygga::domain::Position;
use brygga::feed::{Cursor, Method};
use brygga::journey::Arrival;
use brygga::store::postgres::PostgresStore;
use brygga::store::{Clock, Feeds as _, LegState, Store as _, StoreError, Survey as _, Tx as _};
use sqlx::Connection as _;

use super::desk::{Desk, PERSONS, af, consent, leg, noon, report};
use crate::servers::postgres::Server;

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_and_its_consent_at_once_leave_nothing_held_in_either_order() {
    let mut desk = Desk::open().await;
    let (one, other) = (desk.process().await, desk.process().await);
    for (index, consent_first) in [(0, false), (1, true)] {
        let person = PERSONS[index];
        let gate = desk.gate().await;
        let (journey, store) = (desk.journey.clone(), one.clone());
        let (mut first, mut second) = (report(person, "AR-1"), consent(person, false));
        if consent_first {
            std::mem::swap(&mut first, &mut second);
        }
        let first = tokio::spawn(async move { journey.take(&store, vec![first]).await });
        desk.wait_for_waiting(1).await;
        let (journey, store) = (desk.journey.clone(), other.clone());
        let second = tokio::spawn(async move { journey.take(&store, vec![second]).await });
        desk.wait_for_waiting(2).await;
        gate.close().await.expect("the gate opens");
        let first = first.await.expect("ends").expect("taken");
        let second = second.await.expect("ends").expect("taken");
        let report = if consent_first { second } else { first };
        assert_eq!(leg(&one, &report[0]).await, LegState::Published, "consent first: {consent_first}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_that_commits_while_a_page_is_built_takes_back_what_the_page_serves() {
    let mut desk = Desk::open().await;
    let (reader, writer) = (desk.process().await.feed(), desk.process().await);
    let changes: [fn(&str) -> Arrival; 1] = [|person| consent(person, true)];
    let mut last = Position(0);
    for (person, change) in PERSONS.into_iter().zip(changes) {
        desk.journey.take(&writer, vec![consent(person, false), report(person, "AR-1")]).await.expect("taken");
        let mut page = reader.begin("page").await.expect("a transaction");
        page.lock_deliveries(&[af()]).await.expect("locked");
        let entries = page.page(&af(), last, 100).await.expect("read");
        assert!(!entries.is_empty());
        let (journey, store, change) = (desk.journey.clone(), writer.clone(), change(person));
        let writing = tokio::spawn(async move { journey.take(&store, vec![change]).await });
        desk.wait_for_waiting(1).await;
        let positions: Vec<Position> = entries.iter().map(|entry| entry.position).collect();
        page.mark_served(&af(), &positions).await.expect("marked");
        page.commit().await.expect("committed");
        writing.await.expect("ends").expect("taken");
        last = positions[positions.len() - 1];
        let after = desk.journey.page(&reader, &af(), Cursor::at(last), 100).await.expect("a page");
        for entry in &entries {
            let newer = after.entries.iter().find(|served| served.subject == entry.subject);
            assert!(newer.is_some(), "nothing tells the reader that what it holds is no more");
        }
        last = after.entries.last().map_or(last, |served| served.position);
    }
    let whole = desk.journey.page(&reader, &af(), Cursor::START, 100).await.expect("a page");
    assert!(whole.entries.iter().any(|served| served.method == Method::Delete), "the revocation's");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_sees_every_entry_once_while_many_write() {
    let desk = Desk::open().await;
    let reader = desk.process().await.feed();
    let done = Arc::new(AtomicBool::new(false));
    let mut writers = Vec::new();
    for person in PERSONS {
        let (journey, store) = (desk.journey.clone(), desk.process().await);
        writers.push(tokio::spawn(async move {
            journey.take(&store, vec![consent(person, false)]).await.expect("taken");
            for batch in 0..6 {
                let reports: Vec<Arrival> = (0..5).map(|n| report(person, &format!("AR-{batch}-{n}"))).collect();
                journey.take(&store, reports).await.expect("taken");
            }
        }));
    }
    let (journey, ended) = (desk.journey.clone(), Arc::clone(&done));
    let following = tokio::spawn(async move {
        let (mut cursor, mut seen) = (Cursor::START, Vec::new());
        loop {
            let is_last = ended.load(Ordering::SeqCst);
            let page = journey.page(&reader, &af(), cursor, 7).await.expect("a page");
            if let Some(last) = page.entries.last() {
                cursor = Cursor::at(last.position);
                seen.extend(page.entries.iter().map(|served| served.position.0));
            } else if is_last {
                return seen;
            } else {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    });
    for writer in writers {
        writer.await.expect("it ends");
    }
    done.store(true, Ordering::SeqCst);
    let seen = following.await.expect("it ends");
    let head = i64::try_from(seen.len()).expect("few");
    assert!(head >= 120, "{head}");
    assert_eq!(seen, (1..=head).collect::<Vec<_>>(), "in order, without gap or repeat");
}

/// What a reader would have lost if positions came from a sequence.
#[tokio::test(flavor = "multi_thread")]
async fn a_sequence_would_have_lost_an_entry() {
    let server = Server::shared().await;
    let settings = server.database().await;
    let mut reader = server.connect(&settings.database).await.expect("a connection");
    let (mut slow, mut quick) = (
        server.connect(&settings.database).await.expect("a connection"),
        server.connect(&settings.database).await.expect("a connection"),
    );
    sqlx::query("CREATE TABLE scratch (position bigserial PRIMARY KEY)").execute(&mut reader).await.expect("made");
    let mut slow = slow.begin().await.expect("a transaction");
    sqlx::query("INSERT INTO scratch DEFAULT VALUES").execute(&mut *slow).await.expect("inserted");
    sqlx::query("INSERT INTO scratch DEFAULT VALUES").execute(&mut quick).await.expect("inserted");
    let after = "SELECT position FROM scratch WHERE position > $1 ORDER BY position";
    let first: Vec<i64> = sqlx::query_scalar(after).bind(0_i64).fetch_all(&mut reader).await.expect("read");
    slow.commit().await.expect("committed");
    let second: Vec<i64> = sqlx::query_scalar(after).bind(first[0]).fetch_all(&mut reader).await.expect("read");
    assert_eq!((first, second), (vec![2], Vec::new()), "the entry at 1 is there, and the reader is past it");
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_start_at_once_migrate_once_and_an_unknown_schema_is_refused() {
    let mut desk = Desk::open().await;
    let open = || PostgresStore::open(&desk.settings, Clock::at(noon()));
    let (one, two, three) = tokio::join!(open(), open(), open());
    for store in [one, two, three] {
        store.expect("it opens").ping().await.expect("it answers");
    }
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
        VALUES (9999, 'of tomorrow', true, 'x', 0)";
    sqlx::query(newer).execute(&mut desk.bare).await.expect("inserted");
    let refused = PostgresStore::open(&desk.settings, Clock::System).await;
    assert!(matches!(&refused, Err(StoreError::Schema(words)) if words.contains("9999")), "{refused:?}");
    sqlx::query("DELETE FROM _sqlx_migrations WHERE version = 9999").execute(&mut desk.bare).await.expect("deleted");
    let altered = "UPDATE _sqlx_migrations SET checksum = 'x'";
    sqlx::query(altered).execute(&mut desk.bare).await.expect("altered");
    let refused = PostgresStore::open(&desk.settings, Clock::System).await;
    assert!(matches!(&refused, Err(StoreError::Schema(_))), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_begin_that_nobody_waits_for_leaves_no_transaction_open() {
    let mut desk = Desk::open().await;
    desk.settings.intake_connections = 2;
    let store = PostgresStore::open(&desk.settings, Clock::System).await.expect("the store opens");
    for pause in 0..60_u64 {
        let begun = store.begin("test");
        let cut = tokio::time::timeout(Duration::from_micros(pause * 20), begun).await;
        drop(cut);
    }
    for _ in 0..4 {
        let (one, two) = tokio::join!(store.begin("test"), store.begin("test"));
        let (mut one, mut two) = (one.expect("begun"), two.expect("begun"));
        one.census().await.expect("a clean transaction");
        two.census().await.expect("a clean transaction");
        one.commit().await.expect("committed");
        two.commit().await.expect("committed");
    }
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND datname = current_database()";
    let begun = std::time::Instant::now();
    loop {
        let open: i64 = sqlx::query_scalar(sql).fetch_one(&mut desk.bare).await.expect("counted");
        if open == 0 {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{open} transactions stand open");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The same message at two processes at once, of which nobody can tell whom it is about: no row could be locked for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_comes_to_two_processes_at_once_counts_once() {
    let desk = Desk::open().await;
    let (one, other) = (desk.process().await, desk.process().await);
    for _ in 0..8 {
        let mut same = report(PERSONS[0], "AR-1");
        same.bytes = b"{}".to_vec();
        let (first, second) =
            tokio::join!(desk.journey.take(&one, vec![same.clone()]), desk.journey.take(&other, vec![same.clone()]));
        let numbers: BTreeSet<_> = [first, second].iter().flatten().flatten().map(brygga::journey::Outcome::number).collect();
        assert_eq!(numbers.len(), 1, "one row");
    }
    let mut tx = one.begin("test").await.expect("a transaction");
    let census = tx.census().await.expect("counted");
    assert!(census.adds_up() && (census.received, census.duplicates) == (16, 8), "{census:?}");
}
