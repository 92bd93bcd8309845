//! Every refused message of every scenario has its rejection in its sender's feed, with the same codes and places; and
//! nothing else has one.

#![cfg(test)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use brygga::answer::Kind;
use brygga::domain::Login;
use brygga::feed::Cursor;
use brygga::journey::Outcome;
use brygga::store::{MessageState, Store as _, Tx as _};
use serde_json::Value;

use crate::harness::{Desk, root, scenario};

/// What a sender was told under one message id: accepted, and the violations of each rejection.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    accepted: usize,
    rejected: Vec<Vec<String>>,
}

fn folders() -> Vec<PathBuf> {
    let read = std::fs::read_dir(root().join("fixtures/scenarios")).expect("scenarios");
    let mut folders: Vec<PathBuf> = read.map(|entry| entry.expect("a folder").path()).collect();
    folders.sort();
    folders.push(root().join("fixtures/demo"));
    folders
}

async fn told(desk: &Desk, login: &Login) -> BTreeMap<String, Told> {
    let mut all: BTreeMap<String, Told> = BTreeMap::new();
    let parties = desk.journey.set().catalogue.parties();
    let Some(sender) = parties.sender(login) else { return all };
    let feed = sender.system.recipient(&sender.kommun.code);
    let page = desk.journey.page(&desk.store, &feed, Cursor::START, 1000).await.expect("a page");
    for entry in page.entries {
        let Some(kind) = Kind::of_contract(&entry.contract) else { continue };
        let answer: Value = serde_json::from_slice(&entry.document).expect("JSON");
        let told = all.entry(answer["messageId"].as_str().expect("an id").to_owned()).or_default();
        match kind {
            Kind::Accepted => told.accepted += 1,
            Kind::Rejection => {
                let text = |value: &Value| value.as_str().expect("text").to_owned();
                let violations = answer["violations"].as_array().expect("a list").iter();
                told.rejected.push(violations.map(|one| format!("{} {}", text(&one["code"]), text(&one["place"]))).collect());
            }
            Kind::Receipt => panic!("nobody has sent a receipt"),
            Kind::NotForwarded => panic!("no hold period ends where the clock stands"),
        }
    }
    for told in all.values_mut() {
        told.rejected.sort();
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refused_message_of_every_scenario_is_rejected_to_its_sender_and_no_other_is() {
    let (mut refused, mut diverted) = (0, 0);
    for folder in folders() {
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        let (scenario, _) = scenario(&folder);
        let desk = Desk::open(&scenario).await;
        let outcomes = desk.run(&scenario).await;
        let mut wanted: BTreeMap<(Login, String), Told> = BTreeMap::new();
        let mut apart = Vec::new();
        for (message, (order, outcome)) in scenario.messages.iter().zip(outcomes) {
            assert_eq!(message.order, order);
            let id = (message.login.clone(), message.name.message_id.to_string());
            let Outcome::Stored(number, state) = outcome else { continue };
            let mut tx = desk.store.begin("test").await.expect("a transaction");
            let stored = tx.message(number).await.expect("read").expect("there");
            let told = wanted.entry(id.clone()).or_default();
            match state {
                MessageState::Refused if stored.message.state == MessageState::Refused => {
                    let words = stored.message.violations.iter().map(|(code, place)| format!("{code} {place}"));
                    told.rejected.push(words.collect());
                    refused += 1;
                }
                MessageState::Journey | MessageState::Recorded => told.accepted += 1,
                MessageState::Duplicate => {}
                // A flag that came later may have diverted it. It has the answer that anybody's would have; which, the comparison of answers says.
                MessageState::Refused | MessageState::Diverted => apart.push(id),
            }
        }
        for told in wanted.values_mut() {
            told.rejected.sort();
        }
        let mut logins: Vec<Login> = scenario.messages.iter().map(|message| message.login.clone()).collect();
        logins.sort();
        logins.dedup();
        for login in logins {
            let came = told(&desk, &login).await;
            for ((_, id), wanted) in wanted.iter().filter(|((of, _), _)| *of == login) {
                let nothing = Told::default();
                let came = came.get(id).unwrap_or(&nothing);
                if apart.contains(&(login.clone(), id.clone())) {
                    diverted += 1;
                    assert!(came.accepted + came.rejected.len() > 0, "{name}: {id} is not answered");
                } else {
                    assert_eq!(came, wanted, "{name}: {id}");
                }
            }
            assert!(came.keys().all(|id| wanted.contains_key(&(login.clone(), id.clone()))), "{name}: somebody else's");
        }
    }
    assert!(refused > 60 && diverted > 3, "{refused} refused, {diverted} diverted");
}
