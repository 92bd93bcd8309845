//! Reports that cannot be judged any more, because the contracts have changed under them or their key is gone.

use super::basis::BasisRecord;
use super::reconcile::{Desired, stays};
use super::{Journey, KeyedTx};
use crate::domain::{Code, ConsentRevision, GateKind, RecipientId, ReportKey};
use crate::feed::Method;
use crate::store::{EntryRow, EntryState, LegState, Stored, StoredMessage, Tx};

impl Journey {
    /// Leaves a message's legs alone until something comes. What was taken out of a feed meanwhile, because its terms or its key
    /// are gone, is published no more, and nobody counts it as that.
    pub(super) async fn rest<T: Tx>(&self, tx: &mut KeyedTx<T>, stored: &StoredMessage, report: &ReportKey) -> Stored<()> {
        for mut leg in tx.legs(stored.number).await? {
            if leg.state == LegState::Published {
                let entries = tx.entries(report, &leg.id.recipient).await?;
                let mut own = entries.iter().filter(|entry| entry.message == stored.number);
                let deletes = own.clone().any(|entry| entry.method == Method::Delete);
                let stands = |entry: &&EntryRow| {
                    entry.method == Method::Put && (entry.state == EntryState::Live || stays(&entries, entry))
                };
                if !deletes && !own.any(|entry| stands(&entry)) {
                    (leg.state, leg.code, leg.documents) = (LegState::Withdrawn, Some(Code::JourneyLapsed), 0);
                }
            }
            leg.due_at = None;
            self.put_changed(tx, &leg, None).await?;
        }
        Ok(())
    }

    /// Ends a report that another set's agreements no longer cover, or that its contracts refuse: what nobody has fetched is never shown, and what was
    /// served lawfully stays with its recipient.
    pub(super) async fn uncover<T: Tx>(
        &self,
        tx: &mut KeyedTx<T>,
        stored: &StoredMessage,
        report: &ReportKey,
        code: Code,
    ) -> Stored<()> {
        let feeds = tx.feeds_of(report).await?;
        tx.lock_deliveries(&feeds).await?;
        for recipient in &feeds {
            self.apply(tx, stored, report, recipient, &Desired::Lapse, &[], code).await?;
        }
        for mut leg in tx.legs(stored.number).await? {
            if matches!(leg.state, LegState::Published | LegState::Held) {
                let entries = tx.entries(report, &leg.id.recipient).await?;
                let kept = entries.iter().filter(|entry| entry.message == stored.number && stays(&entries, entry)).count();
                // What was taken back stays taken back, whatever the agreements say now.
                let deletes = entries.iter().any(|entry| entry.message == stored.number && entry.method == Method::Delete);
                if kept > 0 || !deletes {
                    leg.documents = i64::try_from(kept).unwrap_or(i64::MAX);
                }
                if kept == 0 && !deletes {
                    (leg.state, leg.code) = (LegState::Refused, Some(code));
                }
            }
            leg.due_at = None;
            self.put_changed(tx, &leg, None).await?;
        }
        Ok(())
    }

    /// Withdraws what rests on a gate that may have shut, of a report that cannot be judged any more. What rests on no consent,
    /// and what rests on consents of which each stands as wide as ever, stays where it is: a revocation of another one, or the
    /// extension of its own, takes nothing back.
    pub(super) async fn shut<T: Tx>(&self, tx: &mut KeyedTx<T>, stored: &StoredMessage, report: &ReportKey) -> Stored<()> {
        let consents = self.known_consents(tx, stored).await?;
        let legs = tx.legs(stored.number).await?;
        let stays = |recipient: &RecipientId| {
            legs.iter().any(|leg| leg.id.recipient == *recipient && stands(&leg.basis, consents.as_ref()))
        };
        let mut feeds = tx.feeds_of(report).await?;
        tx.lock_deliveries(&feeds).await?;
        feeds.retain(|recipient| !stays(recipient));
        for recipient in &feeds {
            self.apply(tx, stored, report, recipient, &Desired::Retract, &[], Code::ConsentRevoked).await?;
        }
        for mut leg in legs.clone() {
            if !stays(&leg.id.recipient) && matches!(leg.state, LegState::Published | LegState::Held) {
                (leg.state, leg.code, leg.documents) = (LegState::Withdrawn, Some(Code::ConsentRevoked), 0);
                leg.due_at = None;
                self.put_changed(tx, &leg, None).await?;
            }
        }
        self.rest(tx, stored, report).await
    }

    /// What is known of the participant's consents, and which were revoked before their content went; `None` where one of them
    /// cannot be read: it might be a revocation.
    async fn known_consents<T: Tx>(&self, tx: &mut KeyedTx<T>, stored: &StoredMessage) -> Stored<Option<Known>> {
        let Some(person) = &stored.message.person else { return Ok(None) };
        let revisions = match self.readable_consents(tx, person).await {
            Err(fault) if fault.is_of_one_row() => None,
            revisions => revisions?,
        };
        let Some(revisions) = revisions else { return Ok(None) };
        let revoked = tx.kept_revocations(person).await?.into_iter().map(|one| one.consent).collect();
        Ok(Some(Known { revisions, revoked }))
    }
}

/// What is known of a participant's consents.
struct Known {
    revisions: Vec<ConsentRevision>,
    /// Those that were revoked, whether or not their content is still there.
    revoked: Vec<ReportKey>,
}

/// Whether a leg rests on what stands, as far as its record says: on no consent at all, or on consents that nobody has revoked
/// or narrowed. A record that says nothing stands on nothing.
fn stands(basis: &str, consents: Option<&Known>) -> bool {
    let record = BasisRecord::read(basis);
    if record.gate.as_deref().is_some_and(|gate| gate != GateKind::Waiver.as_str()) {
        return true;
    }
    let Some(known) = consents else { return false };
    !record.consents.is_empty() && record.consents.iter().all(|consent| known.is_as_wide_as_ever(consent))
}

impl Known {
    fn is_as_wide_as_ever(&self, consent: &str) -> bool {
        if self.revoked.iter().any(|revoked| revoked.to_hex() == consent) {
            return false;
        }
        let mut revisions: Vec<_> = self.revisions.iter().filter(|revision| revision.key.to_hex() == consent).collect();
        revisions.sort_by_key(|revision| revision.revision);
        // One whose content is kept no longer has no revision here, and then it was not revoked.
        let Some(last) = revisions.last() else { return true };
        revisions.iter().all(|other| {
            let same = (last.kind, &last.disclosing, &last.receiving, &last.agreement)
                == (other.kind, &other.disclosing, &other.receiving, &other.agreement);
            same && other.revoked_at.is_none()
                && last.from <= other.from
                && last.to >= other.to
                && last.categories.contains_all(other.categories)
        })
    }
}
