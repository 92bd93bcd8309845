//! Dated terms of an agreement: who may get what, from when to when, through which gate.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::ToSpan;
use jiff::civil::Date;

use crate::domain::{Categories, Category, ContractRef, GateKind, KommunCode, Party, STOCKHOLM};

/// Whether anybody has signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// A real agreement.
    Signed,
    /// An illustration that nobody has signed; marked so in every output.
    Illustrative,
}

impl Status {
    /// The word in agreements and outputs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signed => "signed",
            Self::Illustrative => "illustrative",
        }
    }
}

/// A gate with what it rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// Which kind.
    pub kind: GateKind,
    /// The rule of law.
    pub rule: String,
    /// Why this gate for this recipient.
    pub reason: String,
    /// The reference to the assessment, for a gate without secrecy boundary.
    pub assessment: Option<String>,
}

/// What a recipient may see, by category. What is not named is never disclosed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Matrix {
    /// In every disclosure that the gate allows.
    pub always: Categories,
    /// Only when a waiver names the category.
    pub with_consent: Categories,
    /// The line of each category in the agreement's file, from 1.
    pub lines: BTreeMap<Category, usize>,
}

/// The terms for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipientTerms {
    /// Who receives.
    pub party: Party,
    /// The documents that are made for it.
    pub documents: Vec<ContractRef>,
    /// What must open first.
    pub gate: Gate,
    /// What it may see then.
    pub matrix: Matrix,
}

/// Ages in whole years, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ages {
    /// The youngest.
    pub from: i16,
    /// The oldest.
    pub to: i16,
}

/// One dated version of an agreement's terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The agreement's name: `hallefors-2015`.
    pub agreement: String,
    /// The agreement's title.
    pub title: String,
    /// Whether it is signed.
    pub status: Status,
    /// The agreement's file below the set's root.
    pub file: String,
    /// The kommun that discloses.
    pub kommun: KommunCode,
    /// The nämnd that discloses.
    pub namnd: String,
    /// The version of the terms.
    pub version: u32,
    /// First day of an activity that they cover.
    pub from: Date,
    /// Last day of an activity that they cover.
    pub to: Date,
    /// The days on which the parties review the agreement.
    pub reviews: Vec<Date>,
    /// Days after the last one in which a report may still come and be served.
    pub late_reporting_days: i64,
    /// Days in which a report waits for a waiver.
    pub hold_days: i64,
    /// The purpose (syfte).
    pub purpose: String,
    /// The legal ground (lagrum).
    pub legal_ground: String,
    /// The target group's ages, where it has any.
    pub ages: Option<Ages>,
    /// Narrower ages by shared activity code.
    pub ages_by_activity: BTreeMap<String, Ages>,
    /// The municipality's own words for activities, to shared codes.
    pub activities: BTreeMap<String, String>,
    /// The municipality's own words for absence reasons, to shared codes.
    pub reasons: BTreeMap<String, String>,
    /// The recipients.
    pub recipients: Vec<RecipientTerms>,
}

impl Terms {
    /// Whether a period lies inside the terms.
    #[must_use]
    pub fn cover(&self, period: (Date, Date)) -> bool {
        self.from <= period.0 && period.1 <= self.to
    }

    /// The first instant at which nothing under these terms may arrive or be served any more.
    #[must_use]
    pub fn closes_at(&self) -> Timestamp {
        end_of(self.to.saturating_add(self.late_reporting_days.days()))
    }

    /// The first instant at which a report that could be disclosed from an instant on no longer waits for a waiver.
    #[must_use]
    pub fn hold_ends(&self, from: Timestamp) -> Timestamp {
        from.saturating_add(jiff::SignedDuration::from_hours(24 * self.hold_days)).unwrap_or(from)
    }
}

/// The first instant after a day, in Swedish time.
#[must_use]
pub fn end_of(day: Date) -> Timestamp {
    start_of(day.tomorrow().unwrap_or(day))
}

/// The first instant of a day, in Swedish time.
#[must_use]
pub fn start_of(day: Date) -> Timestamp {
    day.in_tz(STOCKHOLM).map_or(Timestamp::MIN, |zoned| zoned.timestamp())
}
