//! The same messages through the same way in this process, on a store in memory, with nothing in between: what a faultless
//! run comes to.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use brygga::agreement::Illustrations;
use brygga::app::embedded;
use brygga::domain::{Login, RecipientId, Syntax, Trace};
use brygga::feed::{Cursor, Method};
use brygga::journey::{Arrival, ContractSet, Journey};
use brygga::seal::{ServiceKeys, Vault};
use brygga::store::sqlite::SqliteStore;
use brygga::store::{Clock, Store as _, Tx as _};
use serde_json::Value;
use uuid::Uuid;

use super::load::Message;

/// What a run comes to.
#[derive(Debug, Default)]
pub(crate) struct Clean {
    pub(crate) states: BTreeMap<Uuid, String>,
    /// The state of the leg to Arbetsförmedlingen.
    pub(crate) legs: BTreeMap<Uuid, String>,
    /// Subject and document.
    pub(crate) held: BTreeMap<String, String>,
}

impl Clean {
    /// Runs messages under the contracts of a folder and the service's own secret, so that digests are the same.
    pub(crate) async fn run(messages: &[Message], contracts: &Path, secret: &[u8; 32]) -> Self {
        let files = embedded::contracts_from(contracts).expect("contracts");
        let set = ContractSet::load(&files, Illustrations::None).expect("a set without flaws");
        let store = SqliteStore::in_memory(Clock::System).await.expect("a store");
        let journey = Journey::new(Arc::new(set), Arc::new(ServiceKeys::derive(secret)), Vault::ephemeral().expect("a vault"));
        for batch in messages.chunks(50) {
            let arrivals: Vec<Arrival> = batch.iter().map(arrival).collect();
            journey.take(&store, arrivals).await.expect("taken");
        }
        while journey.sweep(&store).await.expect("swept") > 0 {}
        let mut clean = Self::default();
        let mut tx = store.begin("clean").await.expect("a transaction");
        for message in messages {
            let login = Login::try_from(message.login.to_owned()).expect("a login");
            let number = tx.receipts(&login, message.id).await.expect("read")[0].number;
            let stored = tx.message(number).await.expect("read").expect("it is there");
            clean.states.insert(message.id, stored.message.state.as_str().to_owned());
            for leg in tx.legs(number).await.expect("read") {
                clean.legs.insert(message.id, leg.state.as_str().to_owned());
            }
        }
        drop(tx);
        let af = RecipientId::arbetsformedlingen();
        let page = journey.page(&store, &af, Cursor::START, 1_000_000).await.expect("a page");
        for served in &page.entries {
            let subject = served.subject.to_hex();
            if served.method == Method::Delete {
                clean.held.remove(&subject);
                continue;
            }
            let event = served.event(journey.keys(), &af, 1).to_json();
            let document = match &event["data"] {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            clean.held.insert(subject, document);
        }
        clean
    }
}

fn arrival(message: &Message) -> Arrival {
    Arrival {
        login: Login::try_from(message.login.to_owned()).expect("a login"),
        message_id: message.id,
        contract: message.contract.parse().expect("a contract"),
        syntax: Syntax::Json,
        message_time: Clock::System.now(),
        bytes: message.bytes.clone(),
        defect: None,
        trace: Trace::default(),
    }
}
