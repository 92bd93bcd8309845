//! Reads `law.toml` into dated rows, with every flaw at once.

use std::collections::HashSet;

use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;

use super::{Ground, Law, Row, Rule, Sensitive, Transition};
use crate::domain::{Categories, Category, ConsentKind, Files, Flaws, GateKind, Party, Sensitivity, calendar_date};

const FILE: &str = "law.toml";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    regime: Vec<WrittenRow>,
    rule: Vec<WrittenRule>,
    sensitive: Vec<WrittenSensitive>,
    #[serde(default)]
    ban: Vec<WrittenRow>,
    ground: Vec<WrittenGround>,
    #[serde(default)]
    transition: Vec<WrittenTransition>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRow {
    id: Spanned<String>,
    act: String,
    rule: String,
    words: String,
    from: Spanned<String>,
    #[serde(default)]
    to: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRule {
    id: Spanned<String>,
    act: String,
    rule: String,
    words: String,
    from: Spanned<String>,
    #[serde(default)]
    to: Option<Spanned<String>>,
    #[serde(default)]
    gates: Vec<GateKind>,
    #[serde(default)]
    receivers: Vec<Party>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSensitive {
    id: Spanned<String>,
    act: String,
    rule: String,
    words: String,
    from: Spanned<String>,
    #[serde(default)]
    to: Option<Spanned<String>>,
    sensitivities: Vec<Spanned<String>>,
    categories: Vec<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenGround {
    id: Spanned<String>,
    act: String,
    rule: String,
    words: String,
    from: Spanned<String>,
    #[serde(default)]
    to: Option<Spanned<String>>,
    cites: Vec<Spanned<String>>,
    #[serde(default)]
    needs: Option<Spanned<ConsentKind>>,
    #[serde(default)]
    only_sensitive: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenTransition {
    id: Spanned<String>,
    act: String,
    rule: String,
    words: String,
    from: Spanned<String>,
    #[serde(default)]
    to: Option<Spanned<String>>,
    consents: Spanned<Vec<ConsentKind>>,
    given_before: Spanned<String>,
}

/// The row that every kind of entry begins with: serde cannot flatten what knows its place in the file.
macro_rules! row {
    ($reader:expr, $of:expr) => {
        $reader.row(&WrittenRow {
            id: $of.id.clone(),
            act: $of.act.clone(),
            rule: $of.rule.clone(),
            words: $of.words.clone(),
            from: $of.from.clone(),
            to: $of.to.clone(),
        })
    };
}

impl Law {
    /// Loads `law.toml`; whatever is wrong is added to the flaws.
    pub fn load(files: &Files, flaws: &mut Flaws) -> Self {
        let Some(text) = files.get(FILE) else {
            flaws.add(FILE, 1, "the file is missing");
            return Self::default();
        };
        let written: Written = match toml::from_str(text) {
            Ok(written) => written,
            Err(error) => {
                flaws.add_at(FILE, text, error.span().map_or(0, |span| span.start), error.message());
                return Self::default();
            }
        };
        let mut reader = Reader { text, flaws, ids: HashSet::new() };
        let law = Self {
            regimes: written.regime.iter().filter_map(|one| reader.row(one)).collect(),
            rules: written.rule.iter().filter_map(|one| reader.rule(one)).collect(),
            sensitive: written.sensitive.iter().filter_map(|one| reader.sensitive(one)).collect(),
            bans: written.ban.iter().filter_map(|one| reader.row(one)).collect(),
            grounds: written.ground.iter().filter_map(|one| reader.ground(one)).collect(),
            transitions: written.transition.iter().filter_map(|one| reader.transition(one)).collect(),
        };
        reader.check_regimes(&written.regime);
        reader.check_citations(&written.ground);
        law
    }
}

struct Reader<'a> {
    text: &'a str,
    flaws: &'a mut Flaws,
    ids: HashSet<String>,
}

impl Reader<'_> {
    fn flaw(&mut self, offset: usize, words: impl Into<String>) {
        self.flaws.add_at(FILE, self.text, offset, words);
    }

    fn date(&mut self, written: &Spanned<String>) -> Option<Date> {
        let date = calendar_date(written.get_ref());
        if date.is_err() {
            self.flaw(written.span().start, "a date is written YYYY-MM-DD and exists");
        }
        date.ok()
    }

    fn row(&mut self, written: &WrittenRow) -> Option<Row> {
        let (id, at) = (written.id.get_ref(), written.id.span().start);
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if id.is_empty() || !id.chars().all(is_plain) {
            self.flaw(at, "an id is made of a–z, 0–9 and -");
        }
        if !self.ids.insert(id.clone()) {
            self.flaw(at, format!("the id `{id}` stands twice"));
        }
        if [&written.act, &written.rule, &written.words].iter().any(|text| text.trim().is_empty()) {
            self.flaw(at, "a row cites its act and rule, and says what it means");
        }
        let from = self.date(&written.from);
        let to = written.to.as_ref().map(|to| self.date(to));
        if let (Some(from), Some(Some(to)), Some(at)) = (from, to, written.to.as_ref().map(Spanned::span))
            && from > to
        {
            self.flaw(at.start, "the row ends before it begins");
        }
        let (act, rule, words) = (written.act.clone(), written.rule.clone(), written.words.clone());
        // A last day that cannot be read is a flaw, and no row without an end.
        let to = match to {
            Some(None) => return None,
            Some(to) => to,
            None => None,
        };
        Some(Row { id: id.clone(), act, rule, words, from: from?, to })
    }

    fn rule(&mut self, written: &WrittenRule) -> Option<Rule> {
        let row = row!(self, written)?;
        Some(Rule { row, gates: written.gates.clone(), receivers: written.receivers.clone() })
    }

    fn sensitive(&mut self, written: &WrittenSensitive) -> Option<Sensitive> {
        let row = row!(self, written);
        let mut sensitivities = Vec::new();
        for word in &written.sensitivities {
            match word.get_ref().parse::<Sensitivity>() {
                Ok(sensitivity) => sensitivities.push(sensitivity),
                Err(()) => self.flaw(word.span().start, format!("`{}` is no sensitivity", word.get_ref())),
            }
        }
        let mut categories = Categories::NONE;
        for word in &written.categories {
            match word.get_ref().parse::<Category>() {
                Ok(category) => categories = categories.with(category),
                Err(()) => self.flaw(word.span().start, format!("`{}` is no category of data", word.get_ref())),
            }
        }
        Some(Sensitive { row: row?, sensitivities, categories })
    }

    fn ground(&mut self, written: &WrittenGround) -> Option<Ground> {
        let row = row!(self, written);
        let at = written.id.span().start;
        if written.cites.is_empty() {
            self.flaw(at, "a ground says how agreements cite it");
        }
        for cite in &written.cites {
            let text = cite.get_ref();
            if text.trim() != text || text.is_empty() || text.contains(';') {
                self.flaw(cite.span().start, "a citation is one text without `;`, and without spaces around it");
            }
        }
        if let Some(needs) = &written.needs
            && *needs.get_ref() == ConsentKind::SecrecyWaiver
        {
            self.flaw(needs.span().start, "a secrecy waiver is no ground for processing: it opens a gate");
        }
        if written.only_sensitive && written.needs.is_none() {
            self.flaw(at, "only_sensitive narrows what a consent is needed for; the ground needs none");
        }
        let cites = written.cites.iter().map(|cite| cite.get_ref().clone()).collect();
        let needs = written.needs.as_ref().map(|needs| *needs.get_ref());
        Some(Ground { row: row?, cites, needs, only_sensitive: written.only_sensitive })
    }

    fn transition(&mut self, written: &WrittenTransition) -> Option<Transition> {
        let row = row!(self, written);
        let consents = written.consents.get_ref();
        if consents.is_empty() || consents.contains(&ConsentKind::SecrecyWaiver) {
            let words = "a transition names kinds of consent under data protection law: a secrecy waiver is none";
            self.flaw(written.consents.span().start, words);
        }
        let given_before = self.date(&written.given_before);
        Some(Transition { row: row?, consents: consents.clone(), given_before: given_before? })
    }

    /// On each day exactly one regime applies: where one ends the next begins, and only the last has no end.
    fn check_regimes(&mut self, written: &[WrittenRow]) {
        let read = |text: &Spanned<String>| calendar_date(text.get_ref()).ok();
        let mut rows: Vec<(Date, Option<Date>, usize)> = Vec::new();
        for one in written {
            let Some(from) = read(&one.from) else { return };
            rows.push((from, one.to.as_ref().and_then(read), one.id.span().start));
        }
        rows.sort_unstable();
        if rows.last().is_none_or(|(_, to, _)| to.is_some()) {
            self.flaw(rows.last().map_or(0, |(.., at)| *at), "the last regime has no end");
        }
        for (before, after) in rows.iter().zip(rows.iter().skip(1)) {
            if before.1.and_then(|to| to.tomorrow().ok()) != Some(after.0) {
                self.flaw(after.2, "a regime begins on the day after the one before it ends");
            }
        }
    }

    /// On each day a citation means one ground.
    fn check_citations(&mut self, written: &[WrittenGround]) {
        let days = |one: &WrittenGround| {
            let read = |text: &Spanned<String>| calendar_date(text.get_ref()).ok();
            (read(&one.from).unwrap_or(Date::MIN), one.to.as_ref().and_then(read).unwrap_or(Date::MAX))
        };
        for (index, one) in written.iter().enumerate() {
            for cite in &one.cites {
                let meant = written.iter().take(index).any(|other| {
                    let (a, b) = (days(one), days(other));
                    a.0 <= b.1 && b.0 <= a.1 && other.cites.iter().any(|known| known.get_ref() == cite.get_ref())
                });
                if meant {
                    self.flaw(cite.span().start, "another ground of the same days is cited by the same words");
                }
            }
        }
    }
}
