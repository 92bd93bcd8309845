//! The ledger of withdrawals: each row stands beside what was taken back, whichever transaction published it.

use brygga::domain::{Code, Position};
use brygga::store::{Feeds as _, Tx as _, WithdrawalRow, WithdrawalStep, Withdrawals as _};

use super::super::engine::{Engine, on_both_engines};
use super::{Hall, Made, put};
use crate::store::desk::{PERSONS, af};

fn row(made: &Made, position: Position, step: WithdrawalStep) -> WithdrawalRow {
    let (subject, report) = (made.renditions[0].heading().subject, made.new.report.expect("a report"));
    let (delete, cause) = (None, None);
    WithdrawalRow { recipient: af(), position, subject, report, code: Code::ConsentRevoked, step, delete, cause }
}

async fn a_withdrawal_is_written_with_the_position_that_its_entry_gets<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let made = hall.made(PERSONS[0], 1);
    hall.publish(&hall.made(PERSONS[1], 2)).await;
    let mut tx = hall.keyed().await;
    let stored = put(&mut tx, &made).await;
    let entries = tx.entries(&made.new.report.expect("a report"), &af()).await.expect("read");
    tx.withdraw_entry(&af(), entries[0].position).await.expect("withdrawn");
    tx.note_withdrawal(&row(&made, entries[0].position, WithdrawalStep::BeforeServing), stored.number).await.expect("noted");
    tx.commit().await.expect("committed");
    let mut tx = hall.begin().await;
    tx.note_withdrawal(&row(&made, Position(1), WithdrawalStep::DeletePublished)).await.expect("noted");
    tx.commit().await.expect("committed");
    let rows = hall.engine.numbers("SELECT position FROM withdrawals ORDER BY number").await;
    assert_eq!(rows, [3, 1]);
    let mut tx = hall.begin().await;
    tx.note_withdrawal(&row(&made, Position(1), WithdrawalStep::LapsedAfterServing)).await.expect("noted");
    drop(tx);
    assert_eq!(hall.engine.numbers("SELECT position FROM withdrawals ORDER BY number").await.len(), 2);
}

on_both_engines! {
    a_withdrawal_is_written_with_the_position_that_its_entry_gets,
}
