//! The configuration: every fault at once, and the same reading in `config check` as in `serve`.

use crate::harness::{brygga, root};

fn check(text: &str) -> (u8, String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("brygga.toml");
    std::fs::write(&path, text).expect("written");
    brygga(&["config", "check", "--config", path.to_str().expect("UTF-8")])
}

#[test]
fn config_check_tells_every_fault_with_its_line_and_key() {
    let (code, told) = check("[contracts]\nfolder = \"/nowhere\"\nilustrations = []\n[management]\nlisten = \"somewhere\"\n");
    assert_eq!(code, 1, "{told}");
    for wanted in ["line 3: contracts.ilustrations: there is no such key", "line 5: management.listen: "] {
        assert!(told.contains(wanted), "{wanted} is not in\n{told}");
    }
}

#[test]
fn a_configuration_that_is_not_there_cannot_be_checked() {
    let path = root().join("no-such-file.toml");
    assert_eq!(brygga(&["config", "check", "--config", path.to_str().expect("UTF-8")]).0, 2);
}
