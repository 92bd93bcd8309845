//! Retention (gallring): what may be kept no longer is blanked, in bounded transactions under the participants' lock.
//!
//! Rows stay: ids, so that a later arrival is a duplicate; positions and subjects, so that a cursor stays a place and a possible
//! `DELETE` can still be published. When nothing of a class is left of a participant its data key is destroyed, in earlier backups
//! of the content too. Revocations are kept apart before the consents that hold them go: they never stop working.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{Attempts, Journey, Judged, KeyedTx};
use crate::config::RetentionConfig;
use crate::domain::{Code, MessageNumber, PersonKey, Position, RecipientId, date_of};
use crate::seal::{Erasure, Holder, LedgerNote, RetentionClass};
use crate::store::{
    AuditAct, AuditRow, Concerned, Holding, KeptEntry, KeptKind, KeptMessage, LegState, Rights as _, Store, StoreError, Stored,
    StoredMessage, Tx,
};

/// Messages or entries of one transaction.
const STEP: i64 = 200;

/// What a run did, or would do, with one kind of content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retained {
    /// The kind.
    pub kind: KeptKind,
    /// Its period in days.
    pub days: u32,
    /// How many went, or would go.
    pub gone: usize,
    /// The oldest of those.
    pub oldest: Option<Timestamp>,
    /// How many there are now: after a dry run those too that would go.
    pub kept: i64,
    /// The oldest of those.
    pub oldest_kept: Option<Timestamp>,
}

/// How much of one kind of content there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The kind.
    pub kind: KeptKind,
    /// How many there are.
    pub kept: i64,
    /// The oldest of them.
    pub oldest: Option<Timestamp>,
}

/// Where a step has come to, and what it has done.
#[derive(Debug, Clone, Default)]
struct Step<P> {
    last: Option<P>,
    gone: usize,
    oldest: Option<Timestamp>,
}

fn days_of(rules: &RetentionConfig, kind: KeptKind) -> u32 {
    match kind {
        KeptKind::Feed => rules.feed,
        KeptKind::Journal => rules.journal,
        KeptKind::Consents => rules.consents,
        KeptKind::Held => rules.held,
        KeptKind::DeadLetters => rules.dead_letters,
        KeptKind::Unreadable => rules.unreadable,
        KeptKind::Receipts => rules.receipts,
        KeptKind::Audit => rules.audit,
    }
}

impl Journey {
    /// Blanks everything whose period is over; with `dry` it says what that would be, and changes nothing.
    ///
    /// # Errors
    /// A fault of either store; what went before it has gone.
    pub async fn retain<S: Store>(
        &self,
        store: &S,
        rules: &RetentionConfig,
        actor: Option<&str>,
        dry: bool,
    ) -> Stored<Vec<Retained>> {
        let mut all = Vec::new();
        for kind in KeptKind::IN_ORDER {
            let days = days_of(rules, kind);
            let before = store.now().saturating_sub(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(Timestamp::MIN);
            let run = Run { journey: self, store, kind, days, before, actor, dry };
            let done = match kind {
                KeptKind::Feed => run.entries().await?,
                KeptKind::Receipts => run.receipts().await?,
                KeptKind::Audit => run.audit_log().await?,
                _ => run.messages().await?,
            };
            all.push(Retained { kind, days, gone: done.0, oldest: done.1, kept: 0, oldest_kept: None });
        }
        for standing in self.kept(store).await? {
            if let Some(one) = all.iter_mut().find(|one| one.kind == standing.kind) {
                (one.kept, one.oldest_kept) = (standing.kept, standing.oldest);
            }
        }
        Ok(all)
    }

    /// How much of each kind of content there is.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn kept<S: Store>(&self, store: &S) -> Stored<Vec<Standing>> {
        let mut tx = store.begin("retention-standing").await?;
        let found = tx.kept_by_kind().await?;
        tx.commit().await?;
        let of = |kind| {
            let one = found.iter().find(|(found, ..)| *found == kind);
            Standing { kind, kept: one.map_or(0, |one| one.1), oldest: one.map(|one| one.2) }
        };
        Ok(KeptKind::IN_ORDER.map(of).to_vec())
    }

    /// Gives back the space of what was blanked. It undoes nothing where it fails, and can be done again at any time.
    ///
    /// # Errors
    /// A fault of either store, as where a bound on the time of a statement is too short for a large store.
    pub async fn give_back<S: Store>(&self, store: &S) -> Stored<()> {
        self.vault().store().give_back().await?;
        store.give_back().await
    }
}

/// A run over one kind of content.
pub(super) struct Run<'a, S> {
    pub(super) journey: &'a Journey,
    pub(super) store: &'a S,
    kind: KeptKind,
    days: u32,
    pub(super) before: Timestamp,
    actor: Option<&'a str>,
    pub(super) dry: bool,
}

impl<S: Store> Run<'_, S> {
    async fn messages(&self) -> Stored<(usize, Option<Timestamp>)> {
        let (mut after, mut gone, mut oldest) = (MessageNumber(0), 0_usize, None::<Timestamp>);
        let mut attempts = Attempts::default();
        loop {
            let step = match self.some_messages(after).await {
                Err(StoreError::Contended) if attempts.again() => continue,
                step => step?,
            };
            attempts = Attempts::default();
            let Some(last) = step.last else { return Ok((gone, oldest)) };
            after = last;
            gone = gone.saturating_add(step.gone);
            oldest = oldest.into_iter().chain(step.oldest).min();
        }
    }

    async fn some_messages(&self, after: MessageNumber) -> Stored<Step<MessageNumber>> {
        let mut tx = self.journey.begin(self.store, "retention").await?;
        let seen = tx.kept_messages(self.kind, self.before, after, STEP).await?;
        let last = seen.last().map(|one| one.number);
        let persons: BTreeSet<PersonKey> = seen.iter().filter_map(|one| one.person).collect();
        if !self.dry {
            tx.lock_alone(&Concerned { persons: persons.iter().copied().collect(), ..Concerned::default() }.sorted()).await?;
        }
        // What was seen before the lock may have moved: a dead letter was run again, a report waits no more.
        let mut due = tx.kept_messages(self.kind, self.before, after, STEP).await?;
        due.retain(|one| {
            last.is_some_and(|last| one.number <= last) && one.person.is_none_or(|person| persons.contains(&person))
        });
        if self.kind == KeptKind::Consents {
            due = self.over(&mut tx, due).await?;
        }
        let oldest = due.iter().map(|one| one.received_at).min();
        if !self.dry && !due.is_empty() {
            self.blank(&mut tx, &due).await?;
        }
        tx.commit().await?;
        Ok(Step { last, gone: due.len(), oldest })
    }

    /// The consents and flags that nothing rests on any more: a consent's own period is over by as much as it may be kept, and
    /// no report of the participant is left that it could open or shut.
    async fn over(&self, tx: &mut KeyedTx<S::Tx>, seen: Vec<KeptMessage>) -> Stored<Vec<KeptMessage>> {
        let mut over = Vec::new();
        for one in seen {
            let Some(stored) = tx.message(one.number).await? else { continue };
            if let Some(person) = &one.person
                && tx.still_holds(person, Holding::Reports).await?
            {
                continue;
            }
            let is_over = match self.is_over(tx, &stored).await {
                // What cannot be read might be a revocation in force: a person has to look, and nothing else waits for that.
                Err(fault) if fault.is_of_one_row() => false,
                is_over => is_over?,
            };
            if is_over {
                over.push(one);
            }
        }
        Ok(over)
    }

    async fn is_over(&self, tx: &mut KeyedTx<S::Tx>, stored: &StoredMessage) -> Stored<bool> {
        if !tx.has_key(&stored.message).await? {
            // Its content is gone already, and what it revoked stands in the ledger.
            return Ok(true);
        }
        Ok(match (self.journey.rejudge(tx, stored).await?, &stored.message.person) {
            (Some(Judged::Consent(revision)), Some(person)) => {
                // All revisions of a consent go together: one that narrows must not go before the one that it narrows.
                let all = self.journey.consents(tx, person).await?;
                let last = all.iter().filter(|other| other.key == revision.key).map(|other| other.to).max();
                last.is_some_and(|last| last < date_of(self.before))
            }
            (Some(Judged::Protection(_)), _) => true,
            _ => false,
        })
    }

    async fn blank(&self, tx: &mut KeyedTx<S::Tx>, due: &[KeptMessage]) -> Stored<()> {
        let now = tx.now();
        let numbers: Vec<MessageNumber> = due.iter().map(|one| one.number).collect();
        let persons: BTreeSet<PersonKey> = due.iter().filter_map(|one| one.person).collect();
        if self.kind == KeptKind::Consents {
            for revocation in &self.journey.vault().store().revocations().await? {
                if persons.contains(&revocation.person) {
                    tx.keep_revocation(revocation).await?;
                }
            }
        }
        for one in due {
            if self.kind == KeptKind::Held {
                self.end_waiting(tx, one.number).await?;
            }
            if let Some(stored) = tx.message(one.number).await? {
                // Its key is its own where nobody could tell whom it was about when it came, whatever a retry has found out since.
                tx.condemn(self.journey.own_holder(&stored.message.envelope));
            }
        }
        tx.blank_messages(&numbers).await?;
        for person in persons {
            if !tx.still_holds(&person, Holding::Messages).await? {
                end(tx, &person, RetentionClass::Journal, now);
                if !tx.still_holds(&person, Holding::Documents).await? {
                    // Of whoever was disclosed to nobody since, it has sealed nothing.
                    tx.condemn(Holder::person(&person, RetentionClass::Feed));
                }
            }
        }
        let range = (numbers.iter().map(|one| one.0).min(), numbers.iter().map(|one| one.0).max());
        self.note(tx, numbers.len(), json!({ "range": { "first": range.0, "last": range.1 } })).await
    }

    /// Ends the legs that waited; what was published stays.
    async fn end_waiting(&self, tx: &mut KeyedTx<S::Tx>, message: MessageNumber) -> Stored<()> {
        for mut leg in tx.legs(message).await? {
            if leg.state == LegState::Held {
                (leg.state, leg.code, leg.due_at) = (LegState::Withdrawn, Some(Code::JourneyRetention), None);
                self.journey.put_changed(tx, &leg, None).await?;
            }
        }
        Ok(())
    }

    async fn entries(&self) -> Stored<(usize, Option<Timestamp>)> {
        let mut after = (RecipientId::from_stored(String::new()), Position(0));
        let (mut gone, mut oldest) = (0_usize, None::<Timestamp>);
        let mut attempts = Attempts::default();
        loop {
            let step = match self.some_entries(&after).await {
                Err(StoreError::Contended) if attempts.again() => continue,
                step => step?,
            };
            attempts = Attempts::default();
            let Some(last) = step.last else { return Ok((gone, oldest)) };
            after = last;
            gone = gone.saturating_add(step.gone);
            oldest = oldest.into_iter().chain(step.oldest).min();
        }
    }

    async fn some_entries(&self, after: &(RecipientId, Position)) -> Stored<Step<(RecipientId, Position)>> {
        let mut tx = self.journey.begin(self.store, "retention").await?;
        let seen = tx.kept_entries(self.before, after, STEP).await?;
        let last = seen.last().map(|one| (one.recipient.clone(), one.position));
        let persons: BTreeSet<PersonKey> = seen.iter().map(|one| one.person).collect();
        let recipients: BTreeSet<RecipientId> = seen.iter().map(|one| one.recipient.clone()).collect();
        if !self.dry {
            let persons = persons.iter().copied().collect();
            tx.lock_alone(&Concerned { persons, ..Concerned::default() }.sorted()).await?;
            tx.lock_deliveries(&recipients.into_iter().collect::<Vec<_>>()).await?;
        }
        let mut due = tx.kept_entries(self.before, after, STEP).await?;
        due.retain(|one| {
            let seen = last.as_ref().is_some_and(|last| (&one.recipient, one.position) <= (&last.0, last.1));
            seen && persons.contains(&one.person)
        });
        let oldest = due.iter().map(|one| one.published_at).min();
        if !self.dry && !due.is_empty() {
            self.blank_entries(&mut tx, &due).await?;
        }
        tx.commit().await?;
        Ok(Step { last, gone: due.len(), oldest })
    }

    async fn blank_entries(&self, tx: &mut KeyedTx<S::Tx>, due: &[KeptEntry]) -> Stored<()> {
        let now = tx.now();
        let places: Vec<_> = due.iter().map(|one| (one.recipient.clone(), one.position)).collect();
        // The digests stay: what is settled once more must not be published a second time.
        tx.blank_entries(&places, false).await?;
        for person in due.iter().map(|one| one.person).collect::<BTreeSet<_>>() {
            if !tx.still_holds(&person, Holding::Documents).await? {
                end(tx, &person, RetentionClass::Feed, now);
            }
        }
        let places: Vec<_> = places.iter().map(|(recipient, position)| json!([recipient.as_str(), position.0])).collect();
        self.note(tx, due.len(), json!({ "range": { "first": places.first(), "last": places.last() } })).await
    }

    /// The proof of what went: `which` is an object that says what it was, without values.
    pub(super) async fn note(&self, tx: &mut KeyedTx<S::Tx>, count: usize, which: serde_json::Value) -> Stored<()> {
        let row = match self.actor {
            Some(operator) => AuditRow::by(AuditAct::Retention, operator),
            None => AuditRow::of_program(AuditAct::Retention),
        };
        let before = self.before.to_string();
        let mut detail = json!({ "kind": self.kind.as_str(), "days": self.days, "before": before, "count": count });
        if let (Some(detail), serde_json::Value::Object(which)) = (detail.as_object_mut(), which) {
            detail.extend(which);
        }
        tx.audit(&row.under(Code::JourneyRetention).with(detail.to_string())).await
    }
}

/// Nothing of the class is left: its key goes, and an older backup of the content yields nothing of it.
fn end<T: Tx>(tx: &mut KeyedTx<T>, person: &PersonKey, class: RetentionClass, now: Timestamp) {
    let holder = Holder::person(person, class);
    tx.note_in_ledger(LedgerNote::Erasure(Erasure { holder, at: now }));
    tx.condemn(holder);
}
