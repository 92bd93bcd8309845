//! A transaction with the keys of its participants: seals what goes into the store and opens what comes out of it, writes
//! the ledgers before the content commits, and moves the restore mark after.
//!
//! Keys are fetched under the participants' lock, in one query for a whole batch, and are forgotten with the transaction:
//! an erasure can neither destroy a key just used nor be overlooked. The mark is moved before the caller is answered, so
//! that whatever was acknowledged or shown can be missed when an older backup of the content comes back.

use std::ops::{Deref, DerefMut};

use jiff::Timestamp;

use super::Journey;
use crate::domain::{ConsentRevision, Envelope, MessageNumber, PersonKey, Position, RecipientId};
use crate::faults;
use crate::seal::{
    Bound, ContentDigest, FeedMark, Holder, Keyring, LedgerNote, Marks, RetentionClass, Revocation, SealedBytes, Vault,
};
use crate::store::{
    AuditAct, AuditRow, Concerned, DueAnswer, DueReport, FeedEntry, NewMessage, Store, StoreError, Stored, StoredMessage, Tx,
    WholeEntry, WithdrawalRow,
};
use crate::translate::Rendition;

/// A transaction of the store, with the keys for its contents.
#[derive(Debug)]
pub struct KeyedTx<T> {
    tx: T,
    vault: Vault,
    ring: Keyring,
    marks: Marks,
    notes: Vec<LedgerNote>,
    /// Whose keys are destroyed with the commit.
    condemned: Vec<Holder>,
    cause: Option<MessageNumber>,
}

/// Everything that is not about contents is the store's own transaction.
impl<T> Deref for KeyedTx<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.tx
    }
}

impl<T> DerefMut for KeyedTx<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.tx
    }
}

impl Journey {
    /// Begins a transaction of a store, with the keys for its contents.
    ///
    /// # Errors
    /// As [`Store::begin`], and [`StoreError::Behind`] where the way is guarded.
    pub async fn begin<S: Store>(&self, store: &S, name: &'static str) -> Stored<KeyedTx<S::Tx>> {
        let tx = store.begin(name).await?;
        let (vault, ring, marks, notes) = (self.vault().clone(), Keyring::default(), Marks::default(), Vec::new());
        self.trusted(store, KeyedTx { tx, vault, ring, marks, notes, condemned: Vec::new(), cause: None }).await
    }

    /// Whose key seals a message: the participant's, or the message's own where nobody can tell whom it is about.
    pub(super) fn holder(&self, message: &NewMessage) -> Holder {
        if let Some(person) = &message.person {
            return Holder::person(person, RetentionClass::Journal);
        }
        self.own_holder(&message.envelope)
    }

    /// Whose key seals a message of which nobody could tell whom it is about, when it came.
    pub(super) fn own_holder(&self, envelope: &Envelope) -> Holder {
        let parts = [envelope.login.as_str().as_bytes(), envelope.message_id.as_bytes().as_slice()];
        Holder::unreadable(self.keys().digest("unreadable", &parts))
    }
}

/// What participants' messages and documents are sealed under.
fn of_persons<'a>(persons: impl Iterator<Item = &'a PersonKey>) -> impl Iterator<Item = Holder> {
    persons.flat_map(|person| [RetentionClass::Journal, RetentionClass::Feed].map(|class| Holder::person(person, class)))
}

impl<T: Tx> KeyedTx<T> {
    /// Makes everything durable: the ledgers first, then the content, then the mark.
    ///
    /// # Errors
    /// A fault of either store. Where only the mark could not be moved the content stands, and the caller, who acknowledges
    /// nothing, comes again and finds it there.
    pub async fn commit(self) -> Stored<()> {
        if !self.notes.is_empty() {
            self.vault.store().note(&self.notes).await?;
            faults::point!("ledger-written-before-commit");
        }
        if !self.condemned.is_empty() {
            // Under the participants' lock, so that nobody seals with a key that goes. Where the content does not commit after
            // this, its contents are gone all the same, and doing it again finishes what was begun.
            self.vault.store().destroy(&self.condemned).await?;
        }
        self.tx.commit().await?;
        faults::point!("committed-before-mark");
        if self.marks.is_empty() { Ok(()) } else { self.vault.store().raise(&self.marks).await }
    }

    /// Takes every lock that settling what is concerned can need, and makes and fetches no key.
    pub(super) async fn lock_alone(&mut self, concerned: &Concerned) -> Stored<()> {
        self.tx.lock(concerned).await
    }

    /// Writes into the ledgers before the content commits.
    pub(super) fn note_in_ledger(&mut self, note: LedgerNote) {
        self.notes.push(note);
    }

    /// Destroys a holder's key with the commit; its participant is locked.
    pub(super) fn condemn(&mut self, holder: Holder) {
        self.condemned.push(holder);
    }

    /// What is taken back from here on is taken back because of this message.
    pub(super) const fn because_of(&mut self, message: MessageNumber) {
        self.cause = Some(message);
    }

    /// Takes every lock that settling what is concerned can need, and fetches the participants' keys. It makes none: where one
    /// was destroyed, an empty one would outlive what was kept.
    ///
    /// # Errors
    /// A fault of either store.
    pub async fn lock(&mut self, concerned: &Concerned) -> Stored<()> {
        self.tx.lock(concerned).await?;
        self.find(concerned.persons.iter()).await
    }

    /// As [`KeyedTx::lock`] before something arrives: in one query for a whole batch it fetches the keys of other holders too,
    /// and makes those that are missing.
    pub(super) async fn lock_with(&mut self, concerned: &Concerned, others: &[Holder]) -> Stored<()> {
        self.tx.lock(concerned).await?;
        let holders: Vec<Holder> = of_persons(concerned.persons.iter()).chain(others.iter().copied()).collect();
        let now = self.tx.now();
        self.vault.ready(&mut self.ring, &holders, now).await
    }

    /// Claims reports whose time has come, and fetches their participants' keys.
    ///
    /// # Errors
    /// A fault of either store.
    pub async fn claim_due(&mut self, limit: i64) -> Stored<Vec<DueReport>> {
        let due = self.tx.claim_due(limit).await?;
        self.find(due.iter().map(|report| &report.person)).await?;
        Ok(due)
    }

    /// Claims reports whose hold period has ended, and fetches their participants' keys.
    ///
    /// # Errors
    /// A fault of either store.
    pub async fn claim_due_answers(&mut self, limit: i64) -> Stored<Vec<DueAnswer>> {
        let due = self.tx.claim_due_answers(limit).await?;
        self.find(due.iter().map(|one| &one.person)).await?;
        Ok(due)
    }

    async fn find(&mut self, persons: impl Iterator<Item = &PersonKey> + Send) -> Stored<()> {
        let holders: Vec<Holder> = of_persons(persons).collect();
        self.vault.find(&mut self.ring, &holders).await
    }

    /// Seals a message as it came under its holder's key.
    pub(super) async fn seal(&mut self, message: &NewMessage, holder: Holder, plain: &[u8]) -> Stored<SealedBytes> {
        if plain.is_empty() {
            return Ok(SealedBytes::default());
        }
        let now = self.tx.now();
        self.vault.ready(&mut self.ring, &[holder], now).await?;
        let key = self.ring.of(&holder).ok_or(StoreError::Inconsistent { table: "data_keys", column: "holder" })?;
        Ok(key.seal(plain, &Bound::of_envelope(&message.envelope))?)
    }

    /// Opens a stored message; `None` where its key is gone, and so is its content.
    ///
    /// # Errors
    /// A fault of the key store; or what was stored is not what was sealed.
    pub async fn open(&mut self, message: &NewMessage) -> Stored<Option<Vec<u8>>> {
        self.vault.fetch(&mut self.ring, [&message.sealed]).await?;
        Ok(self.ring.open(&message.sealed, &Bound::of_envelope(&message.envelope))?)
    }

    /// A digest of what sealed bytes hold, which dies with their key; `None` where the key is not at hand.
    pub(super) fn digest(&self, sealed: &SealedBytes, content: &[u8]) -> Option<ContentDigest> {
        self.ring.of_sealed(sealed).map(|key| key.digest([content]))
    }

    /// A digest of the documents of one leg, which dies with the key that they are sealed under. They were sealed, or kept, by
    /// this transaction.
    pub(super) fn digest_of_documents(&self, person: &PersonKey, documents: &[Rendition]) -> Option<ContentDigest> {
        let key = self.ring.of(&Holder::person(person, RetentionClass::Feed))?;
        Some(key.digest(documents.iter().flat_map(|one| [one.heading().subject.as_bytes(), one.bytes()])))
    }

    /// Writes a row of the ledger of withdrawals with what caused it, and one of the audit log on the message that it follows
    /// from.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn note_withdrawal(&mut self, row: &WithdrawalRow, message: MessageNumber) -> Stored<()> {
        self.tx.note_withdrawal(&WithdrawalRow { cause: self.cause, ..row.clone() }).await?;
        let noted = AuditRow::of_program(AuditAct::Withdrawal).on(message).to(&row.recipient).at(row.position);
        self.tx.audit(&noted.under(row.code).with(row.step.as_str())).await
    }

    /// Opens an entry of a feed; `None` where its key is gone, and so is its content.
    ///
    /// # Errors
    /// A fault of the key store; or what was stored is not what was sealed.
    pub async fn open_entry(&mut self, entry: &WholeEntry) -> Stored<Option<Vec<u8>>> {
        self.vault.fetch(&mut self.ring, [&entry.sealed]).await?;
        let (recipient, subject, contract, syntax) = (&entry.recipient, &entry.subject, entry.contract.as_str(), entry.syntax);
        Ok(self.ring.open(&entry.sealed, &Bound::Document { recipient, subject, contract, syntax })?)
    }

    /// Whether the key of a stored message still stands.
    ///
    /// # Errors
    /// A fault of the key store.
    pub(super) async fn has_key(&mut self, message: &NewMessage) -> Stored<bool> {
        self.vault.fetch(&mut self.ring, [&message.sealed]).await?;
        Ok(self.ring.holds(&message.sealed))
    }

    /// Opens the entries of a page, with one query for their keys.
    pub(super) async fn open_all(&mut self, recipient: &RecipientId, entries: &[FeedEntry]) -> Stored<Vec<Option<Vec<u8>>>> {
        let sealed = entries.iter().filter(|entry| entry.report.is_some()).map(|entry| &entry.sealed);
        self.vault.fetch(&mut self.ring, sealed).await?;
        let open = |entry: &FeedEntry| {
            if entry.report.is_none() {
                // An answer has no content and is stored as it is.
                return Ok(Some(entry.sealed.as_bytes().to_vec()));
            }
            let (subject, contract, syntax) = (&entry.subject, entry.contract.as_str(), entry.syntax);
            let bound = Bound::Document { recipient, subject, contract, syntax };
            self.ring.open(&entry.sealed, &bound).map_err(StoreError::from)
        };
        entries.iter().map(open).collect()
    }

    /// Stores a message that is sealed already.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn insert_message(&mut self, message: &NewMessage) -> Stored<MessageNumber> {
        let number = self.tx.insert_message(message).await?;
        self.marks.messages = self.marks.messages.max(number.0);
        Ok(number)
    }

    /// Counts one more delivery of a message that is there already. It is acknowledged like the first, so the mark must have
    /// reached it too.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn count_duplicate(&mut self, message: MessageNumber) -> Stored<()> {
        self.marks.messages = self.marks.messages.max(message.0);
        self.tx.count_duplicate(message).await
    }

    /// Seals a document and puts it into its recipient's feed.
    ///
    /// # Errors
    /// A fault of either store.
    pub async fn publish(
        &mut self,
        rendition: &Rendition,
        message: &StoredMessage,
        fingerprint: &[u8],
        until: Timestamp,
    ) -> Stored<()> {
        let person = message.message.person.ok_or(StoreError::Inconsistent { table: "messages", column: "person" })?;
        let holder = Holder::person(&person, RetentionClass::Feed);
        let now = self.tx.now();
        self.vault.ready(&mut self.ring, &[holder], now).await?;
        let key = self.ring.of(&holder).ok_or(StoreError::Inconsistent { table: "data_keys", column: "holder" })?;
        let sealed = key.seal_rendition(rendition)?;
        self.tx.publish(&sealed, message, fingerprint, until).await
    }

    /// Marks entries as served, and remembers that a page was.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn mark_served(&mut self, recipient: &RecipientId, positions: &[Position]) -> Stored<()> {
        let pages = self.tx.mark_served(recipient, positions).await?;
        if let Some(head) = positions.iter().map(|position| position.0).max() {
            self.marks.raise_feed(recipient, FeedMark { head, pages });
        }
        Ok(())
    }

    /// Remembers that a recipient has said something: an older backup that has forgotten it is noticed.
    ///
    /// # Errors
    /// A fault of the store.
    pub(super) async fn count_receipts(&mut self, recipient: &RecipientId) -> Stored<()> {
        let pages = self.tx.count_page(recipient).await?;
        self.marks.raise_feed(recipient, FeedMark { head: 0, pages });
        Ok(())
    }

    /// Sets a person's protection flag, in the ledger too.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn set_flag(&mut self, person: &PersonKey) -> Stored<()> {
        self.notes.push(LedgerNote::Flag(*person, self.tx.now()));
        self.tx.set_flag(person).await
    }

    /// Takes a lifted flag out of the ledger, where the participant, who is locked, has none: whatever sets one holds that lock
    /// from before its note until its commit. A flag with a later time than the lift stays all the same.
    ///
    /// # Errors
    /// A fault of either store: a restore sets the flag again.
    pub(super) async fn forget_flag(&mut self, person: &PersonKey, lifted_at: Timestamp) -> Stored<()> {
        if self.tx.is_flagged(person).await? {
            return Ok(());
        }
        self.vault.store().note(&[LedgerNote::Lift(*person, lifted_at)]).await
    }

    /// Remembers a revocation for the ledger; what revokes nothing is passed over.
    pub(super) fn note_revocation(&mut self, person: &PersonKey, revision: &ConsentRevision) {
        let Some(revoked_at) = revision.revoked_at else { return };
        let (consent, person, categories) = (revision.key, *person, revision.revoked_categories);
        self.notes.push(LedgerNote::Revocation(Revocation { consent, person, revoked_at, categories }));
    }
}
