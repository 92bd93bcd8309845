//! What each recipient would see of one stored report by this journey's set, now: fields by name, no value, nothing kept.

use std::collections::{BTreeMap, BTreeSet};

use super::fates::{FieldFate, fates};
use super::way::{self, Judged, Verdict};
use super::{Journey, is_report};
use crate::domain::RecipientId;
use crate::store::{Store, Stored, StoredMessage, Tx as _};

/// The fields that each recipient would see.
pub type Disclosed = BTreeMap<RecipientId, BTreeSet<String>>;

impl Journey {
    /// Walks a stored report as if it came to be disclosed now, in a transaction that is dropped. `None` where it cannot be
    /// opened; nothing is disclosed of what is refused, held, superseded, or of a protected person's.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn disclosed<S: Store>(&self, store: &S, stored: &StoredMessage) -> Stored<Option<Disclosed>> {
        let mut disclosed = Disclosed::new();
        let Some(person) = stored.message.person.filter(|_| is_report(&stored.message.envelope.contract)) else {
            return Ok(None);
        };
        let mut tx = self.begin(store, "change-walk").await?;
        if tx.is_flagged(&person).await? {
            return Ok(Some(disclosed));
        }
        if !tx.has_key(&stored.message).await? {
            return Ok(None);
        }
        let Some(Judged::Report(fanned)) = self.rejudge(&mut tx, stored).await? else { return Ok(Some(disclosed)) };
        let revisions = tx.revisions(&fanned.report).await?;
        if revisions.iter().any(|other| other.message.revision > Some(fanned.revision)) {
            return Ok(Some(disclosed));
        }
        let (consents, now) = (self.consents(&mut tx, &person).await?, tx.now());
        for covered in &fanned.legs {
            let walk = || way::walk(covered, &consents, now, &self.set, self.keys());
            if let Some(Verdict::Publish { .. }) = super::settle::guarded(walk) {
                let fields = fates(covered, &consents, now, &self.set);
                let seen = fields.into_iter().filter(|(_, fate)| *fate == FieldFate::Disclosed).map(|(path, _)| path);
                disclosed.insert(covered.recipient(), seen.collect());
            }
        }
        Ok(Some(disclosed))
    }
}
