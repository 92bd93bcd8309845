//! `[retention]`: the rule by which something is kept in spite of an erasure, and for how long.

use super::section::Section;

/// What an erasure leaves, and for how many days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetentionConfig {
    /// The audit log, from each row. An assumption until the municipality's own plan says otherwise.
    pub audit: u32,
    /// The rule by which the audit log is kept in spite of an erasure.
    pub audit_rule: String,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self { audit: 3653, audit_rule: "dataskyddsförordningen artikel 5.2 (ansvarsskyldighet)".to_owned() }
    }
}

impl RetentionConfig {
    /// Reads the section; what is left out has its default.
    pub fn read(section: &mut Section<'_>) -> Option<Self> {
        let preset = Self::default();
        let faults = section.fault_count();
        let audit = section.number("audit_days", preset.audit.into(), 1..=36_525);
        let audit_rule = section.value_or("audit_rule", preset.audit_rule);
        let audit = u32::try_from(audit).unwrap_or(preset.audit);
        (section.fault_count() == faults).then_some(Self { audit, audit_rule })
    }
}

#[cfg(test)]
mod tests {
    use super::RetentionConfig;
    use crate::config::{Machine, Section};

    #[test]
    fn what_is_left_out_has_its_default_and_nothing_is_kept_for_ever() {
        let read = |text: &str| {
            let mut section = Section::of_text(text, &Machine).expect("TOML");
            (RetentionConfig::read(&mut section), section.end().len())
        };
        assert_eq!(read(""), (Some(RetentionConfig::default()), 0));
        let (some, faults) = read("audit_days = 1827\naudit_rule = \"en plan\"\n");
        assert_eq!((some.map(|some| (some.audit, some.audit_rule)), faults), (Some((1827, "en plan".to_owned())), 0));
        assert_eq!(read("audit_days = 0\n"), (None, 1));
    }
}
