//! `contracts diff` and `agreements diff`: what another set would change, in words and on the stored traffic.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::harness::{brygga, root};

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, target).expect("copied");
        }
    }
}

/// The repository's contracts with some texts changed.
fn changed(folder: &Path, changes: &[(&str, &str, &str)]) -> PathBuf {
    let target = folder.join("new");
    copy(&root().join("contracts"), &target);
    for (file, from, to) in changes {
        let path = target.join(file);
        let text = std::fs::read_to_string(&path).expect("a file");
        let other = text.replacen(from, to, 1);
        assert_ne!(text, other, "{file} has no {from}");
        std::fs::write(path, other).expect("written");
    }
    target
}

fn diff(what: &str, new: &Path, more: &[&str]) -> (u8, String) {
    let (old, new) = (root().join("contracts").display().to_string(), new.display().to_string());
    let mut args = vec![what, "diff", &old, &new];
    args.extend_from_slice(more);
    brygga(&args)
}

const REPORT: &str = "messages/activity-report/v1/schema.json";
const LUND: &str = "agreements/lund-2026.toml";

#[test]
fn the_same_set_differs_in_nothing() {
    let contracts = root().join("contracts");
    for what in ["contracts", "agreements"] {
        assert_eq!(diff(what, &contracts, &[]), (0, "Nothing differs.\n".to_owned()));
    }
}

#[test]
fn a_contract_says_whether_documents_that_were_valid_become_invalid() {
    let required = (REPORT, "\"reportId\", \"revision\", ", "\"caseReference\", \"reportId\", \"revision\", ");
    let table = [
        (required, "yes", "caseReference becomes required"),
        ((REPORT, "\"maxLength\": 4000", "\"maxLength\": 5000"), "no", "note has 1 to 5000 characters, before 1 to 4000"),
        ((REPORT, "\"maxLength\": 4000", "\"maxLength\": 400"), "yes", "note has 1 to 400 characters, before 1 to 4000"),
        (("messages/activity-report/v1/rules.toml", "# ", "# Other words. "), "cannot say", "rules cannot be compared"),
    ];
    for (change, invalid, words) in table {
        let folder = tempfile::tempdir().expect("a folder");
        let (code, text) = diff("contracts", &changed(folder.path(), &[change]), &[]);
        assert_eq!(code, 1, "{text}");
        let told = format!("activity-report.v1: documents valid before become invalid: {invalid}\n");
        assert!(text.contains(&told) && text.contains(words), "{text}");
    }
}

#[test]
fn an_agreement_says_its_dates_gates_and_lines_and_which_field_becomes_visible_to_whom() {
    let folder = tempfile::tempdir().expect("a folder");
    let changes = [
        (LUND, "to = \"2028-12-31\"", "to = \"2027-12-31\""),
        (LUND, "attendance = \"with-consent\"", "attendance = \"always\""),
        (LUND, "purpose = \"Uppföljning", "purpose = \"Noggrann uppföljning"),
        (LUND, "gate = { kind = \"waiver\", rule = \"OSL 10:1, 12:2\"", "gate = { kind = \"statutory-duty\", rule = \"prov\""),
    ];
    let new = changed(folder.path(), &changes);
    let (code, text) = diff("agreements", &new, &[]);
    assert_eq!(code, 1, "{text}");
    for words in [
        "lund-2026 version 1:",
        "last day: 2027-12-31, before 2028-12-31",
        "purpose: \"Noggrann uppföljning",
        "gate to arbetsformedlingen: statutory-duty (prov;",
        "matrix to arbetsformedlingen, attendance: always (line",
        "becomes visible to arbetsformedlingen (was visible where a waiver names it), by lund-2026 version 1",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let (_, json) = diff("agreements", &new, &["--json"]);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    let seen = json["visibility"].as_array().expect("fields");
    assert!(!seen.is_empty() && seen.iter().all(|one| one["after"] == "always" && one["before"] == "with-consent"), "{json}");
}

#[test]
fn on_the_stored_traffic_it_counts_whom_how_many_reports_would_reach_and_tells_no_value() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data").display().to_string();
    assert_eq!(brygga(&["demo", "--once", "--json", "--data", &data]).0, 0);
    let changes = [("agreements/hallefors-2026.toml", ", \"af.avvikelserapport.v1\"]", "]")];
    let new = changed(folder.path(), &changes);
    let (code, text) = diff("agreements", &new, &["--since", "2026-01-01", "--data", &data, "--json"]);
    assert_eq!(code, 1, "{text}");
    let told: Value = serde_json::from_str(&text).expect("JSON");
    let traffic = &told["traffic"];
    assert!(traffic["reports"].as_u64() > Some(10), "{traffic}");
    let fields = traffic["fields"].as_array().expect("fields");
    let reason = fields.iter().find(|one| one["field"] == "absences[].reason").unwrap_or_else(|| panic!("{traffic}"));
    assert!(reason["less"].as_u64() > Some(0) && reason["more"] == 0, "{reason}");
    let (code, text) = diff("agreements", &root().join("contracts"), &["--since", "2026-01-01", "--data", &data]);
    assert!(code == 0 && text.contains("No field of them would be seen more or less."), "{text}");
    let (code, text) = diff("agreements", &new, &["--since", "2026-01-01"]);
    assert_eq!(code, 2, "{text}");
}
