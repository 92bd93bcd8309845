//! A scenario: ordered message files and the instant at which the clock stands. The demo is one.

use jiff::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

use crate::domain::{ContractRef, Login, Syntax};
use crate::journey::Arrival;
use crate::spool::Dropped;

/// Why files are no scenario.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// `scenario.toml` is missing or says too little.
    #[error("scenario.toml must say title and instant")]
    Head,
    /// A file's name is not `NN.<login>.<contract>.<message-id>.(json|xml)`.
    #[error("a message file is called NN.<login>.<contract>.<message-id>.(json|xml), not {0}")]
    Name(String),
}

#[derive(Debug, Deserialize)]
struct Head {
    title: String,
    instant: Timestamp,
}

/// One message of a scenario.
#[derive(Debug, Clone)]
pub struct ScenarioMessage {
    /// Its order, as written: `01`.
    pub order: String,
    /// Who sends it.
    pub login: Login,
    /// What its file will be called in the inbox.
    pub name: Dropped,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl ScenarioMessage {
    /// The message as it arrives at an instant.
    #[must_use]
    pub fn arrival(&self, instant: Timestamp) -> Arrival {
        Arrival {
            login: self.login.clone(),
            message_id: self.name.message_id,
            contract: self.name.contract.clone(),
            syntax: self.name.syntax,
            message_time: instant,
            bytes: self.bytes.clone(),
            trace: crate::domain::Trace::default(),
            defect: None,
        }
    }
}

/// A scenario.
#[derive(Debug)]
pub struct Scenario {
    /// What it shows.
    pub title: String,
    /// Where the clock stands.
    pub instant: Timestamp,
    /// The messages, in order.
    pub messages: Vec<ScenarioMessage>,
}

impl Scenario {
    /// Reads a scenario from the files of its folder.
    ///
    /// # Errors
    /// [`ScenarioError`] names what is wrong.
    pub fn read<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Result<Self, ScenarioError> {
        let mut head = None;
        let mut messages = Vec::new();
        for (name, bytes) in files {
            if name == "scenario.toml" {
                head = std::str::from_utf8(bytes).ok().and_then(|text| toml::from_str::<Head>(text).ok());
            } else {
                messages.push(message(name, bytes).ok_or_else(|| ScenarioError::Name(name.to_owned()))?);
            }
        }
        let head = head.ok_or(ScenarioError::Head)?;
        messages.sort_by(|a, b| a.order.cmp(&b.order));
        Ok(Self { title: head.title, instant: head.instant, messages })
    }
}

/// `01.hallefors-ame.activity-report.v1.<uuid>.json`
fn message(name: &str, bytes: &[u8]) -> Option<ScenarioMessage> {
    let (order, rest) = name.split_once('.')?;
    let (login, dropped) = rest.split_once('.')?;
    let login = Login::try_from(login.to_owned()).ok()?;
    Some(ScenarioMessage { order: order.to_owned(), login, name: Dropped::read(dropped)?, bytes: bytes.to_vec() })
}

/// The parts of a file's name, where it is called as in a scenario.
#[must_use]
pub fn name_parts(name: &str) -> Option<(Login, ContractRef, Uuid, Syntax)> {
    let message = message(name, &[])?;
    Some((message.login, message.name.contract, message.name.message_id, message.name.syntax))
}
