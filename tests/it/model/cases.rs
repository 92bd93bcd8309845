//! Random cases: what everything says, and what happens in which order.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::drive::{Case, Step};
use super::forms::{Absence, Book, CONSENTS, ConsentForm, Message, PERSONS, REPORTS, REVISIONS, ReportForm};

/// Begins and ends of waivers. One is from before 2018: that the law has changed since does not concern it.
const FROM: [&str; 5] = ["2017-03-01", "2026-01-01", "2026-02-01", "2026-03-08", "2026-04-01"];
const TO: [&str; 5] = ["2026-03-05", "2026-03-20", "2026-04-15", "2026-12-31", "2026-12-31"];

fn report_forms() -> impl Strategy<Value = ReportForm> {
    let absence = option::weighted(0.6, (0_usize..2, prop_oneof![8 => 0_usize..2, 1 => Just(2)], any::<bool>()));
    let last_day = prop_oneof![5 => Just(0_usize), 3 => Just(1), 2 => Just(2), 1 => Just(3)];
    (prop::bool::weighted(0.12), 0_u32..4, absence, last_day, prop::bool::weighted(0.93)).prop_map(
        |(cancels, hours, absence, last_day, is_known)| {
            let absence = absence.map(|(id, reason, motivated)| Absence { id, reason, motivated });
            ReportForm { cancels, hours, absence, last_day, is_known }
        },
    )
}

/// The revisions of one consent: the second and third end something or change what was agreed.
fn consent_forms(consent: usize) -> impl Strategy<Value = Vec<ConsentForm>> {
    let changes = vec((0_usize..4, 1_u8..8, 0_usize..5, prop_oneof![2 => Just(7_u8), 1 => 0_u8..8]), REVISIONS - 1);
    let categories = prop_oneof![4 => Just(7_u8), 2 => 0_u8..8];
    (categories, 0_usize..5, 0_usize..5, any::<bool>(), changes).prop_map(move |(categories, from, to, which, changes)| {
        // The last of a person's consents opens no gate: it is of the other kind, or names somebody else's nämnd.
        let is_other = consent + 1 == CONSENTS;
        let (is_waiver, is_ours) = (!is_other || which, !is_other || !which);
        let to = if FROM[from] > TO[to] { 3 } else { to };
        let first =
            ConsentForm { is_waiver, is_ours, to_af: consent != 2, categories, from: FROM[from], to: TO[to], ends: None };
        let mut forms = vec![first];
        for (kind, mask, to, categories) in changes {
            let form = match kind {
                0 => ConsentForm { ends: Some(0), ..first },
                1 => ConsentForm { ends: Some(mask), ..first },
                2 => ConsentForm { to: if first.from > TO[to] { TO[3] } else { TO[to] }, ..first },
                _ => ConsentForm { categories, ..first },
            };
            forms.push(form);
        }
        forms
    })
}

/// What the messages of a case say.
pub(super) fn books() -> impl Strategy<Value = Book> {
    let reports = vec(report_forms(), PERSONS.len() * REPORTS * REVISIONS);
    let consents: Vec<_> = (0..PERSONS.len() * CONSENTS).map(|index| consent_forms(index % CONSENTS)).collect();
    (any::<bool>(), reports, consents).prop_map(|(fs_needs_waiver, mut reports, consents)| {
        // A first revision is more often good than not.
        for form in reports.iter_mut().step_by(REVISIONS) {
            form.cancels = false;
        }
        Book { fs_needs_waiver, reports, consents: consents.concat() }
    })
}

fn persons() -> impl Strategy<Value = usize> {
    prop_oneof![6 => Just(0_usize), 2 => Just(1), 1 => Just(2)]
}

/// One message; lower revisions more often.
pub(super) fn messages() -> impl Strategy<Value = Message> {
    let revision = || prop_oneof![4 => Just(0_usize), 2 => Just(1), 1 => Just(2)];
    let report =
        (persons(), 0..REPORTS, revision()).prop_map(|(person, report, revision)| Message::Report { person, report, revision });
    let consent = (persons(), 0..CONSENTS, revision()).prop_map(|(person, consent, revision)| Message::Consent {
        person,
        consent,
        revision,
    });
    let flag = persons().prop_map(|person| Message::Flag { person });
    let flagged = persons().prop_map(|person| Message::FlaggedReport { person });
    prop_oneof![20 => report, 26 => consent, 1 => flag, 1 => flagged]
}

fn steps() -> impl Strategy<Value = Step> {
    let batch = || vec(messages(), 1..5);
    let hours = prop_oneof![4 => 1_i64..30, 4 => 24_i64..240, 2 => 240_i64..1100, 1 => Just(3700_i64)];
    prop_oneof![
        12 => batch().prop_map(Step::Take),
        1 => any::<prop::sample::Index>().prop_map(|index| Step::Again(index.index(1000))),
        8 => (0_usize..3, 1_usize..4, prop_oneof![Just(1_usize), Just(2), Just(50)])
            .prop_map(|(reader, pages, limit)| Step::Poll { reader, pages, limit }),
        2 => any::<bool>().prop_map(Step::Fresh),
        4 => hours.prop_map(Step::Clock),
        4 => Just(Step::Sweep),
        1 => (batch(), 0_usize..120).prop_map(|(messages, steps)| Step::CrashTaking(messages, steps)),
        1 => (any::<bool>(), 0_usize..40).prop_map(|(to_af, steps)| Step::CrashReading(to_af, steps)),
        1 => Just(Step::Restart),
    ]
}

/// A case: some messages to begin with, and what happens then.
pub(super) fn cases() -> impl Strategy<Value = Case> {
    let begin = Step::Take(vec![
        Message::Consent { person: 0, consent: 0, revision: 0 },
        Message::Consent { person: 0, consent: 2, revision: 0 },
        Message::Report { person: 0, report: 0, revision: 0 },
    ]);
    (books(), vec(steps(), 1..24)).prop_map(move |(book, steps)| {
        let steps = std::iter::once(begin.clone()).chain(steps).collect();
        Case { book, steps }
    })
}
