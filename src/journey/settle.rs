//! Settles a report: what its highest revision comes to now is made true in legs and feeds.
//!
//! The participant's lock is held. Everything is decided anew from what is recorded, so it does not matter in which order
//! reports, consents, corrections, revocations and flags have come.

use super::Journey;
use super::basis::basis_text;
use super::keyed::KeyedTx;
use super::lapse::{Come, Ended};
use super::reconcile::Desired;
use super::way::{self, Basis, Judged, Opened, Verdict};
use crate::agreement::Covered;
use crate::domain::{Code, ConsentRevision, LegId, PersonKey, ReportKey};
use crate::seal::ContentDigest;
use crate::store::{AuditAct, AuditRow, LegRow, LegState, MessageKind, MessageState, Stored, StoredMessage, Tx};

/// Reports that one consent's own transaction settles; the rest becomes due and is settled by the sweep.
const BOUND: usize = 200;

impl Journey {
    /// Settles every report of a participant: a gate may have opened or shut, or the participant become protected.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn settle_person<T: Tx>(&self, tx: &mut KeyedTx<T>, person: &PersonKey, may_wait: bool) -> Stored<()> {
        let messages = tx.messages_of(person, MessageKind::Report).await?;
        if tx.is_flagged(person).await? {
            return self.divert_all(tx, &messages).await;
        }
        let mut reports: Vec<ReportKey> = Vec::new();
        for message in messages.iter().filter(|stored| stored.message.state == MessageState::Journey) {
            if let Some(report) = message.message.report
                && !reports.contains(&report)
            {
                reports.push(report);
            }
        }
        let consents = self.consents(tx, person).await?;
        for (index, report) in reports.iter().enumerate() {
            if may_wait && index >= BOUND {
                tx.make_due(report).await?;
            } else {
                self.settle(tx, report, &consents, None, !may_wait).await?;
            }
        }
        Ok(())
    }

    /// Diverts all reports of a protected participant and takes back what stands in feeds.
    async fn divert_all<T: Tx>(&self, tx: &mut KeyedTx<T>, messages: &[StoredMessage]) -> Stored<()> {
        let mut reports: Vec<(ReportKey, &StoredMessage)> = Vec::new();
        for stored in messages {
            // What was erased stays that: run again after the flag was lifted it would be shown.
            if stored.message.state == MessageState::Diverted || self.is_erased(tx, stored).await? {
                continue;
            }
            tx.divert_message(stored.number).await?;
            tx.audit(&AuditRow::of_program(AuditAct::Decision).on(stored.number).with("diverted")).await?;
            if let Some(report) = stored.message.report {
                reports.retain(|(known, _)| *known != report);
                reports.push((report, stored));
            }
        }
        // Operators read the ledger, and why a person's reports are diverted is not theirs to know: it looks like a waiver
        // taken back.
        for (report, stored) in reports {
            self.take_back(tx, stored, &report, Code::ConsentRevoked).await?;
        }
        Ok(())
    }

    /// Takes back what stands of a report in any feed.
    pub(super) async fn take_back<T: Tx>(
        &self,
        tx: &mut KeyedTx<T>,
        stored: &StoredMessage,
        report: &ReportKey,
        code: Code,
    ) -> Stored<()> {
        let feeds = tx.feeds_of(report).await?;
        tx.lock_deliveries(&feeds).await?;
        for recipient in &feeds {
            self.apply(tx, stored, report, recipient, &Desired::Retract, &[], code).await?;
        }
        Ok(())
    }

    /// The revisions of all consents of a participant; none where one of them cannot be read any more, because the contracts
    /// have changed under it, its key is gone or it was damaged: it might be a revocation. Until a person has mended that, no
    /// waiver of this participant is relied on, and what comes of it is recorded all the same.
    pub(super) async fn consents<T: Tx>(&self, tx: &mut KeyedTx<T>, person: &PersonKey) -> Stored<Vec<ConsentRevision>> {
        match self.readable_consents(tx, person).await {
            Err(fault) if fault.is_of_one_row() => Ok(Vec::new()),
            consents => Ok(consents?.unwrap_or_default()),
        }
    }

    /// The same; `None` where one of them cannot be read.
    pub(super) async fn readable_consents<T: Tx>(
        &self,
        tx: &mut KeyedTx<T>,
        person: &PersonKey,
    ) -> Stored<Option<Vec<ConsentRevision>>> {
        let mut revisions = Vec::new();
        for stored in tx.messages_of(person, MessageKind::Consent).await? {
            // What was blanked is no longer relied on; where it revoked anything, that is kept apart, and holds (below).
            if stored.message.state != MessageState::Recorded || stored.message.sealed.is_empty() {
                continue;
            }
            let (sealed, envelope) = (&stored.message.sealed, &stored.message.envelope);
            if tx.has_key(&stored.message).await?
                && let Some(revision) = self.recall.recall(sealed, envelope)
            {
                revisions.push(revision);
                continue;
            }
            match self.rejudge(tx, &stored).await? {
                Some(Judged::Consent(revision)) => {
                    self.recall.remember(sealed, envelope, &revision);
                    revisions.push(*revision);
                }
                _ => return Ok(None),
            }
        }
        // What a restored backup had lost, and what was blanked, is still revoked.
        for kept in tx.kept_revocations(person).await? {
            if let Some(known) = revisions.iter().find(|revision| revision.key == kept.consent) {
                let (revoked_at, revoked_categories) = (Some(kept.revoked_at), kept.categories);
                revisions.push(ConsentRevision { revoked_at, revoked_categories, ..known.clone() });
            }
        }
        revisions.extend(self.assumed.iter().cloned());
        Ok(Some(revisions))
    }

    /// Judges a stored message again, apart from protection; `None` where it cannot be read any more, or its key is gone.
    pub(super) async fn rejudge<T: Tx>(&self, tx: &mut KeyedTx<T>, stored: &StoredMessage) -> Stored<Option<Judged>> {
        let Some(bytes) = tx.open(&stored.message).await? else { return Ok(None) };
        Ok(match self.open_bytes(&stored.message.envelope, &bytes, Code::JourneyFailed) {
            Opened::Known(identified) => guarded(|| way::judge_apart(*identified, &self.set, self.keys())),
            Opened::Refused { .. } => None,
        })
    }

    /// Settles one report whose participant is not protected. `fresh` saves judging a message that was judged just now.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn settle_report<T: Tx>(
        &self,
        tx: &mut KeyedTx<T>,
        report: &ReportKey,
        consents: &[ConsentRevision],
        fresh: Option<(&StoredMessage, &[Covered])>,
    ) -> Stored<()> {
        self.settle(tx, report, consents, fresh, false).await
    }

    /// As [`settle_report`](Self::settle_report); `may_shut` says that a gate may have shut since.
    async fn settle<T: Tx>(
        &self,
        tx: &mut KeyedTx<T>,
        report: &ReportKey,
        consents: &[ConsentRevision],
        fresh: Option<(&StoredMessage, &[Covered])>,
        may_shut: bool,
    ) -> Stored<()> {
        let revisions = tx.revisions(report).await?;
        let Some((highest, lower)) = revisions.split_last() else { return Ok(()) };
        for stored in lower {
            self.supersede(tx, stored).await?;
        }
        let judged;
        let legs = match fresh {
            Some((stored, legs)) if stored.number == highest.number => legs,
            _ if self.is_erased(tx, highest).await? => return Ok(()),
            _ => {
                let again = match self.rejudge(tx, highest).await {
                    // A damaged report must not keep what shuts its gate from being recorded.
                    Err(fault) if may_shut && fault.is_of_one_row() => None,
                    again => again?,
                };
                judged = match again {
                    Some(Judged::Report(fanned)) => fanned.legs,
                    // The contracts have changed under it, or its key is gone. Whether this gate has shut nobody can tell any
                    // more, so it counts as shut; otherwise its legs stay as they are, and a person can run it again.
                    _ if may_shut => return self.shut(tx, highest, report).await,
                    // It was taken before: another set's agreements do not cover it any more, or its contracts refuse it.
                    Some(Judged::Refused(refusal)) if refusal.code() != Code::JourneyFailed => {
                        return self.uncover(tx, highest, report, refusal.code()).await;
                    }
                    _ => return self.rest(tx, highest, report).await,
                };
                &judged
            }
        };
        // Only feeds that hold something of the report already: from the others nobody can fetch it meanwhile, and nobody
        // else publishes anything of this participant. A batch holds these locks since its beginning.
        let mut recipients = tx.feeds_of(report).await?;
        tx.lock_deliveries(&recipients).await?;
        recipients.extend(legs.iter().map(Covered::recipient));
        recipients.sort();
        recipients.dedup();
        for recipient in &recipients {
            match legs.iter().find(|leg| leg.recipient() == *recipient) {
                Some(covered) => self.settle_leg(tx, highest, covered, consents).await?,
                None => self.apply(tx, highest, report, recipient, &Desired::Retract, &[], Code::JourneySuperseded).await?,
            }
        }
        // A recipient that the terms no longer have: its leg is over.
        for mut leg in tx.legs(highest.number).await? {
            if !legs.iter().any(|covered| covered.recipient() == leg.id.recipient) && leg.due_at.is_some() {
                (leg.state, leg.code, leg.due_at, leg.documents) = (LegState::Refused, Some(Code::AgreementNone), None, 0);
                self.put_changed(tx, &leg, None).await?;
            }
        }
        Ok(())
    }

    async fn supersede<T: Tx>(&self, tx: &mut KeyedTx<T>, stored: &StoredMessage) -> Stored<()> {
        for mut leg in tx.legs(stored.number).await? {
            // A cancellation that found nothing to take back is superseded already, by itself.
            if (leg.state, leg.code) != (LegState::Superseded, Some(Code::JourneySuperseded)) {
                leg.state = LegState::Superseded;
                leg.code = Some(Code::JourneySuperseded);
                leg.due_at = None;
                leg.documents = 0;
                tx.put_leg(&leg).await?;
                let row = AuditRow::of_program(AuditAct::Decision).on(stored.number).to(&leg.id.recipient);
                tx.audit(&row.under(leg.code).with("superseded")).await?;
            }
        }
        Ok(())
    }

    async fn settle_leg<T: Tx>(
        &self,
        tx: &mut KeyedTx<T>,
        stored: &StoredMessage,
        covered: &Covered,
        consents: &[ConsentRevision],
    ) -> Stored<()> {
        let recipient = covered.recipient();
        let report = *covered.report().report();
        let now = tx.now();
        // A panic in the way is our fault and must neither stop the rest of the batch nor lose the message.
        let verdict = guarded(|| way::walk(covered, consents, now, &self.set, self.keys()))
            .unwrap_or(Verdict::Refuse(Code::JourneyFailed));
        let before = tx.legs(stored.number).await?.into_iter().find(|leg| leg.id.recipient == recipient);
        let (mut basis, mut content) = (Basis::default(), None);
        let come = match verdict {
            Verdict::Publish { renditions, until, wakes_at, basis: rests_on } => {
                basis = rests_on;
                let documents: Vec<_> = renditions
                    .iter()
                    .map(|one| (one.heading().subject, one.fingerprint(self.keys()).as_bytes().to_vec()))
                    .collect();
                let fresh: Vec<_> = renditions.iter().map(|one| (one, until)).collect();
                self.apply(tx, stored, &report, &recipient, &Desired::Documents(&documents), &fresh, Code::JourneySuperseded)
                    .await?;
                content = stored.message.person.and_then(|person| tx.digest_of_documents(&person, &renditions));
                Come { documents: documents.len(), ..Come::new(LegState::Published, None, Some(wakes_at)) }
            }
            Verdict::Hold { code, until } => {
                self.apply(tx, stored, &report, &recipient, &Desired::Retract, &[], Code::JourneySuperseded).await?;
                Come::new(LegState::Held, Some(code), Some(until))
            }
            Verdict::Withdraw(code) => {
                self.apply(tx, stored, &report, &recipient, &Desired::Retract, &[], code).await?;
                let was_open =
                    before.as_ref().is_some_and(|leg| matches!(leg.state, LegState::Published | LegState::Withdrawn));
                Come { keeps_basis: was_open, ..Come::new(LegState::Withdrawn, Some(code), None) }
            }
            Verdict::Refuse(code) => {
                self.apply(tx, stored, &report, &recipient, &Desired::Retract, &[], code).await?;
                Come::new(LegState::Refused, Some(code), None)
            }
            Verdict::Lapse { opened, unopened, taken } => {
                let ended = Ended { stored, report: &report, recipient: &recipient, before: before.as_ref() };
                self.lapse_leg(tx, ended, (opened, unopened), &taken).await?
            }
            Verdict::Cancel => {
                self.apply(tx, stored, &report, &recipient, &Desired::Retract, &[], Code::JourneyCancelled).await?;
                let entries = tx.entries(&report, &recipient).await?;
                let deletes = entries.iter().filter(|entry| entry.message == stored.number).count();
                let (state, code) = if deletes > 0 {
                    (LegState::Published, None)
                } else {
                    (LegState::Superseded, Some(Code::JourneyCancelled))
                };
                Come { documents: deletes, ..Come::new(state, code, None) }
            }
        };
        let basis = match before {
            // It says what was disclosed, as long as nothing else is.
            Some(before) if come.keeps_basis => before.basis,
            _ => basis_text(covered, &basis, &self.set, now)?,
        };
        let leg = LegRow {
            id: LegId { message: stored.number, recipient },
            report,
            state: come.state,
            code: come.code,
            due_at: come.due_at,
            documents: i64::try_from(come.documents).unwrap_or(i64::MAX),
            basis,
        };
        self.put_changed(tx, &leg, content).await
    }

    /// Writes a leg and its audit row where anything has changed; `content` is the digest of what is disclosed.
    pub(super) async fn put_changed<T: Tx>(
        &self,
        tx: &mut KeyedTx<T>,
        leg: &LegRow,
        content: Option<ContentDigest>,
    ) -> Stored<()> {
        let before = tx.legs(leg.id.message).await?.into_iter().find(|known| known.id == leg.id);
        if before.as_ref() == Some(leg) {
            return Ok(());
        }
        tx.put_leg(leg).await?;
        let same_state = before.is_some_and(|before| (before.state, before.code) == (leg.state, leg.code));
        if !same_state || leg.state == LegState::Published {
            let act = if leg.state == LegState::Published { AuditAct::Disclosure } else { AuditAct::Decision };
            let row = AuditRow::of_program(act).on(leg.id.message).to(&leg.id.recipient).under(leg.code);
            tx.audit(&row.with(leg.state.as_str()).resting_on(&leg.basis).of_content(content)).await?;
        }
        Ok(())
    }
}

/// Runs a part of the way; `None` where it panicked.
pub(super) fn guarded<R>(part: impl FnOnce() -> R) -> Option<R> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(part)).ok()
}
