//! Lifting a protection flag, and what was diverted under it: each report is run again, or set aside, by a named act.

use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::answers::Turn;
use super::settle::guarded;
use super::way::{Opened, judge_apart};
use super::{Attempts, Journey, Judged, KeyedTx};
use crate::domain::{Code, Login, MessageNumber, PersonKey, Refusal};
use crate::store::{
    AuditAct, AuditRow, Concerned, MessageKind, MessageState, Store, StoreError, Stored, StoredMessage, Survey as _, Tx,
};

/// What the counts of protection are. Nothing else is shown until accounts exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protected {
    /// Persons with a flag.
    pub persons: i64,
    /// Diverted reports.
    pub diverted: i64,
}

/// A report that was diverted and waits for a named act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The store's number of the message.
    pub number: MessageNumber,
    /// Who sent it.
    pub login: Login,
    /// The sender's id of it.
    pub message_id: Uuid,
}

/// What a lift comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lifted {
    /// Whether there was a flag; otherwise it was lifted before.
    pub was_flagged: bool,
    /// The reports that were diverted and wait for an act of their own.
    pub waiting: Vec<Waiting>,
}

/// What became of a diverted report that was to be run again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rerun {
    /// It moved, and is in this state.
    Moved(MessageState),
    /// Nothing was done: this message, diverted too, is a higher revision of the same report. Its sender has corrected or
    /// cancelled what the lower one says.
    Outdated(MessageNumber),
}

impl Journey {
    /// How many persons are protected and how many reports were diverted. The reading leaves an audit row.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn count_protected<S: Store>(&self, store: &S, operator: &str) -> Stored<Protected> {
        let mut tx = self.begin(store, "protection-list").await?;
        let (persons, diverted) = (tx.protected().await?, tx.census().await?.diverted);
        tx.audit(&AuditRow::by(AuditAct::Reading, operator).with("protection: counts")).await?;
        tx.commit().await?;
        Ok(Protected { persons, diverted })
    }

    /// Lifts a person's flag. It publishes nothing; gives the reports that were diverted and wait for an act of their own, and
    /// gives them again where the flag was lifted before: then it is a reading. `None` where the person has no flag and nothing
    /// waits. A later message may set the flag again.
    ///
    /// # Errors
    /// A fault of either store. The flag stands; or it is lifted, and a restore sets it again.
    pub async fn lift_flag<S: Store>(
        &self,
        store: &S,
        person: &PersonKey,
        operator: &str,
        reason: &str,
    ) -> Stored<Option<Lifted>> {
        let mut attempts = Attempts::default();
        let lifted = loop {
            match self.lift_once(store, person, operator, reason).await {
                Err(StoreError::Contended) if attempts.again() => {}
                result => break result?,
            }
        };
        let Some((lifted, at)) = lifted else { return Ok(None) };
        if !lifted.was_flagged {
            return Ok(Some(lifted));
        }
        loop {
            match self.forget_flag(store, person, at).await {
                Err(StoreError::Contended) if attempts.again() => {}
                result => return result.map(|()| Some(lifted)),
            }
        }
    }

    /// The ledger lets go of a flag only when the content is rid of it for good. Cut short before this, a restore sets it again.
    async fn forget_flag<S: Store>(&self, store: &S, person: &PersonKey, lifted_at: Timestamp) -> Stored<()> {
        let mut tx = self.begin(store, "protection-forget").await?;
        tx.lock(&Concerned::whole(*person)).await?;
        tx.forget_flag(person, lifted_at).await?;
        tx.commit().await
    }

    async fn lift_once<S: Store>(
        &self,
        store: &S,
        person: &PersonKey,
        operator: &str,
        reason: &str,
    ) -> Stored<Option<(Lifted, Timestamp)>> {
        let mut tx = self.begin(store, "protection-lift").await?;
        let at = tx.now();
        tx.lock(&Concerned::whole(*person)).await?;
        let was_flagged = tx.is_flagged(person).await?;
        let mut waiting = Vec::new();
        for stored in tx.messages_of(person, MessageKind::Report).await? {
            if stored.message.state == MessageState::Diverted && stored.discarded_at.is_none() {
                let StoredMessage { number, message, .. } = stored;
                waiting.push(Waiting { number, login: message.envelope.login, message_id: message.envelope.message_id });
            }
        }
        if !was_flagged && waiting.is_empty() {
            return Ok(None);
        }
        let row = if was_flagged {
            tx.lift_flag(person).await?;
            AuditRow::by(AuditAct::Operator, operator).with(of_person("protection lifted", person))
        } else {
            AuditRow::by(AuditAct::Reading, operator).with(of_person("diverted reports after a lift", person))
        };
        tx.audit(&row.because(reason)).await?;
        tx.commit().await?;
        Ok(Some((Lifted { was_flagged, waiting }, at)))
    }

    /// Runs a diverted report of a person who is protected no more, under the contracts of today. It moves; its sender was
    /// answered before. `None` where there is no such report. Nothing is done while a higher revision is diverted, set aside or not:
    /// what its sender has corrected or cancelled is not published.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn rerun_diverted<S: Store>(&self, store: &S, number: MessageNumber, operator: &str) -> Stored<Option<Rerun>> {
        let mut attempts = Attempts::default();
        loop {
            match self.rerun_once(store, number, operator).await {
                Err(StoreError::Contended) if attempts.again() => {}
                result => return result,
            }
        }
    }

    async fn rerun_once<S: Store>(&self, store: &S, number: MessageNumber, operator: &str) -> Stored<Option<Rerun>> {
        let mut tx = self.begin(store, "protection-rerun").await?;
        let Some(seen) = tx.message(number).await? else { return Ok(None) };
        let Some(person) = seen.message.person else { return Ok(None) };
        tx.lock(&Concerned::whole(person)).await?;
        let Some(mut stored) = tx.message(number).await? else { return Ok(None) };
        if !waits(&stored) || tx.is_flagged(&person).await? {
            return Ok(None);
        }
        if let Some(newest) = newer_diverted(&mut tx, &person, &stored).await? {
            return Ok(Some(Rerun::Outdated(newest)));
        }
        let Some(bytes) = tx.open(&stored.message).await? else { return Ok(None) };
        let envelope = &stored.message.envelope;
        let first = tx.receipts(&envelope.login, envelope.message_id).await?.first().map(|receipt| receipt.number);
        let judged = if first == Some(number) {
            match self.open_bytes(envelope, &bytes, Code::JourneyFailed) {
                // Its own flag is from before the lifting.
                Opened::Known(identified) => guarded(|| judge_apart(*identified, self.set(), self.keys())),
                Opened::Refused { refusal, .. } => Some(Judged::Refused(refusal)),
            }
        } else {
            // It went before this rule for its flag alone.
            Some(Judged::Refused(Refusal::whole(Code::TransportConflict)))
        };
        let judged = judged.unwrap_or_else(|| Judged::Refused(Refusal::whole(Code::JourneyFailed)));
        tx.audit(&AuditRow::by(AuditAct::Operator, operator).on(number).with("diverted report run again")).await?;
        let turn = Turn { bytes: &bytes, again: Some(number), id_is_used: false, on_failure: Code::JourneyFailed };
        let filled = self.fill(&mut tx, &mut stored.message, judged, turn).await?;
        tx.update_message(number, &stored.message).await?;
        self.note_arrival(&mut tx, &stored, &bytes).await?;
        self.after(&mut tx, &stored, filled.fan, false).await?;
        tx.commit().await?;
        Ok(Some(Rerun::Moved(stored.message.state)))
    }

    /// Sets a diverted report of a person who is protected no more aside for good. It stays diverted.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn discard_diverted<S: Store>(
        &self,
        store: &S,
        number: MessageNumber,
        operator: &str,
        reason: &str,
    ) -> Stored<bool> {
        let mut tx = self.begin(store, "protection-discard").await?;
        let Some(seen) = tx.message(number).await? else { return Ok(false) };
        let Some(person) = seen.message.person else { return Ok(false) };
        tx.lock(&Concerned::whole(person)).await?;
        let Some(stored) = tx.message(number).await? else { return Ok(false) };
        if !waits(&stored) || tx.is_flagged(&person).await? {
            return Ok(false);
        }
        tx.discard_message(number).await?;
        let row = AuditRow::by(AuditAct::Operator, operator).on(number).with("diverted report set aside");
        tx.audit(&row.because(reason)).await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// What was done, and about whom, as a keyed hash.
fn of_person(act: &str, person: &PersonKey) -> String {
    json!({ "act": act, "person": person.to_hex() }).to_string()
}

/// Whether a message was diverted and waits for an act.
fn waits(stored: &StoredMessage) -> bool {
    stored.message.state == MessageState::Diverted && stored.discarded_at.is_none()
}

/// The highest diverted revision of the same report, where it is higher than this one.
async fn newer_diverted<T: Tx>(
    tx: &mut KeyedTx<T>,
    person: &PersonKey,
    stored: &StoredMessage,
) -> Stored<Option<MessageNumber>> {
    let Some(report) = stored.message.report else { return Ok(None) };
    let mut higher = tx.messages_of(person, MessageKind::Report).await?;
    higher.retain(|other| {
        let message = &other.message;
        let is_diverted = message.state == MessageState::Diverted && message.report == Some(report);
        is_diverted && message.revision > stored.message.revision
    });
    Ok(higher.into_iter().max_by_key(|other| other.message.revision).map(|other| other.number))
}
