//! A dry run: the whole way over a set of messages as one, in memory, with every field's fate told.
//!
//! It is the same way as in service, over a store that is gone afterwards. Only a dry run can take consent as given, and
//! nothing of it can reach a real store: it makes its own.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;

use super::fates::{FieldFate, fates};
use super::{Arrival, ContractSet, Journey, Outcome, way};
use crate::agreement::Status;
use crate::domain::{Categories, Category, Code, ConsentKind, ConsentRevision, Keys, LegId, RecipientId};
use crate::seal::Vault;
use crate::store::{Clock, LegRow, Store, Stored, StoredMessage, Tx as _};

/// One leg as a supplier or a lawyer looks at it.
#[derive(Debug)]
pub struct LegView {
    /// The leg as it stands.
    pub row: LegRow,
    /// The agreement that covers it.
    pub agreement: String,
    /// Its file below the set's root.
    pub agreement_file: String,
    /// Whether anybody has signed it.
    pub status: Status,
    /// Each field of the report, by path.
    pub fields: Vec<(String, FieldFate)>,
}

/// A dry run over a store of its own.
#[derive(Debug)]
pub struct DryRun<S> {
    journey: Journey,
    store: S,
}

impl<S: Store> DryRun<S> {
    /// A dry run by a set, over an empty store whose clock stands; with consent as given for all that agreements foresee,
    /// where it is asked for.
    ///
    /// # Errors
    /// Where the system gives no random numbers.
    pub fn new(set: Arc<ContractSet>, keys: Arc<dyn Keys>, store: S, assume_consent: bool) -> Stored<Self> {
        let vault = Vault::ephemeral()?;
        let assumed = if assume_consent { assumed_waivers(&set, &*keys, store.now()) } else { Vec::new() };
        Ok(Self { journey: Journey::assuming(set, keys, vault, assumed), store })
    }

    /// The clock that a dry run stands at.
    #[must_use]
    pub fn clock(instant: Timestamp) -> Clock {
        Clock::at(instant)
    }

    /// Takes one message.
    ///
    /// # Errors
    /// A fault of the store in memory.
    pub async fn take(&self, arrival: Arrival) -> Stored<Option<Outcome>> {
        Ok(self.journey.take(&self.store, vec![arrival]).await?.into_iter().next())
    }

    /// The store, to look into.
    #[must_use]
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// The way.
    #[must_use]
    pub const fn journey(&self) -> &Journey {
        &self.journey
    }

    /// What the legs of a stored report come to, field by field.
    ///
    /// # Errors
    /// A fault of the store in memory.
    pub async fn legs(&self, stored: &StoredMessage) -> Stored<Vec<LegView>> {
        let mut tx = self.journey.begin(&self.store, "dry-run").await?;
        let rows = tx.legs(stored.number).await?;
        let consents = match &stored.message.person {
            Some(person) => self.journey.consents(&mut tx, person).await?,
            None => Vec::new(),
        };
        let now = tx.now();
        let judged = self.journey.rejudge(&mut tx, stored).await?;
        tx.commit().await?;
        let mut views = Vec::new();
        let Some(way::Judged::Report(fanned)) = judged else { return Ok(views) };
        for covered in fanned.legs {
            let id = LegId { message: stored.number, recipient: covered.recipient() };
            let Some(row) = rows.iter().find(|row| row.id == id) else { continue };
            views.push(LegView {
                row: row.clone(),
                agreement: covered.terms().agreement.clone(),
                agreement_file: covered.terms().file.clone(),
                status: covered.terms().status,
                fields: fates(&covered, &consents, now, &self.journey.set),
            });
        }
        Ok(views)
    }

    /// The documents that stand in a feed now, in order of position.
    ///
    /// # Errors
    /// A fault of the store in memory.
    pub async fn feed(&self, recipient: &RecipientId) -> Stored<super::Page> {
        self.journey.page(&self.store, recipient, crate::feed::Cursor::START, usize::MAX >> 1).await
    }
}

/// A waiver for everything that the agreements foresee with consent. Each participant's own keyed id is not needed: these
/// stand in no store.
fn assumed_waivers(set: &ContractSet, keys: &dyn Keys, now: Timestamp) -> Vec<ConsentRevision> {
    let mut waivers = Vec::new();
    for terms in set.register.terms() {
        let Some(kommun) = set.catalogue.parties().kommun(&terms.kommun) else { continue };
        for recipient in &terms.recipients {
            let person = crate::domain::PersonKey::from_bytes([0; 32]);
            let id = format!("{}/{}/{}", terms.agreement, terms.version, recipient.party.as_str());
            waivers.push(ConsentRevision {
                key: keys.report("assumed", kommun.organisation, &person, &id),
                organisation: kommun.organisation,
                revision: 1,
                kind: ConsentKind::SecrecyWaiver,
                disclosing: terms.namnd.clone(),
                receiving: recipient.party,
                categories: Category::ALL.iter().copied().collect::<Categories>(),
                agreement: terms.agreement.clone(),
                from: Date::MIN,
                to: Date::MAX,
                given_at: now,
                confirmed_at: None,
                revoked_at: None,
                revoked_categories: None,
            });
        }
    }
    waivers
}

/// The codes with which a dry run ends well: nothing refused, held, diverted or withdrawn.
#[must_use]
pub fn is_clean(legs: &[LegRow]) -> bool {
    use crate::store::LegState;
    legs.iter().all(|leg| {
        matches!(leg.state, LegState::Published)
            || (leg.state == LegState::Superseded && matches!(leg.code, Some(Code::JourneySuperseded | Code::JourneyCancelled)))
    })
}
