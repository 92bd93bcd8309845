//! Receipts of a recipient: stored, told to the systems whose reports they are about, and written into the ledger of
//! withdrawals, in one transaction; and what a recipient rejects is published anew where a person says so.

use std::collections::BTreeMap;

use super::{Attempts, BasisRecord, Journey, KeyedTx};
use crate::agreement::GateKind;
use crate::answer::{Answer, Letterhead, OfDocument};
use crate::domain::{Code, MessageNumber, Position, ReceiptKind, RecipientId};
use crate::feed::Method;
use crate::receipt::{ReceiptFault, Stated};
use crate::store::{
    AuditAct, AuditRow, Concerned, EntryState, Feeds as _, ReceiptRow, Receipts as _, ServedEntry, Store, StoreError, Stored,
    StoredMessage, Tx,
};

impl Journey {
    /// Takes a batch of receipts of one recipient. Says of each, in the order given, whether it is recorded; one that was
    /// recorded before is so still, and nothing new comes of it.
    ///
    /// # Errors
    /// A fault of the store: nothing of the batch is stored.
    pub async fn take_receipts<S: Store>(
        &self,
        store: &S,
        recipient: &RecipientId,
        stated: &[Stated],
    ) -> Stored<Vec<Result<(), ReceiptFault>>> {
        let mut attempts = Attempts::default();
        loop {
            match self.take_receipts_once(store, recipient, stated).await {
                Err(StoreError::Contended) if attempts.again() => {}
                result => return result,
            }
        }
    }

    async fn take_receipts_once<S: Store>(
        &self,
        store: &S,
        recipient: &RecipientId,
        stated: &[Stated],
    ) -> Stored<Vec<Result<(), ReceiptFault>>> {
        let epoch = store.epoch().await?;
        let place = |one: &Stated| one.position(self.keys(), recipient, epoch);
        let mut positions: Vec<Position> = stated.iter().filter_map(|one| place(one).ok()).collect();
        positions.sort_unstable();
        positions.dedup();
        if positions.is_empty() {
            return Ok(stated.iter().map(|_| Err(ReceiptFault::ForeignId)).collect());
        }
        let mut tx = self.begin(store, "receipts").await?;
        tx.lock_deliveries(std::slice::from_ref(recipient)).await?;
        let entries = tx.served_entries(recipient, &positions).await?;
        let mut entries: BTreeMap<Position, ServedEntry> = entries.into_iter().map(|entry| (entry.position, entry)).collect();
        let (mut results, mut rows, mut answers) = (Vec::with_capacity(stated.len()), Vec::new(), Vec::new());
        for one in stated {
            let entry = place(one).and_then(|position| entries.get_mut(&position).ok_or(ReceiptFault::NotServed));
            let judged = entry.and_then(|entry| one.is_new(entry, &self.set().codes).map(|is_new| (entry, is_new)));
            match judged {
                Err(fault) => results.push(Err(fault)),
                Ok((_, false)) => results.push(Ok(())),
                Ok((entry, true)) => {
                    entry.said.push((one.kind, one.code.clone()));
                    rows.push(self.write_down(&mut tx, recipient, entry, one).await?);
                    answers.extend(self.tell(&mut tx, recipient, entry, one).await?);
                    results.push(Ok(()));
                }
            }
        }
        if !rows.is_empty() {
            tx.put_receipts(&rows).await?;
            tx.count_receipts(recipient).await?;
            tx.publish_answers(&answers).await?;
            tx.commit().await?;
        }
        Ok(results)
    }

    async fn write_down<T: Tx>(
        &self,
        tx: &mut KeyedTx<T>,
        recipient: &RecipientId,
        entry: &ServedEntry,
        one: &Stated,
    ) -> Stored<ReceiptRow> {
        let (position, message) = (entry.position, entry.message);
        if one.kind == ReceiptKind::WithdrawalAcknowledged {
            tx.note_delete_acknowledged(recipient, position).await?;
        }
        let code = (one.kind == ReceiptKind::Rejected).then_some(Code::RecipientRejected);
        let words =
            one.code.as_ref().map_or_else(|| one.kind.as_str().to_owned(), |own| format!("{} {own}", one.kind.as_str()));
        let row = AuditRow::of_program(AuditAct::Receipt).on(message).to(recipient).at(position).under(code);
        tx.audit(&row.with(words)).await?;
        let (recipient, code) = (recipient.clone(), one.code.clone());
        Ok(ReceiptRow { recipient, position, kind: one.kind, code, message, stated_at: one.at })
    }

    /// What the sender of the report is told. Nothing of a `DELETE`: that a report was taken back is nothing that its sender
    /// is told by anybody, whatever the cause. Nothing either of what went without a waiver: there a receipt would come for
    /// everybody but the protected.
    async fn tell<T: Tx>(
        &self,
        tx: &mut KeyedTx<T>,
        recipient: &RecipientId,
        entry: &ServedEntry,
        one: &Stated,
    ) -> Stored<Option<Answer>> {
        if entry.method == Method::Delete || entry.report.is_none() || !went_by_waiver(tx, entry.message, recipient).await? {
            return Ok(None);
        }
        let Some(stored) = tx.message(entry.message).await? else { return Ok(None) };
        let letterhead = Letterhead::of(&stored, &self.set().catalogue, self.keys());
        let document = OfDocument { contract: &entry.contract, subject: &entry.subject, illustrative: entry.illustrative };
        Ok(letterhead.map(|letterhead| letterhead.receipt(document, one.kind, one.code.as_deref(), one.at)))
    }

    /// Publishes anew what was made of a message and its recipient has rejected, under the contracts of today. Says how many
    /// entries; none where the report cannot be judged any more.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn publish_anew<S: Store>(&self, store: &S, number: MessageNumber, operator: &str) -> Stored<usize> {
        let mut attempts = Attempts::default();
        loop {
            match self.publish_anew_once(store, number, operator).await {
                Err(StoreError::Contended) if attempts.again() => {}
                result => return result,
            }
        }
    }

    async fn publish_anew_once<S: Store>(&self, store: &S, number: MessageNumber, operator: &str) -> Stored<usize> {
        let mut tx = self.begin(store, "publish-anew").await?;
        let Some(StoredMessage { message, .. }) = tx.message(number).await? else { return Ok(0) };
        let (Some(person), Some(report)) = (message.person, message.report) else { return Ok(0) };
        if tx.refused_entries(number).await?.is_empty() {
            return Ok(0);
        }
        tx.lock(&Concerned::whole(person)).await?;
        let mut rejected = tx.refused_entries(number).await?;
        rejected.retain(|entry| entry.code == Code::RecipientRejected);
        if rejected.is_empty() || tx.is_flagged(&person).await? {
            return Ok(0);
        }
        for entry in &rejected {
            tx.outdate_entry(&entry.recipient, entry.position).await?;
            let row = AuditRow::by(AuditAct::Operator, operator).on(number).to(&entry.recipient).at(entry.position);
            tx.audit(&row.with("publish anew")).await?;
        }
        let consents = self.consents(&mut tx, &person).await?;
        self.settle_report(&mut tx, &report, &consents, None).await?;
        for entry in &rejected {
            let entries = tx.entries(&report, &entry.recipient).await?;
            if entries.iter().any(|known| known.position == entry.position && known.state == EntryState::Live) {
                return Ok(0);
            }
        }
        tx.commit().await?;
        Ok(rejected.len())
    }
}

/// Whether a message was last disclosed to a recipient by a waiver, as it was recorded then. The audit log says it: a message
/// that was diverted since has no legs any more, and that must not tell.
async fn went_by_waiver<T: Tx>(tx: &mut KeyedTx<T>, message: MessageNumber, recipient: &RecipientId) -> Stored<bool> {
    let acts = tx.audited(message).await?;
    let mut disclosures = acts.iter().rev().map(|one| &one.row).filter(|row| row.act == AuditAct::Disclosure);
    let basis = disclosures.find(|row| row.recipient.as_ref() == Some(recipient)).and_then(|row| row.basis.as_deref());
    Ok(basis.is_some_and(|text| BasisRecord::read(text).gate.as_deref() == Some(GateKind::Waiver.as_str())))
}
