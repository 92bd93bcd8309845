//! Runs a stored message once more, because a person says so.

use super::answers::Turn;
use super::seen::standing_of;
use super::way::{Judged, Opened};
use super::{Attempts, Journey, KeyedTx, only_opens};
use crate::domain::{Code, MessageNumber};
use crate::store::{AuditAct, AuditRow, Concerned, MessageState, Store, StoreError, Stored, Tx};

/// What came of running a message once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retried {
    /// It was run, and this is its state now.
    Ran(MessageState),
    /// It no longer stands as it was seen; nothing was done.
    Changed,
}

impl Journey {
    /// Runs a refused message once more, or a journey's legs, under the set of today. It moves; it is no new receipt.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn retry<S: Store>(&self, store: &S, number: MessageNumber, operator: &str) -> Stored<Option<MessageState>> {
        Ok(match self.retry_seen(store, number, operator, None).await? {
            Some(Retried::Ran(state)) => Some(state),
            _ => None,
        })
    }

    /// The same, but only where the message still stands as somebody has seen it ([`standing_of`]).
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn retry_seen<S: Store>(
        &self,
        store: &S,
        number: MessageNumber,
        operator: &str,
        seen: Option<&str>,
    ) -> Stored<Option<Retried>> {
        let mut attempts = Attempts::default();
        loop {
            match self.retry_once(store, number, operator, seen).await {
                Err(StoreError::Contended) if attempts.again() => {}
                result => return result,
            }
        }
    }

    async fn retry_once<S: Store>(
        &self,
        store: &S,
        number: MessageNumber,
        operator: &str,
        seen: Option<&str>,
    ) -> Stored<Option<Retried>> {
        let mut tx = self.begin(store, "retry").await?;
        let Some(before) = tx.message(number).await? else { return Ok(None) };
        let Some(bytes) = tx.open(&before.message).await? else { return Ok(None) };
        let opened = self.open_bytes(&before.message.envelope, &bytes, Code::JourneyFailed);
        let person = match &opened {
            Opened::Known(identified) => Some(*identified.person()),
            Opened::Refused { .. } => before.message.person,
        };
        tx.lock(&person.map(Concerned::whole).unwrap_or_default()).await?;
        // What was seen before the lock may have moved.
        let Some(mut stored) = tx.message(number).await? else { return Ok(None) };
        if stored.discarded_at.is_some() || stored.message.sealed != before.message.sealed {
            // It was set aside, erased or kept no longer before the lock was ours: what was opened must not come back.
            return Ok(None);
        }
        if let Some(seen) = seen
            && standing_of(&mut *tx, self.keys(), &stored).await? != seen
        {
            return Ok(Some(Retried::Changed));
        }
        if matches!(opened, Opened::Known(_)) {
            stored.message.person = person;
        }
        self.note_operator(&mut tx, number, operator, "retry").await?;
        let first = stored.message.violations.first().map(|(code, _)| *code);
        // No retry can mend these: another message stands under the id, the bytes were never kept, or the envelope is broken.
        let is_final = matches!(
            first,
            Some(Code::TransportConflict | Code::TransportOversize | Code::TransportEnvelope | Code::TransportRoutingKey)
        );
        match stored.message.state {
            MessageState::Refused if !is_final => {
                let before = stored.message.violations.clone();
                stored.message.restricted = matches!(&opened, Opened::Refused { restricted: true, .. });
                let judged = match opened {
                    Opened::Known(identified) => {
                        let flagged = tx.is_flagged(identified.person()).await?;
                        self.judge_guarded(identified, flagged, Code::JourneyFailed)
                    }
                    Opened::Refused { refusal, .. } => Judged::Refused(refusal),
                };
                let may_wait = only_opens(&judged);
                let on_failure = Code::JourneyFailed;
                let turn = Turn { bytes: &bytes, again: Some(number), id_is_used: false, on_failure };
                let filled = self.fill(&mut tx, &mut stored.message, judged, turn).await?;
                tx.update_message(number, &stored.message).await?;
                self.note_arrival(&mut tx, &stored, &bytes).await?;
                self.after(&mut tx, &stored, filled.fan, may_wait).await?;
                // Who was told the same before is not told again.
                if stored.message.state != MessageState::Refused || stored.message.violations != before {
                    self.answer(&mut tx, &stored, filled.reply).await?;
                }
            }
            MessageState::Journey => {
                if let (Some(person), Some(report)) = (stored.message.person, stored.message.report) {
                    let consents = self.consents(&mut tx, &person).await?;
                    self.settle_report(&mut tx, &report, &consents, None).await?;
                }
            }
            _ => {}
        }
        tx.commit().await?;
        Ok(Some(Retried::Ran(stored.message.state)))
    }

    async fn note_operator<T: Tx>(&self, tx: &mut KeyedTx<T>, number: MessageNumber, operator: &str, what: &str) -> Stored<()> {
        tx.audit(&AuditRow::by(AuditAct::Operator, operator).on(number).with(what)).await
    }
}
