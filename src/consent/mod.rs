//! Floor 2, fifth: whether the gate to a recipient is open now, and for which categories of data.
//!
//! `Covered → Permitted`, or a verdict that holds, refuses or withdraws the leg. Silence is no: a waiver counts only when
//! it names the disclosing nämnd, the receiving party, the agreement, the categories and a period that contains today.

mod combine;
mod ground;
mod lapse;
mod standing;

use jiff::Timestamp;

use crate::agreement::{Covered, GateKind, end_of, start_of};
use crate::domain::{Categories, Code, ConsentKind, ConsentRevision, ReportKey, date_of};
use crate::law::Law;
use combine::{Consent, combine};
pub use ground::Touched;
pub use lapse::{Fate, Lapsed, Narrowed};
pub use standing::{ConsentStanding, standing};

/// A leg whose gate is open. Only this module makes one.
#[derive(Debug)]
pub struct Permitted {
    covered: Covered,
    categories: Categories,
    consents: Vec<ReportKey>,
    transitions: Vec<Touched>,
    until: Timestamp,
    wakes_at: Timestamp,
}

impl Permitted {
    /// What is disclosed, and under which terms.
    #[must_use]
    pub const fn covered(&self) -> &Covered {
        &self.covered
    }

    /// The categories that may be seen.
    #[must_use]
    pub const fn categories(&self) -> Categories {
        self.categories
    }

    /// The consents that it rests on.
    #[must_use]
    pub fn consents(&self) -> &[ReportKey] {
        &self.consents
    }

    /// The participant's consents that a change of the law asks something of.
    #[must_use]
    pub fn transitions(&self) -> &[Touched] {
        &self.transitions
    }

    /// The first instant at which the gate is shut again by date.
    #[must_use]
    pub const fn until(&self) -> Timestamp {
        self.until
    }

    /// When to look again: the gate's end, or before it the beginning of a waiver that may name more categories, or a day on
    /// which the law changes.
    #[must_use]
    pub const fn wakes_at(&self) -> Timestamp {
        self.wakes_at
    }
}

/// Why a leg's gate is not open, and what becomes of the leg.
#[derive(Debug)]
pub enum Shut {
    /// It waits; what was recorded may change it, or the instant.
    Held {
        /// Why.
        code: Code,
        /// When to look again if nothing comes.
        until: Timestamp,
    },
    /// It is over.
    Refused(Code),
    /// The participant has taken back what would have opened it.
    Withdrawn(Code),
    /// A date has ended it, and nobody has taken it back: what was shown in time stays with its recipient.
    Lapsed(Box<Lapsed>),
}

/// Asks the gate, and where the agreement's legal ground is consent, for that consent too.
///
/// # Errors
/// [`Shut`] says what becomes of the leg instead. The moment of disclosure, `now`, decides.
pub fn permit(covered: Covered, records: &[ConsentRevision], law: &Law, now: Timestamp) -> Result<Permitted, Shut> {
    let closes = covered.terms().closes_at();
    let is_closed = now >= closes;
    let Some(terms) = covered.recipient_terms() else {
        return Err(if is_closed { Lapsed::over(Code::JourneyLapsed) } else { Shut::Refused(Code::AgreementNone) });
    };
    let (gate, always, with_consent) = (terms.gate.kind, terms.matrix.always, terms.matrix.with_consent);
    let all: Vec<Consent> = combine(records).into_iter().filter(|consent| concerns(consent, &covered)).collect();
    let (waivers, grounds): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| one.kind == ConsentKind::SecrecyWaiver);
    let active: Vec<&Consent> = waivers.iter().filter(|consent| consent.is_active(now)).collect();
    if is_closed {
        // What was disclosed in time stays with its recipient, but not what the participant takes back afterwards.
        let is_taken_back = gate == GateKind::Waiver && active.is_empty() && waivers.iter().any(Consent::is_revoked);
        let lapsed = || Lapsed::over(Code::JourneyLapsed).narrowed_by(&waivers, &covered);
        return Err(if is_taken_back { Shut::Withdrawn(Code::ConsentRevoked) } else { lapsed() });
    }
    let named = active.iter().fold(Categories::NONE, |all, consent| all.union(consent.categories));
    if gate == GateKind::Waiver && active.is_empty() {
        return Err(shut(&waivers, &covered, now).narrowed_by(&waivers, &covered));
    }
    let ground = ground::ask(&grounds, &covered, law, now).map_err(|shut| shut.narrowed_by(&waivers, &covered))?;
    let relied_on = || active.iter().copied().chain(ground.relied_on.iter().copied());
    let until = relied_on().map(|consent| end_of(consent.to)).fold(closes, Ord::min).min(ground.until);
    let consents = relied_on().map(|consent| consent.key).collect();
    let wakes_at = begins(&waivers, now).into_iter().chain(begins(&grounds, now)).fold(until, Ord::min);
    // What the law says of a disclosure is looked up anew on the day on which it changes.
    let wakes_at = law.changes_after(date_of(now)).map_or(wakes_at, |day| wakes_at.min(start_of(day)));
    let categories = always.union(with_consent.intersection(named)).minus(ground.lacking);
    let transitions = ground.transitions;
    Ok(Permitted { covered, categories, consents, transitions, until, wakes_at })
}

/// Whether a consent concerns this disclosure at all.
fn concerns(consent: &Consent, covered: &Covered) -> bool {
    let party = covered.recipient_terms().map(|terms| terms.party);
    consent.organisation == covered.report().sender().organisation
        && consent.disclosing == covered.report().namnd()
        && Some(consent.receiving) == party
        && consent.agreement == covered.terms().agreement
}

/// Without an open waiver, or a consent that is needed: taken back, over, not begun, or never come.
fn shut(waivers: &[Consent], covered: &Covered, now: Timestamp) -> Shut {
    let hold_ends = covered.hold_ends().min(covered.terms().closes_at());
    let today = date_of(now);
    let is_revoked = waivers.iter().any(Consent::is_revoked);
    let has_ended = !is_revoked && waivers.iter().any(|consent| consent.to < today);
    if let Some(begins) = begins(waivers, now) {
        let waits = held_or_over(Code::ConsentNotYet, begins, hold_ends, now);
        if !has_ended {
            return waits;
        }
        // One has ended and another is to come: what was shown stays meanwhile, and is shown anew then, whether or not a report
        // that was never shown would still wait for it.
        let code = Code::ConsentNotYet;
        let opened = Fate { code, until: Some(begins.min(covered.terms().closes_at())) };
        return Lapsed::of(
            opened,
            match waits {
                Shut::Held { code, until } => Fate { code, until: Some(until) },
                _ => Fate { code: Code::ConsentHoldExpired, until: None },
            },
        );
    }
    if is_revoked {
        return Shut::Withdrawn(Code::ConsentRevoked);
    }
    if has_ended {
        return Lapsed::over(Code::ConsentExpired);
    }
    held_or_over(Code::ConsentMissing, hold_ends, hold_ends, now)
}

/// When the first waiver begins that is not in force yet.
fn begins(waivers: &[Consent], now: Timestamp) -> Option<Timestamp> {
    let later = waivers.iter().filter(|consent| consent.begins_after(now));
    later.map(|consent| start_of(consent.from).max(consent.given_at)).min()
}

fn held_or_over(code: Code, until: Timestamp, hold_ends: Timestamp, now: Timestamp) -> Shut {
    if now >= hold_ends { Shut::Refused(Code::ConsentHoldExpired) } else { Shut::Held { code, until: until.min(hold_ends) } }
}
