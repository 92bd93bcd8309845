//! Receipts and the gate: what is said of a `DELETE` ends its row of the ledger and is told to nobody, and what is said of a
//! document is told alike, whatever has become of its person since.

use brygga::agreement::GateKind;
use brygga::domain::{Party, RecipientId};
use brygga::feed::{Cursor, event_id};
use brygga::receipt::{ReceiptFault, read};
use brygga::store::{Store, Survey as _, WithdrawalFilter, WithdrawalStep, Withdrawals as _};
use serde_json::{Value, json};

use super::message::{CONSENTABLE, Waiver, flag, report};
use super::report::{PERSONS, plain};
use super::run;
use super::world::{Event, Home, World, af, usual};

const PERSON: &str = PERSONS[0];

fn waiver() -> Waiver {
    Waiver::new(PERSON, "W-1", Party::Arbetsformedlingen, &CONSENTABLE)
}

async fn published<H: Home>() -> World<H> {
    let world = World::<H>::new(usual(GateKind::Waiver)).await;
    world.take(vec![waiver().arrival(1)]).await;
    world.take_one(report(2, &plain(PERSON).tree())).await;
    world
}

/// Arbetsförmedlingen says something of each event.
pub(super) async fn say<H: Home>(world: &World<H>, events: &[Event], kind: &str) -> Vec<Result<(), ReceiptFault>> {
    say_as(world, &af(), events, kind).await
}

async fn say_as<H: Home>(
    world: &World<H>,
    recipient: &RecipientId,
    events: &[Event],
    kind: &str,
) -> Vec<Result<(), ReceiptFault>> {
    let id = |event: &Event| event_id(world.journey.keys(), recipient, 1, event.position);
    let all: Vec<Value> =
        events.iter().map(|event| json!({ "eventId": id(event), "kind": kind, "at": "2026-03-02T12:30:00Z" })).collect();
    let stated = read(json!({ "receipts": all }).to_string().as_bytes()).expect("a batch");
    world.journey.take_receipts(&world.store, recipient, &stated).await.expect("taken")
}

/// What the report's system was told, but for what names the one message.
async fn told<H: Home>(world: &World<H>) -> Vec<(String, String)> {
    let ame = RecipientId::from_stored("1863.ame".to_owned());
    let page = world.page(&ame, Cursor::START, 1000).await;
    page.into_iter().map(|event| (event.contract, event.document)).collect()
}

async fn steps<H: Home>(world: &World<H>) -> Vec<WithdrawalStep> {
    let mut tx = world.store.begin("test").await.expect("a transaction");
    let filter = WithdrawalFilter { recipient: None, open: false, limit: 100 };
    tx.withdrawals(&filter).await.expect("read").iter().map(|row| row.step).collect()
}

fn a_delete_that_was_served_is_acknowledged_once_and_nobody_is_told<H: Home>() {
    run(async {
        let world = published::<H>().await;
        let served = world.read(&af()).await;
        world.take(vec![waiver().revoking(2, &[]).arrival(3)]).await;
        let before = told(&world).await;
        let deletes = world.page(&af(), Cursor::at(served[1].position), 1).await;
        for _ in 0..2 {
            assert_eq!(say(&world, &deletes, "withdrawal-acknowledged").await, [Ok(())]);
        }
        let mut all = steps(&world).await;
        all.sort_unstable();
        assert_eq!(all, [WithdrawalStep::DeletePublished, WithdrawalStep::Acknowledged]);
        // The other `DELETE` is not served yet.
        let rest = [Event { position: brygga::domain::Position(4), ..deletes[0].clone() }];
        assert_eq!(say(&world, &rest, "withdrawal-acknowledged").await, [Err(ReceiptFault::NotServed)]);
        assert_eq!(say(&world, &deletes, "accepted").await, [Err(ReceiptFault::Kind)]);
        assert_eq!(say(&world, &deletes, "received").await, [Ok(())]);
        assert_eq!(told(&world).await, before);
        let mut tx = world.store.begin("test").await.expect("a transaction");
        assert!(tx.census().await.expect("counted").adds_up());
    });
}

fn what_is_said_of_a_document_is_told_alike_whatever_became_of_its_person<H: Home>() {
    run(async {
        let mut all = Vec::new();
        for what in 0..3 {
            let world = published::<H>().await;
            let served = world.read(&af()).await;
            match what {
                0 => {}
                1 => drop(world.take(vec![waiver().revoking(2, &[]).arrival(3)]).await),
                _ => drop(world.take(vec![flag(3, PERSON)]).await),
            }
            assert_eq!(say(&world, &served, "accepted").await, [Ok(()), Ok(())]);
            let mut receipts = told(&world).await;
            receipts.retain(|(contract, _)| contract == "receipt.v1");
            assert_eq!(receipts.len(), 2);
            all.push(receipts);
        }
        assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "to the byte");
    });
}

/// Without a waiver a report goes for everybody but the protected, so what comes back must tell nothing; behind a waiver a
/// protected person's is as good as one without.
fn what_goes_without_a_waiver_is_told_to_nobody<H: Home>() {
    run(async {
        let fs = RecipientId::from_stored("1863.forsorjningsstod".to_owned());
        for (gate, wanted) in [(GateKind::NoSecrecyBoundary, 0), (GateKind::Waiver, 1)] {
            for flagged_later in [false, true] {
                let world = World::<H>::new(usual(gate)).await;
                world.take(vec![Waiver::new(PERSON, "W-2", Party::Forsorjningsstod, &CONSENTABLE).arrival(1)]).await;
                world.take_one(report(2, &plain(PERSON).tree())).await;
                let served = world.read(&fs).await;
                assert_eq!(served.len(), 1);
                if flagged_later {
                    world.take(vec![flag(3, PERSON)]).await;
                }
                assert_eq!(say_as(&world, &fs, &served, "accepted").await, [Ok(())], "it is recorded all the same");
                let receipts = told(&world).await.into_iter().filter(|(contract, _)| contract == "receipt.v1").count();
                assert_eq!(receipts, wanted, "{gate:?}, {flagged_later}");
            }
        }
    });
}

on_both_engines! {
    what_goes_without_a_waiver_is_told_to_nobody,
    a_delete_that_was_served_is_acknowledged_once_and_nobody_is_told,
    what_is_said_of_a_document_is_told_alike_whatever_became_of_its_person,
}
