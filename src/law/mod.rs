//! Floor 2, between contract and agreement: the law as dated rows, and which of them apply on a day.
//!
//! `law.toml` says what the law is; this module only finds the rows of a day. The day of the disclosure decides, never the
//! activity's. A change of the law is a new row, so nothing here names an act, a paragraph or a date.

mod read;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::domain::{Categories, Category, ConsentKind, GateKind, Leaf, Party, Sensitivity, date_of};

/// What every row has: its stable id, what it cites, and the days on which it applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The id that is recorded with what was decided under the row. It is never used for anything else.
    pub id: String,
    /// The act.
    pub act: String,
    /// The place in the act.
    pub rule: String,
    /// What it says, in plain words.
    pub words: String,
    /// First day on which it applies.
    pub from: Date,
    /// Last day, where it has one.
    pub to: Option<Date>,
}

impl Row {
    /// Whether it applies on a day.
    #[must_use]
    pub fn holds_on(&self, day: Date) -> bool {
        self.from <= day && self.to.is_none_or(|to| day <= to)
    }
}

/// A rule that goes with disclosures through some gates to some parties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// What it is.
    pub row: Row,
    /// The gates that it goes with; all, where none is named.
    pub gates: Vec<GateKind>,
    /// The receiving parties that it goes with; all, where none is named.
    pub receivers: Vec<Party>,
}

/// Which data are sensitive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sensitive {
    /// What it is.
    pub row: Row,
    /// The annotations that it means.
    pub sensitivities: Vec<Sensitivity>,
    /// The categories whose every leaf must carry one of those annotations.
    pub categories: Categories,
}

/// A legal ground, as agreements cite it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ground {
    /// What it is.
    pub row: Row,
    /// The words by which an agreement cites it.
    pub cites: Vec<String>,
    /// The consent without which it is none.
    pub needs: Option<ConsentKind>,
    /// Whether it is a ground for sensitive categories alone.
    pub only_sensitive: bool,
}

/// What a change of the law asks of consents from before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// What it is; its days are those on which it is asked.
    pub row: Row,
    /// The kinds of consent that it concerns.
    pub consents: Vec<ConsentKind>,
    /// Consents that were given before this day, in Swedish time, are concerned.
    pub given_before: Date,
}

/// The law: all rows of all days.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Law {
    regimes: Vec<Row>,
    rules: Vec<Rule>,
    sensitive: Vec<Sensitive>,
    bans: Vec<Row>,
    grounds: Vec<Ground>,
    transitions: Vec<Transition>,
}

impl Law {
    /// The general law of data protection on a day; none before the first.
    #[must_use]
    pub fn regime(&self, day: Date) -> Option<&Row> {
        self.regimes.iter().find(|row| row.holds_on(day))
    }

    /// The rules that go with a disclosure through a gate to a party on a day, in the order of the file.
    pub fn rules(&self, gate: GateKind, receiver: Party, day: Date) -> impl Iterator<Item = &Row> {
        let goes = move |rule: &&Rule| {
            rule.row.holds_on(day)
                && (rule.gates.is_empty() || rule.gates.contains(&gate))
                && (rule.receivers.is_empty() || rule.receivers.contains(&receiver))
        };
        self.rules.iter().filter(goes).map(|rule| &rule.row)
    }

    /// The rows of a day by which a leaf is sensitive.
    pub fn sensitive(&self, leaf: &Leaf, day: Date) -> impl Iterator<Item = &Row> {
        let (category, sensitivity) = (leaf.category, leaf.sensitivity);
        let means = move |one: &&Sensitive| {
            one.row.holds_on(day) && (one.sensitivities.contains(&sensitivity) || one.categories.contains(category))
        };
        self.sensitive.iter().filter(means).map(|one| &one.row)
    }

    /// The categories that are sensitive on a day, whatever a leaf's annotation says.
    #[must_use]
    pub fn sensitive_categories(&self, day: Date) -> Categories {
        let of_day = self.sensitive.iter().filter(|one| one.row.holds_on(day));
        of_day.fold(Categories::NONE, |all, one| all.union(one.categories))
    }

    /// A row by which a leaf's annotation is too weak: the law names its category as sensitive and the contract does not.
    #[must_use]
    pub fn too_weak(&self, leaf: &Leaf) -> Option<&Row> {
        let weak = |one: &&Sensitive| one.categories.contains(leaf.category) && !one.sensitivities.contains(&leaf.sensitivity);
        self.sensitive.iter().find(weak).map(|one| &one.row)
    }

    /// What must not be done on a day, whatever an agreement says.
    pub fn bans(&self, day: Date) -> impl Iterator<Item = &Row> {
        self.bans.iter().filter(move |row| row.holds_on(day))
    }

    /// The grounds of a day that an agreement's words cite.
    pub fn grounds<'a>(&'a self, cited: &'a str, day: Date) -> impl Iterator<Item = &'a Ground> {
        self.cited(cited).filter(move |ground| ground.row.holds_on(day))
    }

    /// The grounds of any day that an agreement's words cite.
    pub fn cited<'a>(&'a self, cited: &'a str) -> impl Iterator<Item = &'a Ground> {
        let is_cited =
            move |ground: &&Ground| cited.split(';').map(str::trim).any(|part| ground.cites.iter().any(|known| known == part));
        self.grounds.iter().filter(is_cited)
    }

    /// What an agreement cites although it is no legal ground: a part that names an act of which there are grounds, or all of it
    /// where none of its parts is one.
    #[must_use]
    pub fn unknown_ground<'a>(&self, cited: &'a str) -> Option<&'a str> {
        let mut parts = cited.split(';').map(str::trim);
        let is_known = |part: &str| self.grounds.iter().any(|ground| ground.cites.iter().any(|known| known == part));
        let of_grounds = |part: &&str| self.grounds.iter().any(|ground| part.starts_with(&ground.row.act)) && !is_known(part);
        let unknown = parts.clone().find(of_grounds);
        unknown.or_else(|| (!parts.any(is_known)).then_some(cited))
    }

    /// The categories for which an agreement's grounds are nothing without a consent under data protection law.
    #[must_use]
    pub fn consent_needed(&self, cited: &str, day: Date) -> Categories {
        let needs = self.grounds(cited, day).filter(|ground| ground.needs.is_some());
        needs.fold(Categories::NONE, |all, ground| {
            all.union(if ground.only_sensitive {
                self.sensitive_categories(day)
            } else {
                Category::ALL.iter().copied().collect()
            })
        })
    }

    /// What a change of the law asks on a day of a consent of a kind that was given at an instant.
    #[must_use]
    pub fn transition(&self, kind: ConsentKind, given_at: Timestamp, day: Date) -> Option<&Transition> {
        let given_on = date_of(given_at);
        let concerns = |one: &&Transition| one.row.holds_on(day) && one.consents.contains(&kind) && given_on < one.given_before;
        self.transitions.iter().find(concerns)
    }

    /// The first day after a day on which any row begins to apply or no longer does: what was decided is looked at again then.
    #[must_use]
    pub fn changes_after(&self, day: Date) -> Option<Date> {
        let edges = self.rows().flat_map(|row| [Some(row.from), row.to.and_then(|to| to.tomorrow().ok())]);
        edges.flatten().filter(|edge| *edge > day).min()
    }

    /// The rows that decide something besides what grounds say: a change of any other row changes what is recorded alone.
    #[must_use]
    pub fn decisive(&self) -> (&[Sensitive], &[Transition]) {
        (&self.sensitive, &self.transitions)
    }

    /// Every row, in the order of the kinds and of the file.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        let rules = self.rules.iter().map(|one| &one.row);
        let sensitive = self.sensitive.iter().map(|one| &one.row);
        let grounds = self.grounds.iter().map(|one| &one.row);
        let transitions = self.transitions.iter().map(|one| &one.row);
        self.regimes.iter().chain(rules).chain(sensitive).chain(&self.bans).chain(grounds).chain(transitions)
    }
}
