//! Consents as operators look after them: which there are, and revoking one on a participant's word. A revocation is a message
//! like any other, and so is a consent that was given on paper: only who brought it differs.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Arrival, Journey, Judged, KeyedTx, Outcome, payload};
use crate::consent::{ConsentStanding, standing};
use crate::domain::{Categories, Category, ConsentRevision, MessageNumber, PersonKey, ReportKey, Syntax, Trace};
use crate::intake::decode;
use crate::store::{AuditAct, AuditRow, Concerned, MessageKind, MessageState, Store, Stored, StoredMessage, Survey as _, Tx};

/// A consent as it stands. Nothing of it says whose it is.
#[derive(Debug)]
pub struct ListedConsent {
    /// The message of its highest revision.
    pub message: StoredMessage,
    /// What that one says.
    pub revision: ConsentRevision,
    /// How all revisions stand together.
    pub standing: ConsentStanding,
    /// What is left.
    pub categories: Categories,
}

impl Journey {
    /// The consents of one participant, or of all, the newest first, from at most so many messages. What belongs to a
    /// protected person is left out. The reading leaves an audit row.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn list_consents<S: Store>(
        &self,
        store: &S,
        of: Option<&PersonKey>,
        limit: i64,
        operator: &str,
    ) -> Stored<Vec<ListedConsent>> {
        let mut tx = self.begin(store, "consents-list").await?;
        let mut messages = match of {
            Some(person) => tx.messages_of(person, MessageKind::Consent).await?,
            None => tx.recorded_consents(limit).await?,
        };
        messages.sort_by_key(|stored| std::cmp::Reverse(stored.number));
        let mut persons: Vec<PersonKey> = Vec::new();
        for person in messages.iter().filter_map(|stored| stored.message.person) {
            if !persons.contains(&person) {
                persons.push(person);
            }
        }
        let mut listed = Vec::new();
        for person in &persons {
            if !tx.is_flagged(person).await? {
                listed.extend(self.consents_of(&mut tx, person).await?);
            }
        }
        listed.sort_by_key(|one| std::cmp::Reverse(one.message.number));
        let count = i64::try_from(listed.len()).unwrap_or(i64::MAX);
        let detail = match of {
            Some(person) => {
                json!({ "act": "consents of one participant", "person": person.to_hex(), "consents": count }).to_string()
            }
            None => format!("consents of all: {count}"),
        };
        tx.audit(&AuditRow::by(AuditAct::Reading, operator).with(detail)).await?;
        tx.commit().await?;
        Ok(listed)
    }

    /// Each consent of a participant with all its revisions.
    async fn consents_of<T: Tx>(&self, tx: &mut KeyedTx<T>, person: &PersonKey) -> Stored<Vec<ListedConsent>> {
        let now = tx.now();
        let mut by_key: BTreeMap<ReportKey, Vec<(StoredMessage, ConsentRevision)>> = BTreeMap::new();
        for stored in tx.messages_of(person, MessageKind::Consent).await? {
            if stored.message.state == MessageState::Recorded
                && let Some(Judged::Consent(revision)) = self.rejudge(tx, &stored).await?
            {
                by_key.entry(revision.key).or_default().push((stored, *revision));
            }
        }
        let kept = tx.kept_revocations(person).await?;
        let mut listed = Vec::new();
        for (key, of_one) in by_key {
            let mut revisions: Vec<ConsentRevision> = of_one.iter().map(|(_, revision)| revision.clone()).collect();
            for lost in kept.iter().filter(|lost| lost.consent == key) {
                if let Some(known) = revisions.first() {
                    let (revoked_at, revoked_categories) = (Some(lost.revoked_at), lost.categories);
                    revisions.push(ConsentRevision { revoked_at, revoked_categories, ..known.clone() });
                }
            }
            let highest = of_one.into_iter().max_by_key(|(stored, revision)| (revision.revision, stored.number));
            if let (Some((message, revision)), Some((standing, categories))) = (highest, standing(&revisions, now)) {
                listed.push(ListedConsent { message, revision, standing, categories });
            }
        }
        Ok(listed)
    }

    /// Takes a consent message that a person brings, as any other message, with that act in the audit log of its transaction.
    ///
    /// # Errors
    /// A fault of the store: nothing is stored.
    pub async fn record_consent<S: Store>(&self, store: &S, arrival: &Arrival, operator: &str) -> Stored<Option<Outcome>> {
        let row = AuditRow::by(AuditAct::Operator, operator).with("consent recorded");
        Ok(self.take_brought(store, arrival, &row).await?.into_iter().next())
    }

    /// Revokes the consent that a message is a revision of, or some of its categories: stores a revocation as its sender would
    /// send it. `None` where the message is no recorded consent that can be read.
    ///
    /// # Errors
    /// A fault of the store: nothing is stored.
    pub async fn revoke_consent<S: Store>(
        &self,
        store: &S,
        number: MessageNumber,
        categories: &[Category],
        operator: &str,
        reason: &str,
    ) -> Stored<Option<Outcome>> {
        let Some(arrival) = self.revocation(store, number, categories).await? else { return Ok(None) };
        let row = AuditRow::by(AuditAct::Operator, operator).with("consent revoked").because(reason);
        Ok(self.take_brought(store, &arrival, &row).await?.into_iter().next())
    }

    async fn revocation<S: Store>(&self, store: &S, number: MessageNumber, categories: &[Category]) -> Stored<Option<Arrival>> {
        let mut tx = self.begin(store, "consent-look").await?;
        let Some(asked) = tx.message(number).await? else { return Ok(None) };
        let is_consent = asked.message.kind == MessageKind::Consent && asked.message.state == MessageState::Recorded;
        let (Some(person), true) = (asked.message.person, is_consent) else { return Ok(None) };
        tx.lock(&Concerned { persons: vec![person], ..Concerned::default() }).await?;
        let mut revisions = tx.messages_of(&person, MessageKind::Consent).await?;
        let same = |stored: &StoredMessage| {
            stored.message.state == MessageState::Recorded && stored.message.report == asked.message.report
        };
        revisions.retain(same);
        let Some(highest) = revisions.into_iter().max_by_key(|stored| (stored.message.revision, stored.number)) else {
            return Ok(None);
        };
        let now = tx.now();
        let Some(bytes) = tx.open(&highest.message).await? else { return Ok(None) };
        let envelope = highest.message.envelope;
        let Ok(payload) = payload(&envelope, &bytes) else { return Ok(None) };
        let Some(contract) = self.set().catalogue.contract(&envelope.contract) else { return Ok(None) };
        let Ok(decoded) = decode(payload, contract.outline()) else { return Ok(None) };
        let Value::Object(mut tree) = decoded.document().tree().clone() else { return Ok(None) };
        let next = highest.message.revision.unwrap_or_default().saturating_add(1);
        tree.insert("revision".to_owned(), json!(next));
        tree.insert("revokedAt".to_owned(), json!(now.to_string()));
        tree.remove("revokedCategories");
        if !categories.is_empty() {
            let names: Vec<&str> = categories.iter().map(|category| category.as_str()).collect();
            tree.insert("revokedCategories".to_owned(), json!(names));
        }
        // The message's own day decides the century of a ten-digit personnummer: it stays that of the consent.
        Ok(Some(Arrival {
            login: envelope.login,
            message_id: Uuid::now_v7(),
            contract: envelope.contract,
            syntax: Syntax::Json,
            message_time: envelope.message_time,
            bytes: Value::Object(tree).to_string().into_bytes(),
            trace: Trace::default(),
            defect: None,
        }))
    }
}
