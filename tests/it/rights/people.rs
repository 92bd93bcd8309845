//! Two participants of Hällefors and their messages; the first is erased, the second stays. And the search for the first.

use std::path::{Path, PathBuf};

use brygga::app::ScenarioMessage;
use brygga::domain::{PersonKey, RecipientId, Syntax};
use brygga::feed::{Cursor, Method};
use brygga::journey::{Journey, Served};
use brygga::seal::{KeyStore, SealedBytes, WrappedKey, WrappingKeys};
use brygga::spool::Dropped;
use brygga::store::Store;
use jiff::Timestamp;
use uuid::Uuid;

use crate::harness::root;
use crate::privacy::secrets;

/// Who is erased.
pub(super) const FIRST: &str = "19990723-2392";
/// Who stays.
pub(super) const SECOND: &str = "20020309-2390";

pub(super) fn noon() -> Timestamp {
    "2026-03-16T11:00:00Z".parse().expect("an instant")
}

pub(super) fn message(contract: &str, text: &str) -> ScenarioMessage {
    let name = Dropped { contract: contract.parse().expect("a contract"), message_id: Uuid::now_v7(), syntax: Syntax::Json };
    let login = "hallefors-ame".to_owned().try_into().expect("a login");
    ScenarioMessage { order: "01".to_owned(), login, name, bytes: text.as_bytes().to_vec() }
}

fn file(name: &str) -> String {
    std::fs::read_to_string(root().join("benches").join(name)).expect("a message")
}

/// A consent of the first participant.
pub(super) fn consent(id: &str) -> ScenarioMessage {
    message("consent.v1", &file("consent.json").replace("H-0102", id))
}

/// Its revocation.
pub(super) fn revocation(id: &str) -> ScenarioMessage {
    let text = file("consent.json").replace("\"revision\": 1", "\"revision\": 2,\n \"revokedAt\": \"2026-03-16T10:00:00\"");
    message("consent.v1", &text.replace("H-0102", id))
}

/// A report of the first participant.
pub(super) fn report(id: &str) -> ScenarioMessage {
    message("activity-report.v1", &file("report.json").replace("AR-2602-09", id))
}

/// The same of the second.
pub(super) fn of_second(mut message: ScenarioMessage) -> ScenarioMessage {
    let text = String::from_utf8(message.bytes).expect("UTF-8");
    let text = text.replace("199907232392", "200203092390").replace(FIRST, SECOND);
    message.bytes =
        text.replace("Lars", "Anna").replace("Testdotter", "Provsson").replace("Ringde på morgonen", "Skrev").into();
    message
}

/// What stands in the first participant's messages and in nobody else's.
pub(super) fn first_ones_values() -> Vec<String> {
    let mut values = secrets(&format!("{}{}", file("report.json"), file("consent.json")));
    values.retain(|value| value.chars().count() >= 6);
    assert!(values.len() >= 5, "there is something to look for");
    values.push("Fritext som aldrig".to_owned());
    values
}

pub(super) async fn read<S: Store>(journey: &Journey, store: &S) -> Vec<Served> {
    let af = RecipientId::arbetsformedlingen();
    journey.page(store, &af, Cursor::START, 1000).await.expect("a page").entries
}

/// Documents and `DELETE`s of a page.
pub(super) fn counts(entries: &[Served]) -> (usize, usize) {
    let of = |method| entries.iter().filter(|entry| entry.method == method).count();
    (of(Method::Put), of(Method::Delete))
}

/// Every file below a folder.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    // What a running server has taken away meanwhile is not there.
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// How many of the files hold any of the values, as bytes.
pub(super) fn leaks(files: &[PathBuf], values: &[String]) -> usize {
    let holding = |values: &[String]| {
        let patterns = crate::harness::folder_in_memory();
        let patterns = patterns.path().join("patterns");
        std::fs::write(&patterns, values.join("\n")).expect("written");
        let mut command = std::process::Command::new("grep");
        command.args(["--text", "--files-with-matches", "--no-messages", "--fixed-strings", "--file"]).arg(&patterns);
        let found = command.arg("--").args(files).env("LC_ALL", "C").output().expect("grep runs");
        String::from_utf8_lossy(&found.stdout).lines().count()
    };
    assert!(holding(&["hallefors-ame".to_owned()]) > 0, "what may stand there is found");
    holding(values)
}

/// Of the sealed contents, how many have a key in any of the key stores that any of the wrapping keys opens.
pub(super) async fn can_be_opened(sealed: &[Vec<u8>], stores: &[&dyn KeyStore], wrapping: &WrappingKeys) -> usize {
    let mut openable = 0;
    for bytes in sealed {
        let Some(id) = SealedBytes::from_stored(bytes.clone()).key() else { continue };
        let mut wrapped: Vec<WrappedKey> = Vec::new();
        for store in stores {
            wrapped.extend(store.of_ids(&[id]).await.expect("the key store reads"));
        }
        openable += usize::from(wrapped.iter().any(|key| wrapping.unwrap(key).is_ok()));
    }
    openable
}

/// The keyed hash under which the first participant is found.
pub(super) fn first(journey: &Journey) -> PersonKey {
    key_of(journey, FIRST)
}

/// The same of the second.
pub(super) fn second(journey: &Journey) -> PersonKey {
    key_of(journey, SECOND)
}

fn key_of(journey: &Journey, number: &str) -> PersonKey {
    let day = brygga::domain::date_of(noon());
    journey.keys().person(&brygga::domain::PersonNumber::parse(number, day).expect("a number"))
}
