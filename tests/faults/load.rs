//! The messages of a schedule: reports, waivers, revocations, corrections, cancellations, flags and some that are no good,
//! with duplicates and in an order of the seed's own. No two contradict each other, so that the order must not matter.

use brygga::store::Clock;
use jiff::ToSpan as _;
use jiff::civil::Date;
use serde_json::{Value, json};
use uuid::Uuid;

use super::made_up::number;
use super::seed::Seed;

/// Stands in every text that must never leave: nothing served or logged may hold it.
pub(crate) const NEVER: &str = "ZQXNEVER";
/// The nämnd of every report here.
pub(crate) const NAMND: &str = "Provnämnden";
/// The agreement's name.
pub(crate) const AGREEMENT: &str = "faults";
/// Hällefors kommun.
pub(crate) const ORGANISATION: &str = "2120001942";
/// The logins that send.
pub(crate) const AME: &str = "hallefors-ame";
/// The other login that sends.
pub(crate) const FS: &str = "hallefors-fs";

/// What a message does, as far as the checker has to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Does {
    /// Nothing that shuts a gate.
    Adds,
    /// Shuts every gate of a person to Arbetsförmedlingen.
    Shuts,
}

/// One message, ready to be published.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) id: Uuid,
    pub(crate) login: &'static str,
    pub(crate) contract: &'static str,
    pub(crate) bytes: Vec<u8>,
    pub(crate) does: Does,
    /// Whom it is about.
    pub(crate) person: String,
    /// Its place in the order; lower ones come first.
    order: usize,
}

impl Message {
    /// Whether it gives, changes or takes back a waiver.
    pub(crate) fn is_waiver(&self) -> bool {
        self.contract == "consent.v1"
    }

    /// `1863.ame.activity-report`.
    pub(crate) fn routing_key(&self) -> String {
        let system = if self.login == AME { "ame" } else { "forsorjningsstod" };
        let name = self.contract.split('.').next().unwrap_or_default();
        format!("1863.{system}.{name}")
    }
}

/// The day on which a schedule runs.
pub(crate) fn today() -> Date {
    let now = Clock::System.now();
    now.to_zoned(jiff::tz::TimeZone::get("Europe/Stockholm").expect("a time zone")).date()
}

/// Makes messages; ids are the seed's.
pub(crate) struct Maker {
    seed: Seed,
    today: Date,
    /// Added to ids of persons, reports and waivers: those of a probe are none of the schedule's.
    part: usize,
    pub(crate) messages: Vec<Message>,
}

impl Maker {
    pub(crate) fn new(seed: Seed, today: Date, part: usize) -> Self {
        Self { seed, today, part, messages: Vec::new() }
    }

    /// Everything that can happen around so many persons.
    pub(crate) fn usual(&mut self, persons: usize) {
        for index in 0..persons {
            let person = number(self.part * 400 + index);
            let waiver = self.waiver(&person, 1);
            let late = 600 + self.seed.below(400);
            for serial in 0..3 {
                let report = self.report(&person, serial, 1, "original");
                self.add(AME, "activity-report.v1", &report, &person, None);
            }
            match index % 8 {
                // A waiver that is taken back, in whole or in part.
                2 => {
                    self.add(AME, "consent.v1", &waiver, &person, None);
                    let revoked = revoked(waiver, &[]);
                    self.add_that(Does::Shuts, FS, "consent.v1", &revoked, &person, Some(late));
                }
                3 => {
                    self.add(FS, "consent.v1", &waiver, &person, None);
                    self.add(AME, "consent.v1", &revoked(waiver, &["absence-reason"]), &person, Some(late));
                }
                // No waiver at all: held.
                4 => {}
                // Protected before long.
                5 => {
                    self.add(AME, "consent.v1", &waiver, &person, None);
                    let flag = self.flag(&person);
                    self.add_that(Does::Shuts, FS, "protection.v1", &flag, &person, Some(late));
                }
                // Corrected and cancelled.
                6 => {
                    self.add(AME, "consent.v1", &waiver, &person, None);
                    let second = self.report(&person, 0, 2, "correction");
                    self.add(AME, "activity-report.v1", &second, &person, None);
                    let third = self.report(&person, 0, 3, "correction");
                    self.add(AME, "activity-report.v1", &third, &person, Some(late));
                    let mut cancelled = self.report(&person, 1, 2, "cancellation");
                    for field in ["days", "absences", "followUps", "progress", "note"] {
                        cancelled.as_object_mut().expect("an object").remove(field);
                    }
                    self.add(AME, "activity-report.v1", &cancelled, &person, Some(late));
                }
                // The waiver comes after what it is for.
                7 => self.add(AME, "consent.v1", &waiver, &person, Some(late)),
                _ => self.add(AME, "consent.v1", &waiver, &person, None),
            }
            if index % 5 == 0 {
                let mut bad = self.report(&person, 9, 1, "original");
                bad[NEVER] = json!(NEVER);
                self.add(AME, "activity-report.v1", &bad, &person, None);
            }
        }
    }

    /// A report and its waiver for each of so many persons, at once and from two logins: who comes first is for two
    /// processes to find out.
    pub(crate) fn races(&mut self, persons: usize) {
        for index in 0..persons {
            let person = number(self.part * 400 + index);
            let (report, waiver) = (self.report(&person, 0, 1, "original"), self.waiver(&person, 1));
            self.add(AME, "activity-report.v1", &report, &person, Some(index * 2));
            self.add(FS, "consent.v1", &waiver, &person, Some(index * 2 + 1));
        }
    }

    /// A waiver and a report for each of so many persons, the waivers first.
    pub(crate) fn crowd(&mut self, persons: usize) {
        for index in 0..persons {
            let person = number(self.part * 400 + index);
            let (report, waiver) = (self.report(&person, 0, 1, "original"), self.waiver(&person, 1));
            self.add(FS, "consent.v1", &waiver, &person, Some(index));
            self.add(AME, "activity-report.v1", &report, &person, Some(persons + index));
        }
    }

    /// Waivers that end with this day, with reports that may be shown until then.
    pub(crate) fn expiring(&mut self, persons: usize) {
        for index in 0..persons {
            let person = number(self.part * 400 + index);
            let mut waiver = self.waiver(&person, 1);
            waiver["to"] = json!(self.today.to_string());
            self.add(AME, "consent.v1", &waiver, &person, Some(index));
            for serial in 0..2 {
                let report = self.report(&person, serial, 1, "original");
                self.add(AME, "activity-report.v1", &report, &person, Some(index));
            }
        }
    }

    /// Puts them into order, some of them more than once.
    pub(crate) fn shuffled(mut self) -> Vec<Message> {
        let mut again: Vec<Message> = self.messages.iter().filter(|_| self.seed.thousandths() < 150).cloned().collect();
        for message in &mut again {
            message.order = (message.order + self.seed.below(300)).min(1100);
        }
        self.messages.extend(again);
        self.messages.sort_by_key(|message| message.order);
        self.messages
    }

    fn add(&mut self, login: &'static str, contract: &'static str, tree: &Value, person: &str, order: Option<usize>) {
        self.add_that(Does::Adds, login, contract, tree, person, order);
    }

    fn add_that(
        &mut self,
        does: Does,
        login: &'static str,
        contract: &'static str,
        tree: &Value,
        person: &str,
        order: Option<usize>,
    ) {
        let id = Uuid::from_u64_pair(self.seed.next(), self.seed.next());
        let order = order.unwrap_or_else(|| self.seed.thousandths());
        let (bytes, person) = (tree.to_string().into_bytes(), person.to_owned());
        self.messages.push(Message { id, login, contract, bytes, does, person, order });
    }

    fn report(&mut self, person: &str, serial: usize, revision: usize, kind: &str) -> Value {
        let day = |back: i32| self.today.checked_sub(back.days()).expect("a day").to_string();
        let mut days = Vec::new();
        for back in [9, 10, 11] {
            let date = day(back);
            days.push(json!({
                "date": date,
                "expected": { "from": format!("{date}T08:00:00"), "to": format!("{date}T16:00:00"), "breakMinutes": 30 },
                "attended": [{ "from": format!("{date}T08:{:02}:00", 10 + revision), "to": format!("{date}T12:00:00") }],
            }));
        }
        let part = self.part;
        json!({
            "reportId": format!("AR-{part}-{serial}"),
            "revision": revision,
            "kind": kind,
            "sender": { "organisation": ORGANISATION, "namnd": NAMND },
            "participant": { "personNumber": person, "givenName": "Prov", "familyName": format!("Provsson {serial}") },
            "caseReference": format!("{NEVER}-case"),
            "placement": {
                "placementId": "PL-1", "activity": "Prov", "workplace": "Provplatsen", "extentPercent": 75,
                "from": day(60), "to": day(5),
            },
            "period": { "from": day(12), "to": day(8) },
            "days": days,
            "absences": [{
                "absenceId": format!("F-{serial}"), "date": day(10), "wholeDay": false, "reason": "Sjuk",
                "from": format!("{}T13:00:00", day(10)), "to": format!("{}T15:00:00", day(10)),
                "motivation": format!("{NEVER}-motivation"),
            }],
            "progress": { "model": format!("{NEVER}-model"), "step": format!("{NEVER}-step") },
            "followUps": [{ "date": day(7), "kind": "held", "text": format!("{NEVER}-text") }],
            "note": format!("{NEVER}-note"),
        })
    }

    fn waiver(&self, person: &str, revision: usize) -> Value {
        let from = self.today.checked_sub(90.days()).expect("a day");
        let to = self.today.checked_add(90.days()).expect("a day");
        json!({
            "consentId": format!("C-{}", self.part),
            "revision": revision,
            "sender": { "organisation": ORGANISATION, "namnd": NAMND },
            "participant": { "personNumber": person },
            "kind": "secrecy-waiver",
            "givenBy": "participant",
            "disclosingNamnd": NAMND,
            "collectingNamnd": NAMND,
            "receivingParty": "arbetsformedlingen",
            "categories": ["report", "identity", "placement", "attendance", "absence", "absence-reason"],
            "purpose": "Prov",
            "agreement": AGREEMENT,
            "from": from.to_string(),
            "to": to.to_string(),
            "wordingId": "prov-1",
            "wordingSha256": "976de3175e8c01b41152f203868984a2cd5e0873ac53f008d68c9a7faa8016b5",
            "form": "written",
            "givenAt": format!("{from}T10:00:00"),
        })
    }

    fn flag(&self, person: &str) -> Value {
        json!({
            "sender": { "organisation": ORGANISATION, "namnd": NAMND },
            "participant": { "personNumber": person },
            "kind": "sekretessmarkering",
            "from": self.today.checked_sub(1.day()).expect("a day").to_string(),
        })
    }
}

/// The waiver's second revision: taken back, in whole or for some categories.
fn revoked(mut waiver: Value, categories: &[&str]) -> Value {
    waiver["revision"] = json!(2);
    waiver["revokedAt"] = json!(format!("{}T12:00:00", today().checked_sub(1.day()).expect("a day")));
    if !categories.is_empty() {
        waiver["revokedCategories"] = json!(categories);
    }
    waiver
}

/// The agreement of the fault runs: signed, around today.
pub(crate) fn agreement(today: Date) -> String {
    let from = today.checked_sub(200.days()).expect("a day");
    let to = today.checked_add(200.days()).expect("a day");
    format!(
        r#"name = "{AGREEMENT}"
title = "Prov"
status = "signed"
signed = "{from}"
kommun = "1863"
counterpart = "202100-2114"
namnd = "{NAMND}"

[[terms]]
version = 1
from = "{from}"
to = "{to}"
late_reporting_days = 31
hold_days = 30
purpose = "Prov"
legal_ground = "GDPR art. 6.1 e"

[terms.activities]
"Prov" = "arbetstraning"

[terms.reasons]
"Sjuk" = "sjuk"

[[terms.recipients]]
party = "arbetsformedlingen"
documents = ["af.deltaganderapport.v1", "af.avvikelserapport.v1"]
gate = {{ kind = "waiver", rule = "Prov", reason = "Prov" }}

[terms.recipients.matrix]
report = "always"
identity = "always"
placement = "always"
attendance = "always"
absence = "always"
absence-reason = "with-consent"
case = "never"
progress = "never"
plan = "never"
free-text = "never"
"#
    )
}
