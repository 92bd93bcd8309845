//! Revisions of one consent become one state, whatever the order in which they came.
//!
//! The highest revision says what was agreed; what any revision has ended stays ended. A revocation whose time lies in
//! the future counts at once: a wrong clock must not keep a gate open.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::domain::{Categories, ConsentKind, ConsentRevision, OrganisationNumber, Party, ReportKey, date_of};

/// One consent as all its revisions together say.
#[derive(Debug, Clone)]
pub(super) struct Consent {
    pub(super) key: ReportKey,
    pub(super) organisation: OrganisationNumber,
    pub(super) kind: ConsentKind,
    pub(super) disclosing: String,
    pub(super) receiving: Party,
    pub(super) agreement: String,
    /// What is still consented to.
    pub(super) categories: Categories,
    /// What the participant has taken back of it.
    pub(super) ended: Categories,
    pub(super) from: Date,
    pub(super) to: Date,
    pub(super) given_at: Timestamp,
    pub(super) confirmed_at: Option<Timestamp>,
    revoked: bool,
}

impl Consent {
    /// Whether it may be relied on now.
    pub(super) fn is_active(&self, now: Timestamp) -> bool {
        let today = date_of(now);
        !self.revoked && !self.categories.is_empty() && self.given_at <= now && self.from <= today && today <= self.to
    }

    fn narrow(&mut self, other: &ConsentRevision) {
        let same = (self.kind, self.receiving) == (other.kind, other.receiving)
            && self.disclosing == other.disclosing
            && self.agreement == other.agreement;
        self.categories = if same { self.categories.intersection(other.categories) } else { Categories::NONE };
        self.from = self.from.max(other.from);
        self.to = self.to.min(other.to);
        self.given_at = self.given_at.max(other.given_at);
        self.confirmed_at = self.confirmed_at.zip(other.confirmed_at).map(|(a, b)| a.max(b));
    }

    /// Whether nothing of it is left because it was taken back.
    pub(super) const fn is_revoked(&self) -> bool {
        self.revoked
    }

    /// Whether it will be relied on later.
    pub(super) fn begins_after(&self, now: Timestamp) -> bool {
        let today = date_of(now);
        !self.revoked && today <= self.to && (today < self.from || now < self.given_at)
    }
}

/// Combines revisions by consent.
pub(super) fn combine(records: &[ConsentRevision]) -> Vec<Consent> {
    let mut by_key: BTreeMap<ReportKey, Vec<&ConsentRevision>> = BTreeMap::new();
    for record in records {
        by_key.entry(record.key).or_default().push(record);
    }
    by_key.into_values().filter_map(|revisions| combine_one(&revisions)).collect()
}

fn combine_one(revisions: &[&ConsentRevision]) -> Option<Consent> {
    let number = revisions.iter().map(|record| record.revision).max()?;
    let mut highest = revisions.iter().filter(|record| record.revision == number);
    let first = highest.next()?;
    let mut consent = Consent {
        key: first.key,
        organisation: first.organisation,
        kind: first.kind,
        disclosing: first.disclosing.clone(),
        receiving: first.receiving,
        agreement: first.agreement.clone(),
        categories: first.categories,
        ended: Categories::NONE,
        from: first.from,
        to: first.to,
        given_at: first.given_at,
        confirmed_at: first.confirmed_at,
        revoked: false,
    };
    // Two contents under one revision cannot both be right: only what both say is relied on.
    for other in highest {
        consent.narrow(other);
    }
    let agreed = revisions.iter().fold(Categories::NONE, |all, record| all.union(record.categories));
    let mut taken_back = false;
    for record in revisions.iter().filter(|record| record.revoked_at.is_some()) {
        taken_back = true;
        consent.categories = record.revoked_categories.map_or(Categories::NONE, |ended| consent.categories.minus(ended));
        consent.ended = consent.ended.union(record.revoked_categories.map_or(agreed, |ended| agreed.intersection(ended)));
    }
    consent.revoked = taken_back && consent.categories.is_empty();
    Some(consent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Category, Keys};

    struct Plain;

    impl Keys for Plain {
        fn digest(&self, _: &'static str, parts: &[&[u8]]) -> [u8; 32] {
            let mut out = [0; 32];
            for (slot, byte) in out.iter_mut().zip(parts.concat()) {
                *slot = byte;
            }
            out
        }
    }

    fn revision(number: i64, revoked: Option<Categories>, revoked_at: bool) -> ConsentRevision {
        let person = crate::domain::PersonKey::from_bytes([1; 32]);
        let organisation = "2120001942".parse().expect("valid");
        ConsentRevision {
            key: Plain.report("consent", organisation, &person, "c"),
            organisation,
            revision: number,
            kind: ConsentKind::SecrecyWaiver,
            disclosing: "Socialnämnden".to_owned(),
            receiving: Party::Arbetsformedlingen,
            categories: [Category::Identity, Category::Attendance].into_iter().collect(),
            agreement: "a".to_owned(),
            from: jiff::civil::date(2026, 1, 1),
            to: jiff::civil::date(2026, 12, 31),
            given_at: "2026-01-01T00:00:00Z".parse().expect("a time"),
            confirmed_at: None,
            revoked_at: revoked_at.then(|| "2026-02-01T00:00:00Z".parse().expect("a time")),
            revoked_categories: revoked,
        }
    }

    #[test]
    fn what_is_ended_stays_ended_in_every_order() {
        let attendance = Categories::NONE.with(Category::Attendance);
        let all = [revision(1, None, false), revision(2, Some(attendance), true), revision(3, None, false)];
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            let records: Vec<_> = order.into_iter().map(|at| all[at].clone()).collect();
            let combined = combine(&records);
            assert_eq!(combined.len(), 1);
            assert_eq!(combined[0].categories, Categories::NONE.with(Category::Identity));
            assert!(!combined[0].is_revoked());
        }
    }

    #[test]
    fn a_revocation_without_categories_ends_all() {
        let combined = combine(&[revision(2, None, true), revision(3, None, false)]);
        assert!(combined[0].is_revoked() && combined[0].categories.is_empty());
        assert_eq!(combined[0].ended, [Category::Identity, Category::Attendance].into_iter().collect());
        assert!(!combined[0].is_active("2026-03-01T00:00:00Z".parse().expect("a time")));
    }
}
