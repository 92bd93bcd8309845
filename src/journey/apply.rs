//! Makes a feed say what is desired of one report, and writes into the ledger of withdrawals what is taken back.

use super::reconcile::{Act, Desired, reconcile, unfetched_delete, unseen};
use super::{Journey, KeyedTx};
use crate::domain::{Code, MessageNumber, Position, RecipientId, ReportKey, Subject};
use crate::store::{StoreError, Stored, StoredMessage, Tx, WithdrawalRow, WithdrawalStep};
use crate::translate::Rendition;

/// Of which report and in which feed something is taken back, and why.
#[derive(Clone, Copy)]
struct Taken<'a> {
    recipient: &'a RecipientId,
    report: &'a ReportKey,
    message: MessageNumber,
    code: Code,
}

impl Taken<'_> {
    async fn note<T: Tx>(
        self,
        tx: &mut KeyedTx<T>,
        position: Position,
        subject: Subject,
        step: WithdrawalStep,
        delete: Option<Position>,
    ) -> Stored<()> {
        let Self { recipient, report, message, code } = self;
        let (recipient, report, cause) = (recipient.clone(), *report, None);
        tx.note_withdrawal(&WithdrawalRow { recipient, position, subject, report, code, step, delete, cause }, message).await
    }
}

impl Journey {
    /// Makes a feed say what is desired of one report, with a ledger row for all that is taken back.
    #[expect(clippy::too_many_arguments, reason = "one act on one feed: what, whose, how, and why")]
    pub(super) async fn apply<T: Tx>(
        &self,
        tx: &mut KeyedTx<T>,
        stored: &StoredMessage,
        report: &ReportKey,
        recipient: &RecipientId,
        desired: &Desired<'_>,
        fresh: &[(&Rendition, jiff::Timestamp)],
        code: Code,
    ) -> Stored<()> {
        let entries = tx.entries(report, recipient).await?;
        for act in reconcile(&entries, desired) {
            let taken = Taken { recipient, report, message: stored.number, code };
            match act {
                Act::Publish(index) => {
                    let Some((one, until)) = fresh.get(index) else {
                        return Err(StoreError::Inconsistent { table: "entries", column: "subject" });
                    };
                    let fingerprint = one.fingerprint(self.keys());
                    let subject = one.heading().subject;
                    if let Some((held, delete)) = unfetched_delete(&entries, &subject) {
                        taken.note(tx, held, subject, WithdrawalStep::DeleteSuperseded, Some(delete)).await?;
                    }
                    tx.publish(one, stored, fingerprint.as_bytes(), *until).await?;
                }
                Act::Keep(position) => {
                    let until = fresh.first().map_or(tx.now(), |(_, until)| *until);
                    tx.keep_entry(recipient, position, stored.number, until).await?;
                }
                Act::Withdraw(position, subject) => {
                    tx.withdraw_entry(recipient, position).await?;
                    taken.note(tx, position, subject, WithdrawalStep::BeforeServing, None).await?;
                }
                Act::Lapse(position, subject) => {
                    tx.withdraw_entry(recipient, position).await?;
                    taken.note(tx, position, subject, WithdrawalStep::LapsedAfterServing, None).await?;
                }
                Act::Delete(position, subject) => {
                    if let Some(unseen) = unseen(&entries, &subject) {
                        // Its place is taken by the `DELETE` of what was served before it.
                        taken.note(tx, unseen, subject, WithdrawalStep::BeforeServing, None).await?;
                    }
                    let delete = tx.publish_delete(recipient, &subject, stored).await?;
                    taken.note(tx, position, subject, WithdrawalStep::DeletePublished, Some(delete)).await?;
                }
            }
        }
        Ok(())
    }
}
