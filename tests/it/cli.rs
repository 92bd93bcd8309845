//! The command line as people and scripts use it.

use std::path::Path;

use serde_json::Value;

use crate::harness::{brygga, root, scenario};

#[test]
fn the_demo_adds_up_and_a_second_run_finds_only_duplicates() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data").display().to_string();
    let args = ["demo", "--once", "--json", "--data", &data];
    let (code, first) = brygga(&args);
    assert_eq!(code, 0, "{first}");
    let first: Value = serde_json::from_str(&first).expect("JSON");
    assert!(first["received"].as_i64() >= Some(40));
    let (code, second) = brygga(&args);
    assert_eq!(code, 0);
    let second: Value = serde_json::from_str(&second).expect("JSON");
    for same in ["refused", "diverted", "recorded", "journeys", "legs"] {
        assert_eq!(first[same], second[same], "{same} has changed");
    }
    assert_eq!(second["thisRun"]["received"], second["thisRun"]["duplicates"]);
    let now = second["duplicates"].as_i64().expect("a number");
    assert_eq!(now, first["duplicates"].as_i64().expect("a number") + first["received"].as_i64().expect("a number"));
}

#[test]
fn a_report_of_2016_is_too_late_today_and_passes_as_of_then() {
    let folder = root().join("fixtures/scenarios/late-report-of-2016-in-2026");
    let (_, paths) = scenario(&folder);
    let file = paths.last().expect("a report").display().to_string();
    let (code, text) = brygga(&["check", "--as-of", "2026-03-16", "--assume-consent", &file]);
    assert_eq!(code, 1);
    assert!(text.contains("agreement.late"), "{text}");
    let (code, text) = brygga(&["check", "--as-of", "2016-03-01", "--assume-consent", "--json", &file]);
    let answer: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((code, answer["clean"].as_bool()), (0, Some(true)), "{text}");
    assert_eq!(answer["files"][0]["legs"][0]["status"], "signed");
}

#[test]
fn check_says_what_becomes_of_each_field_and_by_which_line() {
    let (_, paths) = scenario(&root().join("fixtures/scenarios/late-report-of-2016-in-2026"));
    let file = paths.last().expect("a report").display().to_string();
    let (_, text) = brygga(&["check", "--as-of", "2016-03-01", "--json", "--assume-consent", &file]);
    let answer: Value = serde_json::from_str(&text).expect("JSON");
    let legs = answer["files"][0]["legs"].as_array().expect("legs");
    let leg = legs.iter().find(|leg| leg["recipient"] == "arbetsformedlingen").expect("AF's leg");
    let field = |name: &str| {
        let fields = leg["fields"].as_array().expect("fields");
        fields.iter().find(|field| field["field"] == name).unwrap_or_else(|| panic!("{name} is not told")).clone()
    };
    assert_eq!(field("participant.personNumber")["fate"], "disclosed");
    assert_eq!(field("note")["fate"], "withheld");
    let line = field("note")["line"].as_u64().expect("a line");
    let agreement = std::fs::read_to_string(root().join("contracts/agreements/hallefors-2015.toml")).expect("the agreement");
    let named = agreement.lines().nth(usize::try_from(line).expect("small") - 1).expect("the line");
    assert!(named.starts_with("free-text"), "line {line} is `{named}`");
    let (code, text) = brygga(&["check", "--as-of", "2016-03-01", "--json", &file]);
    assert_eq!(code, 1, "without a waiver the leg is held");
    assert!(text.contains("\"unknown\""), "what a waiver would open is not known yet");
}

#[test]
fn lint_tells_every_flaw_with_file_and_line() {
    let copy = tempfile::tempdir().expect("a folder");
    copy_all(&root().join("contracts"), copy.path());
    let path = copy.path().display().to_string();
    assert_eq!(brygga(&["contracts", "lint", "--contracts", &path]), (0, "The contracts have no flaw.\n".to_owned()));
    let edit = |file: &str, from: &str, to: &str| {
        let path = copy.path().join(file);
        let text = std::fs::read_to_string(&path).expect("a file");
        assert!(text.contains(from), "{file} has no `{from}`");
        std::fs::write(path, text.replacen(from, to, 1)).expect("written");
    };
    edit("messages/activity-report/v1/schema.json", "\"x-category\": \"case\", ", "");
    edit(
        "messages/activity-report/v1/schema.json",
        "\"caseReference\":",
        "\"note\": { \"type\": \"boolean\" },\n    \"caseReference\":",
    );
    edit("messages/activity-report/v1/rules.toml", "contract.period-order", "contract.no-such-code");
    edit("agreements/hallefors-2015.toml", "free-text = \"never\"", "free-texts = \"never\"");
    edit("agreements/lund-2026.toml", "to = \"2028-12-31\"", "to = \"2028-02-30\"");
    edit("codes/af-avvikelseorsak.toml", "value = \"26\"", "value = \"99\"");
    edit("translations/fs.narvarosammanfattning.v1.toml", "as = \"hours\"", "as = \"days\"");
    edit("parties.toml", "212000-1942", "212000-1943");
    let (code, text) = brygga(&["contracts", "lint", "--contracts", &path]);
    assert_eq!(code, 1);
    for flaw in [
        "messages/activity-report/v1/schema.json:37:",
        "messages/activity-report/v1/rules.toml:",
        "agreements/hallefors-2015.toml:",
        "agreements/lund-2026.toml:",
        "translations/af.avvikelserapport.v1.toml:",
        "translations/fs.narvarosammanfattning.v1.toml:",
        "parties.toml:",
        "the same key stands twice",
    ] {
        assert!(text.contains(flaw), "{flaw} is not told:\n{text}");
    }
    assert!(text.lines().filter(|line| line.contains(':')).all(|line| !line.contains(":0:")), "lines count from 1");
}

fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let path = entry.expect("a file").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy_all(&path, &target);
        } else {
            std::fs::copy(&path, &target).expect("copied");
        }
    }
}

#[test]
fn a_dead_letter_is_listed_shown_masked_run_again_and_set_aside() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data").display().to_string();
    assert_eq!(brygga(&["demo", "--once", "--json", "--data", &data]).0, 0);
    let (_, text) = brygga(&["dead-letters", "list", "--json", "--data", &data]);
    let list: Value = serde_json::from_str(&text).expect("JSON");
    let letters = list["deadLetters"].as_array().expect("letters").clone();
    assert!(letters.len() > 5 && list["diverted"].as_i64() > Some(0) && list["restricted"].as_i64() > Some(0));
    let letter =
        letters.iter().find(|letter| letter["code"].as_str().is_some_and(|code| code.starts_with("agreement."))).expect("one");
    let number = letter["message"].to_string();
    let (code, text) = brygga(&["dead-letters", "show", "--json", "--data", &data, &number]);
    let shown: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(code, 0);
    assert_eq!(shown["document"]["participant"]["personNumber"], "•••");
    assert_eq!(shown["document"]["note"], "•••");
    assert!(shown["document"]["period"]["from"].as_str().is_some_and(|date| date.starts_with("20")), "a date is shown");
    let (code, text) = brygga(&["dead-letters", "retry", "--data", &data, &number]);
    assert_eq!((code, text.contains("refused again")), (0, true), "{text}");
    assert_eq!(brygga(&["dead-letters", "discard", "--data", &data, "--reason", "sent anew", &number]).0, 0);
    assert_eq!(brygga(&["dead-letters", "show", "--data", &data, &number]).0, 1, "it is gone from the desk");
    assert_eq!(brygga(&["dead-letters", "retry", "--data", &data, &number]).0, 1, "and stays refused");
    let (_, text) = brygga(&["dead-letters", "list", "--json", "--data", &data]);
    let now: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(now["deadLetters"].as_array().map(Vec::len), Some(letters.len() - 1));
    let (_, held) = brygga(&["held", "list", "--json", "--data", &data]);
    let held: Value = serde_json::from_str(&held).expect("JSON");
    assert!(held["held"].as_array().is_some_and(|held| !held.is_empty()));
}

#[test]
fn agreements_and_contracts_are_listed_and_illustrations_marked() {
    let (code, text) = brygga(&["agreements", "list"]);
    assert_eq!(code, 0);
    assert!(text.contains("lund-2026 (illustrative)") && !text.contains("hallefors-2015 (illustrative)"), "{text}");
    let (_, text) = brygga(&["agreements", "show", "osby-2026"]);
    assert!(text.contains("statutory-duty") && text.contains("with-consent"), "{text}");
    assert_eq!(brygga(&["agreements", "show", "none"]).0, 2);
    let (_, text) = brygga(&["contracts", "list", "--json"]);
    let list: Value = serde_json::from_str(&text).expect("JSON");
    let folders = std::fs::read_dir("contracts/messages").expect("the contracts").count();
    assert_eq!(list["contracts"].as_array().map(Vec::len), Some(folders));
}

#[test]
fn a_wrong_command_line_is_told_and_touches_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data").display().to_string();
    for args in [
        vec!["demo", "--listen", "0.0.0.0:8480", "--data", &data],
        vec!["demo", "--json", "--data", &data],
        vec!["check"],
        vec!["check", "no-such-file.json"],
        vec!["check", "--as-of", "yesterday", "x.json"],
        vec!["dead-letters", "list", "--data", &data],
        vec!["contracts", "lint", "--contracts", "no-such-folder"],
    ] {
        let (code, text) = brygga(&args);
        assert_eq!(code, 2, "{args:?}: {text}");
        assert!(!text.is_empty());
    }
    assert!(!folder.path().join("data").exists());
}

#[test]
fn explain_tells_the_story_of_a_message_of_the_demo_without_its_values() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data").display().to_string();
    assert_eq!(brygga(&["demo", "--once", "--json", "--data", &data]).0, 0);
    let id = "d47aa068-39f4-4ac9-a94f-7fd5826f9f25";
    let (code, text) = brygga(&["explain", "--data", &data, "--json", id]);
    let story: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(code, 0, "{text}");
    let legs = story["messages"][0]["legs"].as_array().expect("legs");
    let to_af = legs.iter().find(|leg| leg["recipient"] == "arbetsformedlingen").expect("a leg to AF");
    assert_eq!(to_af["basis"]["regime"], "gdpr-2018");
    for fate in ["disclosed", "absent"] {
        assert!(to_af["fields"].as_array().expect("fields").iter().any(|field| field["fate"] == fate), "{fate}");
    }
    let (code, table) = brygga(&["explain", "--data", &data, id]);
    assert_eq!(code, 0, "{table}");
    for words in ["contract", "gdpr-2018", "osl-26-1", "disclosed", "contract set"] {
        assert!(table.contains(words), "{words}: {table}");
    }
    let bytes =
        std::fs::read(root().join(format!("fixtures/demo/13.hallefors-ame.activity-report.v1.{id}.json"))).expect("the report");
    let report: Value = serde_json::from_slice(&bytes).expect("JSON");
    let number = report["participant"]["personNumber"].as_str().expect("a number");
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let tail = &digits[digits.len() - 4..];
    assert!(!table.contains(&digits) && !text.contains(&digits) && !table.contains(&format!("-{tail} ")));
    let (code, text) = brygga(&["explain", "--data", &data, "00000000-0000-4000-8000-000000000000"]);
    assert_eq!((code, text.trim()), (1, "No message under this id has come, or none that may be looked at."));
}
