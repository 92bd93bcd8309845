//! Nobody can search or sort by sensitive data (dataskyddslagen 3:3; row `dsl-3-3` of the law): every argument of every
//! command, every parameter of the API and every act of the store's port is held against the contracts' sensitive fields.

use std::collections::BTreeSet;

use brygga::cli::Cli;
use brygga::domain::Leaf;
use clap::{Command, CommandFactory as _};
use serde_json::Value;

use crate::harness::{root, set};

/// Words that name a sensitive field: its own name, its path, its category, and what the law's examples are called.
fn sensitive_words() -> BTreeSet<String> {
    let (set, today) = (set(), jiff::civil::date(2026, 3, 2));
    assert_eq!(set.law.bans(today).map(|row| row.id.as_str()).collect::<Vec<_>>(), ["dsl-3-3"], "the rule applies");
    let mut words = BTreeSet::new();
    let mut leaves = 0;
    for contract in set.catalogue.contracts() {
        for leaf in contract.outline().leaves() {
            if set.law.sensitive(leaf, today).next().is_none() {
                continue;
            }
            leaves += 1;
            let Leaf { path, category, .. } = leaf;
            words.insert(plain(path.rsplit('.').next().unwrap_or(path)));
            words.insert(plain(path));
            words.insert(plain(category.as_str()));
        }
    }
    assert!(leaves >= 6, "the contracts have sensitive fields: {leaves}");
    words.extend(["skat", "diagnosis", "health", "freetext", "category", "sensitivity"].map(str::to_owned));
    words
}

/// A name without what parts its words: `absence-reason`, `absenceReason` and `absence_reason` are one.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

/// Acts of a person that say why: the reason is the person's own, for the audit log, and selects nothing.
const ACTS_WITH_A_REASON: [&str; 8] = ["discard", "edit", "revoke", "lift", "record", "erase", "export", "unmask"];

fn arguments(command: &Command, path: &str, into: &mut Vec<(String, String, String)>) {
    for argument in command.get_arguments() {
        into.push((path.to_owned(), command.get_name().to_owned(), argument.get_id().to_string()));
        into.extend(argument.get_long().map(|long| (path.to_owned(), command.get_name().to_owned(), long.to_owned())));
    }
    for inner in command.get_subcommands() {
        arguments(inner, &format!("{path} {}", inner.get_name()), into);
    }
}

#[test]
fn no_argument_of_a_command_names_a_sensitive_field() {
    let words = sensitive_words();
    let mut all = Vec::new();
    arguments(&Cli::command(), "brygga", &mut all);
    assert!(all.len() > 40, "the commands were found");
    let names = |name: &str| words.contains(&plain(name));
    let wrong: Vec<_> = all
        .iter()
        .filter(|(_, command, name)| names(name) && !(name == "reason" && ACTS_WITH_A_REASON.contains(&command.as_str())))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(names("absence-reason") && names("motivation") && !names("operator"), "the check itself can fail");
}

#[test]
fn no_parameter_of_the_api_names_a_sensitive_field() {
    let words = sensitive_words();
    let text = std::fs::read_to_string(root().join("docs/openapi.json")).expect("the description");
    let description: Value = serde_json::from_str(&text).expect("JSON");
    let mut names = Vec::new();
    parameters(&description, &mut names);
    assert!(names.iter().any(|name| name == "lastEventId"), "the parameters were found: {names:?}");
    let wrong: Vec<_> = names.iter().filter(|name| words.contains(&plain(name))).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

fn parameters(node: &Value, into: &mut Vec<String>) {
    match node {
        Value::Object(fields) => {
            if fields.contains_key("in")
                && let Some(name) = fields.get("name").and_then(Value::as_str)
            {
                into.push(name.to_owned());
            }
            fields.values().for_each(|inner| parameters(inner, into));
        }
        Value::Array(items) => items.iter().for_each(|inner| parameters(inner, into)),
        _ => {}
    }
}

/// The acts of the port as they are written: name, parameters, and what they give.
fn acts(text: &str) -> Vec<(String, String, String)> {
    let mut acts = Vec::new();
    for part in text.split("    fn ").skip(1) {
        let end = part.find(';').unwrap_or(part.len());
        let whole: String = part[..end].split_whitespace().collect::<Vec<_>>().join(" ");
        let Some((name, rest)) = whole.split_once('(') else { continue };
        let (taken, given) = rest.split_once("->").unwrap_or((rest, ""));
        acts.push((name.to_owned(), taken.to_owned(), given.to_owned()));
    }
    acts
}

#[test]
fn no_reading_of_the_store_takes_what_a_message_says() {
    let words = sensitive_words();
    let mut all = Vec::new();
    for entry in std::fs::read_dir(root().join("src/store")).expect("the port") {
        let path = entry.expect("a file").path();
        if path.is_file() {
            let text = std::fs::read_to_string(path).expect("a source");
            if text.contains("pub trait ") {
                all.extend(acts(&text));
            }
        }
    }
    assert!(all.len() > 50, "the acts were found");
    let lists: Vec<_> = all.iter().filter(|(.., given)| given.contains("Vec<")).collect();
    assert!(lists.len() > 10);
    for (name, taken, _) in lists {
        for foreign in ["str", "String", "Value", "Document", "Category", "Categories", "Leaf", "Sensitivity"] {
            let typed = taken.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == foreign);
            assert!(!typed, "{name} could be asked by what a message says: {taken}");
        }
        let parameters = taken.split(',').filter_map(|one| one.split_once(':')).map(|(name, _)| name);
        for parameter in parameters {
            assert!(!words.contains(&plain(parameter)), "{name} takes {parameter}");
        }
    }
}

#[test]
fn no_column_of_either_store_holds_a_sensitive_field() {
    let words = sensitive_words();
    for engine in ["sqlite", "postgres"] {
        let mut columns = 0;
        for entry in std::fs::read_dir(root().join("migrations").join(engine)).expect("the migrations") {
            let path = entry.expect("a file").path();
            let text = std::fs::read_to_string(&path).expect("a migration");
            for line in text.lines() {
                let Some(name) = line.trim().split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next() else { continue };
                columns += 1;
                // Why a person did something, in that person's own words, and the record of what legs rest on, which holds
                // nothing of a message.
                let of_the_log = path.ends_with("0002_audit_chain.sql") && ["reason", "text"].contains(&name);
                assert!(of_the_log || !words.contains(&plain(name)), "{engine}: {line}");
            }
        }
        assert!(columns > 50);
    }
}
