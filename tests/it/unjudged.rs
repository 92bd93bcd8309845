//! Reports whose agreement is gone, since the contracts have changed under them: nobody is shown them any more, what was served
//! stays with its recipient, and a revocation takes it back.

use std::sync::Arc;

use brygga::agreement::Illustrations;
use brygga::app::{Scenario, ScenarioMessage, embedded};
use brygga::domain::{Code, MessageNumber, RecipientId, Syntax};
use brygga::feed::{Cursor, Method};
use brygga::journey::{ContractSet, Journey};
use brygga::spool::Dropped;
use brygga::store::{LegState, Store as _, Survey as _, Tx as _};
use uuid::Uuid;

use crate::harness::{Desk, root};

fn message(contract: &str, text: &str) -> ScenarioMessage {
    let name = Dropped { contract: contract.parse().expect("a contract"), message_id: Uuid::now_v7(), syntax: Syntax::Json };
    let login = "hallefors-ame".to_owned().try_into().expect("a login");
    ScenarioMessage { order: "01".to_owned(), login, name, bytes: text.as_bytes().to_vec() }
}

fn at_noon(messages: Vec<ScenarioMessage>) -> Scenario {
    Scenario { title: "made here".to_owned(), instant: "2026-03-16T11:00:00Z".parse().expect("an instant"), messages }
}

fn file(name: &str) -> String {
    std::fs::read_to_string(root().join("benches").join(name)).expect("a message")
}

/// How many documents and how many deletions the reader is shown from the beginning.
async fn shown(journey: &Journey, desk: &Desk) -> (usize, usize) {
    let af = RecipientId::arbetsformedlingen();
    let entries = journey.page(&desk.store, &af, Cursor::START, 1000).await.expect("a page").entries;
    let count = |method| entries.iter().filter(|entry| entry.method == method).count();
    (count(Method::Put), count(Method::Delete))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_whose_agreement_is_gone_is_shown_to_nobody_and_a_revocation_takes_back_what_was_served() {
    for was_served in [false, true] {
        let desk = Desk::open(&at_noon(Vec::new())).await;
        let (waiver, report) = (file("consent.json"), file("report.json"));
        desk.run(&at_noon(vec![message("consent.v1", &waiver), message("activity-report.v1", &report)])).await;
        if was_served {
            assert_eq!(shown(&desk.journey, &desk).await, (2, 0));
        }
        // Without the illustrations no agreement covers it.
        let files = embedded::contracts_from(&root().join("contracts")).expect("the contracts can be read");
        let set = Arc::new(ContractSet::load(&files, Illustrations::None).expect("a set without flaws"));
        let later = Journey::new(set, desk.data.keys().expect("keys"), desk.journey.vault().clone());
        let take = async |text: &str| {
            let arrival = message("consent.v1", text).arrival(at_noon(Vec::new()).instant);
            later.take(&desk.store, vec![arrival]).await.expect("taken");
        };
        take(&waiver.replace("H-0102", "H-0104")).await;
        for _ in 0..3 {
            later.sweep(&desk.store).await.expect("swept");
        }
        let mut tx = desk.store.begin("test").await.expect("a transaction");
        let legs = tx.legs(MessageNumber(2)).await.expect("legs");
        let stays = legs.iter().filter(|leg| leg.state == LegState::Published).count();
        assert_eq!(stays, usize::from(was_served), "what was served stays with its recipient: {legs:?}");
        assert!(legs.iter().all(|leg| leg.code.is_none_or(|code| code == Code::AgreementIllustrative)), "{legs:?}");
        drop(tx);
        assert_eq!(shown(&later, &desk).await, (0, 0), "nobody is shown it under agreements that do not cover it");
        take(&waiver.replace("\"revision\": 1", "\"revision\": 2,\n \"revokedAt\": \"2026-03-16T10:00:00\"")).await;
        assert_eq!(shown(&later, &desk).await, (0, if was_served { 2 } else { 0 }));
        let mut tx = desk.store.begin("test").await.expect("a transaction");
        let legs = tx.legs(MessageNumber(2)).await.expect("legs");
        let is_over = |leg: &brygga::store::LegRow| match leg.state {
            LegState::Withdrawn => was_served && leg.code == Some(Code::ConsentRevoked),
            state => state == LegState::Refused && leg.code == Some(Code::AgreementIllustrative),
        };
        assert!(!legs.is_empty() && legs.iter().all(is_over), "{legs:?}");
        assert!(tx.census().await.expect("counted").adds_up());
    }
}
