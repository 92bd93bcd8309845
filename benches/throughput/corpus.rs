//! The messages of the benchmark: made-up participants with a waiver each, and as many reports as are asked for, around today.

use std::path::Path;

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde_json::{Value, json};
use uuid::Uuid;

use super::made_up::number;

/// One message, ready to be published.
pub(crate) struct Made {
    pub(crate) id: Uuid,
    pub(crate) contract: &'static str,
    pub(crate) bytes: Vec<u8>,
}

/// Participants and their reports. Numbers have the birth number 980, which no real person has.
pub(crate) struct Corpus {
    report: Value,
    consent: Value,
    participants: Vec<String>,
    made: u64,
}

impl Corpus {
    /// So many participants; all dates are moved so that the samples are of these days.
    pub(crate) fn new(participants: usize, today: Date) -> Self {
        let day = |days: i32| today.checked_add(days.days()).expect("a day").to_string();
        let moved = [
            ("2026-02-23", day(-5)),
            ("2026-02-24", day(-4)),
            ("2026-01-01", day(-60)),
            ("2026-04-25", day(60)),
            ("2026-02-02", day(-90)),
            ("2026-12-31", day(90)),
        ];
        let read = |name: &str| {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches").join(name);
            let mut text = std::fs::read_to_string(path).expect("a sample");
            for (from, to) in &moved {
                text = text.replace(from, to);
            }
            serde_json::from_str(&text).expect("JSON")
        };
        let numbers = (0..participants).map(number).collect();
        Self { report: read("report.json"), consent: read("consent.json"), participants: numbers, made: 0 }
    }

    /// A waiver of each participant, for what goes to Arbetsförmedlingen.
    pub(crate) fn consents(&self) -> Vec<Made> {
        let made = |(index, number): (usize, &String)| {
            let mut consent = self.consent.clone();
            consent["consentId"] = json!(format!("C-{index}"));
            consent["participant"]["personNumber"] = json!(number);
            let id = Uuid::from_u128(0xC0_0000_0000 + index as u128);
            Made { id, contract: "consent.v1", bytes: consent.to_string().into_bytes() }
        };
        self.participants.iter().enumerate().map(made).collect()
    }

    /// The next reports, no two alike.
    pub(crate) fn reports(&mut self, count: usize) -> Vec<Made> {
        (0..count).map(|_| self.report()).collect()
    }

    fn report(&mut self) -> Made {
        let serial = self.made;
        self.made += 1;
        let participant = usize::try_from(serial).expect("64 bits") % self.participants.len();
        let mut report = self.report.clone();
        report["reportId"] = json!(format!("AR-{serial}"));
        report["participant"]["personNumber"] = json!(self.participants[participant]);
        let id = Uuid::from_u128(0xA0_0000_0000 + u128::from(serial));
        Made { id, contract: "activity-report.v1", bytes: report.to_string().into_bytes() }
    }
}
