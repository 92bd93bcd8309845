//! What a code means and what the sender should do, in plain words: read out of the pages that explain the codes, so that the
//! words stand in one place.

use crate::domain::Code;

/// A language of the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// Swedish.
    Swedish,
    /// English.
    English,
}

/// The pages, and how they begin a cause and what the sender should do.
const SWEDISH: (&str, &str, &str) = (include_str!("../../docs/refusals.sv.md"), "- **Orsak:** ", "- **Vad avsändaren gör:** ");
const ENGLISH: (&str, &str, &str) =
    (include_str!("../../docs/refusals.md"), "- **Cause:** ", "- **What the sender should do:** ");

/// A code in plain words, without any value of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// What is wrong.
    pub cause: String,
    /// What the sender should do.
    pub remedy: String,
}

/// A code in plain words.
#[must_use]
pub fn advice(code: Code, language: Language) -> Advice {
    let (page, cause, remedy) = match language {
        Language::Swedish => SWEDISH,
        Language::English => ENGLISH,
    };
    let head = format!("### `{code}`");
    let section = || page.lines().skip_while(|line| *line != head).skip(1).take_while(|line| !line.starts_with('#'));
    let told = |begin: &str| section().find_map(|line| line.strip_prefix(begin)).map(|text| text.replace('`', ""));
    Advice { cause: told(cause).unwrap_or_else(|| code.words().to_owned()), remedy: told(remedy).unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::{Language, advice};
    use crate::domain::Code;

    #[test]
    fn every_code_has_its_words_in_both_languages() {
        for code in Code::ALL {
            let (swedish, english) = (advice(*code, Language::Swedish), advice(*code, Language::English));
            for words in [&swedish, &english] {
                assert!(words.cause.ends_with('.') && words.remedy.ends_with(['.', ')']), "{code}: {words:?}");
                assert!(!words.cause.contains('`') && !words.remedy.contains('`'), "{code}");
            }
            assert_ne!(swedish, english, "{code}");
        }
    }
}
