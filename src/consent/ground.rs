//! Consent as a legal ground for processing, which is not the waiver that opens a gate: asked for only where the agreement
//! rests on it, and measured by the law of the day of the disclosure.

use jiff::Timestamp;
use jiff::civil::Date;

use super::combine::Consent;
use super::{Fate, Lapsed, Shut, shut};
use crate::agreement::{Covered, start_of};
use crate::domain::{Categories, Category, Code, ReportKey, date_of};
use crate::law::Law;

/// A consent that a change of the law asks something of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// The consent.
    pub consent: ReportKey,
    /// The row of the law.
    pub row: String,
    /// Whether it has been confirmed as the row asks. Without that it is no ground.
    pub confirmed: bool,
}

/// What consents as a legal ground leave of a disclosure.
pub(super) struct Asked<'a> {
    /// The consents that it rests on.
    pub(super) relied_on: Vec<&'a Consent>,
    /// The categories that need one and have none.
    pub(super) lacking: Categories,
    /// The first instant at which one of them no longer counts, because the law changes.
    pub(super) until: Timestamp,
    /// Those that a change of the law concerns.
    pub(super) transitions: Vec<Touched>,
}

/// Asks what the agreement's legal ground needs.
pub(super) fn ask<'a>(consents: &'a [Consent], covered: &Covered, law: &Law, now: Timestamp) -> Result<Asked<'a>, Shut> {
    let today = date_of(now);
    let until = lacks_more_from(consents, covered, law, now);
    let mut asked = Asked { relied_on: Vec::new(), lacking: Categories::NONE, until, transitions: Vec::new() };
    let is_confirmed = |consent: &Consent| consent.confirmed_at.is_some_and(|at| at <= now);
    for consent in consents {
        if let Some(transition) = law.transition(consent.kind, consent.given_at, today) {
            let (row, confirmed) = (transition.row.id.clone(), is_confirmed(consent));
            asked.transitions.push(Touched { consent: consent.key, row, confirmed });
        }
    }
    let needed = law.consent_needed(&covered.terms().legal_ground, today);
    if needed.is_empty() {
        return Ok(asked);
    }
    let stands = |consent: &&Consent| {
        let touched = asked.transitions.iter().find(|touched| touched.consent == consent.key);
        consent.is_active(now) && touched.is_none_or(|touched| touched.confirmed)
    };
    asked.relied_on = consents.iter().filter(stands).collect();
    let given = asked.relied_on.iter().fold(Categories::NONE, |all, consent| all.union(consent.categories));
    let all: Categories = Category::ALL.iter().copied().collect();
    if needed == all && given.is_empty() {
        let unconfirmed = consents.iter().any(|consent| consent.is_active(now));
        return Err(match shut(consents, covered, now) {
            // A day on which the law changes takes nothing back of what was shown lawfully before it.
            Shut::Held { until, .. } if unconfirmed => {
                let waits = Fate { code: Code::ConsentUnconfirmed, until: Some(until) };
                Lapsed::of(waits, waits)
            }
            Shut::Refused(Code::ConsentHoldExpired) if unconfirmed => Lapsed::over(Code::ConsentUnconfirmed),
            other => other,
        });
    }
    asked.lacking = needed.minus(given);
    Ok(asked)
}

/// The first instant at which the law alone leaves less of the disclosure than today: a consent that stands needs confirming from
/// then on, or the legal ground needs a consent that nobody has given. A page asks for it, whether or not anybody has looked again on
/// the days on which the law changes.
fn lacks_more_from(consents: &[Consent], covered: &Covered, law: &Law, now: Timestamp) -> Timestamp {
    let (today, closes) = (date_of(now), covered.terms().closes_at());
    let lacking_on = |day: Date| {
        let stands = |consent: &&Consent| {
            let is_touched = law.transition(consent.kind, consent.given_at, day).is_some();
            consent.is_active(now) && (!is_touched || consent.confirmed_at.is_some_and(|at| at <= now))
        };
        let given = consents.iter().filter(stands).fold(Categories::NONE, |all, consent| all.union(consent.categories));
        law.consent_needed(&covered.terms().legal_ground, day).minus(given)
    };
    let lacking = lacking_on(today);
    let mut day = law.changes_after(today);
    while let Some(looked) = day.filter(|day| start_of(*day) < closes) {
        if !lacking.contains_all(lacking_on(looked)) {
            return start_of(looked);
        }
        day = law.changes_after(looked);
    }
    Timestamp::MAX
}
