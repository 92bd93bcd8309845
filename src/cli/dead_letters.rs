//! `brygga dead-letters list|show|retry|discard`: what was refused, through the mask.

use std::io::Write;

use clap::Subcommand;
use serde_json::json;

use super::CliError;
use super::desk::At;
use super::place::on_store;
use super::table::{WORDS, table};
use crate::dead_letter::{Again, Found, discard, retry, show};
use crate::domain::{Code, MessageNumber};
use crate::journey::Journey;
use crate::store::{MessageState, RefusedEntry, Store, StoredMessage, Survey as _, Tx as _};

/// What to do with dead letters.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Lists them, oldest first.
    List {
        #[command(flatten)]
        at: At,
    },
    /// Shows one through the mask; the reading is audited.
    Show {
        #[command(flatten)]
        at: At,
        /// The message's number.
        number: i64,
    },
    /// Runs one again under the contracts of today, and sends again what a system did not take of it.
    Retry {
        #[command(flatten)]
        at: At,
        /// The message's number.
        number: i64,
    },
    /// Sets one aside for good; it stays refused.
    Discard {
        #[command(flatten)]
        at: At,
        /// Why; kept in the audit log. Nothing of the person may stand in it.
        #[arg(long)]
        reason: String,
        /// The message's number.
        number: i64,
    },
}

pub(super) async fn run(command: Command, out: &mut dyn Write) -> Result<u8, CliError> {
    match command {
        Command::List { at } => {
            let opened = at.open().await?;
            on_store!(opened, |journey, store| list(&at, journey, store, out).await)
        }
        Command::Show { at, number } => {
            let opened = at.open().await?;
            on_store!(opened, |journey, store| show_one(&at, journey, store, MessageNumber(number), out).await)
        }
        Command::Retry { at, number } => {
            let opened = at.open().await?;
            let operator = &at.operator;
            let done = on_store!(opened, |journey, store| retry(journey, store, MessageNumber(number), operator).await)?;
            let (words, state) = done.map(|again| told(number, again)).unzip();
            say(&at, number, words, state, out)
        }
        Command::Discard { at, reason, number } => {
            if reason.trim().is_empty() {
                return Err(CliError::Usage("say why with --reason".to_owned()));
            }
            let opened = at.open().await?;
            let operator = &at.operator;
            let done = on_store!(opened, |_journey, store| discard(store, MessageNumber(number), operator, &reason).await)?;
            let words = done.then(|| format!("Message {number} is set aside; it stays refused."));
            say(&at, number, words, done.then_some("discarded"), out)
        }
    }
}

/// What a retry has done, in words and in one word. Whether a report is diverted is nobody's to know, so all that did not fail
/// again look alike.
fn told(number: i64, again: Again) -> (String, &'static str) {
    let (ran, state) = match again.state {
        Some(MessageState::Refused) => (format!("Message {number} was run again and was refused again."), "refused"),
        Some(_) => (format!("Message {number} was run again."), "run-again"),
        None => (String::new(), "sent-again"),
    };
    let sent = match again.entries {
        0 => String::new(),
        entries => format!("Of message {number}, {entries} that a system or recipient did not take will be sent again."),
    };
    (format!("{ran}{}{sent}", if ran.is_empty() || sent.is_empty() { "" } else { " " }), state)
}

fn say(at: &At, number: i64, done: Option<String>, state: Option<&str>, out: &mut dyn Write) -> Result<u8, CliError> {
    if at.json {
        writeln!(out, "{}", json!({ "message": number, "state": state }))?;
    } else {
        let nothing = || format!("There is no dead letter {number} that can be looked at.");
        writeln!(out, "{}", done.unwrap_or_else(nothing))?;
    }
    Ok(u8::from(state.is_none()))
}

async fn list<S: Store>(at: &At, journey: &Journey, store: &S, out: &mut dyn Write) -> Result<u8, CliError> {
    let mut tx = store.begin("dead-letters-list").await?;
    let mut letters = tx.dead_letters().await?;
    let census = tx.census().await?;
    tx.commit().await?;
    for letter in &mut letters {
        // Anything may stand in a name that no contract has.
        let known = letter.contract.parse().is_ok_and(|name| journey.set().catalogue.contract(&name).is_some());
        if !known {
            "?".clone_into(&mut letter.contract);
        }
    }
    if at.json {
        let list: Vec<_> = letters
            .iter()
            .map(|letter| {
                json!({
                    "message": letter.message.0, "messageId": letter.message_id.to_string(),
                    "recipient": letter.recipient.as_ref().map(crate::domain::RecipientId::as_str),
                    "login": letter.login.as_str(), "contract": letter.contract, "code": letter.code.as_str(),
                    "receivedAt": letter.received_at.to_string(), "said": letter.said,
                })
            })
            .collect();
        writeln!(out, "{}", json!({ "deadLetters": list, "restricted": census.restricted, "diverted": census.diverted }))?;
        return Ok(0);
    }
    if letters.is_empty() {
        writeln!(out, "There is no dead letter.")?;
    } else {
        let mut table = table(&["message", "from", "contract", "recipient", "code", WORDS]);
        for letter in &letters {
            table.add_row([
                letter.message.to_string(),
                letter.login.to_string(),
                letter.contract.clone(),
                letter.recipient.as_ref().map_or_else(|| "all".to_owned(), ToString::to_string),
                letter.code.to_string(),
                match &letter.said {
                    Some(said) => format!("{} {said}", letter.code.words()),
                    None => letter.code.words().to_owned(),
                },
            ]);
        }
        writeln!(out, "{table}")?;
    }
    writeln!(out, "Shown to nobody: {} restricted, {} diverted.", census.restricted, census.diverted)?;
    Ok(0)
}

async fn show_one<S: Store>(
    at: &At,
    journey: &Journey,
    store: &S,
    number: MessageNumber,
    out: &mut dyn Write,
) -> Result<u8, CliError> {
    let letter = match show(journey, store, number, &at.operator).await? {
        Found::Letter(letter) => letter,
        Found::Undelivered(stored, entries) => return show_envelope(at, journey, &stored, &entries, out),
        Found::Nothing => return say(at, number.0, None, None, out),
    };
    let message = &letter.stored.message;
    let contract = contract(journey, &letter.stored);
    let mut tx = store.begin("dead-letter-legs").await?;
    let legs = tx.legs(number).await?;
    tx.commit().await?;
    if at.json {
        let violations: Vec<_> =
            letter.violations.iter().map(|(code, place)| json!({ "code": code.as_str(), "place": place })).collect();
        let legs: Vec<_> = legs
            .iter()
            .map(|leg| json!({ "recipient": leg.id.recipient.as_str(), "state": leg.state.as_str(), "code": leg.code.map(Code::as_str) }))
            .collect();
        let whole = json!({
            "message": number.0, "messageId": message.envelope.message_id.to_string(), "login": message.envelope.login.as_str(),
            "contract": contract, "receivedAt": message.envelope.received_at.to_string(),
            "state": message.state.as_str(), "violations": violations, "legs": legs, "document": letter.document,
            "undelivered": undelivered(&letter.undelivered),
        });
        writeln!(out, "{whole}")?;
        return Ok(0);
    }
    writeln!(out, "Message {number} from {}, {contract}", message.envelope.login)?;
    writeln!(out, "id {}, received {}", message.envelope.message_id, message.envelope.received_at)?;
    for (code, place) in &letter.violations {
        writeln!(out, "  {code} at {place}: {}", code.words())?;
    }
    for leg in &legs {
        let code = leg.code.map_or_else(String::new, |code| format!(" {code}: {}", code.words()));
        writeln!(out, "  to {}: {}{code}", leg.id.recipient, leg.state.as_str())?;
    }
    say_undelivered(&letter.undelivered, out)?;
    match &letter.document {
        Some(document) => {
            let text = serde_json::to_string_pretty(document).unwrap_or_default();
            writeln!(out, "{text}")?;
        }
        None => writeln!(out, "The message could not be decoded; nothing of it is shown.")?,
    }
    Ok(0)
}

/// A message's contract; anything may stand in a name that no contract has.
fn contract(journey: &Journey, stored: &StoredMessage) -> String {
    let name = &stored.message.envelope.contract;
    if journey.set().catalogue.contract(name).is_some() { name.to_string() } else { "?".to_owned() }
}

/// Shows what a system did not take of a message that is no dead letter itself: nothing but the envelope, so that what became
/// of the message cannot be told from it.
fn show_envelope(
    at: &At,
    journey: &Journey,
    stored: &StoredMessage,
    entries: &[RefusedEntry],
    out: &mut dyn Write,
) -> Result<u8, CliError> {
    let (number, envelope) = (stored.number, &stored.message.envelope);
    let contract = contract(journey, stored);
    if at.json {
        let whole = json!({
            "message": number.0, "messageId": envelope.message_id.to_string(), "login": envelope.login.as_str(),
            "contract": contract, "receivedAt": envelope.received_at.to_string(), "undelivered": undelivered(entries),
        });
        writeln!(out, "{whole}")?;
        return Ok(0);
    }
    writeln!(out, "Message {number} from {}, {contract}", envelope.login)?;
    writeln!(out, "id {}, received {}", envelope.message_id, envelope.received_at)?;
    say_undelivered(entries, out)?;
    Ok(0)
}

fn undelivered(entries: &[RefusedEntry]) -> Vec<serde_json::Value> {
    let told = |entry: &RefusedEntry| json!({ "recipient": entry.recipient.as_str(), "code": entry.code.as_str(), "said": entry.said });
    entries.iter().map(told).collect()
}

fn say_undelivered(entries: &[RefusedEntry], out: &mut dyn Write) -> Result<(), CliError> {
    for entry in entries {
        let code = entry.code;
        writeln!(out, "  to {}: {code}: {} It said: {}.", entry.recipient, code.words(), entry.said)?;
    }
    Ok(())
}
