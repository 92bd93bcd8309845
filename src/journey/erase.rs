//! Erasure (GDPR article 17): all contents of a participant go, and nothing that comes later brings them back.
//!
//! One transaction under the participant's lock. What stands in feeds is taken back first: what nobody has fetched is withdrawn,
//! what somebody has gets its `DELETE`, which needs neither a gate nor a content. Then contents and their keyed digests are
//! blanked; ids stay, so that a later arrival is a duplicate. Where an archive rule keeps what was disclosed, reports of which
//! a document was served keep their contents until their period ends, and the journal's key with them. The ledger in the key store is written before the content commits,
//! and the data keys are destroyed with the commit. Cut short anywhere, it is done again from the beginning.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::{Attempts, Journey, KeyedTx};
use crate::domain::{Code, Envelope, MessageNumber, PersonKey, ReportKey, Syntax, Trace};
use crate::feed::Method;
use crate::seal::{Erasure, Holder, LedgerNote, RetentionClass, SealedBytes, TakenId};
use crate::store::{
    AuditAct, AuditRow, Concerned, EntryState, LegState, MessageKind, MessageState, NewMessage, Store, StoreError, Stored,
    StoredMessage, Tx, WholeEntry,
};

/// What an erasure has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Erased {
    /// Messages that were blanked.
    pub messages: usize,
    /// Entries of feeds that were blanked.
    pub entries: usize,
    /// Entries that nobody had fetched, and nobody will.
    pub withdrawn: usize,
    /// `DELETE`s that follow for what somebody had.
    pub deletes: usize,
    /// Reports that the archive rule keeps as they came.
    pub archived: usize,
    /// When the newest of those came.
    pub newest_archived: Option<Timestamp>,
}

impl Journey {
    /// Erases a participant; `None` where nothing is held of it, and nothing was done. `keeps_served` says that a rule keeps the
    /// reports of which a document was served.
    ///
    /// # Errors
    /// A fault of either store. Keys may be destroyed already then, and the same again finishes it.
    pub async fn erase<S: Store>(
        &self,
        store: &S,
        person: &PersonKey,
        operator: &str,
        reason: &str,
        keeps_served: bool,
    ) -> Stored<Option<Erased>> {
        let mut attempts = Attempts::default();
        loop {
            match self.erase_once(store, person, operator, reason, keeps_served).await {
                Err(StoreError::Contended) if attempts.again() => {}
                result => return result,
            }
        }
    }

    async fn erase_once<S: Store>(
        &self,
        store: &S,
        person: &PersonKey,
        operator: &str,
        reason: &str,
        keeps_served: bool,
    ) -> Stored<Option<Erased>> {
        let mut tx = self.begin(store, "erase").await?;
        if all_messages(&mut tx, person).await?.is_empty() {
            return Ok(None);
        }
        tx.lock_alone(&Concerned::whole(*person)).await?;
        let messages = all_messages(&mut tx, person).await?;
        // The keys of all of them go, so all of them are old: also what came between the beginning and the lock, or by a clock
        // that was ahead. What replays this goes by the time alone.
        let newest = messages.iter().map(|stored| stored.message.envelope.received_at).max();
        let now = tx.now().max(newest.unwrap_or(Timestamp::MIN));
        // From the ledger, not from the contents: those may be gone already where this was cut short before.
        for revocation in self.vault().store().revocations().await?.iter().filter(|one| one.person == *person) {
            tx.keep_revocation(revocation).await?;
        }
        let erased = self.forget(&mut tx, &messages, &[], now, keeps_served).await?;
        let is_kept = |class: &RetentionClass| *class == RetentionClass::Journal && erased.archived > 0;
        for class in RetentionClass::OF_PERSONS {
            let holder = Holder::person(person, class);
            tx.note_in_ledger(LedgerNote::Erasure(Erasure { holder, at: now }));
            if !is_kept(&class) {
                tx.condemn(holder);
            }
        }
        let classes: Vec<_> =
            RetentionClass::OF_PERSONS.into_iter().filter(|class| !is_kept(class)).map(RetentionClass::as_str).collect();
        let detail = json!({
            "person": person.to_hex(), "messages": erased.messages, "entries": erased.entries,
            "withdrawn": erased.withdrawn, "deletes": erased.deletes, "archived": erased.archived, "classes": classes,
        });
        let row = AuditRow::by(AuditAct::Erasure, operator).under(Code::JourneyErased).because(reason);
        tx.audit(&row.with(detail.to_string())).await?;
        tx.commit().await?;
        Ok(Some(erased))
    }

    /// Takes back and blanks what came of a participant until an instant, and leaves what has come since.
    async fn forget<T: Tx>(
        &self,
        tx: &mut KeyedTx<T>,
        old: &[StoredMessage],
        new: &[StoredMessage],
        until: Timestamp,
        keeps_served: bool,
    ) -> Stored<Erased> {
        let mut reports: BTreeMap<ReportKey, &StoredMessage> = BTreeMap::new();
        for stored in old.iter().filter(|stored| stored.message.kind == MessageKind::Report) {
            // A report that came again after the erasure is settled by itself.
            if let Some(report) = stored.message.report
                && !new.iter().any(|later| later.message.report == Some(report))
            {
                reports.insert(report, stored);
            }
        }
        let keys: Vec<ReportKey> = reports.keys().copied().collect();
        let before = tx.entries_of(&keys).await?;
        for (report, stored) in &reports {
            self.take_back(tx, stored, report, Code::JourneyErased).await?;
        }
        for stored in old {
            close_legs(self, tx, stored.number, Code::JourneyErased).await?;
        }
        let numbers: BTreeSet<MessageNumber> = old.iter().map(|stored| stored.number).collect();
        let mut of_old = tx.entries_of(&keys).await?;
        let (withdrawn, deletes) = (count(&of_old, withdrawn) - count(&before, withdrawn), count(&of_old, deleted));
        let deletes = deletes - count(&before, deleted);
        of_old.retain(|entry| numbers.contains(&entry.message) && entry.method == Method::Put);
        let served = of_old.iter().filter(|entry| entry.served_at.is_some()).map(|entry| entry.message).collect();
        let contents = count(&of_old, |entry| !entry.sealed.is_empty());
        let entries: Vec<_> = of_old.into_iter().map(|entry| (entry.recipient, entry.position)).collect();
        tx.blank_entries(&entries, true).await?;
        let archived = if keeps_served { self.archive(tx, old, &served).await? } else { Vec::new() };
        let newest_archived = archived.iter().map(|stored| stored.message.envelope.received_at).max();
        let kept: BTreeSet<MessageNumber> = archived.iter().map(|stored| stored.number).collect();
        let numbers: Vec<MessageNumber> = numbers.difference(&kept).copied().collect();
        tx.blank_messages(&numbers).await?;
        // Of whom a message was may have been found out by a retry alone: it is sealed under a key of its own then.
        for stored in old.iter().filter(|stored| !kept.contains(&stored.number)) {
            tx.condemn(self.own_holder(&stored.message.envelope));
        }
        for stored in old {
            let envelope = &stored.message.envelope;
            let (login, message_id, contract) = (envelope.login.clone(), envelope.message_id, envelope.contract.clone());
            tx.note_in_ledger(LedgerNote::Taken(TakenId { login, message_id, contract, at: until }));
        }
        let (messages, archived) = (numbers.len(), kept.len());
        Ok(Erased { messages, entries: contents, withdrawn, deletes, archived, newest_archived })
    }

    /// Keeps the contents of reports of which a document was served, and sees to it that nothing comes of them any more. What has
    /// lost its key before is kept by no rule.
    async fn archive<'a, T: Tx>(
        &self,
        tx: &mut KeyedTx<T>,
        old: &'a [StoredMessage],
        served: &BTreeSet<MessageNumber>,
    ) -> Stored<Vec<&'a StoredMessage>> {
        let mut archived = Vec::new();
        for stored in old.iter().filter(|stored| served.contains(&stored.number)) {
            let is_report = (stored.message.kind, stored.message.state) == (MessageKind::Report, MessageState::Journey);
            if !is_report || stored.message.sealed.is_empty() || !tx.has_key(&stored.message).await? {
                continue;
            }
            for mut leg in tx.legs(stored.number).await? {
                if leg.state != LegState::Superseded {
                    (leg.state, leg.code, leg.documents) = (LegState::Withdrawn, Some(Code::JourneyErased), 0);
                    self.put_changed(tx, &leg, None).await?;
                }
            }
            archived.push(stored);
        }
        tx.archive_messages(&archived.iter().map(|stored| stored.number).collect::<Vec<_>>()).await?;
        Ok(archived)
    }

    /// Whether a report was erased: where its content is kept all the same, nothing comes of it any more.
    pub(super) async fn is_erased<T: Tx>(&self, tx: &mut KeyedTx<T>, stored: &StoredMessage) -> Stored<bool> {
        Ok(tx.legs(stored.number).await?.iter().any(|leg| leg.code == Some(Code::JourneyErased)))
    }

    /// Makes an erasure hold in a content that came back from a backup; the participant is locked.
    ///
    /// # Errors
    /// A fault of either store.
    pub async fn forget_again<T: Tx>(&self, tx: &mut KeyedTx<T>, person: &PersonKey, until: Timestamp) -> Stored<()> {
        let (old, new): (Vec<_>, Vec<_>) =
            all_messages(tx, person).await?.into_iter().partition(|stored| stored.message.envelope.received_at <= until);
        // What a rule has kept then still has its key, and nothing else does.
        self.forget(tx, &old, &new, until, true).await.map(drop)
    }

    /// Makes the end of a period hold in a content that came back from a backup: what a key is gone for is blanked. The
    /// participant is locked.
    ///
    /// # Errors
    /// A fault of either store.
    pub async fn expire_again<T: Tx>(&self, tx: &mut KeyedTx<T>, erasure: &Erasure) -> Stored<()> {
        let Ok(person) = erasure.holder.digest().try_into().map(PersonKey::from_bytes) else { return Ok(()) };
        let mut messages = all_messages(tx, &person).await?;
        if erasure.holder.class() == RetentionClass::Journal {
            messages.retain(|stored| stored.message.envelope.received_at <= erasure.at);
            let numbers: Vec<MessageNumber> = messages.iter().map(|stored| stored.number).collect();
            return tx.blank_messages(&numbers).await;
        }
        let reports: BTreeSet<ReportKey> = messages.iter().filter_map(|stored| stored.message.report).collect();
        let mut entries = tx.entries_of(&reports.into_iter().collect::<Vec<_>>()).await?;
        entries.retain(|entry| entry.published_at <= erasure.at && !entry.sealed.is_empty());
        let entries: Vec<_> = entries.into_iter().map(|entry| (entry.recipient, entry.position)).collect();
        tx.blank_entries(&entries, false).await
    }

    /// Makes the id of an erased message one that has come before, in a content that does not know it.
    ///
    /// # Errors
    /// A fault of either store.
    pub async fn take_id<T: Tx>(&self, tx: &mut KeyedTx<T>, taken: &TakenId) -> Stored<()> {
        if !tx.receipts(&taken.login, taken.message_id).await?.is_empty() {
            return Ok(());
        }
        let number = tx.insert_message(&placeholder(taken, self.keys().fingerprint(Uuid::now_v7().as_bytes()))).await?;
        tx.blank_messages(&[number]).await
    }
}

/// What stands for a message that a content does not know and that was erased: its id.
fn placeholder(taken: &TakenId, fingerprint: crate::domain::Fingerprint) -> NewMessage {
    NewMessage {
        envelope: Envelope {
            login: taken.login.clone(),
            message_id: taken.message_id,
            contract: taken.contract.clone(),
            syntax: Syntax::Json,
            message_time: taken.at,
            received_at: taken.at,
            trace: Trace::default(),
        },
        fingerprint,
        kind: MessageKind::Unknown,
        state: MessageState::Duplicate,
        violations: Vec::new(),
        restricted: false,
        person: None,
        report: None,
        revision: None,
        content: None,
        fan_out: 0,
        sealed: SealedBytes::default(),
    }
}

/// Ends the legs of a message whose content goes.
pub(super) async fn close_legs<T: Tx>(
    journey: &Journey,
    tx: &mut KeyedTx<T>,
    message: MessageNumber,
    code: Code,
) -> Stored<()> {
    for mut leg in tx.legs(message).await? {
        if matches!(leg.state, LegState::Published | LegState::Held) {
            (leg.state, leg.code, leg.documents) = (LegState::Withdrawn, Some(code), 0);
        }
        leg.due_at = None;
        journey.put_changed(tx, &leg, None).await?;
    }
    Ok(())
}

/// Everything that came of a participant.
pub(super) async fn all_messages<T: Tx>(tx: &mut KeyedTx<T>, person: &PersonKey) -> Stored<Vec<StoredMessage>> {
    let mut all = Vec::new();
    for kind in [MessageKind::Report, MessageKind::Consent, MessageKind::Protection, MessageKind::Unknown] {
        all.extend(tx.messages_of(person, kind).await?);
    }
    all.sort_by_key(|stored| stored.number);
    Ok(all)
}

fn count(entries: &[WholeEntry], which: fn(&WholeEntry) -> bool) -> usize {
    entries.iter().filter(|entry| which(entry)).count()
}

fn withdrawn(entry: &WholeEntry) -> bool {
    entry.state == EntryState::Withdrawn
}

fn deleted(entry: &WholeEntry) -> bool {
    entry.method == Method::Delete
}
