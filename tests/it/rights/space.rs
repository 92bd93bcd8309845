//! What retention has blanked takes no space any more: by the command line, on a data folder that a service holds.

use std::path::Path;

use brygga::app::Scenario;
use brygga::journey::Outcome;
use serde_json::Value;

use super::people::{files, message, noon};
use crate::harness::{Desk, brygga};

/// How many bytes the content and the key store take, logs and all.
fn size(folder: &Path) -> u64 {
    let is_store = |path: &&std::path::PathBuf| path.to_string_lossy().contains(".db");
    files(folder).iter().filter(is_store).map(|path| std::fs::metadata(path).map_or(0, |found| found.len())).sum()
}

fn retention(folder: &Path, more: &[&str]) -> Value {
    let mut args = vec!["retention", "run", "--json", "--operator", "ada", "--data"];
    args.push(folder.to_str().expect("a path"));
    args.extend(more);
    let (code, said) = brygga(&args);
    assert_eq!(code, 0, "{said}");
    serde_json::from_str(&said).expect("one object")
}

fn gone<'a>(said: &'a Value, kind: &str) -> &'a Value {
    let kinds = said["kinds"].as_array().expect("kinds");
    &kinds.iter().find(|one| one["kind"] == kind).expect("the kind")["gone"]
}

#[test]
fn a_dry_run_changes_nothing_and_a_run_makes_the_files_smaller() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let instant = noon();
    let broken = || message("activity-report.v1", &format!("{{{}", "x".repeat(30_000)));
    let scenario = Scenario { title: "made here".to_owned(), instant, messages: (0..100).map(|_| broken()).collect() };
    let desk = runtime.block_on(async {
        let desk = Desk::open(&scenario).await;
        desk.run(&scenario).await;
        // The folder's clock goes on for whoever opens it from here on.
        let later = instant + jiff::SignedDuration::from_hours(24 * 60);
        desk.data.store(Some(later)).await.expect("the store opens").close().await;
        desk
    });
    let full = size(desk.path());
    assert!(full > 3_000_000, "{full}");
    let dry = retention(desk.path(), &["--dry-run"]);
    assert_eq!((gone(&dry, "unreadable"), gone(&dry, "dead-letters")), (&100.into(), &0.into()), "{dry}");
    let rule =
        dry["kinds"].as_array().and_then(|kinds| kinds.iter().find(|one| one["kind"] == "audit")).expect("the audit log");
    assert_eq!((&rule["rule"], &rule["days"]), (&"retention.audit_days".into(), &3653.into()));
    assert!(size(desk.path()) >= full, "nothing has gone");
    let run = retention(desk.path(), &[]);
    assert_eq!((gone(&run, "unreadable"), &run["spaceNotGivenBack"]), (&100.into(), &Value::Null), "{run}");
    let left = size(desk.path());
    assert!(left < full / 3, "{left} of {full} bytes are left");
    // The service goes on, and knows what it has had.
    runtime.block_on(async {
        let again = Scenario { title: "made here".to_owned(), instant, messages: scenario.messages[..1].to_vec() };
        let again = desk.run(&again).await;
        assert!(matches!(again[0].1, Outcome::Duplicate(_)), "{again:?}");
    });
}
