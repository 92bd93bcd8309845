//! `[retention]`: for how long each kind of content is kept, and which rules keep something in spite of an erasure.
//!
//! The periods are assumptions until the municipality's own plan (dokumenthanteringsplan, gallringsbeslut) says otherwise. They
//! are counted in days from the instant that each names. Nothing that a participant is in can be kept for ever.

use std::time::Duration;

use super::section::Section;

/// Three years: the longest for what is disclosed and for what was refused.
const THREE_YEARS: u32 = 1096;
/// The longest for everything else.
const LONGEST: u32 = 36_525;

/// For how many days what is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetentionConfig {
    /// Documents in feeds, from their publication.
    pub feed: u32,
    /// Messages as they came, from their arrival.
    pub journal: u32,
    /// Consents and flags, from the end of the last period that a consent names.
    pub consents: u32,
    /// Reports that wait, from their arrival.
    pub held: u32,
    /// Refused messages, from their arrival.
    pub dead_letters: u32,
    /// Messages of which nobody can tell whom they are about, from their arrival: the shortest.
    pub unreadable: u32,
    /// What recipients said of what they were served, from its arrival, and not before the document has gone.
    pub receipts: u32,
    /// Rows of the audit log, from each row: no period is longer, because the rest is explained by it.
    pub audit: u32,
    /// The rule by which the audit log is kept in spite of an erasure.
    pub audit_rule: String,
    /// The rule by which reports of which a document was served are kept in spite of an erasure, as long as the journal is;
    /// `None` where no rule does.
    pub archive_rule: Option<String>,
    /// How often a service does what is due. `None` where no period was decided: it blanks nothing by itself and counts alone.
    pub every: Option<Duration>,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self {
            feed: 730,
            journal: 1096,
            consents: 1096,
            held: 400,
            dead_letters: 180,
            unreadable: 30,
            receipts: 1096,
            audit: 3653,
            audit_rule: "dataskyddsförordningen artikel 5.2 (ansvarsskyldighet)".to_owned(),
            archive_rule: None,
            every: None,
        }
    }
}

impl RetentionConfig {
    /// Reads the section; what is left out has its default.
    pub fn read(section: &mut Section<'_>) -> Option<Self> {
        let preset = Self::default();
        let faults = section.fault_count();
        let mut days = |name: &str, preset: u32, longest: u32| {
            let days = section.number(name, preset.into(), 1..=longest.into());
            u32::try_from(days).unwrap_or(longest)
        };
        let read = Self {
            feed: days("feed_days", preset.feed, THREE_YEARS),
            journal: days("journal_days", preset.journal, LONGEST),
            consents: days("consents_days", preset.consents, LONGEST),
            held: days("held_days", preset.held, LONGEST),
            dead_letters: days("dead_letters_days", preset.dead_letters, THREE_YEARS),
            unreadable: days("unreadable_days", preset.unreadable, THREE_YEARS),
            receipts: days("receipts_days", preset.receipts, LONGEST),
            audit: days("audit_days", preset.audit, LONGEST),
            audit_rule: section.value_or("audit_rule", preset.audit_rule),
            archive_rule: section.value("archive_rule"),
            every: Some(Duration::from_hours(section.number("every_hours", 24, 1..=168))),
        };
        let line = section.line();
        let others = [read.feed, read.journal, read.consents, read.held, read.dead_letters, read.receipts];
        if others.iter().any(|days| *days < read.unreadable) {
            section.fault("unreadable_days", line, "of nobody it can be told that it may be kept: no period is shorter");
        }
        if others.iter().any(|days| *days > read.audit) {
            section.fault("audit_days", line, "what is kept is explained by the audit log: no period is longer");
        }
        (section.fault_count() == faults).then_some(read)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::RetentionConfig;
    use crate::config::{Machine, Section};

    fn read(text: &str) -> (Option<RetentionConfig>, Vec<String>) {
        let mut section = Section::of_text(text, &Machine).expect("TOML");
        let read = RetentionConfig::read(&mut section);
        (read, section.end().into_iter().map(|fault| fault.key).collect())
    }

    #[test]
    fn what_is_left_out_has_its_default_and_three_years_are_the_most_for_what_is_disclosed_and_refused() {
        let every_day = RetentionConfig { every: Some(Duration::from_hours(24)), ..RetentionConfig::default() };
        assert_eq!(read(""), (Some(every_day), Vec::new()));
        let (some, faults) = read("feed_days = 365\naudit_rule = \"en plan\"\nevery_hours = 12\n");
        assert_eq!(faults, Vec::<String>::new());
        assert!(some.is_some_and(|some| (some.feed, some.audit_rule.as_str()) == (365, "en plan")));
        let (none, faults) = read("feed_days = 1097\ndead_letters_days = 2000\njournal_days = 0\nmore = 1\n");
        assert_eq!(
            (none, faults),
            (None, ["feed_days", "journal_days", "dead_letters_days", "more"].map(str::to_owned).to_vec())
        );
    }

    #[test]
    fn the_audit_log_has_the_longest_period() {
        let (none, faults) = read("audit_days = 1000\n");
        assert_eq!((none, faults), (None, vec!["audit_days".to_owned()]));
        let (some, faults) = read("audit_days = 800\njournal_days = 700\nconsents_days = 800\nreceipts_days = 800\n");
        assert_eq!((some.map(|some| some.audit), faults), (Some(800), Vec::new()));
    }

    #[test]
    fn what_nobody_can_be_told_of_has_the_shortest_period() {
        let (none, faults) = read("unreadable_days = 200\n");
        assert_eq!((none, faults), (None, vec!["unreadable_days".to_owned()]));
    }
}
