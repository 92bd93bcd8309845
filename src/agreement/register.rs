//! The register of agreements: `agreements/*.toml` read into dated terms, with every flaw at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;

use super::codes::Codes;
use super::terms::{Ages, Gate, Matrix, RecipientTerms, Status, Terms};
use crate::contract::{Catalogue, Direction};
use crate::domain::{
    Categories, Category, ContractRef, Files, Flaws, GateKind, KommunCode, OrganisationNumber, Party, calendar_date,
};
use crate::law::Law;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: Spanned<String>,
    title: String,
    status: WrittenStatus,
    #[serde(default)]
    signed: Option<Spanned<String>>,
    kommun: Spanned<KommunCode>,
    counterpart: OrganisationNumber,
    namnd: String,
    terms: Vec<WrittenTerms>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum WrittenStatus {
    Signed,
    Illustrative,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenTerms {
    version: Spanned<u32>,
    from: Spanned<String>,
    to: Spanned<String>,
    #[serde(default)]
    reviews: Vec<Spanned<String>>,
    late_reporting_days: i64,
    hold_days: i64,
    purpose: Spanned<String>,
    legal_ground: Spanned<String>,
    #[serde(default)]
    ages: Option<WrittenAges>,
    #[serde(default)]
    ages_by_activity: BTreeMap<Spanned<String>, WrittenAges>,
    activities: BTreeMap<Spanned<String>, Spanned<String>>,
    reasons: BTreeMap<Spanned<String>, Spanned<String>>,
    recipients: Vec<WrittenRecipient>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenAges {
    from: i16,
    to: i16,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRecipient {
    party: Spanned<Party>,
    documents: Vec<Spanned<String>>,
    gate: Spanned<WrittenGate>,
    matrix: BTreeMap<Spanned<String>, WrittenRight>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenGate {
    kind: GateKind,
    rule: String,
    reason: String,
    #[serde(default)]
    assessment: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum WrittenRight {
    Always,
    WithConsent,
    Never,
}

/// Which illustrations a service uses besides signed agreements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Illustrations {
    /// None, as in production.
    None,
    /// All, as in the demo and in a dry run.
    All,
    /// Those named.
    Named(Vec<String>),
}

/// All terms of all agreements.
#[derive(Debug)]
pub struct Register {
    terms: Vec<Arc<Terms>>,
    illustrations: Illustrations,
}

impl Register {
    /// Loads `agreements/`, checked against catalogue, code lists and law.
    pub fn load(files: &Files, catalogue: &Catalogue, codes: &Codes, law: &Law, flaws: &mut Flaws) -> Self {
        let mut terms: Vec<Arc<Terms>> = Vec::new();
        for (path, text) in files.below("agreements/", ".toml") {
            let written: Written = match toml::from_str(text) {
                Ok(written) => written,
                Err(error) => {
                    flaws.add_at(path, text, error.span().map_or(0, |span| span.start), error.message());
                    continue;
                }
            };
            let mut reader = Reader { path, text, catalogue, codes, law, flaws };
            reader.check_head(&written);
            for dated in &written.terms {
                let Some(read) = reader.terms(&written, dated) else { continue };
                let overlaps = terms.iter().any(|other| {
                    other.kommun == read.kommun
                        && other.namnd == read.namnd
                        && other.status == read.status
                        && other.from <= read.to
                        && read.from <= other.to
                });
                if overlaps {
                    let words = "these terms overlap others of the same nämnd and status";
                    reader.flaws.add_at(path, text, dated.version.span().start, words);
                }
                terms.push(Arc::new(read));
            }
        }
        // Signed terms come before illustrations, and then the order of the files decides.
        terms.sort_by_key(|terms| terms.status == Status::Illustrative);
        Self { terms, illustrations: Illustrations::None }
    }

    /// The register with the illustrations that may be used.
    #[must_use]
    pub fn using(mut self, illustrations: Illustrations) -> Self {
        self.illustrations = illustrations;
        self
    }

    /// All terms, signed ones first.
    #[must_use]
    pub fn terms(&self) -> &[Arc<Terms>] {
        &self.terms
    }

    /// Whether terms may be used by this service.
    #[must_use]
    pub fn uses(&self, terms: &Terms) -> bool {
        match (&self.illustrations, terms.status) {
            (_, Status::Signed) | (Illustrations::All, _) => true,
            (Illustrations::Named(names), _) => names.contains(&terms.agreement),
            (Illustrations::None, _) => false,
        }
    }
}

struct Reader<'a> {
    path: &'a str,
    text: &'a str,
    catalogue: &'a Catalogue,
    codes: &'a Codes,
    law: &'a Law,
    flaws: &'a mut Flaws,
}

impl Reader<'_> {
    fn flaw(&mut self, offset: usize, words: impl Into<String>) {
        self.flaws.add_at(self.path, self.text, offset, words);
    }

    fn date(&mut self, written: &Spanned<String>) -> Option<Date> {
        let date = calendar_date(written.get_ref());
        if date.is_err() {
            self.flaw(written.span().start, "a date is written YYYY-MM-DD and exists");
        }
        date.ok()
    }

    fn check_head(&mut self, written: &Written) {
        let name = written.name.get_ref();
        if self.path != format!("agreements/{name}.toml") {
            self.flaw(written.name.span().start, "the file must be called as the agreement");
        }
        if self.catalogue.parties().kommun(written.kommun.get_ref()).is_none() {
            self.flaw(written.kommun.span().start, "the kommun is no organisation in parties.toml");
        }
        match (written.status, &written.signed) {
            (WrittenStatus::Signed, None) => self.flaw(0, "a signed agreement says when it was signed"),
            (WrittenStatus::Illustrative, Some(signed)) => {
                self.flaw(signed.span().start, "an illustration cannot have been signed");
            }
            (WrittenStatus::Signed, Some(signed)) => drop(self.date(signed)),
            (WrittenStatus::Illustrative, None) => {}
        }
        if written.counterpart.as_str() != "2021002114" {
            self.flaw(0, "the counterpart must be Arbetsförmedlingen");
        }
    }

    fn terms(&mut self, written: &Written, dated: &WrittenTerms) -> Option<Terms> {
        let (from, to) = (self.date(&dated.from), self.date(&dated.to));
        if from.zip(to).is_some_and(|(from, to)| from > to) {
            self.flaw(dated.to.span().start, "the terms end before they begin");
        }
        for text in [&dated.purpose, &dated.legal_ground] {
            if text.get_ref().trim().is_empty() {
                self.flaw(text.span().start, "purpose and legal ground must be said");
            }
        }
        if !(0..=366).contains(&dated.late_reporting_days) || !(1..=366).contains(&dated.hold_days) {
            self.flaw(dated.version.span().start, "late_reporting_days is 0 to 366, hold_days 1 to 366");
        }
        if let (Some(from), Some(to)) = (from, to) {
            self.check_ground(dated, from, to.saturating_add(dated.late_reporting_days.days()));
        }
        let reviews = dated.reviews.iter().filter_map(|review| self.date(review)).collect();
        let activities = self.mapping(&dated.activities, "activities");
        let reasons = self.mapping(&dated.reasons, "absence-reasons");
        let mut ages_by_activity = BTreeMap::new();
        for (activity, ages) in &dated.ages_by_activity {
            self.check_ages(*ages, activity.span().start);
            if self.codes.list("activities").is_none_or(|list| list.get(activity.get_ref()).is_none()) {
                self.flaw(activity.span().start, "no such shared activity code");
            }
            ages_by_activity.insert(activity.get_ref().clone(), Ages { from: ages.from, to: ages.to });
        }
        if let Some(ages) = dated.ages {
            self.check_ages(ages, dated.version.span().start);
        }
        let mut recipients: Vec<RecipientTerms> = Vec::new();
        for recipient in &dated.recipients {
            let read = self.recipient(recipient);
            if recipients.iter().any(|other| other.party == read.party) {
                self.flaw(recipient.party.span().start, "the recipient stands twice in these terms");
            }
            recipients.push(read);
        }
        Some(Terms {
            agreement: written.name.get_ref().clone(),
            title: written.title.clone(),
            status: match written.status {
                WrittenStatus::Signed => Status::Signed,
                WrittenStatus::Illustrative => Status::Illustrative,
            },
            file: self.path.to_owned(),
            kommun: written.kommun.get_ref().clone(),
            namnd: written.namnd.clone(),
            version: *dated.version.get_ref(),
            from: from?,
            to: to?,
            reviews,
            late_reporting_days: dated.late_reporting_days,
            hold_days: dated.hold_days,
            purpose: dated.purpose.get_ref().clone(),
            legal_ground: dated.legal_ground.get_ref().clone(),
            ages: dated.ages.map(|ages| Ages { from: ages.from, to: ages.to }),
            ages_by_activity,
            activities,
            reasons,
            recipients,
        })
    }

    /// The law knows what the agreement cites: something of it is a ground on each day on which it may be relied on, and what is
    /// cited of an act that has grounds is one of them. A ground that is misspelt would ask for no consent where it needs one.
    fn check_ground(&mut self, dated: &WrittenTerms, from: Date, last: Date) {
        let cited = dated.legal_ground.get_ref();
        if let Some(unknown) = self.law.unknown_ground(cited) {
            self.flaw(dated.legal_ground.span().start, format!("law.toml has no legal ground that is cited as `{unknown}`"));
            return;
        }
        let mut day = Some(from);
        while let Some(looked) = day.filter(|day| *day <= last) {
            if self.law.grounds(cited, looked).next().is_none() {
                let words = format!("by law.toml nothing that is cited here is a legal ground on {looked}");
                self.flaw(dated.legal_ground.span().start, words);
                return;
            }
            day = self.law.changes_after(looked);
        }
    }

    fn check_ages(&mut self, ages: WrittenAges, at: usize) {
        if ages.from > ages.to || ages.from < 0 {
            self.flaw(at, "ages must be in order");
        }
    }

    fn mapping(&mut self, words: &BTreeMap<Spanned<String>, Spanned<String>>, list: &str) -> BTreeMap<String, String> {
        let mut mapping = BTreeMap::new();
        for (word, code) in words {
            if self.codes.list(list).is_none_or(|known| known.get(code.get_ref()).is_none()) {
                self.flaw(code.span().start, format!("`{}` is not in codes/{list}.toml", code.get_ref()));
            }
            mapping.insert(word.get_ref().clone(), code.get_ref().clone());
        }
        mapping
    }

    fn recipient(&mut self, written: &WrittenRecipient) -> RecipientTerms {
        let mut documents = Vec::new();
        for document in &written.documents {
            let reference: Option<ContractRef> = document.get_ref().parse().ok();
            let contract = reference.as_ref().and_then(|reference| self.catalogue.contract(reference));
            if !contract.is_some_and(|contract| matches!(contract.direction(), Direction::Out(_))) {
                self.flaw(document.span().start, "no such outgoing contract");
            }
            documents.extend(reference);
        }
        let gate = written.gate.get_ref();
        let kind = gate.kind;
        if gate.rule.trim().is_empty() || gate.reason.trim().is_empty() {
            self.flaw(written.gate.span().start, "a gate cites its rule and says its reason");
        }
        if kind == GateKind::NoSecrecyBoundary && gate.assessment.is_none() {
            self.flaw(written.gate.span().start, "a gate without secrecy boundary cites its assessment");
        }
        if kind == GateKind::NoSecrecyBoundary && *written.party.get_ref() == Party::Arbetsformedlingen {
            self.flaw(
                written.gate.span().start,
                "secrecy stands between a kommun and AF: the gate is a waiver, or a duty that is cited",
            );
        }
        let mut matrix = Matrix::default();
        for (name, right) in &written.matrix {
            let Ok(category) = name.get_ref().parse::<Category>() else {
                self.flaw(name.span().start, format!("`{}` is no category of data", name.get_ref()));
                continue;
            };
            if category == Category::Protection && *right != WrittenRight::Never {
                self.flaw(name.span().start, "that an identity is protected is never disclosed");
                continue;
            }
            let line = self.text.get(..name.span().start).unwrap_or_default().matches('\n').count() + 1;
            matrix.lines.insert(category, line);
            match right {
                WrittenRight::Always => matrix.always = matrix.always.with(category),
                WrittenRight::WithConsent => matrix.with_consent = matrix.with_consent.with(category),
                WrittenRight::Never => {}
            }
        }
        if matrix.always.union(matrix.with_consent) == Categories::NONE {
            self.flaw(written.party.span().start, "the recipient's matrix lets nothing through");
        }
        RecipientTerms {
            party: *written.party.get_ref(),
            documents,
            gate: Gate { kind, rule: gate.rule.clone(), reason: gate.reason.clone(), assessment: gate.assessment.clone() },
            matrix,
        }
    }
}
