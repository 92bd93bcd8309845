//! What the participant's rights ask of a store.

use brygga::audit::{Broken, ROWS_GONE_THROUGH, verify};
use brygga::domain::{Position, ReceiptKind, RecipientId};
use brygga::seal::SealedBytes;
use brygga::store::{AuditAct, AuditRow, Feeds as _, KeptKind, ReceiptRow, Receipts as _, Rights as _, Tx as _};
use jiff::{SignedDuration, Timestamp};

use super::super::engine::{Engine, on_both_engines};
use super::Hall;
use crate::store::desk::{PERSONS, af, noon};

async fn what_was_served_within_a_span_is_told_by_recipient_and_nothing_else_is<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let (served, unserved) = (hall.made(PERSONS[0], 1), hall.made(PERSONS[1], 2));
    let stored = hall.publish(&served).await;
    hall.publish(&unserved).await;
    let mut tx = hall.begin().await;
    tx.lock_deliveries(&[af()]).await.expect("locked");
    tx.mark_served(&af(), &[Position(1)]).await.expect("marked");
    tx.commit().await.expect("committed");
    let at = |seconds: i64| noon().checked_add(SignedDuration::from_secs(seconds)).expect("a time");
    let between = async |from: Timestamp, to: Timestamp, recipient: Option<RecipientId>| {
        hall.begin().await.served_between(from, to, recipient.as_ref()).await.expect("read")
    };
    let found = between(noon(), at(1), None).await;
    assert_eq!(found.len(), 1, "an entry that nobody has fetched was not disclosed: {found:?}");
    assert_eq!((found[0].message, Some(found[0].person)), (stored.number, served.new.person));
    assert_eq!((&found[0].recipient, found[0].served_at), (&af(), noon()));
    assert_eq!(between(noon(), at(1), Some(af())).await, found);
    assert_eq!(between(noon(), at(1), Some(RecipientId::from_stored("nobody".to_owned()))).await, []);
    assert_eq!(between(at(-1), noon(), None).await, [], "the end is not of the span");
    assert_eq!(between(at(1), at(2), None).await, []);
}

async fn rows_of_the_audit_log_go_whole_from_the_beginning_and_proofs_stay<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let decision = || AuditRow::of_program(AuditAct::Decision).with("one");
    for rows in [vec![decision()], vec![AuditRow::of_program(AuditAct::Erasure), decision()], vec![decision(), decision()]] {
        let mut tx = hall.begin().await;
        for row in &rows {
            tx.audit(row).await.expect("written");
        }
        tx.commit().await.expect("committed");
    }
    let later = noon().checked_add(SignedDuration::from_secs(1)).expect("a time");
    let mut tx = hall.begin().await;
    assert_eq!(tx.old_audit(noon()).await.expect("read"), None, "what is as old as the instant is not before it");
    let old = tx.old_audit(later).await.expect("read").expect("old rows");
    assert_eq!((old.rows, old.oldest, old.first, old.through), (3, noon(), 1, 3), "a transaction with a proof stays whole");
    let kept = tx.kept_by_kind().await.expect("read");
    assert_eq!(kept, [(KeptKind::Audit, 3, noon())]);
    assert_eq!(tx.cut_audit(1, 1, later).await.expect("cut"), 1);
    let proof = serde_json::json!({ ROWS_GONE_THROUGH: 1 }).to_string();
    tx.audit(&AuditRow::of_program(AuditAct::Retention).with(proof)).await.expect("written");
    tx.commit().await.expect("committed");
    let verified = verify(&hall.store, []).await.expect("read").expect("the chain holds");
    assert_eq!((verified.gone, verified.rows), (1, 5));
    let mut tx = hall.begin().await;
    assert_eq!(tx.cut_audit(2, 3, later).await.expect("cut"), 2);
    assert_eq!(tx.old_audit(later).await.expect("read"), None);
    tx.commit().await.expect("committed");
    let broken = verify(&hall.store, []).await.expect("read");
    assert_eq!(broken, Err(Broken::RowsGone(3)), "nothing proves that they went by rule");
}

async fn a_receipt_goes_after_the_document_that_it_is_about<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let stored = hall.publish(&hall.made(PERSONS[0], 1)).await;
    let later = noon().checked_add(SignedDuration::from_secs(1)).expect("a time");
    let mut tx = hall.begin().await;
    let row = |kind| ReceiptRow {
        recipient: af(),
        position: Position(1),
        kind,
        code: None,
        message: stored.number,
        stated_at: noon(),
    };
    tx.put_receipts(&[row(ReceiptKind::Received), row(ReceiptKind::Accepted)]).await.expect("stored");
    assert_eq!(tx.old_receipts(later).await.expect("read"), (0, None), "the document is there");
    assert_eq!(tx.drop_receipts(later, 10).await.expect("dropped"), 0);
    tx.blank_entries(&[(af(), Position(1))], false).await.expect("blanked");
    assert_eq!(tx.served_entries(&af(), &[Position(1)]).await.expect("read"), [], "it is no longer kept");
    assert_eq!(tx.old_receipts(noon()).await.expect("read"), (0, None));
    assert_eq!(tx.old_receipts(later).await.expect("read"), (2, Some(noon())));
    assert_eq!(tx.drop_receipts(later, 1).await.expect("dropped"), 1);
    assert_eq!(tx.drop_receipts(later, 10).await.expect("dropped"), 1);
    assert_eq!(tx.old_receipts(later).await.expect("read"), (0, None));
    tx.commit().await.expect("committed");
}

async fn what_is_archived_has_its_content_and_is_known_by_its_id_alone<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let mut made = hall.made(PERSONS[0], 1);
    made.new.sealed = SealedBytes::from_stored(vec![1; 40]);
    let stored = hall.publish(&made).await;
    let envelope = &made.new.envelope;
    let mut tx = hall.begin().await;
    tx.archive_messages(&[stored.number]).await.expect("archived");
    let receipts = tx.receipts(&envelope.login, envelope.message_id).await.expect("read");
    assert!(matches!(&receipts[..], [receipt] if receipt.fingerprint.is_none()), "{receipts:?}");
    let kept = tx.message(stored.number).await.expect("read").expect("stored").message;
    assert_eq!((kept.sealed.is_empty(), kept.content), (false, None));
    tx.commit().await.expect("committed");
}

on_both_engines! {
    what_is_archived_has_its_content_and_is_known_by_its_id_alone,
    rows_of_the_audit_log_go_whole_from_the_beginning_and_proofs_stay,
    a_receipt_goes_after_the_document_that_it_is_about,
    what_was_served_within_a_span_is_told_by_recipient_and_nothing_else_is,
}
