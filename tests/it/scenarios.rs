//! Every scenario through `check` and through the spool: both must come to what the scenario says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use brygga::answer::Kind;
use brygga::audit;
use brygga::domain::RecipientId;
use brygga::feed::{Cursor, Method};
use brygga::journey::{Outcome, Served};
use brygga::store::{AuditAct, AuditedAct, MessageState, Store as _, Survey as _, Tx as _};
use serde::Deserialize;
use serde_json::Value;

use crate::harness::{Desk, brygga, root, scenario};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    #[serde(rename = "title")]
    _title: String,
    #[serde(rename = "instant")]
    _instant: String,
    #[serde(default)]
    message: Vec<ExpectedMessage>,
    #[serde(default)]
    feeds: BTreeMap<String, usize>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedMessage {
    file: String,
    outcome: String,
    #[serde(default)]
    violations: Vec<String>,
    #[serde(default)]
    legs: BTreeMap<String, String>,
}

/// What a message came to, in the words of a scenario.
#[derive(Debug, PartialEq, Eq)]
struct Came {
    outcome: String,
    violations: Vec<String>,
    legs: BTreeMap<String, String>,
}

fn leg(state: &str, code: Option<&str>) -> String {
    match (state, code) {
        ("superseded", _) | (_, None) => state.to_owned(),
        (state, Some(code)) => format!("{state} {code}"),
    }
}

fn folders() -> Vec<PathBuf> {
    let read = std::fs::read_dir(root().join("fixtures/scenarios")).expect("scenarios");
    let mut folders: Vec<PathBuf> = read.map(|entry| entry.expect("a folder").path()).collect();
    folders.sort();
    folders.push(root().join("fixtures/demo"));
    folders
}

fn expected(folder: &Path) -> Expected {
    let text = std::fs::read_to_string(folder.join("scenario.toml")).expect("scenario.toml");
    toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
}

async fn by_spool(folder: &Path) -> (Vec<(String, Came)>, BTreeMap<String, usize>) {
    let (scenario, _) = scenario(folder);
    let desk = Desk::open(&scenario).await;
    let outcomes = desk.run(&scenario).await;
    let mut tx = desk.store.begin("test").await.expect("a transaction");
    let mut came = Vec::new();
    for (order, outcome) in outcomes {
        let stored = tx.message(outcome.number()).await.expect("a store").expect("a message");
        let state = if matches!(outcome, Outcome::Duplicate(_)) { MessageState::Duplicate } else { stored.message.state };
        let violations = match state {
            MessageState::Refused => stored.message.violations.iter().map(|(code, place)| format!("{code} {place}")).collect(),
            _ => Vec::new(),
        };
        let acts = tx.audited(outcome.number()).await.expect("the audit log");
        assert!(acts.iter().any(|act| act.row.act == AuditAct::Decision), "law 7: {order} in {}", folder.display());
        let mut legs = BTreeMap::new();
        if state == MessageState::Journey {
            for row in tx.legs(outcome.number()).await.expect("legs") {
                let of_leg = |act: &&AuditedAct| act.row.recipient.as_ref() == Some(&row.id.recipient);
                let decided = |act: &&AuditedAct| matches!(act.row.act, AuditAct::Decision | AuditAct::Disclosure);
                let last = acts.iter().filter(of_leg).rfind(decided);
                let said = last.map(|act| (act.row.detail.as_str(), act.row.code));
                assert_eq!(said, Some((row.state.as_str(), row.code)), "law 7: {order} in {}", folder.display());
                legs.insert(row.id.recipient.to_string(), leg(row.state.as_str(), row.code.map(brygga::domain::Code::as_str)));
            }
        }
        came.push((order, Came { outcome: state.as_str().to_owned(), violations, legs }));
    }
    let census = tx.census().await.expect("a census");
    assert!(census.adds_up(), "law 6 in {}: {census:?}", folder.display());
    let recipients = tx.recipients().await.expect("recipients");
    tx.commit().await.expect("a commit");
    audit::verify(&desk.store, []).await.expect("read").expect("law 7: the chain holds");
    let mut feeds = BTreeMap::new();
    for recipient in recipients.into_iter().filter(|recipient| recipient.party().is_some()) {
        feeds.insert(recipient.to_string(), standing(&desk, &recipient).await);
    }
    (came, feeds)
}

async fn standing(desk: &Desk, recipient: &RecipientId) -> usize {
    let page = desk.journey.page(&desk.store, recipient, Cursor::START, 1000).await.expect("a page");
    let is_disclosed = |entry: &&Served| entry.method == Method::Put && Kind::of_contract(&entry.contract).is_none();
    page.entries.iter().filter(is_disclosed).count()
}

fn by_check(folder: &Path) -> (u8, Vec<(String, Came)>, BTreeMap<String, usize>) {
    let (scenario, paths) = scenario(folder);
    let instant = scenario.instant.to_string();
    let mut args = vec!["check", "--json", "--as-of", instant.as_str()];
    let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    args.extend(paths.iter().map(String::as_str));
    let (code, text) = brygga(&args);
    let answer: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{}: {text}", folder.display()));
    let text_of = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let came = list(&answer["files"])
        .iter()
        .map(|file| {
            let order = text_of(&file["file"]).split('.').next().unwrap_or_default().to_owned();
            let legs = match text_of(&file["outcome"]).as_str() {
                "journey" => list(&file["legs"])
                    .iter()
                    .map(|one| {
                        (text_of(&one["recipient"]), leg(one["state"].as_str().unwrap_or_default(), one["code"].as_str()))
                    })
                    .collect(),
                _ => BTreeMap::new(),
            };
            let violations = list(&file["violations"]).iter().map(text_of).collect();
            (order, Came { outcome: text_of(&file["outcome"]), violations, legs })
        })
        .collect();
    let feeds = answer["feeds"]
        .as_object()
        .expect("feeds")
        .iter()
        .map(|(name, list)| (name.clone(), list.as_array().map_or(0, Vec::len)));
    (code, came, feeds.collect())
}

#[test]
fn every_scenario_comes_to_what_it_says_through_check_and_through_the_spool() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let folders = folders();
    assert!(folders.len() > 60, "at least 60 scenarios and the demo");
    let mut wrong = Vec::new();
    for folder in &folders {
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        let expected = expected(folder);
        let (came, mut feeds) = runtime.block_on(by_spool(folder));
        let (code, checked, checked_feeds) = by_check(folder);
        if came != checked || feeds != checked_feeds {
            wrong.push(format!(
                "{name}: check and spool differ\n  spool {came:?} {feeds:?}\n  check {checked:?} {checked_feeds:?}"
            ));
        }
        let clean = came.iter().all(|(_, came)| {
            !matches!(came.outcome.as_str(), "refused" | "diverted")
                && came.legs.values().all(|leg| leg == "published" || leg == "superseded")
        });
        if code != u8::from(!clean) {
            wrong.push(format!("{name}: check exits with {code}, though clean is {clean}"));
        }
        if came.len() != expected.message.len() {
            wrong.push(format!("{name}: {} messages, {} expected", came.len(), expected.message.len()));
        }
        for ((order, came), message) in came.iter().zip(&expected.message) {
            let wanted =
                Came { outcome: message.outcome.clone(), violations: message.violations.clone(), legs: message.legs.clone() };
            if *order != message.file || *came != wanted {
                wrong.push(format!("{name}/{order}:\n  came   {came:?}\n  wanted {wanted:?}"));
            }
        }
        feeds.retain(|_, count| *count > 0);
        let wanted: BTreeMap<String, usize> = expected.feeds.into_iter().filter(|(_, count)| *count > 0).collect();
        if feeds != wanted {
            wrong.push(format!("{name}: feeds came {feeds:?}, wanted {wanted:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} scenarios:\n{}", wrong.len(), folders.len(), wrong.join("\n"));
}

/// Codes that no file in a standing clock can cause; each has a test of its own elsewhere.
const ELSEWHERE: [&str; 17] = [
    "transport.envelope",
    "transport.oversize",
    "decode.too-many-nodes",
    "agreement.illustrative",
    "consent.hold-expired",
    "consent.unconfirmed",
    "translate.value",
    "transport.routing-key",
    "transport.delivery-limit",
    "journey.lapsed",
    "journey.cancelled",
    "journey.erased",
    "journey.terms-changed",
    "journey.retention",
    "journey.failed",
    "relay.refused",
    "recipient.rejected",
];

#[test]
fn every_code_that_a_file_can_cause_has_a_scenario() {
    let mut said = String::new();
    for folder in folders() {
        said.push_str(&std::fs::read_to_string(folder.join("scenario.toml")).expect("scenario.toml"));
    }
    let missing: Vec<&str> = brygga::domain::Code::ALL
        .iter()
        .map(|code| code.as_str())
        .filter(|code| !said.contains(code) && !ELSEWHERE.contains(code) && *code != "journey.superseded")
        .collect();
    assert!(missing.is_empty(), "no scenario ends in {missing:?}");
}
