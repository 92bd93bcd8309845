//! `[audit]`: where the signed checkpoints of the audit chain are written, to be kept elsewhere.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use super::section::Section;

/// How often a checkpoint is written where nothing else is said, in minutes.
const EVERY_MINUTES: u64 = 60;

/// Where and how checkpoints are written.
#[derive(Debug, Clone)]
pub struct Audit {
    /// The folder: another machine should fetch from it, or it should lie on one.
    pub checkpoints: PathBuf,
    /// 32 bytes in base64: what checkpoints are signed with (Ed25519).
    pub signing_key: SecretString,
    /// How often one is written, where the chain has grown.
    pub every: Duration,
}

impl Audit {
    /// Reads the section; `None` only when faults were recorded.
    pub fn read(section: &mut Section<'_>) -> Option<Self> {
        let (checkpoints, signing_key) = (section.path("checkpoints"), section.required_secret("signing_key"));
        let minutes = section.number("every_minutes", EVERY_MINUTES, 1..=1440);
        Some(Self { checkpoints: checkpoints?, signing_key: signing_key?, every: Duration::from_mins(minutes) })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::Audit;
    use crate::config::{Section, Surroundings};

    struct Around;

    impl Surroundings for Around {
        fn variable(&self, _: &str) -> Option<String> {
            None
        }

        fn file(&self, _: &Path) -> std::io::Result<String> {
            Ok("c2VjcmV0\n".to_owned())
        }
    }

    #[test]
    fn a_folder_and_a_key_are_needed_and_the_rest_has_a_default() {
        let read = |text: &str| {
            let mut section = Section::of_text(text, &Around).expect("TOML");
            let audit = Audit::read(&mut section);
            (audit, section.end().into_iter().map(|fault| fault.key).collect::<Vec<_>>())
        };
        let (audit, faults) = read("checkpoints = \"/c\"\nsigning_key_file = \"/k\"");
        assert_eq!((audit.expect("a section").every, faults), (Duration::from_hours(1), Vec::new()));
        let (audit, faults) = read("every_minutes = 0");
        assert!(audit.is_none());
        assert_eq!(faults, ["checkpoints", "signing_key_file", "every_minutes"]);
    }
}
