//! A password that can be changed while the service runs: where it lies in a file, whoever logs in reads the file again.

use std::path::PathBuf;

use secrecy::SecretString;

use super::section::Section;

/// A password, as it was when the configuration was read, and the file that it lies in.
#[derive(Debug, Clone)]
pub struct Password {
    first: SecretString,
    file: Option<PathBuf>,
}

impl Password {
    /// One that stays as it is.
    #[must_use]
    pub const fn given(first: SecretString) -> Self {
        Self { first, file: None }
    }

    /// The password as its file has it now. Where that cannot be read, or is empty, it is the one from before: whether it
    /// still opens anything is the other side's to say. It reads a file.
    #[must_use]
    pub fn current(&self) -> SecretString {
        let read = self.file.as_ref().and_then(|file| std::fs::read_to_string(file).ok());
        let read = read.filter(|text| !text.trim().is_empty());
        read.map_or_else(|| self.first.clone(), |text| SecretString::from(text.trim_end_matches(['\r', '\n'])))
    }

    /// Reads `password`, as [`Section::secret`] does.
    pub(super) fn read(section: &mut Section<'_>) -> Option<Self> {
        let file = section.shown("password_file");
        Some(Self { first: section.secret("password")?, file })
    }

    /// As [`Password::read`], where it must be there.
    pub(super) fn required(section: &mut Section<'_>) -> Option<Self> {
        let file = section.shown("password_file");
        Some(Self { first: section.required_secret("password")?, file })
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::Password;
    use crate::config::{Machine, Section};

    #[test]
    fn a_changed_file_is_read_again_and_one_that_is_gone_changes_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("password");
        let put = |text: &str| std::fs::write(&file, text).expect("written");
        put("first\n");
        let text = format!("password_file = \"{}\"", file.display());
        let mut section = Section::of_text(&text, &Machine).expect("TOML");
        let password = Password::required(&mut section).expect("a password");
        assert!(section.end().is_empty());
        let now = || password.current().expose_secret().to_owned();
        assert_eq!(now(), "first");
        put("second\n");
        assert_eq!(now(), "second");
        put("\n");
        assert_eq!(now(), "first");
        std::fs::remove_file(&file).expect("removed");
        assert_eq!(now(), "first");
        assert!(!format!("{password:?}").contains("first\""), "it is not shown");
    }
}
