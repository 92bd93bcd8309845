//! Batches of messages in: each is opened and judged, and a whole batch is stored in one transaction.

use jiff::Timestamp;
use uuid::Uuid;

use super::answers::Turn;
use super::attempts::Attempts;
use super::urgent::Urgent;
use super::{
    Arrival, Defect, Journey, Judged, KeyedTx, Opened, Outcome, is_report, judge, only_opens, open, payload, settle, violations,
};
use crate::domain::{Code, ContractRef, Envelope, PersonKey, Refusal};
use crate::faults;
use crate::protection::Identified;
use crate::seal::SealedBytes;
use crate::store::{AuditRow, Concerned, MessageKind, MessageState, NewMessage, Store, StoreError, Stored, StoredMessage, Tx};

/// An arrival that has been opened and judged, but not stored.
struct Pending {
    new: NewMessage,
    bytes: Vec<u8>,
    /// As if nothing were stored about protection, which can be asked under the participant's lock alone.
    judged: Judged,
    /// What it is refused with where the program fails on it.
    on_failure: Code,
    /// What of it holds although it is stored unopened.
    urgent: Option<Urgent>,
}

impl Pending {
    /// Whom it is about, as far as that is known.
    fn person(&self) -> Option<PersonKey> {
        self.new.person.or_else(|| self.urgent.as_ref().map(|urgent| urgent.person))
    }
}

impl Journey {
    /// Takes a batch of arrivals in order, in one transaction. When this returns, everything is durable.
    ///
    /// # Errors
    /// A fault of the store: nothing of the batch is stored.
    pub async fn take<S: Store>(&self, store: &S, arrivals: impl AsRef<[Arrival]> + Send + Sync) -> Stored<Vec<Outcome>> {
        self.take_as(store, arrivals.as_ref(), Code::JourneyFailed).await
    }

    /// Takes one arrival that has failed before, alone and for the last time: where the program fails on it again, it is
    /// refused for that.
    ///
    /// # Errors
    /// A fault of the store: it is not stored.
    pub async fn take_last<S: Store>(&self, store: &S, arrival: &Arrival) -> Stored<Vec<Outcome>> {
        self.take_as(store, std::slice::from_ref(arrival), Code::TransportDeliveryLimit).await
    }

    async fn take_as<S: Store>(&self, store: &S, arrivals: &[Arrival], on_failure: Code) -> Stored<Vec<Outcome>> {
        let mut attempts = Attempts::default();
        loop {
            match self.take_once(store, arrivals, on_failure, None).await {
                Err(StoreError::Contended) if attempts.again() => {}
                result => return result,
            }
        }
    }

    /// Takes one message that a person brings: as any other, with that act in the audit log of the same transaction,
    /// and with what became of the message.
    pub(super) async fn take_brought<S: Store>(&self, store: &S, arrival: &Arrival, act: &AuditRow) -> Stored<Vec<Outcome>> {
        let mut attempts = Attempts::default();
        loop {
            match self.take_once(store, std::slice::from_ref(arrival), Code::JourneyFailed, Some(act)).await {
                Err(StoreError::Contended) if attempts.again() => {}
                result => return result,
            }
        }
    }

    async fn take_once<S: Store>(
        &self,
        store: &S,
        arrivals: &[Arrival],
        on_failure: Code,
        act: Option<&AuditRow>,
    ) -> Stored<Vec<Outcome>> {
        // Decoding and judging take their time, and nobody else should wait for the rows meanwhile.
        let now = store.now();
        let pending: Vec<Pending> =
            arrivals.iter().map(|arrival| self.open_arrival(arrival.clone(), now, on_failure)).collect();
        let unreadable: Vec<_> =
            pending.iter().filter(|one| one.new.person.is_none()).map(|one| self.holder(&one.new)).collect();
        let mut tx = self.begin(store, "take").await?;
        if pending.iter().any(|one| one.urgent.is_some()) {
            // The participant's keys may be what cannot be read; others are fetched when they are needed.
            tx.lock_alone(&concerned(&pending)).await?;
        } else {
            tx.lock_with(&concerned(&pending), &unreadable).await?;
        }
        let mut outcomes = Vec::with_capacity(pending.len());
        for one in pending {
            let outcome = self.store_one(&mut tx, one).await?;
            if let Some(act) = act {
                let detail = format!("{}: {}", act.detail, outcome.as_str());
                tx.audit(&act.clone().on(outcome.number()).with(detail)).await?;
            }
            outcomes.push(outcome);
            faults::point!("mid-batch");
        }
        faults::widen!("no-participants-lock");
        faults::point!("before-commit");
        tx.commit().await?;
        faults::point!("after-commit-before-ack");
        Ok(outcomes)
    }

    fn open_arrival(&self, arrival: Arrival, now: Timestamp, on_failure: Code) -> Pending {
        let envelope = Envelope {
            login: arrival.login,
            message_id: arrival.message_id,
            contract: arrival.contract,
            syntax: arrival.syntax,
            message_time: arrival.message_time,
            received_at: now,
            trace: arrival.trace,
        };
        let fingerprint = self.keys.fingerprint(&arrival.bytes);
        let mut new = NewMessage {
            kind: kind_of(&envelope.contract),
            envelope,
            fingerprint,
            state: MessageState::Refused,
            violations: Vec::new(),
            restricted: false,
            person: None,
            report: None,
            revision: None,
            content: None,
            fan_out: 0,
            sealed: SealedBytes::default(),
        };
        let mut bytes = arrival.bytes;
        let is_failed = arrival.defect.as_ref().is_some_and(Defect::is_of_the_program);
        let urgent = is_failed.then(|| self.urgent(&new.envelope, &bytes)).flatten();
        let opened = match arrival.defect {
            Some(Defect { code, restricted }) => Opened::Refused { refusal: Refusal::whole(code), restricted },
            None => self.open_bytes(&new.envelope, &bytes, on_failure),
        };
        let judged = match opened {
            Opened::Known(identified) => {
                new.person = Some(*identified.person());
                self.judge_guarded(identified, false, on_failure)
            }
            Opened::Refused { refusal, restricted } => {
                new.violations = violations(&refusal);
                new.restricted = restricted;
                Judged::Refused(refusal)
            }
        };
        if new.violations.first().is_some_and(|(code, _)| *code == Code::TransportOversize) {
            // What is too large to read is too large to keep: its fingerprint and envelope are.
            bytes.clear();
        }
        Pending { new, bytes, judged, on_failure, urgent }
    }

    pub(super) fn open_bytes(&self, envelope: &Envelope, bytes: &[u8], on_failure: Code) -> Opened {
        match payload(envelope, bytes) {
            // A panic in the way is our fault and must neither stop the rest nor lose the message.
            Ok(payload) => settle::guarded(|| open(payload, &self.set, self.keys()))
                .unwrap_or_else(|| Opened::Refused { refusal: Refusal::whole(on_failure), restricted: true }),
            Err(refusal) => Opened::Refused { refusal, restricted: false },
        }
    }

    async fn store_one<T: Tx>(&self, tx: &mut KeyedTx<T>, one: Pending) -> Stored<Outcome> {
        let Pending { mut new, bytes, judged, on_failure, urgent } = one;
        let mut receipts = tx.receipts(&new.envelope.login, new.envelope.message_id).await?;
        if faults::planted!("no-dedup") {
            receipts.clear();
            // The unique key would notice; it is told that these are other bytes.
            new.fingerprint = self.keys().fingerprint(Uuid::now_v7().as_bytes());
        }
        let same = receipts.iter().find(|receipt| receipt.fingerprint.is_none_or(|known| known == new.fingerprint));
        if let Some(receipt) = same {
            tx.count_duplicate(receipt.number).await?;
            return Ok(Outcome::Duplicate(receipt.number));
        }
        let turn = Turn { bytes: &bytes, again: None, id_is_used: !receipts.is_empty(), on_failure };
        let mut judged = self.judge_stored_flag(tx, judged, &new, turn).await?;
        // The first content under an id stands; but protection comes before this rule as before every other, and neither a
        // flag nor a revocation may be lost because its sender used an id twice.
        let goes_first = match &judged {
            Judged::Diverted(_) | Judged::Protection(_) => true,
            Judged::Consent(revision) => revision.revoked_at.is_some(),
            _ => false,
        };
        if turn.id_is_used && !goes_first {
            judged = Judged::Refused(Refusal::whole(Code::TransportConflict));
        }
        let may_wait = only_opens(&judged);
        let filled = self.fill(tx, &mut new, judged, turn).await?;
        new.sealed = tx.seal(&new, self.holder(&new), &bytes).await?;
        let number = tx.insert_message(&new).await?;
        let state = new.state;
        let stored = StoredMessage { number, message: new, discarded_at: None };
        self.note_arrival(tx, &stored, &bytes).await?;
        self.after(tx, &stored, filled.fan, may_wait).await?;
        if let Some(urgent) = urgent {
            self.let_hold(tx, urgent).await?;
        }
        self.answer(tx, &stored, filled.reply).await?;
        Ok(Outcome::Stored(number, state))
    }

    /// Judges a report again where the store says that its person is protected.
    async fn judge_stored_flag<T: Tx>(
        &self,
        tx: &mut KeyedTx<T>,
        judged: Judged,
        new: &NewMessage,
        turn: Turn<'_>,
    ) -> Stored<Judged> {
        let Some(person) = new.person.filter(|_| is_report(&new.envelope.contract)) else { return Ok(judged) };
        if tx.is_flagged(&person).await?
            && let Opened::Known(identified) = self.open_bytes(&new.envelope, turn.bytes, turn.on_failure)
        {
            return Ok(self.judge_guarded(identified, true, turn.on_failure));
        }
        Ok(judged)
    }

    /// A panic in the way is our fault and must neither stop the rest nor lose the message.
    pub(super) fn judge_guarded(&self, identified: Box<Identified>, flagged: bool, on_failure: Code) -> Judged {
        settle::guarded(|| judge(*identified, flagged, &self.set, self.keys()))
            .unwrap_or_else(|| Judged::Refused(Refusal::whole(on_failure)))
    }
}

/// What a batch is about to touch.
fn concerned(pending: &[Pending]) -> Concerned {
    let mut concerned = Concerned::default();
    for one in pending {
        concerned.receipts.push((one.new.envelope.login.clone(), one.new.envelope.message_id));
        let Some(person) = one.person() else { continue };
        concerned.persons.push(person);
        if one.urgent.is_some() {
            concerned.whole.push(person);
        }
        match &one.judged {
            Judged::Report(fanned) => concerned.reports.push(fanned.report),
            Judged::Consent(_) | Judged::Protection(_) | Judged::Diverted(_) => concerned.whole.push(person),
            Judged::Refused(_) => {}
        }
    }
    concerned.sorted()
}

fn kind_of(contract: &ContractRef) -> MessageKind {
    match contract.name() {
        "activity-report" => MessageKind::Report,
        "consent" => MessageKind::Consent,
        "protection" => MessageKind::Protection,
        _ => MessageKind::Unknown,
    }
}
