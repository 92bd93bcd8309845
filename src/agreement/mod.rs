//! Floor 2, fourth: which dated terms cover a report, and so who its recipients are.
//!
//! `Conforming → Covered`, one for each recipient: the only fan-out of the way. The activity's dates decide the
//! agreement, the target group and the codes; arrival decides lateness.

mod codes;
mod register;
mod terms;

use std::sync::Arc;

use jiff::Timestamp;

pub use crate::domain::GateKind;
pub use codes::{CodeList, Codes, ListedCode};
pub use register::{Illustrations, Register};
pub use terms::{Ages, Gate, Matrix, RecipientTerms, Status, Terms, end_of, start_of};

use crate::contract::{Conforming, ReportKind};
use crate::domain::{Code, Place, RecipientId, Refusal, Violation};

/// The list of shared activity codes.
const ACTIVITIES: &str = "activities";

/// A report with the terms under which one recipient may be thought of at all.
#[derive(Debug, Clone)]
pub struct Covered {
    report: Arc<Conforming>,
    terms: Arc<Terms>,
    index: usize,
}

impl Covered {
    /// The report.
    #[must_use]
    pub fn report(&self) -> &Conforming {
        &self.report
    }

    /// The terms.
    #[must_use]
    pub const fn terms(&self) -> &Arc<Terms> {
        &self.terms
    }

    /// The terms for this recipient; `None` only if the terms had changed under us, which their `Arc` forbids.
    #[must_use]
    pub fn recipient_terms(&self) -> Option<&RecipientTerms> {
        self.terms.recipients.get(self.index)
    }

    /// The recipient's place among those of the terms.
    #[must_use]
    pub const fn place(&self) -> usize {
        self.index
    }

    /// The recipient's feed.
    #[must_use]
    pub fn recipient(&self) -> RecipientId {
        self.recipient_terms().map_or_else(RecipientId::arbetsformedlingen, |terms| terms.party.recipient(&self.terms.kommun))
    }

    /// The first instant at which the report no longer waits for a waiver. It can be disclosed neither before it has come
    /// nor before its activity has ended, so the hold period begins with the later of the two.
    #[must_use]
    pub fn hold_ends(&self) -> Timestamp {
        self.terms.hold_ends(self.report.envelope().received_at.max(self.report.ends_at()))
    }

    /// The instant until which the leg must wait for its activity to end, where it still must.
    #[must_use]
    pub fn waits_until(&self, now: Timestamp) -> Option<Timestamp> {
        let ends_at = self.report.ends_at();
        (self.report.kind() != ReportKind::Cancellation && now < ends_at).then_some(ends_at)
    }
}

/// Finds the terms that cover a report and fans it out to their recipients.
///
/// # Errors
/// An `agreement.*` refusal. A cancellation is covered by whatever terms its period lies in, late or not, since taking
/// back must always be possible.
pub fn cover(report: Conforming, register: &Register, codes: &Codes) -> Result<Vec<Covered>, Refusal> {
    let terms = find(&report, register)?;
    if report.kind() != ReportKind::Cancellation {
        judge(&report, &terms, codes)?;
    }
    let report = Arc::new(report);
    Ok((0..terms.recipients.len())
        .map(|index| Covered { report: Arc::clone(&report), terms: Arc::clone(&terms), index })
        .collect())
}

fn find(report: &Conforming, register: &Register) -> Result<Arc<Terms>, Refusal> {
    let of_sender = |terms: &&Arc<Terms>| terms.kommun == report.sender().code && terms.namnd == report.namnd();
    let mut candidates = register.terms().iter().filter(of_sender).peekable();
    if candidates.peek().is_none() {
        return Err(Refusal::whole(Code::AgreementNone));
    }
    let (used, unused): (Vec<_>, Vec<_>) = candidates.partition(|terms| register.uses(terms));
    if let Some(terms) = used.iter().find(|terms| terms.cover(report.period())) {
        return Ok(Arc::clone(terms));
    }
    if unused.iter().any(|terms| terms.cover(report.period())) {
        return Err(Refusal::whole(Code::AgreementIllustrative));
    }
    Err(Refusal::of(Violation::new(Code::AgreementPeriod, Place::fields("period"))))
}

fn judge(report: &Conforming, terms: &Terms, codes: &Codes) -> Result<(), Refusal> {
    let at = |code, path| Refusal::of(Violation::new(code, Place::fields(path)));
    if report.envelope().received_at >= terms.closes_at() {
        return Err(at(Code::AgreementLate, "period"));
    }
    let word = report.document().text("placement.activity").unwrap_or_default();
    let Some(activity) = terms.activities.get(word) else {
        return Err(at(Code::AgreementActivity, "placement.activity"));
    };
    let (first, last) = report.period();
    let listed = codes.list(ACTIVITIES).and_then(|list| list.get(activity));
    if !listed.is_some_and(|code| code.holds_on(first) && code.holds_on(last)) {
        return Err(at(Code::AgreementActivityDate, "placement.activity"));
    }
    let limits = [terms.ages, terms.ages_by_activity.get(activity).copied()];
    let birth = report.person().birth();
    for ages in limits.into_iter().flatten() {
        let (Some(youngest), Some(oldest)) = (birth.age_on(first), birth.age_on(last)) else {
            return Err(at(Code::AgreementAgeUnknown, "participant.personNumber"));
        };
        if youngest < ages.from || oldest > ages.to {
            return Err(at(Code::AgreementAge, "participant.personNumber"));
        }
    }
    Ok(())
}
