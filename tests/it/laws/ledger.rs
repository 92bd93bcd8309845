//! The ledger of withdrawals: one row for each entry that was taken back, which goes from step to step and says when and by
//! which message.

use brygga::agreement::GateKind;
use brygga::domain::{Code, Party, Position};
use brygga::feed::{Cursor, Method};
use brygga::store::{Store, Tx as _, Unacknowledged, Withdrawal, WithdrawalFilter, WithdrawalStep, Withdrawals as _};

use super::message::{CONSENTABLE, Waiver, flag, report};
use super::report::{PERSONS, plain};
use super::run;
use super::world::{Home, World, af, at, start, usual};

use WithdrawalStep::{Acknowledged, BeforeServing, DeletePublished, DeleteServed, DeleteSuperseded, LapsedAfterServing};

const PERSON: &str = PERSONS[0];

fn waiver(id: &str) -> Waiver {
    Waiver::new(PERSON, id, Party::Arbetsformedlingen, &CONSENTABLE)
}

/// A world with one report in AF's feed: a document and one absence.
async fn published<H: Home>() -> World<H> {
    let world = World::<H>::new(usual(GateKind::Waiver)).await;
    world.take(vec![waiver("W-1").arrival(1)]).await;
    world.take_one(report(2, &plain(PERSON).tree())).await;
    world
}

/// The ledger in order of position.
async fn ledger<H: Home>(world: &World<H>, open: bool) -> Vec<Withdrawal> {
    let mut tx = world.store.begin("test").await.expect("a transaction");
    let filter = WithdrawalFilter { recipient: Some(af()), open, limit: 100 };
    let mut rows = tx.withdrawals(&filter).await.expect("read");
    rows.sort_by_key(|row| row.position);
    rows
}

/// Entry, its `DELETE`, and how far it has come.
async fn steps<H: Home>(world: &World<H>) -> Vec<(i64, Option<i64>, WithdrawalStep)> {
    let rows = ledger(world, false).await;
    rows.iter().map(|row| (row.position.0, row.delete.map(|delete| delete.0), row.step)).collect()
}

fn each_entry_has_one_row_that_goes_from_step_to_step<H: Home>() {
    run(async {
        let world = published::<H>().await;
        assert_eq!(world.page(&af(), Cursor::START, 1).await.len(), 1, "the second is fetched by nobody");
        world.take(vec![waiver("W-1").revoking(2, &[]).arrival(3)]).await;
        assert_eq!(steps(&world).await, [(1, Some(3), DeletePublished), (2, None, BeforeServing)]);
        world.clock.set(at("2026-03-02T13:00:00Z"));
        // The page that serves the `DELETE` takes the step, and once it is taken nothing takes it again.
        assert_eq!(world.page(&af(), Cursor::at(Position(1)), 10).await.len(), 1);
        world.clock.set(at("2026-03-02T14:00:00Z"));
        assert_eq!(world.page(&af(), Cursor::at(Position(1)), 10).await.len(), 1);
        let rows = ledger(&world, false).await;
        assert_eq!((rows[0].step, rows[0].served_at), (DeleteServed, Some(at("2026-03-02T13:00:00Z"))));
        assert_eq!((rows[0].at, rows[0].code, rows[0].lapsed_at), (start(), Code::ConsentRevoked, None));
        let (_, login, id) = rows[0].message.clone().expect("its message");
        assert_eq!((login.as_str(), id.as_u128()), ("hallefors-ame", 2));
        let mut tx = world.store.begin("test").await.expect("a transaction");
        tx.note_delete_acknowledged(&af(), Position(3)).await.expect("noted");
        tx.note_delete_acknowledged(&af(), Position(2)).await.expect("no DELETE");
        tx.commit().await.expect("committed");
        let rows = ledger(&world, false).await;
        assert_eq!((rows[0].step, rows[0].acknowledged_at), (Acknowledged, Some(at("2026-03-02T14:00:00Z"))));
        assert_eq!(rows[1].step, BeforeServing);
        assert_eq!(ledger(&world, true).await, []);
    });
}

fn nobody_acknowledges_a_delete_that_was_not_served<H: Home>() {
    run(async {
        let world = published::<H>().await;
        world.read(&af()).await;
        world.take(vec![waiver("W-1").revoking(2, &[]).arrival(3)]).await;
        let mut tx = world.store.begin("test").await.expect("a transaction");
        tx.note_delete_acknowledged(&af(), Position(3)).await.expect("noted");
        tx.commit().await.expect("committed");
        assert_eq!(steps(&world).await, [(1, Some(4), DeletePublished), (2, Some(3), DeletePublished)]);
    });
}

fn a_newer_document_supersedes_an_unfetched_delete_and_its_row_begins_again_when_that_is_taken_back<H: Home>() {
    run(async {
        let world = published::<H>().await;
        world.read(&af()).await;
        world.take(vec![waiver("W-1").revoking(2, &[]).arrival(3)]).await;
        world.clock.set(at("2026-03-02T13:00:00Z"));
        world.take(vec![waiver("W-2").arrival(4)]).await;
        assert_eq!(steps(&world).await, [(1, Some(4), DeleteSuperseded), (2, Some(3), DeleteSuperseded)]);
        let rows = ledger(&world, false).await;
        assert_eq!((rows[0].at, rows[0].superseded_at), (start(), Some(at("2026-03-02T13:00:00Z"))));
        assert_eq!((rows[0].code, ledger(&world, true).await), (Code::ConsentRevoked, Vec::new()), "nothing is owed");
        // Taken back again before anybody has looked: what the recipient holds is still the first of each.
        world.take(vec![waiver("W-2").revoking(2, &[]).arrival(5)]).await;
        let expected =
            [(1, Some(8), DeletePublished), (2, Some(7), DeletePublished), (5, None, BeforeServing), (6, None, BeforeServing)];
        assert_eq!(steps(&world).await, expected);
        assert_eq!(ledger(&world, false).await[0].superseded_at, None);
        let events = world.read(&af()).await;
        assert!(events.len() == 2 && events.iter().all(|event| event.method == Method::Delete));
        assert_eq!(steps(&world).await[0], (1, Some(8), DeleteServed));
    });
}

fn a_delete_that_is_superseded_in_the_transaction_that_published_it_is_written_as_such<H: Home>() {
    run(async {
        let world = published::<H>().await;
        world.read(&af()).await;
        world.take(vec![waiver("W-1").revoking(2, &[]).arrival(3), waiver("W-2").arrival(4)]).await;
        assert_eq!(steps(&world).await, [(1, Some(4), DeleteSuperseded), (2, Some(3), DeleteSuperseded)]);
        assert_eq!(world.read(&af()).await.len(), 2);
    });
}

fn what_a_date_ends_after_it_was_served_leaves_its_row_when_a_page_is_built<H: Home>() {
    run(async {
        let world = World::<H>::new(usual(GateKind::Waiver)).await;
        let mut ending = waiver("W-1");
        ending.to = "2026-03-10";
        world.take(vec![ending.arrival(1)]).await;
        world.take_one(report(2, &plain(PERSON).tree())).await;
        assert_eq!(world.page(&af(), Cursor::START, 1).await.len(), 1);
        let end = at("2026-03-10T23:00:00Z");
        world.clock.set(end);
        assert_eq!(world.read(&af()).await, []);
        assert_eq!(steps(&world).await, [(1, None, LapsedAfterServing), (2, None, BeforeServing)]);
        let rows = ledger(&world, true).await;
        assert_eq!(rows, [], "nobody takes it back, so nobody acknowledges it");
        let rows = ledger(&world, false).await;
        assert!(rows.iter().all(|row| row.code == Code::JourneyLapsed && row.at == end));
        assert_eq!((rows[0].lapsed_at, rows[1].lapsed_at), (Some(end), None));
        // Revoked on top of that: what the recipient holds is taken back, and the row keeps the time of both.
        world.clock.set(at("2026-03-11T12:00:00Z"));
        world.take(vec![ending.revoking(2, &[]).arrival(3)]).await;
        let rows = ledger(&world, false).await;
        assert_eq!((rows[0].step, rows[0].delete), (DeletePublished, Some(Position(3))));
        assert_eq!((rows[0].lapsed_at, rows[0].at), (Some(end), at("2026-03-11T12:00:00Z")));
    });
}

fn what_a_flag_takes_back_is_counted_and_in_no_list<H: Home>() {
    run(async {
        let (revoked, flagged) = (published::<H>().await, published::<H>().await);
        for world in [&revoked, &flagged] {
            world.page(&af(), Cursor::START, 1).await;
        }
        revoked.take(vec![waiver("W-1").revoking(2, &[]).arrival(3)]).await;
        flagged.take(vec![flag(3, PERSON)]).await;
        let mut counts = Vec::new();
        for world in [&revoked, &flagged] {
            let mut tx = world.store.begin("test").await.expect("a transaction");
            counts.push(tx.unacknowledged(start()).await.expect("read"));
        }
        assert_eq!(counts[0], counts[1]);
        assert_eq!((counts[0].len(), ledger(&revoked, false).await.len()), (1, 2));
        // A row would name a message of which `explain` says that it is neither refused nor on its way.
        assert_eq!(ledger(&flagged, false).await, []);
        assert_eq!(ledger(&flagged, true).await, []);
        // What was withdrawn before is there no more either.
        revoked.take(vec![flag(4, PERSON)]).await;
        assert_eq!(ledger(&revoked, false).await, []);
    });
}

fn what_is_not_acknowledged_is_counted_and_its_age_told<H: Home>() {
    run(async {
        let world = published::<H>().await;
        world.read(&af()).await;
        world.take(vec![waiver("W-1").revoking(2, &[]).arrival(3)]).await;
        let unacknowledged = async |before| {
            let mut tx = world.store.begin("test").await.expect("a transaction");
            tx.unacknowledged(before).await.expect("read")
        };
        let feed = |overdue| vec![Unacknowledged { recipient: af(), overdue, oldest: start() }];
        assert_eq!(unacknowledged(start()).await, feed(0));
        assert_eq!(unacknowledged(at("2026-03-02T12:00:01Z")).await, feed(2));
        world.read(&af()).await;
        let mut tx = world.store.begin("test").await.expect("a transaction");
        tx.note_delete_acknowledged(&af(), Position(3)).await.expect("noted");
        tx.commit().await.expect("committed");
        assert_eq!(unacknowledged(at("2026-03-03T12:00:00Z")).await, feed(1), "served is not acknowledged");
    });
}

on_both_engines! {
    each_entry_has_one_row_that_goes_from_step_to_step,
    nobody_acknowledges_a_delete_that_was_not_served,
    a_newer_document_supersedes_an_unfetched_delete_and_its_row_begins_again_when_that_is_taken_back,
    a_delete_that_is_superseded_in_the_transaction_that_published_it_is_written_as_such,
    what_a_date_ends_after_it_was_served_leaves_its_row_when_a_page_is_built,
    what_a_flag_takes_back_is_counted_and_in_no_list,
    what_is_not_acknowledged_is_counted_and_its_age_told,
}
