//! Code lists with validity dates: shared activities and absence reasons, and a recipient's own codes mapped from them.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;

use crate::domain::{Files, Flaws, calendar_date};

/// The list of AF's sökandekategorier.
const SKAT: &str = "skat";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenList {
    title: String,
    version: u32,
    #[serde(default)]
    maps: Option<Spanned<String>>,
    code: Vec<WrittenCode>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenCode {
    code: Spanned<String>,
    label: String,
    #[serde(default)]
    value: Option<String>,
    #[serde(default)]
    skat: Option<String>,
    #[serde(default)]
    from: Option<String>,
    #[serde(default)]
    to: Option<String>,
}

/// One code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedCode {
    /// What it is called.
    pub label: String,
    /// The recipient's own code, in a list that maps another.
    pub value: Option<String>,
    /// AF's sökandekategori, where one programme corresponds. It informs and is never sent.
    pub skat: Option<String>,
    from: Option<Date>,
    to: Option<Date>,
}

impl ListedCode {
    /// Whether the code is valid on a day.
    #[must_use]
    pub fn holds_on(&self, day: Date) -> bool {
        self.from.is_none_or(|from| from <= day) && self.to.is_none_or(|to| day <= to)
    }
}

/// One list of codes.
#[derive(Debug, Clone, Default)]
pub struct CodeList {
    /// What the list is of.
    pub title: String,
    /// Its version.
    pub version: u32,
    codes: BTreeMap<String, ListedCode>,
}

impl CodeList {
    /// Every code of the list.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ListedCode)> {
        self.codes.iter().map(|(code, listed)| (code.as_str(), listed))
    }

    /// A code of the list.
    #[must_use]
    pub fn get(&self, code: &str) -> Option<&ListedCode> {
        self.codes.get(code)
    }
}

/// All code lists, by file name without extension.
#[derive(Debug, Default)]
pub struct Codes(BTreeMap<String, CodeList>);

impl Codes {
    /// Loads `codes/`.
    pub fn load(files: &Files, flaws: &mut Flaws) -> Self {
        let mut lists = BTreeMap::new();
        let mut maps = Vec::new();
        for (path, text) in files.below("codes/", ".toml") {
            let name = path.trim_start_matches("codes/").trim_end_matches(".toml").to_owned();
            let written: WrittenList = match toml::from_str(text) {
                Ok(written) => written,
                Err(error) => {
                    flaws.add_at(path, text, error.span().map_or(0, |span| span.start), error.message());
                    continue;
                }
            };
            let mut list = CodeList { title: written.title, version: written.version, codes: BTreeMap::new() };
            for code in written.code {
                let at = code.code.span().start;
                let mut date = |text_of: Option<String>| {
                    let date = text_of.as_deref().map(calendar_date).transpose();
                    date.unwrap_or_else(|_| {
                        flaws.add_at(path, text, at, "a date is written YYYY-MM-DD");
                        None
                    })
                };
                let (from, to) = (date(code.from), date(code.to));
                let listed = ListedCode { label: code.label, value: code.value, skat: code.skat, from, to };
                if written.maps.is_some() && listed.value.is_none() {
                    flaws.add_at(path, text, at, "a code of a list that maps another needs a value");
                }
                if let Some(mapped) = &written.maps {
                    maps.push((path, text, at, mapped.get_ref().clone(), code.code.get_ref().clone()));
                }
                if let Some(skat) = &listed.skat {
                    maps.push((path, text, at, SKAT.to_owned(), skat.clone()));
                }
                if list.codes.insert(code.code.into_inner(), listed).is_some() {
                    flaws.add_at(path, text, at, "the code stands twice");
                }
            }
            lists.insert(name, list);
        }
        for (path, text, at, mapped, code) in maps {
            if lists.get(&mapped).is_none_or(|list: &CodeList| list.get(&code).is_none()) {
                flaws.add_at(path, text, at, format!("`{code}` is not in the list `{mapped}`"));
            }
        }
        Self(lists)
    }

    /// A list by name.
    #[must_use]
    pub fn list(&self, name: &str) -> Option<&CodeList> {
        self.0.get(name)
    }

    /// All lists with their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &CodeList)> {
        self.0.iter().map(|(name, list)| (name.as_str(), list))
    }
}
