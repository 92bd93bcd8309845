//! The messages of the benchmark: made-up participants with a waiver each, and as many reports as are asked for.

use std::path::Path;

use serde_json::{Value, json};
use uuid::Uuid;

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
    pub(crate) fn new(participants: usize) -> Self {
        let read = |name: &str| {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches").join(name);
            serde_json::from_slice(&std::fs::read(path).expect("a sample")).expect("JSON")
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
            Made { id: Uuid::from_u128(0xC0_0000_0000 + index as u128), contract: "consent.v1", bytes: consent.to_string().into_bytes() }
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
        Made { id: Uuid::from_u128(0xA0_0000_0000 + u128::from(serial)), contract: "activity-report.v1", bytes: report.to_string().into_bytes() }
    }
}

/// A personnummer of somebody between 18 and 27 years of age in 2026, with its check digit (SKV 704).
fn number(index: usize) -> String {
    let (year, month, day) = (1999 + index % 9, 1 + index / 9 % 12, 1 + index / 108 % 28);
    let digits = format!("{year:04}{month:02}{day:02}98{}", index / 3024 % 10);
    let sum: u32 = digits
        .bytes()
        .skip(2)
        .enumerate()
        .map(|(place, digit)| {
            let value = u32::from(digit - b'0') * if place % 2 == 0 { 2 } else { 1 };
            value / 10 + value % 10
        })
        .sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}
