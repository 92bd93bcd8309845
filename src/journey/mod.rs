//! Floor 3: the way as a whole: batches of messages in, one transaction each, and what falls due.
//!
//! A batch is one transaction: commit, then acknowledge. A refusal is data and is stored; a fault (`StoreError`) comes back
//! to the caller, who acknowledges nothing and tries again.

mod answers;
mod apply;
mod arrival;
mod attempts;
mod basis;
mod consents;
mod courier;
mod cut;
mod disclosed;
mod dry_run;
mod erase;
mod explain;
mod fates;
mod guard;
mod in_force;
mod keyed;
mod lapse;
mod protected;
mod recall;
mod receipts;
mod reconcile;
mod relay;
mod retain;
mod retry;
mod seen;
mod serve;
mod set;
mod settle;
mod sweep;
mod take;
mod terms_digest;
mod unjudged;
mod urgent;
mod way;

use std::sync::{Arc, RwLock};

use uuid::Uuid;

pub use arrival::{Arrival, Defect, Outcome};
use attempts::Attempts;
pub use basis::{BasisRecord, TouchedRecord};
pub use consents::ListedConsent;
pub use courier::{ATTEMPT, Courier, Delivery, Parcel};
pub use disclosed::Disclosed;
pub use dry_run::{DryRun, LegView, is_clean};
pub use erase::Erased;
pub use explain::{CorrectionView, LegStory, RevisionView, Story, explain};
pub use fates::FieldFate;
pub use keyed::KeyedTx;
pub use protected::{Lifted, Protected, Rerun, Waiting};
pub use relay::RelayFault;
pub use retain::{Retained, Standing};
pub use retry::Retried;
pub use seen::standing_of;
pub use serve::{Page, Served};
pub use set::ContractSet;
pub use way::{Basis, Fanned, Judged, Opened, Verdict, is_report, judge, open, payload, violations, walk};

use answers::{Foreseen, Reply, Turn};
use guard::Guard;
use in_force::Newest;
use recall::Recall;

use crate::agreement::Covered;
use crate::domain::{Code, ConsentRevision, Keys, LegId, MessageNumber, ReportKey};
use crate::seal::Vault;
use crate::store::{AuditAct, AuditRow, LegRow, LegState, MessageKind, MessageState, NewMessage, Stored, StoredMessage, Tx};

/// What a leg rests on until something was decided of it.
const UNDECIDED: &str = "{}";

/// The way, with the set of contracts it judges by and the keys of its digests.
#[derive(Clone)]
pub struct Journey {
    set: Arc<ContractSet>,
    keys: Arc<dyn Keys>,
    vault: Vault,
    recall: Arc<Recall>,
    /// Whether the content is asked again what it is; not for commands.
    guard: Option<Arc<Guard>>,
    newest: Newest,
    /// Waivers that a dry run takes as given; empty everywhere else.
    assumed: Vec<ConsentRevision>,
}

impl std::fmt::Debug for Journey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Journey")
    }
}

impl Journey {
    /// The way by a set of contracts.
    #[must_use]
    pub fn new(set: Arc<ContractSet>, keys: Arc<dyn Keys>, vault: Vault) -> Self {
        Self::assuming(set, keys, vault, Vec::new())
    }

    /// The way with waivers that are taken as given.
    fn assuming(set: Arc<ContractSet>, keys: Arc<dyn Keys>, vault: Vault, assumed: Vec<ConsentRevision>) -> Self {
        let recall = Arc::<Recall>::default();
        let newest = Arc::new(RwLock::new((Arc::clone(&set), Arc::clone(&recall))));
        Self { set, keys, vault, recall, newest, guard: None, assumed }
    }

    /// The set it judges by.
    #[must_use]
    pub fn set(&self) -> &Arc<ContractSet> {
        &self.set
    }

    /// The keys of its digests.
    #[must_use]
    pub fn keys(&self) -> &dyn Keys {
        &*self.keys
    }

    /// The keys that contents are sealed under.
    #[must_use]
    pub const fn vault(&self) -> &Vault {
        &self.vault
    }

    /// The id under which a message is stored that has none of its own, or that stands under a broken envelope: made of its
    /// bytes, so that a redelivery is a duplicate and a mended message under the sender's own id is not.
    #[must_use]
    pub fn id_of_bytes(&self, bytes: &[u8]) -> Uuid {
        let mut id = [0; 16];
        for (slot, byte) in id.iter_mut().zip(self.keys.fingerprint(bytes).as_bytes()) {
            *slot = *byte;
        }
        uuid::Builder::from_custom_bytes(id).into_uuid()
    }

    /// Writes what a message was judged to be into its row; gives the legs of a report, and what its sender is told.
    async fn fill<T: Tx>(&self, tx: &mut KeyedTx<T>, new: &mut NewMessage, judged: Judged, turn: Turn<'_>) -> Stored<Filled> {
        new.violations.clear();
        match judged {
            Judged::Diverted(diverted) => {
                new.state = MessageState::Diverted;
                if diverted.by_itself() {
                    tx.set_flag(diverted.person()).await?;
                }
                return Ok(Filled { fan: None, reply: self.reply_to_diverted(tx, new, turn).await? });
            }
            Judged::Refused(refusal) => {
                new.state = MessageState::Refused;
                new.violations = violations(&refusal);
                return Ok(Filled { fan: None, reply: Reply::Rejection(refusal) });
            }
            Judged::Consent(revision) => {
                new.state = MessageState::Recorded;
                if let Some(person) = &new.person {
                    tx.note_revocation(person, &revision);
                }
                new.report = Some(revision.key);
                new.revision = Some(revision.revision);
            }
            Judged::Protection(flag) => {
                new.state = MessageState::Recorded;
                tx.set_flag(&flag.person).await?;
            }
            Judged::Report(fanned) => {
                let foreseen = Foreseen::of(&fanned, self.keys());
                let others = tx.revisions(&fanned.report).await?;
                if let Some(reply) = foreseen.earlier(&others, turn.again) {
                    new.state = MessageState::Duplicate;
                    if let Reply::Rejection(refusal) = &reply {
                        new.state = MessageState::Refused;
                        new.violations = violations(refusal);
                    }
                    return Ok(Filled { fan: None, reply });
                }
                new.state = MessageState::Journey;
                foreseen.name(new);
                new.fan_out = i64::try_from(fanned.legs.len()).unwrap_or(i64::MAX);
                return Ok(Filled { fan: Some(Fan { legs: fanned.legs, report: fanned.report }), reply: foreseen.reply() });
            }
        }
        Ok(Filled { fan: None, reply: Reply::Recorded })
    }

    /// What follows from a stored message: its legs, or what it changes for the participant's other messages.
    async fn after<T: Tx>(&self, tx: &mut KeyedTx<T>, stored: &StoredMessage, fan: Option<Fan>, may_wait: bool) -> Stored<()> {
        tx.because_of(stored.number);
        let Some(person) = stored.message.person else { return Ok(()) };
        if let Some(fan) = fan {
            for leg in &fan.legs {
                let id = LegId { message: stored.number, recipient: leg.recipient() };
                let (state, code) = (LegState::Superseded, Some(Code::JourneySuperseded));
                let basis = UNDECIDED.to_owned();
                tx.put_leg(&LegRow { id, report: fan.report, state, code, due_at: None, documents: 0, basis }).await?;
            }
            // Even a cancellation asks: a higher revision may have come before it, and is settled anew.
            let consents = self.consents(tx, &person).await?;
            self.settle_report(tx, &fan.report, &consents, Some((stored, &fan.legs))).await?;
            return note_late(tx, stored.number).await;
        }
        match (stored.message.kind, stored.message.state) {
            (MessageKind::Consent, MessageState::Recorded) => self.settle_person(tx, &person, may_wait).await,
            (MessageKind::Protection, MessageState::Recorded) | (MessageKind::Report, MessageState::Diverted) => {
                self.settle_person(tx, &person, false).await
            }
            _ => Ok(()),
        }
    }

    /// Writes down what a message was decided to be, with the digest of its bytes.
    async fn note_arrival<T: Tx>(&self, tx: &mut KeyedTx<T>, stored: &StoredMessage, bytes: &[u8]) -> Stored<()> {
        let message = &stored.message;
        let row = AuditRow::of_program(AuditAct::Decision).on(stored.number).with(message.state.as_str());
        let code = message.violations.first().map(|(code, _)| *code);
        let content = tx.digest(&message.sealed, bytes);
        tx.audit(&row.under(code).of_content(content).resting_on(self.set.record())).await
    }
}

/// Whether a consent can only open gates: the first revision of a waiver. Whatever may shut one is settled whole at once.
fn only_opens(judged: &Judged) -> bool {
    matches!(judged, Judged::Consent(revision) if revision.revision == 1 && revision.revoked_at.is_none())
}

/// Writes down that legs were superseded before they came: nothing was decided of them since they were made.
async fn note_late<T: Tx>(tx: &mut KeyedTx<T>, message: MessageNumber) -> Stored<()> {
    for leg in tx.legs(message).await?.iter().filter(|leg| leg.basis == UNDECIDED) {
        let row = AuditRow::of_program(AuditAct::Decision).on(message).to(&leg.id.recipient);
        tx.audit(&row.under(leg.code).with(leg.state.as_str())).await?;
    }
    Ok(())
}

/// A report's fan-out on its way into the store.
struct Fan {
    legs: Vec<Covered>,
    report: ReportKey,
}

/// What a message's row was filled with: its fan-out, and what its sender is told.
struct Filled {
    fan: Option<Fan>,
    reply: Reply,
}
