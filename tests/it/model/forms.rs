//! What the messages of a case say: decided once for each revision, so that no two of them are in conflict, and written as
//! their senders write them.

use brygga::domain::{Syntax, Trace};
use brygga::journey::Arrival;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

/// Official test numbers: no real person has them. All were of age in 2017, when the oldest waivers here were given.
pub(super) const PERSONS: [&str; 3] = ["199610042393", "199307012394", "198712132391"];
/// The disclosing nämnd; no other agreement of the kommun names it.
pub(super) const NAMND: &str = "Modellnämnden";
/// The agreement.
pub(super) const AGREEMENT: &str = "modell-2026";
/// The kommun's organisation number.
pub(super) const ORGANISATION: &str = "2120001942";
/// What a waiver to Arbetsförmedlingen may name and a disclosure needs it for.
pub(super) const NAMED: [&str; 3] = ["attendance", "absence-reason", "free-text"];

/// A set of the categories of [`NAMED`], one bit each.
pub(super) type Mask = u8;

/// The agreement as a file of the set.
pub(super) fn agreement(fs_needs_waiver: bool) -> String {
    let gate_of_fs = if fs_needs_waiver { "waiver" } else { "no-secrecy-boundary" };
    format!(
        r#"name = "{AGREEMENT}"
title = "Modell"
status = "signed"
signed = "2025-12-01"
kommun = "1863"
counterpart = "202100-2114"
namnd = "{NAMND}"
[[terms]]
version = 1
from = "2026-01-01"
to = "2026-06-30"
late_reporting_days = 31
hold_days = 30
purpose = "Modell"
legal_ground = "GDPR art. 6.1 e"
[terms.activities]
"Verkstad" = "arbetstraning"
[terms.reasons]
"Sjuk" = "sjuk"
"Känd" = "annan-kand"
"Ledig" = "semester"
[[terms.recipients]]
party = "arbetsformedlingen"
documents = ["af.deltaganderapport.v1", "af.avvikelserapport.v1"]
gate = {{ kind = "waiver", rule = "Modell", reason = "Modell" }}
[terms.recipients.matrix]
report = "always"
identity = "always"
placement = "always"
absence = "always"
attendance = "with-consent"
absence-reason = "with-consent"
free-text = "with-consent"
[[terms.recipients]]
party = "forsorjningsstod"
documents = ["fs.narvarosammanfattning.v1"]
gate = {{ kind = "{gate_of_fs}", rule = "Modell", reason = "Modell", assessment = "Modell" }}
[terms.recipients.matrix]
report = "always"
identity = "always"
attendance = "always"
"#
    )
}

/// An absence of a whole day.
#[derive(Debug, Clone, Copy)]
pub(super) struct Absence {
    /// Which of two ids it has.
    pub(super) id: usize,
    /// `Sjuk`, `Känd`, or `Ledig`, which Arbetsförmedlingen has no code for.
    pub(super) reason: usize,
    /// Whether there is a motivation in free text.
    pub(super) motivated: bool,
}

/// One revision of a report.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReportForm {
    /// Whether it takes the report back.
    pub(super) cancels: bool,
    /// Hours attended on the first day, of eight.
    pub(super) hours: u32,
    /// The absence on the second day.
    pub(super) absence: Option<Absence>,
    /// Which of [`LAST_DAYS`] is its second and last day.
    pub(super) last_day: usize,
    /// Whether the agreement knows the activity; otherwise it is refused.
    pub(super) is_known: bool,
}

/// The last days of reports: two before the beginning, two after it.
pub(super) const LAST_DAYS: [&str; 4] = ["2026-02-20", "2026-02-27", "2026-03-10", "2026-05-12"];
pub(super) const REASONS: [&str; 3] = ["Sjuk", "Känd", "Ledig"];

/// One revision of a consent.
#[derive(Debug, Clone, Copy)]
pub(super) struct ConsentForm {
    /// Whether it is a secrecy waiver; else it is a consent under the GDPR, which opens no gate.
    pub(super) is_waiver: bool,
    /// Whether it names this nämnd and this agreement.
    pub(super) is_ours: bool,
    /// Whether it is to Arbetsförmedlingen; else to försörjningsstöd.
    pub(super) to_af: bool,
    pub(super) categories: Mask,
    pub(super) from: &'static str,
    pub(super) to: &'static str,
    /// What it ends: nothing, these categories, or all where none is named.
    pub(super) ends: Option<Mask>,
}

/// The messages of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Message {
    /// A revision of one of a person's reports.
    Report { person: usize, report: usize, revision: usize },
    /// A revision of one of a person's consents.
    Consent { person: usize, consent: usize, revision: usize },
    /// A protection flag, from the other system.
    Flag { person: usize },
    /// A report that carries the flag itself, with an activity that nobody knows.
    FlaggedReport { person: usize },
}

impl Message {
    /// The same about another person.
    pub(super) const fn about(self, person: usize) -> Self {
        match self {
            Self::Report { report, revision, .. } => Self::Report { person, report, revision },
            Self::Consent { consent, revision, .. } => Self::Consent { person, consent, revision },
            Self::Flag { .. } => Self::Flag { person },
            Self::FlaggedReport { .. } => Self::FlaggedReport { person },
        }
    }
}

/// Reports, consents and revisions that a person can have in a case.
pub(super) const REPORTS: usize = 2;
pub(super) const CONSENTS: usize = 4;
pub(super) const REVISIONS: usize = 3;

/// What everything says.
#[derive(Debug, Clone)]
pub(super) struct Book {
    pub(super) fs_needs_waiver: bool,
    /// By person, report and revision.
    pub(super) reports: Vec<ReportForm>,
    /// By person, consent and revision.
    pub(super) consents: Vec<ConsentForm>,
}

fn sender() -> Value {
    json!({ "organisation": ORGANISATION, "namnd": NAMND })
}

/// The first day of a report: it says which of a person's it is.
pub(super) const fn first_day(report: usize) -> &'static str {
    ["2026-02-02", "2026-02-03"][report]
}

impl Book {
    pub(super) fn report(&self, person: usize, report: usize, revision: usize) -> &ReportForm {
        &self.reports[(person * REPORTS + report) * REVISIONS + revision]
    }

    pub(super) fn consent(&self, person: usize, consent: usize, revision: usize) -> &ConsentForm {
        &self.consents[(person * CONSENTS + consent) * REVISIONS + revision]
    }

    /// The message as it arrives under an id.
    pub(super) fn arrival(&self, message: Message, id: u128, now: Timestamp) -> Arrival {
        let (contract, login, tree) = match message {
            Message::Report { person, report, revision } => {
                ("activity-report.v1", "hallefors-ame", self.report_tree(person, report, revision))
            }
            Message::Consent { person, consent, revision } => {
                ("consent.v1", "hallefors-ame", self.consent_tree(person, consent, revision))
            }
            Message::Flag { person } => {
                let tree = json!({ "sender": sender(), "participant": { "personNumber": PERSONS[person] },
                    "kind": "skyddad-folkbokforing", "from": "2026-01-01" });
                ("protection.v1", "hallefors-fs", tree)
            }
            Message::FlaggedReport { person } => {
                let mut tree = self.report_tree(person, 0, 0);
                tree["reportId"] = json!("R-flagged");
                tree["placement"]["activity"] = json!("Okänd");
                tree["participant"]["protectedIdentity"] = json!(true);
                ("activity-report.v1", "hallefors-ame", tree)
            }
        };
        Arrival {
            login: login.to_owned().try_into().expect("a login"),
            message_id: Uuid::from_u128(id),
            contract: contract.parse().expect("a contract"),
            syntax: Syntax::Json,
            message_time: now,
            bytes: tree.to_string().into_bytes(),
            trace: Trace::default(),
            defect: None,
        }
    }

    fn report_tree(&self, person: usize, report: usize, revision: usize) -> Value {
        let form = self.report(person, report, revision);
        let (first, last) = (first_day(report), LAST_DAYS[form.last_day]);
        let day = |date: &str| json!({ "date": date, "expected": { "from": format!("{date}T08:00:00"), "to": format!("{date}T16:00:00") } });
        let mut days = vec![day(first), day(last)];
        if form.hours > 0 {
            let to = format!("{first}T{:02}:00:00", 8 + form.hours);
            days[0]["attended"] = json!([{ "from": format!("{first}T08:00:00"), "to": to }]);
        }
        let kind = if form.cancels { "cancellation" } else { ["original", "correction"][revision.min(1)] };
        let mut tree = json!({
            "reportId": format!("R-{person}-{report}"), "revision": revision + 1, "kind": kind, "sender": sender(),
            "participant": { "personNumber": PERSONS[person], "givenName": format!("Given{person}"), "familyName": format!("Family{person}") },
            "placement": { "placementId": "PL-1", "activity": if form.is_known { "Verkstad" } else { "Okänd" }, "extentPercent": 75,
                "from": "2026-01-07", "to": "2026-06-28" },
            "period": { "from": first, "to": last }, "days": days, "note": "never",
        });
        if let Some(absence) = form.absence {
            let mut item = json!({ "absenceId": absence_id(person, report, absence), "date": last, "wholeDay": true,
                "reason": REASONS[absence.reason] });
            if absence.motivated {
                item["motivation"] = json!(format!("Motivation{revision}"));
            }
            tree["absences"] = json!([item]);
        }
        tree
    }

    fn consent_tree(&self, person: usize, consent: usize, revision: usize) -> Value {
        let form = self.consent(person, consent, revision);
        let names = |mask: Mask| NAMED.iter().enumerate().filter(move |(bit, _)| mask & (1 << bit) != 0).map(|(_, name)| *name);
        let namnd = if form.is_ours { NAMND } else { "En annan nämnd" };
        let categories: Vec<&str> = ["report", "identity"].into_iter().chain(names(form.categories)).collect();
        let mut tree = json!({
            "consentId": format!("C-{person}-{consent}"), "revision": revision + 1, "sender": sender(),
            "participant": { "personNumber": PERSONS[person] },
            "kind": if form.is_waiver { "secrecy-waiver" } else { "gdpr-consent" },
            "givenBy": "participant", "disclosingNamnd": namnd, "collectingNamnd": namnd,
            "receivingParty": if form.to_af { "arbetsformedlingen" } else { "forsorjningsstod" },
            "categories": categories, "purpose": "Modell", "agreement": AGREEMENT, "from": form.from, "to": form.to,
            "wordingId": "modell-1", "wordingSha256": "976de3175e8c01b41152f203868984a2cd5e0873ac53f008d68c9a7faa8016b5",
            "form": "written", "givenAt": format!("{}T10:00:00", form.from),
        });
        if let Some(ends) = form.ends {
            tree["revokedAt"] = json!("2026-03-01T10:00:00");
            if ends != 0 {
                tree["revokedCategories"] = json!(names(ends).collect::<Vec<_>>());
            }
        }
        tree
    }
}

/// An absence's own id, the same over revisions.
pub(super) fn absence_id(person: usize, report: usize, absence: Absence) -> String {
    format!("F-{person}-{report}-{}", absence.id)
}
