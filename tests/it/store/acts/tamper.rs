//! What is changed in a store past the port is named by a verification beside the service.

use brygga::audit::verify;
use brygga::store::{AuditAct, AuditRow, StoreError, Tx as _};

use super::super::engine::{Engine, on_both_engines};
use super::Hall;
use crate::store::desk::af;

/// Three links, of two rows, three and one; their transactions have the same numbers.
async fn written<E: Engine>() -> Hall<E> {
    let hall = Hall::<E>::open().await;
    let row = || AuditRow::of_program(AuditAct::Decision).to(&af()).with("journey");
    for rows in [vec![row(), row().with("2")], vec![row().resting_on("{}"), row().with("1"), row().with("2")], vec![row()]] {
        let mut tx = hall.begin().await;
        for row in rows {
            tx.audit(&row).await.expect("written");
        }
        tx.commit().await.expect("committed");
    }
    hall
}

async fn said<E: Engine>(hall: &Hall<E>) -> Option<String> {
    let found = verify(&hall.store, []).await.expect("read");
    found.err().map(|broken| format!("{broken}"))
}

async fn every_change_of_a_store_past_the_port_is_named<E: Engine>() {
    let hall = written::<E>().await;
    assert_eq!(said(&hall).await, None);
    let cases: [(&'static str, &'static str, &str); 11] = [
        (
            "UPDATE audit SET actor = 'x' WHERE tx = 2 AND ordinal = 1",
            "UPDATE audit SET actor = 'brygga' WHERE tx = 2 AND ordinal = 1",
            "link 2, row 1: the row was changed",
        ),
        (
            "UPDATE audit SET message = 9 WHERE tx = 3",
            "UPDATE audit SET message = NULL WHERE tx = 3",
            "link 3, row 0: the row was changed",
        ),
        (
            "UPDATE audit SET ordinal = 9 WHERE tx = 2 AND ordinal = 0",
            "UPDATE audit SET ordinal = 0 WHERE tx = 2 AND ordinal = 9",
            "link 2, row 0: rows were reordered from here on",
        ),
        (
            "INSERT INTO audit (tx, ordinal, act, actor, detail) VALUES (2, 3, 'decision', 'brygga', '')",
            "DELETE FROM audit WHERE tx = 2 AND ordinal = 3",
            "link 2, row 3: a row was inserted here",
        ),
        (
            "UPDATE audit SET tx = 4 WHERE tx = 3",
            "UPDATE audit SET tx = 3 WHERE tx = 4",
            "1 row(s) belong to no link: they were inserted, or their links removed",
        ),
        (
            "UPDATE audit_links SET at = at + 1 WHERE number = 2",
            "UPDATE audit_links SET at = at - 1 WHERE number = 2",
            "link 2: the link was changed, or does not follow from the one before it",
        ),
        (
            "UPDATE audit_links SET size = 4 WHERE number = 2",
            "UPDATE audit_links SET size = 3 WHERE number = 2",
            "link 2: the link was changed, or does not follow from the one before it",
        ),
        (
            "UPDATE audit_links SET number = 300 WHERE number = 2",
            "UPDATE audit_links SET number = 2 WHERE number = 300",
            "link 2: links were removed from here on",
        ),
        (
            "UPDATE audit_head SET number = 2",
            "UPDATE audit_head SET number = 3",
            "link 3: the chain does not end where its head says: the end was cut off or changed",
        ),
        (
            "UPDATE bases SET text = '{ }'",
            "UPDATE bases SET text = '{}'",
            "link 2, row 0: the text that the row rests on was changed or removed",
        ),
        ("DELETE FROM audit WHERE tx = 2 AND ordinal = 1", "", "link 2, row 1: a row was removed here"),
    ];
    for (change, undo, wanted) in cases {
        hall.engine.numbers(change).await;
        assert_eq!(said(&hall).await.as_deref(), Some(wanted), "{change}");
        if !undo.is_empty() {
            hall.engine.numbers(undo).await;
            assert_eq!(said(&hall).await, None, "{undo}");
        }
    }
    let mut out = Vec::new();
    brygga::audit::export(&hall.store, 1, None, &mut out).await.expect("an export says what is there");
    let told = brygga::audit::verify_exports([Ok(&*out)], Vec::new()).expect_err("it was changed").to_string();
    assert_eq!(told, "link 2, row 1: a row was removed here");
}

async fn without_a_head_nothing_commits_that_the_chain_could_not_hold<E: Engine>() {
    let hall = written::<E>().await;
    hall.engine.numbers("DELETE FROM audit_head").await;
    let told = "link 3: the chain does not end where its head says: the end was cut off or changed";
    assert_eq!(said(&hall).await.as_deref(), Some(told));
    assert!(brygga::audit::head(&hall.store).await.is_err());
    let rows = hall.engine.numbers("SELECT count(*) FROM audit").await;
    let mut tx = hall.begin().await;
    tx.audit(&AuditRow::of_program(AuditAct::Decision).with("journey")).await.expect("written");
    let refused = tx.commit().await;
    assert!(matches!(refused, Err(StoreError::Inconsistent { table: "audit_head", .. })), "{refused:?}");
    assert_eq!(hall.engine.numbers("SELECT count(*) FROM audit").await, rows, "no row without a link");
    hall.begin().await.commit().await.expect("what has no rows needs no link");
}

async fn an_export_of_a_store_is_the_same_each_time_and_of_any_part<E: Engine>() {
    let hall = written::<E>().await;
    let mut exports = Vec::new();
    for (from, to) in [(1, None), (1, Some(3)), (1, Some(1)), (2, None)] {
        let mut out = Vec::new();
        brygga::audit::export(&hall.store, from, to, &mut out).await.expect("exported");
        exports.push(out);
    }
    assert_eq!(exports[0], exports[1], "one form");
    let found = brygga::audit::verify_exports(exports[2..].iter().map(|out| Ok(&**out)), Vec::new()).expect("it holds");
    assert_eq!((found.from, found.to, found.rows), (1, 3, 6));
    for (from, to) in [(4, None), (0, None), (2, Some(1)), (-3, None)] {
        assert!(brygga::audit::export(&hall.store, from, to, Vec::new()).await.is_err(), "{from} {to:?}");
    }
}

on_both_engines! {
    every_change_of_a_store_past_the_port_is_named,
    without_a_head_nothing_commits_that_the_chain_could_not_hold,
    an_export_of_a_store_is_the_same_each_time_and_of_any_part,
}
