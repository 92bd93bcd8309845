//! All scenarios with logs at debug level: no personal number in any form and no name in logs, answers or problem documents.

mod forms;
mod production;

use std::io::Write;
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::MakeWriter;

use crate::harness::{Desk, brygga, root, scenario};

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("a lock").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Kept {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// What must appear nowhere: every run of ten or twelve digits of the messages that could be a personal number, in its
/// written forms, and what stands in the names.
pub(crate) fn secrets(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for marker in ["personNumber", "givenName", "familyName", "motivation", "note"] {
        for (at, _) in text.match_indices(marker) {
            let rest = &text[at + marker.len()..];
            let value: String = rest
                .trim_start_matches(['"', ':', ' ', '>'])
                .chars()
                .take_while(|c| !matches!(c, '"' | '<' | '\n' | ','))
                .collect();
            if value.chars().count() >= 4 && value != "null" {
                found.push(value);
            }
        }
    }
    let numbers: Vec<String> = found
        .iter()
        .filter(|value| value.chars().filter(char::is_ascii_digit).count() >= 10)
        .map(|value| value.chars().filter(char::is_ascii_digit).collect::<String>())
        .collect();
    for digits in numbers {
        let ten = digits[digits.len() - 10..].to_owned();
        found.push(format!("{}-{}", &ten[..6], &ten[6..]));
        found.push(format!("{}+{}", &ten[..6], &ten[6..]));
        found.push(ten);
    }
    found
}

#[test]
fn nothing_of_a_person_is_in_logs_or_in_what_operators_see() {
    let kept = Kept::default();
    // For the whole test binary, so that what other threads and other tests log is searched as well.
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_writer(kept.clone()).finish();
    tracing::subscriber::set_global_default(subscriber).expect("no other test keeps the log");
    let mut seen = String::new();
    let mut secret = Vec::new();
    {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        let mut folders: Vec<_> = std::fs::read_dir(root().join("fixtures/scenarios"))
            .expect("scenarios")
            .map(|e| e.expect("a folder").path())
            .collect();
        folders.push(root().join("fixtures/demo"));
        for folder in folders {
            let (scenario, _) = scenario(&folder);
            for message in &scenario.messages {
                secret.extend(secrets(&String::from_utf8_lossy(&message.bytes)));
            }
            let (desk, outcomes) = runtime.block_on(async {
                let desk = Desk::open(&scenario).await;
                let outcomes = desk.run(&scenario).await;
                (desk, outcomes)
            });
            seen.push_str(&format!("{outcomes:?} {desk:?}", desk = desk.journey));
            let data = desk.path().display().to_string();
            for args in [vec!["dead-letters", "list"], vec!["held", "list"]] {
                seen.push_str(&brygga(&[&args[..], &["--json", "--data", &data]].concat()).1);
            }
            for (_, outcome) in outcomes {
                let number = outcome.number().to_string();
                seen.push_str(&brygga(&["dead-letters", "show", "--data", &data, &number]).1);
            }
        }
    }
    let log = String::from_utf8_lossy(&kept.0.lock().expect("a lock")).into_owned();
    assert!(log.contains("committed"), "the log was kept: {} bytes", log.len());
    assert!(seen.contains("contract.missing"), "letters were shown");
    secret.sort();
    secret.dedup();
    assert!(secret.len() > 100, "secrets were found to look for");
    let leaks: Vec<&String> = secret.iter().filter(|value| log.contains(*value) || seen.contains(*value)).collect();
    // The values themselves must not be printed by this very test, so only their number is.
    assert!(leaks.is_empty(), "{} value(s) of persons have leaked", leaks.len());
}

#[test]
fn the_search_itself_can_find_a_leak() {
    let found = secrets("{ \"personNumber\": \"19990723-2392\", \"givenName\": \"Lars\" }");
    for form in ["19990723-2392", "990723-2392", "9907232392", "Lars"] {
        assert!(found.iter().any(|value| value == form), "{form} is not looked for");
    }
}
