//! Floor 3: the records of processing (GDPR art. 30) and what a draft of an impact assessment (art. 35) can say, as data in
//! plain Swedish. Everything is read out of what decides: agreements, contracts and configuration; nothing is written twice.

mod csv;
mod measures;
mod words;

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;

use crate::agreement::{RecipientTerms, Status, Terms};
use crate::config::Config;
use crate::contract::Direction;
use crate::domain::{Category, ContractRef, Party, Sensitivity};
use crate::journey::ContractSet;
use crate::law::Row;

/// The records of processing of one contract set, and of a configuration where there is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Records {
    /// The day on which they were made.
    pub made_on: String,
    /// Brygga's version.
    pub version: &'static str,
    /// Whether a configuration was read.
    pub is_configured: bool,
    /// Every version of the terms of every agreement, signed ones first.
    pub agreements: Vec<Agreement>,
    /// The categories of data that occur in what comes in.
    pub categories: Vec<CategoryOfData>,
    /// How long what is kept.
    pub retention: Vec<Named>,
    /// Technical measures.
    pub measures: Vec<Named>,
    /// Risks for the participants, with what is done about each.
    pub risks: Vec<Named>,
}

/// Something with a name, and what is to be said of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// What is to be said.
    pub words: String,
}

impl Named {
    fn new(name: impl Into<String>, words: impl Into<String>) -> Self {
        Self { name: name.into(), words: words.into() }
    }
}

/// One dated version of an agreement's terms: one processing activity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Agreement {
    /// The agreement's name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// The version of the terms.
    pub version: u32,
    /// `undertecknad` or `illustration`.
    pub status: &'static str,
    /// Whether anybody has signed.
    pub is_signed: bool,
    /// Whether the service uses it as it is configured.
    pub is_used: bool,
    /// The kommun.
    pub kommun: String,
    /// Its organisation number.
    pub organisation: String,
    /// Whether a first-hand source confirms the number.
    pub is_verified: bool,
    /// The nämnd that discloses, and is the controller.
    pub namnd: String,
    /// The first day of an activity that the terms cover.
    pub from: String,
    /// The last one.
    pub to: String,
    /// When the parties review it.
    pub reviews: Vec<String>,
    /// The purpose (syfte).
    pub purpose: String,
    /// The legal ground (lagrum).
    pub legal_ground: String,
    /// The rows of the law that the legal ground cites, by act, rule and id.
    pub grounds: Vec<String>,
    /// Categories of participants.
    pub participants: Vec<String>,
    /// The periods that the terms themselves set.
    pub periods: Vec<String>,
    /// Who receives.
    pub recipients: Vec<Recipient>,
}

/// A recipient under one agreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Recipient {
    /// Its name.
    pub name: &'static str,
    /// The name in agreements: `arbetsformedlingen`.
    pub party: &'static str,
    /// What opens towards it.
    pub gate: &'static str,
    /// The rule that the gate rests on.
    pub rule: String,
    /// The rows of the law that go with a disclosure to it, by act, rule and id.
    pub law: Vec<String>,
    /// Why this gate.
    pub reason: String,
    /// The assessment that the gate rests on, where it needs one.
    pub assessment: Option<String>,
    /// The documents that are made for it.
    pub documents: Vec<String>,
    /// What it may see, every category there is.
    pub rights: Vec<Right>,
}

impl Recipient {
    /// The names of what it always sees.
    #[must_use]
    pub fn always(&self) -> String {
        self.disclosed(words::ALWAYS)
    }

    /// The names of what it sees where the consent names it.
    #[must_use]
    pub fn with_consent(&self) -> String {
        self.disclosed(words::WITH_CONSENT)
    }

    fn disclosed(&self, how: &str) -> String {
        let named: Vec<_> = self.rights.iter().filter(|right| right.disclosed == how).map(|right| right.name).collect();
        if named.is_empty() { "inget".to_owned() } else { named.join(", ") }
    }
}

/// What a recipient may see of one category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Right {
    /// The category's name in contracts.
    pub category: &'static str,
    /// The category's name in Swedish.
    pub name: &'static str,
    /// How worthy of protection it is at the most.
    pub sensitivity: &'static str,
    /// When it is disclosed.
    pub disclosed: &'static str,
}

/// A category of personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CategoryOfData {
    /// The name in contracts.
    pub code: &'static str,
    /// The name in Swedish.
    pub name: &'static str,
    /// What it is.
    pub words: &'static str,
    /// How worthy of protection it is at the most.
    pub sensitivity: &'static str,
    /// The fields of incoming contracts that belong to it: `activity-report.v1 period.from`.
    pub fields: Vec<String>,
}

impl Records {
    /// Reads the records out of what decides.
    #[must_use]
    pub fn of(set: &ContractSet, config: Option<&Config>, made_on: Date) -> Self {
        let found = categories(set);
        let sensitivity =
            |category: Category| found.get(&category).map_or("förekommer inte", |(most, _)| words::sensitivity(*most));
        let agreements = set.register.terms().iter().map(|terms| agreement(set, terms, made_on, &sensitivity)).collect();
        let categories = found.iter().map(|(category, (most, fields))| {
            let (name, words) = words::category(*category);
            let sensitivity = words::sensitivity(*most);
            CategoryOfData { code: category.as_str(), name, words, sensitivity, fields: fields.clone() }
        });
        Self {
            made_on: made_on.to_string(),
            version: env!("CARGO_PKG_VERSION"),
            is_configured: config.is_some(),
            agreements,
            categories: categories.collect(),
            retention: measures::retention(config),
            measures: measures::measures(config),
            risks: measures::risks(),
        }
    }

    /// The records as a table (RFC 4180): one row for each agreement, recipient and category of data.
    #[must_use]
    pub fn csv(&self) -> String {
        csv::table(self)
    }
}

/// Every category that occurs in what comes in, with its highest sensitivity and its fields.
fn categories(set: &ContractSet) -> BTreeMap<Category, (Sensitivity, Vec<String>)> {
    let mut found: BTreeMap<Category, (Sensitivity, Vec<String>)> = BTreeMap::new();
    for contract in set.catalogue.contracts().filter(|contract| contract.direction() == Direction::In) {
        let outline = contract.outline();
        for leaf in outline.leaves() {
            let (most, fields) = found.entry(leaf.category).or_insert((leaf.sensitivity, Vec::new()));
            *most = leaf.sensitivity.max(*most);
            fields.push(format!("{} {}", outline.reference, leaf.path));
        }
    }
    found
}

fn agreement(set: &ContractSet, terms: &Terms, made_on: Date, sensitivity: &impl Fn(Category) -> &'static str) -> Agreement {
    let kommun = set.catalogue.parties().kommun(&terms.kommun);
    // The day of a disclosure decides which law applies: today, where the terms cover it, or else the nearest day that they do.
    let day = made_on.max(terms.from).min(terms.to);
    Agreement {
        name: terms.agreement.clone(),
        title: terms.title.clone(),
        version: terms.version,
        status: words::status(terms.status),
        is_signed: terms.status == Status::Signed,
        is_used: set.register.uses(terms),
        kommun: kommun.map_or_else(|| terms.kommun.as_str().to_owned(), |kommun| kommun.name.clone()),
        organisation: kommun.map(|kommun| kommun.organisation.to_string()).unwrap_or_default(),
        is_verified: kommun.is_some_and(|kommun| kommun.verified),
        namnd: terms.namnd.clone(),
        from: terms.from.to_string(),
        to: terms.to.to_string(),
        reviews: terms.reviews.iter().map(ToString::to_string).collect(),
        purpose: terms.purpose.clone(),
        legal_ground: terms.legal_ground.clone(),
        grounds: set.law.grounds(&terms.legal_ground, day).map(|ground| cited(&ground.row)).collect(),
        participants: participants(set, terms),
        periods: vec![
            format!(
                "En rapport tas emot och lämnas ut till och med {} dagar efter villkorens sista dag.",
                terms.late_reporting_days
            ),
            format!("En rapport som saknar det som öppnar väntar högst {} dagar och lämnas sedan inte ut.", terms.hold_days),
        ],
        recipients: terms.recipients.iter().map(|one| recipient(set, one, day, sensitivity)).collect(),
    }
}

/// The target group: ages, and what its participants take part in.
fn participants(set: &ContractSet, terms: &Terms) -> Vec<String> {
    let label = |code: &str| {
        let listed = set.codes.list("activities").and_then(|list| list.get(code));
        listed.map_or_else(|| code.to_owned(), |listed| listed.label.clone())
    };
    let ages = terms.ages.map_or_else(|| "utan åldersgräns".to_owned(), |ages| format!("{} till {} år", ages.from, ages.to));
    let mut codes: Vec<&String> = terms.activities.values().collect();
    codes.sort();
    codes.dedup();
    let activities: Vec<String> = codes.into_iter().map(|code| label(code)).collect();
    let mut groups = vec![format!("Deltagare, {ages}, i: {}", activities.join(", "))];
    for (code, ages) in &terms.ages_by_activity {
        groups.push(format!("I {} bara deltagare {} till {} år", label(code), ages.from, ages.to));
    }
    groups.push("Den som har lämnat samtycke för en deltagare (vårdnadshavare, god man eller förvaltare), som uppgift om vem av dem det var".to_owned());
    groups
}

/// A row of the law as it is cited: `OSL (2009:400) 10:1 [osl-10-1]`.
fn cited(row: &Row) -> String {
    format!("{} {} [{}]", row.act, row.rule, row.id)
}

fn recipient(
    set: &ContractSet,
    terms: &RecipientTerms,
    day: Date,
    sensitivity: &impl Fn(Category) -> &'static str,
) -> Recipient {
    let title = |reference: &ContractRef| {
        let contract = set.catalogue.contract(reference);
        contract.map_or_else(|| reference.to_string(), |contract| format!("{} ({reference})", contract.title()))
    };
    let right = |category: Category| {
        let disclosed = if terms.matrix.always.contains(category) {
            words::ALWAYS
        } else if terms.matrix.with_consent.contains(category) {
            words::WITH_CONSENT
        } else {
            words::NEVER
        };
        Right { category: category.as_str(), name: words::category(category).0, sensitivity: sensitivity(category), disclosed }
    };
    Recipient {
        name: match terms.party {
            Party::Arbetsformedlingen => "Arbetsförmedlingen",
            Party::Forsorjningsstod => "Kommunens system för försörjningsstöd",
        },
        party: terms.party.as_str(),
        gate: words::gate(terms.gate.kind),
        rule: terms.gate.rule.clone(),
        law: set.law.regime(day).into_iter().chain(set.law.rules(terms.gate.kind, terms.party, day)).map(cited).collect(),
        reason: terms.gate.reason.clone(),
        assessment: terms.gate.assessment.clone(),
        documents: terms.documents.iter().map(title).collect(),
        rights: Category::ALL.iter().map(|category| right(*category)).collect(),
    }
}
