//! Another contract set comes into force while the service runs: who has begun by the old one ends by it, and what it had
//! decided otherwise is decided anew.
//!
//! Every page asks whether an entry was decided under terms that are still in force, so nothing that the new set narrows is
//! shown after it, whether or not the sweep has come to it. The sweep does the rest: every open leg that was decided under
//! other terms becomes due, a bounded number in each transaction.

use std::sync::{Arc, PoisonError, RwLock};

use super::recall::Recall;
use super::{ContractSet, Journey};
use crate::domain::MessageNumber;
use crate::store::{AuditAct, AuditRow, Feeds as _, Store, StoreError, Stored, Tx as _};

use super::attempts::Attempts;

/// Legs that are looked through in one transaction.
const STEP: i64 = 500;

/// The newest set, with what is remembered of it. Every clone of a journey shares it.
pub(super) type Newest = Arc<RwLock<(Arc<ContractSet>, Arc<Recall>)>>;

impl Journey {
    /// The way by the set that is in force now. Whoever does one piece of work asks once, and does all of it by what it got: a
    /// message, a page and a sweep are each judged by exactly one set.
    #[must_use]
    pub fn in_force(&self) -> Self {
        let (set, recall) = self.newest.read().unwrap_or_else(PoisonError::into_inner).clone();
        Self { set, recall, ..self.clone() }
    }

    /// The way by another set, with the same keys: to compare what both make of the same.
    #[must_use]
    pub fn by(&self, set: Arc<ContractSet>) -> Self {
        Self::assuming(set, Arc::clone(&self.keys), self.vault.clone(), Vec::new())
    }

    /// Puts another set in force for everybody who asks from now on.
    pub fn put_in_force(&self, set: Arc<ContractSet>) {
        *self.newest.write().unwrap_or_else(PoisonError::into_inner) = (set, Arc::default());
    }

    /// Makes every open leg due that was decided under terms that this set does not have. It is done when a set comes into
    /// force and may be done at any time.
    ///
    /// # Errors
    /// A fault of the store; what was done until then stays done.
    pub async fn make_changed_due<S: Store>(&self, store: &S) -> Stored<()> {
        let terms: Vec<String> = self.set.terms_in_use().into_iter().map(str::to_owned).collect();
        let mut after = Some(MessageNumber(0));
        let mut attempts = Attempts::default();
        while let Some(from) = after {
            match make_due(store, &terms, from).await {
                Err(StoreError::Contended) if attempts.again() => {}
                result => {
                    after = result?;
                    attempts = Attempts::default();
                }
            }
        }
        Ok(())
    }

    /// Writes down that this set has come into force.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn note_in_force<S: Store>(&self, store: &S) -> Stored<()> {
        let mut tx = store.begin("set-in-force").await?;
        let detail = format!("{{\"set\":\"{}\"}}", self.set.digest());
        tx.audit(&AuditRow::of_program(AuditAct::Contracts).with(detail)).await?;
        tx.commit().await
    }
}

async fn make_due<S: Store>(store: &S, terms: &[String], after: MessageNumber) -> Stored<Option<MessageNumber>> {
    let mut tx = store.begin("changed-terms").await?;
    let last = tx.make_due_unless(terms, after, STEP).await?;
    tx.commit().await?;
    Ok(last)
}
