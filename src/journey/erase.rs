//! Erasure (GDPR article 17): all contents of a participant go, and nothing that comes later brings them back.
//!
//! One transaction under the participant's lock. What stands in feeds is taken back first: what nobody has fetched is withdrawn,
//! what somebody has gets its `DELETE`, which needs neither a gate nor a content. Then contents and their keyed digests are
//! blanked; ids stay, so that a later arrival is a duplicate. The ledger in the key store is written before the content commits,
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
}

impl Journey {
    /// Erases a participant; `None` where nothing is held of it, and nothing was done.
    ///
    /// # Errors
    /// A fault of either store. Keys may be destroyed already then, and the same again finishes it.
    pub async fn erase<S: Store>(&self, store: &S, person: &PersonKey, operator: &str, reason: &str) -> Stored<Option<Erased>> {
        let mut attempts = Attempts::default();
        loop {
            match self.erase_once(store, person, operator, reason).await {
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
        let erased = self.forget(&mut tx, &messages, &[], now).await?;
        for class in RetentionClass::OF_PERSONS {
            let holder = Holder::person(person, class);
            tx.note_in_ledger(LedgerNote::Erasure(Erasure { holder, at: now }));
            tx.condemn(holder);
        }
        let detail = json!({
            "person": person.to_hex(), "messages": erased.messages, "entries": erased.entries,
            "withdrawn": erased.withdrawn, "deletes": erased.deletes, "classes": RetentionClass::OF_PERSONS.map(RetentionClass::as_str),
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
        let contents = count(&of_old, |entry| !entry.sealed.is_empty());
        let entries: Vec<_> = of_old.into_iter().map(|entry| (entry.recipient, entry.position)).collect();
        tx.blank_entries(&entries, true).await?;
        let numbers: Vec<MessageNumber> = numbers.into_iter().collect();
        tx.blank_messages(&numbers).await?;
        for stored in old {
            let envelope = &stored.message.envelope;
            let (login, message_id, contract) = (envelope.login.clone(), envelope.message_id, envelope.contract.clone());
            tx.note_in_ledger(LedgerNote::Taken(TakenId { login, message_id, contract, at: until }));
        }
        Ok(Erased { messages: numbers.len(), entries: contents, withdrawn, deletes })
    }

    /// Makes an erasure hold in a content that came back from a backup; the participant is locked.
    ///
    /// # Errors
    /// A fault of either store.
    pub async fn forget_again<T: Tx>(&self, tx: &mut KeyedTx<T>, person: &PersonKey, until: Timestamp) -> Stored<()> {
        let (old, new): (Vec<_>, Vec<_>) =
            all_messages(tx, person).await?.into_iter().partition(|stored| stored.message.envelope.received_at <= until);
        self.forget(tx, &old, &new, until).await.map(drop)
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
