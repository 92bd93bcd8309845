//! The files of a contract set, wherever they came from, and the flaws that are found in them.

use std::collections::BTreeMap;
use std::fmt;

/// Paths with `/` below the set's root, and the text of each file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files(BTreeMap<String, String>);

impl Files {
    /// Adds a file.
    pub fn insert(&mut self, path: impl Into<String>, text: impl Into<String>) {
        self.0.insert(path.into(), text.into());
    }

    /// The text of a file.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    /// The files below a folder that end in an extension, in the order of their paths.
    pub fn below<'a>(&'a self, folder: &'a str, extension: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0
            .iter()
            .filter(move |(path, _)| path.starts_with(folder) && path.ends_with(extension))
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Every file, in the order of the paths.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }
}

/// One thing that is wrong in a contract set, with its place in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flaw {
    /// The file's path below the set's root.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, in words.
    pub words: String,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.words)
    }
}

/// Collects the flaws of a set: loading goes on after the first, so that all are reported at once.
#[derive(Debug, Default)]
pub struct Flaws(Vec<Flaw>);

impl Flaws {
    /// Notes a flaw at a line.
    pub fn add(&mut self, file: &str, line: usize, words: impl Into<String>) {
        self.0.push(Flaw { file: file.to_owned(), line, words: words.into() });
    }

    /// Notes a flaw at a byte offset of a text.
    pub fn add_at(&mut self, file: &str, text: &str, offset: usize, words: impl Into<String>) {
        let line = text.get(..offset).unwrap_or(text).matches('\n').count() + 1;
        self.add(file, line, words);
    }

    /// Whether none was found.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The flaws, ordered by file and line.
    #[must_use]
    pub fn into_sorted(mut self) -> Vec<Flaw> {
        self.0.sort();
        self.0.dedup();
        self.0
    }
}
