//! Arbitrary activity reports that hold every rule of their contract, with a mark of its own in every text.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::world::{NAMND, ORGANISATION};

/// Official test numbers: no real person has them.
pub(super) const PERSONS: [&str; 4] = ["199610042393", "200101072395", "199307012394", "200411052384"];
/// The municipality's word for the activity.
pub(super) const ACTIVITY: &str = "ZQX-placement-activity-Q";
/// The most absences that a report here has.
pub(super) const MAX_ABSENCES: usize = 4;
/// The shared reasons; the last has no code at Arbetsförmedlingen.
pub(super) const REASONS: [&str; 4] = ["sjuk", "vab", "annan-kand", "semester"];

/// The municipality's word for a reason: another for each absence.
pub(super) fn reason_word(index: usize, code: &str) -> String {
    format!("ZQX-absences-{index}-reason-{code}-Q")
}

/// A day: expected time (start, length, break) and attended stretches (gap, length), in minutes.
type Day = (Option<(u32, u32, Option<u32>)>, Vec<(u32, u32)>);
/// An absence: which day, whether whole, offset and length in minutes, reason, whether motivated.
type Absence = (usize, bool, u32, u32, usize, bool);

/// A report, still to be written.
#[derive(Debug, Clone)]
pub(super) struct Report {
    pub(super) person: &'static str,
    pub(super) id: String,
    pub(super) revision: i64,
    pub(super) kind: &'static str,
    optional: Vec<bool>,
    days: Vec<Day>,
    absences: Vec<Absence>,
    follow_ups: Vec<(usize, bool)>,
    tail: String,
    time_zone: usize,
    date_zone: &'static str,
}

/// Texts of characters that XML 1.0 can carry, awkward ones among them.
pub(super) fn awkward() -> impl Strategy<Value = String> {
    let marks = ["<", ">", "&", "\"", "'", "]]>", "<![CDATA[", "&amp;", "<!--", "\\", "\\u0041", "åäöÅÄÖ"];
    let rare = ["\t", "\n", " ", "  ", "é", "ẞ", "日本", "😀", "\u{85}", "\u{2028}", "\u{e000}", "\u{fffd}"];
    let one_of = |texts: [&'static str; 12]| prop::sample::select(texts.map(str::to_owned).to_vec());
    let piece = prop_oneof![4 => "[ -~]{1,6}", 2 => one_of(marks), 1 => one_of(rare)];
    vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

prop_compose! {
    /// An original of revision 1.
    pub(super) fn reports()(
        person in prop::sample::select(PERSONS.to_vec()),
        optional in vec(any::<bool>(), 8),
        days in vec((option::weighted(0.8, (420_u32..600, 60_u32..480, option::of(0_u32..50))), vec((1_u32..60, 1_u32..120), 0..4)), 1..6),
        absences in vec((any::<usize>(), any::<bool>(), 0_u32..30, 1_u32..30, prop_oneof![9 => 0_usize..3, 1 => Just(3)], any::<bool>()), 0..=MAX_ABSENCES),
        follow_ups in vec((0_usize..3, any::<bool>()), 0..3),
        tail in awkward(),
        time_zone in 0_usize..4,
        date_zone in prop::sample::select(vec!["", "", "Z", "+01:00"]),
    ) -> Report {
        let (id, revision, kind) = ("ZQX-reportId-Q".to_owned(), 1, "original");
        Report { person, id, revision, kind, optional, days, absences, follow_ups, tail, time_zone, date_zone }
    }
}

impl Report {
    /// The same report as another revision.
    pub(super) fn revision(&self, revision: i64, kind: &'static str) -> Self {
        Self { revision, kind, ..self.clone() }
    }

    /// The same report about another person.
    pub(super) fn about(&self, person: &'static str) -> Self {
        Self { person, ..self.clone() }
    }

    fn date(&self, day: &str) -> String {
        format!("2026-{day}{}", self.date_zone)
    }

    /// A Swedish time of a winter day, written with one of the offsets that mean the same.
    fn time(&self, day: usize, minute: u32) -> String {
        let (shift, zone) = [(0, ""), (0, "+01:00"), (-60, "Z"), (270, "+05:30")][self.time_zone];
        let minute = minute.saturating_add_signed(shift);
        format!("2026-02-{:02}T{:02}:{:02}:00{zone}", day + 2, minute / 60, minute % 60)
    }

    fn marked(&self, place: &str) -> String {
        format!("ZQX-{place}-Q{}", self.tail)
    }

    /// The document.
    pub(super) fn tree(&self) -> Value {
        let has = |index: usize| self.optional[index];
        let mut tree = json!({
            "reportId": self.id,
            "revision": self.revision,
            "kind": self.kind,
            "sender": { "organisation": ORGANISATION, "namnd": NAMND },
            "participant": {
                "personNumber": self.person,
                "givenName": self.marked("participant-givenName"),
                "familyName": self.marked("participant-familyName"),
            },
            "placement": {
                "placementId": "ZQX-placement-placementId-Q",
                "activity": ACTIVITY,
                "extentPercent": 73,
                "from": self.date("01-07"),
                "to": self.date("06-28"),
            },
            "period": { "from": self.date("02-02"), "to": self.date("02-27") },
            "days": self.days.iter().enumerate().map(|(index, day)| self.day(index, day)).collect::<Vec<_>>(),
        });
        for (index, place) in [(0, "sender/unit"), (1, "caseReference"), (2, "placement/workplace"), (3, "note")] {
            if has(index) {
                let mark = self.marked(&place.replace('/', "-"));
                let text = if place == "caseReference" { mark.chars().take(64).collect() } else { mark };
                put(&mut tree, place, json!(text));
            }
        }
        if has(4) {
            put(&mut tree, "participant/protectedIdentity", json!(false));
        }
        if has(5) {
            put(&mut tree, "genomforandereferens", json!("ZQX-genomforandereferens-Q"));
        }
        if has(6) {
            put(&mut tree, "progress", json!({ "model": self.marked("progress-model"), "step": self.marked("progress-step") }));
        }
        let absences = self.absences();
        if !absences.is_empty() {
            put(&mut tree, "absences", json!(absences));
        }
        let follow_up = |(index, (kind, text)): (usize, &(usize, bool))| {
            let kind = ["planned", "held", "cancelled"][*kind];
            let mut item = json!({ "date": self.date(&format!("03-1{index}")), "kind": kind });
            if *text {
                item["text"] = json!(self.marked(&format!("followUps-{index}-text")));
            }
            item
        };
        if !self.follow_ups.is_empty() {
            put(&mut tree, "followUps", self.follow_ups.iter().enumerate().map(follow_up).collect());
        }
        tree
    }

    fn day(&self, index: usize, (expected, attended): &Day) -> Value {
        let mut item = json!({ "date": format!("2026-02-{:02}", index + 2) });
        if let Some((start, length, pause)) = expected {
            item["expected"] = json!({ "from": self.time(index, *start), "to": self.time(index, start + length) });
            if let Some(minutes) = pause {
                item["expected"]["breakMinutes"] = json!(minutes);
            }
        }
        let mut minute = 360;
        let mut spans = Vec::new();
        for (gap, length) in attended {
            let from = minute + gap;
            minute = from + length;
            spans.push(json!({ "from": self.time(index, from), "to": self.time(index, minute) }));
        }
        if !spans.is_empty() {
            item["attended"] = json!(spans);
        }
        item
    }

    fn absences(&self) -> Vec<Value> {
        let expected: Vec<(usize, u32)> = self
            .days
            .iter()
            .enumerate()
            .filter_map(|(index, (expected, _))| expected.map(|(start, ..)| (index, start)))
            .collect();
        if expected.is_empty() {
            return Vec::new();
        }
        let absence = |(index, (day, whole, offset, length, reason, motivated)): (usize, &Absence)| {
            let (day, start) = expected[day % expected.len()];
            let mut item = json!({
                "absenceId": format!("ZQX-absences-{index}-absenceId-Q"),
                "date": format!("2026-02-{:02}", day + 2),
                "wholeDay": whole,
                "reason": reason_word(index, REASONS[*reason]),
            });
            if !whole {
                item["from"] = json!(self.time(day, start + offset));
                item["to"] = json!(self.time(day, start + offset + length));
            }
            if *motivated {
                item["motivation"] = json!(self.marked(&format!("absences-{index}-motivation")));
            }
            item
        };
        self.absences.iter().enumerate().map(absence).collect()
    }
}

/// Puts a value at a place written with `/`.
fn put(tree: &mut Value, place: &str, value: Value) {
    match place.split_once('/') {
        Some((outer, name)) => tree[outer][name] = value,
        None => tree[place] = value,
    }
}

/// A plain report of one week, for tests that step through time.
pub(super) fn plain(person: &'static str) -> Report {
    Report {
        person,
        id: "R-1".to_owned(),
        revision: 1,
        kind: "original",
        optional: vec![false; 8],
        days: vec![(Some((480, 480, Some(30))), vec![(120, 120)])],
        absences: vec![(0, true, 0, 1, 0, true)],
        follow_ups: Vec::new(),
        tail: String::new(),
        time_zone: 0,
        date_zone: "",
    }
}
