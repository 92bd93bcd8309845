//! Reads one table of the configuration, key by key, and keeps every fault with its key and line.
//!
//! A struct that serde fills stops at the first fault; an operator wants all of them at once. So each key is read by itself,
//! what is left over at the end is an unknown key, and what cannot be read does not keep the rest from being looked at.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use secrecy::SecretString;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

/// One fault of a configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {key}: {words}")]
pub struct ConfigFault {
    /// The key, with the tables it lies in: `amqp.prefetch`.
    pub key: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, without the value.
    pub words: String,
}

/// What the machine gives a configuration besides its own text: files of secrets, and the environment.
pub trait Surroundings {
    /// An environment variable.
    fn variable(&self, name: &str) -> Option<String>;

    /// A file's text.
    ///
    /// # Errors
    /// Where the file cannot be read.
    fn file(&self, path: &Path) -> std::io::Result<String>;
}

/// The machine that the program runs on.
#[derive(Debug, Clone, Copy)]
pub struct Machine;

impl Surroundings for Machine {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn file(&self, path: &Path) -> std::io::Result<String> {
        std::fs::read_to_string(path)
    }
}

/// A table that is being read.
pub struct Section<'t> {
    path: String,
    text: &'t str,
    line: usize,
    table: DeTable<'t>,
    around: &'t dyn Surroundings,
    faults: Vec<ConfigFault>,
}

impl<'t> Section<'t> {
    /// The whole file.
    ///
    /// # Errors
    /// Where the text is not TOML.
    pub fn of_text(text: &'t str, around: &'t dyn Surroundings) -> Result<Self, ConfigFault> {
        match DeTable::parse(text) {
            Ok(table) => Ok(Self::new(String::new(), text, 1, table.into_inner(), around)),
            Err(error) => {
                let line = line_of(text, error.span().map_or(0, |span| span.start));
                Err(ConfigFault { key: "the file".to_owned(), line, words: error.message().to_owned() })
            }
        }
    }

    const fn new(path: String, text: &'t str, line: usize, table: DeTable<'t>, around: &'t dyn Surroundings) -> Self {
        Self { path, text, line, table, around, faults: Vec::new() }
    }

    fn key(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// Records a fault at a key of this table.
    pub fn fault(&mut self, name: &str, line: usize, words: impl Into<String>) {
        let key = self.key(name);
        self.faults.push(ConfigFault { key, line, words: words.into() });
    }

    fn take(&mut self, name: &str) -> Option<(usize, Spanned<DeValue<'t>>)> {
        let value = self.table.remove(name)?;
        Some((line_of(self.text, value.span().start), value))
    }

    /// The line of this table, for faults of the table as a whole.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.line
    }

    /// Whether a fault was found in this table.
    #[must_use]
    pub const fn has_faults(&self) -> bool {
        !self.faults.is_empty()
    }

    /// How many faults were found in this table.
    #[must_use]
    pub const fn fault_count(&self) -> usize {
        self.faults.len()
    }

    /// Whether the table has a key that was not read yet.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.table.contains_key(name)
    }

    /// A value as serde reads it; `None` where it is absent or wrong.
    pub fn value<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        let (line, value) = self.take(name)?;
        match T::deserialize(ValueDeserializer::from(value)) {
            Ok(value) => Some(value),
            Err(error) => {
                self.fault(name, line, expected(error.message()));
                None
            }
        }
    }

    /// A value with a default.
    pub fn value_or<T: DeserializeOwned>(&mut self, name: &str, default: T) -> T {
        self.value(name).unwrap_or(default)
    }

    /// A value that must be there.
    pub fn required<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        if !self.has(name) {
            self.fault(name, self.line, "the key is missing");
        }
        self.value(name)
    }

    /// A text that is read by the type's own rules; `None` where it is absent or wrong.
    pub fn parsed<T: FromStr>(&mut self, name: &str, words: &str) -> Option<T> {
        let (line, value) = self.take(name)?;
        let parsed = value.get_ref().as_str().and_then(|text| text.parse().ok());
        if parsed.is_none() {
            self.fault(name, line, words);
        }
        parsed
    }

    /// A whole number inside bounds, with a default.
    pub fn number(&mut self, name: &str, default: u64, bounds: std::ops::RangeInclusive<u64>) -> u64 {
        let line = self.table.get(name).map_or(self.line, |value| line_of(self.text, value.span().start));
        let number = self.value_or(name, default);
        if !bounds.contains(&number) {
            self.fault(name, line, format!("a number from {} to {}", bounds.start(), bounds.end()));
            return default;
        }
        number
    }

    /// A time in milliseconds inside bounds, with a default. The key ends in `_ms`.
    pub fn millis(&mut self, name: &str, default: u64, bounds: std::ops::RangeInclusive<u64>) -> Duration {
        Duration::from_millis(self.number(name, default, bounds))
    }

    /// A path that must be there; whether the file is, is for the one who opens it.
    pub fn path(&mut self, name: &str) -> Option<PathBuf> {
        self.required(name)
    }

    /// A secret: from the file that `<name>_file` names, or from the environment variable `BRYGGA_<TABLE>_<NAME>`. It may
    /// not stand in the configuration itself, which is read by more people than the secret is for.
    pub fn secret(&mut self, name: &str) -> Option<SecretString> {
        if let Some((line, _)) = self.take(name) {
            self.fault(name, line, format!("a secret does not stand here; put it into a file and name it with {name}_file"));
            return None;
        }
        let by_file = format!("{name}_file");
        if let Some((line, value)) = self.take(&by_file) {
            let Some(path) = value.get_ref().as_str() else {
                self.fault(&by_file, line, "a path is a text");
                return None;
            };
            return match self.around.file(Path::new(path)) {
                Ok(text) if !text.trim().is_empty() => Some(SecretString::from(text.trim_end_matches(['\r', '\n']))),
                Ok(_) => {
                    self.fault(&by_file, line, "the file is empty");
                    None
                }
                Err(error) => {
                    self.fault(&by_file, line, format!("the file cannot be read: {}", error.kind()));
                    None
                }
            };
        }
        let variable = format!("BRYGGA_{}", self.key(name).to_uppercase().replace(['.', '-'], "_"));
        self.around.variable(&variable).filter(|text| !text.is_empty()).map(SecretString::from)
    }

    /// The path that a key names, which stays to be read.
    pub(super) fn shown(&self, name: &str) -> Option<PathBuf> {
        self.table.get(name).and_then(|value| value.get_ref().as_str()).map(PathBuf::from)
    }

    /// A secret that must be there.
    pub fn required_secret(&mut self, name: &str) -> Option<SecretString> {
        let before = self.faults.len();
        let secret = self.secret(name);
        if secret.is_none() && self.faults.len() == before {
            let line = self.line;
            self.fault(&format!("{name}_file"), line, "the key is missing, and so is its environment variable");
        }
        secret
    }

    /// A list of files of secrets that must not be empty. Each is read once now, so that one that is missing is told here;
    /// whoever uses them reads them again.
    pub fn secret_files(&mut self, name: &str) -> Option<Vec<PathBuf>> {
        let line = self.table.get(name).map_or(self.line, |value| line_of(self.text, value.span().start));
        let files: Vec<PathBuf> = self.required(name)?;
        let before = self.faults.len();
        if files.is_empty() {
            self.fault(name, line, "at least one file is named");
        }
        for (index, file) in files.iter().enumerate() {
            match self.around.file(file) {
                Ok(text) if !text.trim().is_empty() => {}
                Ok(_) => self.fault(name, line, format!("file {index}, counted from 0, is empty")),
                Err(error) => {
                    self.fault(name, line, format!("file {index}, counted from 0, cannot be read: {}", error.kind()));
                }
            }
        }
        (self.faults.len() == before).then_some(files)
    }

    /// A table in this table; `None` where it is absent or no table. Give it back with [`Section::end`].
    pub fn section(&mut self, name: &str) -> Option<Section<'t>> {
        let (line, value) = self.take(name)?;
        let key = self.key(name);
        if let DeValue::Table(table) = value.into_inner() {
            return Some(Section::new(key, self.text, line, table, self.around));
        }
        self.fault(name, line, "a table is expected");
        None
    }

    /// A list of tables; empty where it is absent.
    pub fn sections(&mut self, name: &str) -> Vec<Section<'t>> {
        let Some((line, value)) = self.take(name) else { return Vec::new() };
        let key = self.key(name);
        let DeValue::Array(items) = value.into_inner() else {
            self.fault(name, line, "a list of tables is expected");
            return Vec::new();
        };
        let mut sections = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            let line = line_of(self.text, item.span().start);
            if let DeValue::Table(table) = item.into_inner() {
                sections.push(Section::new(format!("{key}[{index}]"), self.text, line, table, self.around));
            } else {
                self.fault(&format!("{name}[{index}]"), line, "a table is expected");
            }
        }
        sections
    }

    /// Takes over the faults of a table that has been read.
    pub fn absorb(&mut self, part: Section<'t>) {
        self.faults.extend(part.end());
    }

    /// Ends the reading: every key that nobody has asked for is unknown.
    #[must_use]
    pub fn end(mut self) -> Vec<ConfigFault> {
        let left: Vec<(String, usize)> =
            self.table.iter().map(|(key, _)| (key.get_ref().to_string(), line_of(self.text, key.span().start))).collect();
        for (name, line) in left {
            self.fault(&name, line, "there is no such key");
        }
        self.faults
    }
}

impl std::fmt::Debug for Section<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Section").field("path", &self.path).finish_non_exhaustive()
    }
}

/// What serde says was expected, without what it found: that is the value itself, and somebody may have put a secret where the
/// name of its file belongs.
fn expected(words: &str) -> String {
    let expected = words.rsplit_once(", expected ").map(|(_, expected)| expected);
    expected.map_or_else(|| "the value cannot be used".to_owned(), |expected| format!("expected {expected}"))
}

fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{Machine, Section};

    #[test]
    fn a_fault_says_what_was_expected_and_never_shows_the_value() {
        let text = "wrapping_key_files = \"hush, expected hush\"\nnumber = \"hush\"\ndeclare = \"hush\"\n";
        let mut section = Section::of_text(text, &Machine).expect("it is TOML");
        assert_eq!(section.secret_files("wrapping_key_files"), None);
        assert_eq!(section.number("number", 7, 1..=9), 7);
        assert_eq!(section.value::<bool>("declare"), None);
        assert_eq!(section.value::<PathBuf>("absent"), None);
        let faults = section.end();
        assert_eq!(faults.len(), 3, "{faults:?}");
        for fault in faults {
            assert!(fault.words.starts_with("expected ") && !fault.words.contains("hush"), "{fault}");
        }
    }
}
