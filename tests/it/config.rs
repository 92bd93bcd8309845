//! The configuration: every fault at once, and the same reading in `config check` as in `serve`.

use std::io;
use std::path::Path;

use brygga::config::{Config, Surroundings};

use crate::harness::{brygga, root};

/// A machine on which every file of a secret is there.
struct EveryFile;

impl Surroundings for EveryFile {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, _: &Path) -> io::Result<String> {
        Ok("c2VjcmV0".to_owned())
    }
}

#[test]
fn the_sample_is_a_good_configuration_and_so_it_is_with_everything_that_it_only_explains() {
    let sample = std::fs::read_to_string(root().join("deploy/brygga.toml")).expect("the sample");
    if let Err(faults) = Config::read(&sample, &EveryFile) {
        panic!("{faults:#?}");
    }
    // What is commented out shows its default; a line that is no key is a sentence.
    let all: String = sample
        .lines()
        .map(|line| {
            let said = line.strip_prefix("# ").unwrap_or(line);
            let is_key = said.split_once(" = ").is_some_and(|(key, _)| key.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
            let is_other = ["san = ", "spki = "].iter().any(|other| said.starts_with(other));
            let is_table = said.starts_with('[') && said.ends_with(']');
            let shown = if (is_key && !is_other) || is_table { said } else { line };
            format!("{shown}\n")
        })
        .collect();
    assert!(all.lines().filter(|line| line.contains(" = ") && !line.starts_with('#')).count() > 45, "{all}");
    match Config::read(&all, &EveryFile) {
        Ok(config) => assert!(config.spool.is_some() && config.amqp.is_some_and(|amqp| amqp.client_certificate.is_some())),
        Err(faults) => panic!("{faults:#?}"),
    }
}

#[test]
fn no_secret_of_a_configuration_is_printed() {
    let sample = std::fs::read_to_string(root().join("deploy/brygga.toml")).expect("the sample");
    let config = Config::read(&sample, &EveryFile).unwrap_or_else(|faults| panic!("{faults:#?}"));
    assert!(!format!("{config:?}").contains("c2VjcmV0"));
}

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
