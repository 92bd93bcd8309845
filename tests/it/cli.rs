//! The command line as people and scripts use it.

use serde_json::Value;

use crate::harness::brygga;

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
