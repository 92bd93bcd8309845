//! The audit log of the port: rows as they were given, each with the position that its entry gets, one link a transaction.

use brygga::domain::{Code, Position};
use brygga::seal::ContentDigest;
use brygga::store::{AuditAct, AuditRow, Feeds as _, LegState, Survey as _, Tx as _};

use super::super::engine::{Engine, on_both_engines};
use super::{Hall, leg, message, put};
use crate::store::desk::{PERSONS, af};

async fn rows_are_read_back_as_they_were_given_in_the_order_of_the_chain<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let mut tx = hall.begin().await;
    let number = tx.insert_message(&message(1)).await.expect("stored");
    tx.put_leg(&leg(number, 1, LegState::Published, None)).await.expect("written");
    let basis = "{\"agreement\":\"å\"}";
    let first = AuditRow::of_program(AuditAct::Disclosure).on(number).to(&af()).resting_on(basis);
    let first = first.of_content(ContentDigest::from_slice(&[7; 32]));
    let second = AuditRow::by(AuditAct::Operator, "an operator").on(number).at(Position(3)).under(Code::RelayRefused);
    let second = second.because("a \"reason\"\nof two lines").with("discard");
    let other = AuditRow::of_program(AuditAct::PageServed).to(&af()).with("{}");
    for row in [&first, &other] {
        tx.audit(row).await.expect("written");
    }
    tx.commit().await.expect("committed");
    let mut tx = hall.begin().await;
    tx.audit(&first).await.expect("written");
    drop(tx);
    let mut tx = hall.begin().await;
    tx.audit(&second).await.expect("written");
    tx.commit().await.expect("committed");
    let read = hall.begin().await.audited(number).await.expect("read");
    let rows: Vec<AuditRow> = read.into_iter().map(|act| act.row).collect();
    assert_eq!(rows, [first, second]);
    assert_eq!(hall.engine.numbers("SELECT size FROM audit_links ORDER BY number").await, [2, 1], "one link a transaction");
    assert_eq!(hall.engine.numbers("SELECT number FROM audit_head").await, [2]);
}

async fn a_transaction_without_rows_makes_no_link<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let mut tx = hall.begin().await;
    tx.insert_message(&message(1)).await.expect("stored");
    tx.commit().await.expect("committed");
    assert_eq!(hall.engine.numbers("SELECT number FROM audit_head").await, [0]);
}

async fn a_row_on_an_entry_of_its_own_transaction_has_the_position_that_the_entry_gets<E: Engine>() {
    let hall = Hall::<E>::open().await;
    hall.publish(&hall.made(PERSONS[1], 2)).await;
    let made = hall.made(PERSONS[0], 1);
    let mut tx = hall.keyed().await;
    let stored = put(&mut tx, &made).await;
    let entries = tx.entries(&made.new.report.expect("a report"), &af()).await.expect("read");
    let row = AuditRow::of_program(AuditAct::Withdrawal).on(stored.number).to(&af()).at(entries[0].position);
    tx.audit(&row).await.expect("written");
    // Whatever is written out on the way, the chain's head is locked at the end alone.
    tx.census().await.expect("counted");
    tx.audit(&row).await.expect("written");
    tx.commit().await.expect("committed");
    let read = hall.begin().await.audited(stored.number).await.expect("read");
    let positions: Vec<_> = read.iter().map(|act| act.row.position.map(|position| position.0)).collect();
    assert_eq!(positions[0], Some(3));
    assert_eq!(hall.engine.numbers("SELECT size FROM audit_links ORDER BY number").await, [2]);
}

on_both_engines! {
    rows_are_read_back_as_they_were_given_in_the_order_of_the_chain,
    a_transaction_without_rows_makes_no_link,
    a_row_on_an_entry_of_its_own_transaction_has_the_position_that_the_entry_gets,
}
