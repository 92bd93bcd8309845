//! `brygga consents list|record|revoke`: consents as operators look after them. No list shows whose they are.

use std::io::Write;
use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};
use uuid::Uuid;

use super::desk::At;
use super::place::on_store;
use super::table::table;
use super::{CliError, person};
use crate::domain::{Category, ConsentKind, ContractRef, Login, MessageNumber, Syntax, Trace};
use crate::intake::MAX_BYTES;
use crate::journey::{Arrival, Journey, ListedConsent, Outcome};
use crate::store::{MessageState, Store, Tx as _};

/// The contract of a consent that is recorded here.
const CONTRACT: &str = "consent.v1";

/// What to do with consents.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Lists consents, the newest first; the reading is audited.
    List {
        #[command(flatten)]
        at: At,
        /// Only those of one participant, whose personnummer is read from standard input.
        #[arg(long)]
        person: bool,
        /// From at most so many messages, the newest.
        #[arg(long, value_name = "MESSAGES", default_value_t = 1000)]
        limit: u32,
    },
    /// Stores a consent that was given on paper, as the system of this login would send it.
    Record {
        #[command(flatten)]
        at: At,
        /// The login of the system that the consent belongs to.
        #[arg(long)]
        login: String,
        /// A consent.v1 message; its name ends in .json or .xml.
        file: PathBuf,
    },
    /// Revokes a consent, or some of its categories.
    Revoke {
        #[command(flatten)]
        at: At,
        /// Why; kept in the audit log. Nothing of the person may stand in it.
        #[arg(long)]
        reason: String,
        /// A category to end, as in absence-reason; all where none is named.
        #[arg(long = "ends", value_name = "CATEGORY")]
        ends: Vec<String>,
        /// The message's number in `consents list`.
        number: i64,
    },
}

pub(super) async fn run(command: Command, out: &mut dyn Write) -> Result<u8, CliError> {
    match command {
        Command::List { at, person, limit } => {
            let opened = at.open().await?;
            on_store!(opened, |journey, store| list(&at, journey, store, person, limit.into(), out).await)
        }
        Command::Record { at, login, file } => {
            let opened = at.open().await?;
            on_store!(opened, |journey, store| record(&at, journey, store, &login, &file, out).await)
        }
        Command::Revoke { at, reason, ends, number } => {
            if reason.trim().is_empty() {
                return Err(CliError::Usage("say why with --reason".to_owned()));
            }
            let categories = ends.iter().map(|name| category(name)).collect::<Result<Vec<_>, _>>()?;
            let opened = at.open().await?;
            let (number, operator) = (MessageNumber(number), &at.operator);
            let outcome = on_store!(opened, |journey, store| journey
                .revoke_consent(store, number, &categories, operator, &reason)
                .await)?;
            on_store!(opened, |_journey, store| say(&at, store, outcome, out).await)
        }
    }
}

fn category(name: &str) -> Result<Category, CliError> {
    name.parse().map_err(|()| CliError::Usage("there is no such category; the contract consent.v1 lists them".to_owned()))
}

async fn record<S: Store>(
    at: &At,
    journey: &Journey,
    store: &S,
    login: &str,
    file: &std::path::Path,
    out: &mut dyn Write,
) -> Result<u8, CliError> {
    let known = Login::try_from(login.to_owned()).ok();
    let Some(login) = known.filter(|login| journey.set().catalogue.parties().sender(login).is_some()) else {
        return Err(CliError::Usage("no system has this login".to_owned()));
    };
    let extension = file.extension().and_then(|extension| extension.to_str());
    let Some(syntax) = extension.and_then(|extension| extension.parse::<Syntax>().ok()) else {
        return Err(CliError::Usage("a message file ends in .json or .xml".to_owned()));
    };
    let contract: ContractRef = CONTRACT.parse().map_err(|()| CliError::Usage("no contract".to_owned()))?;
    let mut bytes = std::fs::read(file)?;
    // One byte too many is enough to be refused for it.
    bytes.truncate(MAX_BYTES + 1);
    // The same file again is the same message.
    let message_id: Uuid = journey.id_of_bytes(&bytes);
    let (message_time, trace, defect) = (store.now(), Trace::default(), None);
    let arrival = Arrival { login, message_id, contract, syntax, message_time, bytes, trace, defect };
    let outcome = journey.record_consent(store, &arrival, &at.operator).await?;
    say(at, store, outcome, out).await
}

/// Says what became of the message. What a refusal names are codes and places, never values.
async fn say<S: Store>(at: &At, store: &S, outcome: Option<Outcome>, out: &mut dyn Write) -> Result<u8, CliError> {
    let (number, state) = match outcome {
        None => (None, None),
        Some(Outcome::Duplicate(number)) => (Some(number), Some(MessageState::Duplicate)),
        Some(Outcome::Stored(number, state)) => (Some(number), Some(state)),
    };
    let mut violations = Vec::new();
    if let (Some(number), Some(MessageState::Refused)) = (number, state) {
        let mut tx = store.begin("consent-look").await?;
        violations = tx.message(number).await?.map(|stored| stored.message.violations).unwrap_or_default();
        tx.commit().await?;
    }
    if at.json {
        let told: Vec<Value> =
            violations.iter().map(|(code, place)| json!({ "code": code.as_str(), "place": place })).collect();
        let number = number.map(|number| number.0);
        writeln!(out, "{}", json!({ "message": number, "state": state.map(MessageState::as_str), "violations": told }))?;
    } else {
        match (number, state) {
            (Some(number), Some(MessageState::Recorded)) => writeln!(out, "Recorded as message {number}.")?,
            (Some(number), Some(MessageState::Duplicate)) => writeln!(out, "It is there already, as message {number}.")?,
            (Some(number), _) => writeln!(out, "Message {number} was refused.")?,
            (None, _) => writeln!(out, "There is no such consent that can be revoked.")?,
        }
        for (code, place) in &violations {
            writeln!(out, "  {code} at {place}: {}", code.words())?;
        }
    }
    Ok(u8::from(!matches!(state, Some(MessageState::Recorded | MessageState::Duplicate))))
}

async fn list<S: Store>(
    at: &At,
    journey: &Journey,
    store: &S,
    of_one: bool,
    limit: i64,
    out: &mut dyn Write,
) -> Result<u8, CliError> {
    let of = if of_one { Some(person::read(journey.keys(), store.now())?.1) } else { None };
    let listed = journey.list_consents(store, of.as_ref(), limit, &at.operator).await?;
    if at.json {
        let all: Vec<Value> = listed.iter().map(|one| as_json(journey, one)).collect();
        writeln!(out, "{}", json!({ "consents": all }))?;
        return Ok(0);
    }
    if listed.is_empty() {
        writeln!(out, "There is no consent.")?;
        return Ok(0);
    }
    let mut table = table(&["message", "from", "kind", "agreement", "to", "first day", "last day", "now", "categories"]);
    for one in &listed {
        table.add_row([
            one.message.number.to_string(),
            one.message.message.envelope.login.to_string(),
            kind(one).to_owned(),
            agreement(journey, one),
            one.revision.receiving.as_str().to_owned(),
            one.revision.from.to_string(),
            one.revision.to.to_string(),
            one.standing.as_str().to_owned(),
            one.categories.iter().map(Category::as_str).collect::<Vec<_>>().join(" "),
        ]);
    }
    writeln!(out, "{table}")?;
    Ok(0)
}

fn kind(one: &ListedConsent) -> &'static str {
    match one.revision.kind {
        ConsentKind::SecrecyWaiver => "secrecy-waiver",
        ConsentKind::GdprConsent => "gdpr-consent",
    }
}

/// The agreement's name; anything may stand in a name that no agreement has.
fn agreement(journey: &Journey, one: &ListedConsent) -> String {
    let known = journey.set().register.terms().iter().any(|terms| terms.agreement == one.revision.agreement);
    if known { one.revision.agreement.clone() } else { "?".to_owned() }
}

fn as_json(journey: &Journey, one: &ListedConsent) -> Value {
    let envelope = &one.message.message.envelope;
    json!({
        "message": one.message.number.0, "messageId": envelope.message_id.to_string(), "login": envelope.login.as_str(),
        "consent": one.revision.key.to_hex(), "revision": one.revision.revision, "kind": kind(one),
        "agreement": agreement(journey, one), "receivingParty": one.revision.receiving.as_str(),
        "from": one.revision.from.to_string(), "to": one.revision.to.to_string(), "state": one.standing.as_str(),
        "categories": one.categories.iter().map(Category::as_str).collect::<Vec<_>>(),
    })
}
