//! Fail points are compiled only into the binary of the fault runs.

use std::collections::BTreeSet;
use std::path::Path;

use crate::harness::root;

/// The names of all fail points and planted faults, as the sources have them.
fn names() -> BTreeSet<String> {
    fn collect(folder: &Path, names: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).expect("src") {
            let path = entry.expect("a file").path();
            if path.is_dir() {
                collect(&path, names);
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("a source");
            for macro_name in ["point!(\"", "planted!(\""] {
                for part in text.split(macro_name).skip(1) {
                    names.extend(part.split('"').next().map(str::to_owned));
                }
            }
        }
    }
    let mut names = BTreeSet::new();
    collect(&root().join("src"), &mut names);
    names
}

#[test]
#[cfg(not(feature = "faults"))]
fn the_binary_has_no_fail_point_in_it() {
    let names = names();
    assert!(names.contains("after-commit-before-ack") && names.contains("no-dedup"), "the names were found: {names:?}");
    let bytes = std::fs::read(env!("CARGO_BIN_EXE_brygga")).expect("the binary");
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("activity-report"), "texts of the program are found in it");
    for name in names {
        assert!(!text.contains(&name), "{name} stands in the binary");
    }
}

#[test]
#[cfg(feature = "faults")]
fn the_binary_of_the_fault_runs_has_every_fail_point_in_it() {
    let bytes = std::fs::read(env!("CARGO_BIN_EXE_brygga-faults")).expect("the binary");
    let text = String::from_utf8_lossy(&bytes);
    for name in names() {
        assert!(text.contains(&name), "{name} does not stand in the binary");
    }
}
