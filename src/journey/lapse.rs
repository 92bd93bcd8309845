//! A leg that a date has ended: what was shown in time stays with its recipient, unless something newer was to replace it; what
//! the participant takes back of it since gets its `DELETE` all the same, since nobody can be given a version without it any more.

use jiff::Timestamp;

use super::basis::BasisRecord;
use super::reconcile::{Desired, stays};
use super::way::TakenBack;
use super::{Journey, KeyedTx};
use crate::consent::Fate;
use crate::domain::{Code, RecipientId, ReportKey};
use crate::feed::Method;
use crate::store::{EntryRow, LegRow, LegState, Stored, StoredMessage, Tx};

/// What a leg has come to, for its row.
pub(super) struct Come {
    pub(super) state: LegState,
    pub(super) code: Option<Code>,
    pub(super) due_at: Option<Timestamp>,
    pub(super) documents: usize,
    /// Whether what it rests on stays what was recorded of it.
    pub(super) keeps_basis: bool,
}

impl Come {
    /// Without documents.
    pub(super) const fn new(state: LegState, code: Option<Code>, due_at: Option<Timestamp>) -> Self {
        Self { state, code, due_at, documents: 0, keeps_basis: false }
    }
}

/// Which leg has ended.
#[derive(Clone, Copy)]
pub(super) struct Ended<'a> {
    pub(super) stored: &'a StoredMessage,
    pub(super) report: &'a ReportKey,
    pub(super) recipient: &'a RecipientId,
    /// The leg as it stands.
    pub(super) before: Option<&'a LegRow>,
}

impl Ended<'_> {
    /// Whether it was open until then.
    fn was_open(&self, entries: &[EntryRow]) -> bool {
        let is_shown = |entry: &EntryRow| entry.message == self.stored.number && entry.method == Method::Put;
        self.before.is_some_and(|leg| match leg.state {
            LegState::Published | LegState::Withdrawn => true,
            // While it waits it has been open, if it ever showed anything.
            LegState::Held => {
                matches!(leg.code, Some(Code::ConsentUnconfirmed | Code::ConsentNotYet)) && entries.iter().any(is_shown)
            }
            LegState::Refused | LegState::Superseded => false,
        })
    }
}

impl Journey {
    /// What a leg comes to that a date has ended. One that was never open takes back all that earlier revisions have shown.
    pub(super) async fn lapse_leg<T: Tx>(
        &self,
        tx: &mut KeyedTx<T>,
        ended: Ended<'_>,
        (opened, unopened): (Fate, Fate),
        taken: &TakenBack,
    ) -> Stored<Come> {
        let Ended { stored, report, recipient, before } = ended;
        let entries = tx.entries(report, recipient).await?;
        let Some(before) = before.filter(|_| ended.was_open(&entries)) else {
            let Fate { code, until } = unopened;
            let (state, why) = until.map_or((LegState::Refused, code), |_| (LegState::Held, Code::JourneySuperseded));
            self.apply(tx, stored, report, recipient, &Desired::Retract, &[], why).await?;
            return Ok(Come::new(state, Some(code), until));
        };
        // What the last disclosure withheld already was not shown.
        let basis = BasisRecord::read(&before.basis);
        let is_taken = taken.fields.iter().any(|field| !basis.withheld.contains(field));
        if is_taken {
            let desired = Desired::RetractOf(&taken.subjects);
            self.apply(tx, stored, report, recipient, &desired, &[], Code::ConsentRevoked).await?;
        }
        self.apply(tx, stored, report, recipient, &Desired::Lapse, &[], Code::JourneyLapsed).await?;
        let entries = tx.entries(report, recipient).await?;
        let documents = entries.iter().filter(|entry| entry.message == stored.number && stays(&entries, entry)).count();
        let come = match opened.until {
            Some(until) => Come::new(LegState::Held, Some(opened.code), Some(until)),
            None if documents > 0 => Come { documents, ..Come::new(LegState::Published, None, None) },
            None => {
                let code = if is_taken { Code::ConsentRevoked } else { Code::JourneyLapsed };
                Come::new(LegState::Withdrawn, Some(code), None)
            }
        };
        Ok(Come { keeps_basis: true, ..come })
    }
}
