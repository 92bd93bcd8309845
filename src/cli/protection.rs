//! `brygga protection list|lift|rerun|discard`: protected identities, as counts alone, and the named acts that end protection.

use std::io::Write;

use clap::Subcommand;
use serde_json::{Value, json};

use super::desk::At;
use super::place::on_store;
use super::{CliError, person};
use crate::domain::MessageNumber;
use crate::journey::{Journey, Rerun, Waiting};
use crate::store::Store;

/// What to do with protection.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Says how many persons are protected and how many reports were diverted; the reading is audited.
    List {
        #[command(flatten)]
        at: At,
    },
    /// Lifts the flag of a person, whose personnummer is read from standard input. Nothing is published by it.
    Lift {
        #[command(flatten)]
        at: At,
        /// Why; kept in the audit log. Nothing of the person may stand in it.
        #[arg(long)]
        reason: String,
    },
    /// Runs a report again that was diverted before its person's flag was lifted.
    Rerun {
        #[command(flatten)]
        at: At,
        /// The message's number, as lift says it.
        number: i64,
    },
    /// Sets a report aside that was diverted before its person's flag was lifted.
    Discard {
        #[command(flatten)]
        at: At,
        /// Why; kept in the audit log. Nothing of the person may stand in it.
        #[arg(long)]
        reason: String,
        /// The message's number, as lift says it.
        number: i64,
    },
}

pub(super) async fn run(command: Command, out: &mut dyn Write) -> Result<u8, CliError> {
    match command {
        Command::List { at } => {
            let opened = at.open().await?;
            let counts = on_store!(opened, |journey, store| journey.count_protected(store, &at.operator).await)?;
            if at.json {
                writeln!(out, "{}", json!({ "persons": counts.persons, "diverted": counts.diverted }))?;
            } else {
                writeln!(out, "Protected: {} persons, {} diverted reports.", counts.persons, counts.diverted)?;
            }
            Ok(0)
        }
        Command::Lift { at, reason } => {
            let reason = said(&reason)?;
            let opened = at.open().await?;
            on_store!(opened, |journey, store| lift(&at, journey, store, reason, out).await)
        }
        Command::Rerun { at, number } => {
            let opened = at.open().await?;
            let number = MessageNumber(number);
            match on_store!(opened, |journey, store| journey.rerun_diverted(store, number, &at.operator).await)? {
                Some(Rerun::Moved(state)) => say(&at, number, Some(state.as_str()), out),
                Some(Rerun::Outdated(newest)) => outdated(&at, number, newest, out),
                None => say(&at, number, None, out),
            }
        }
        Command::Discard { at, reason, number } => {
            let reason = said(&reason)?;
            let opened = at.open().await?;
            let (number, operator) = (MessageNumber(number), &at.operator);
            let done = on_store!(opened, |journey, store| journey.discard_diverted(store, number, operator, reason).await)?;
            say(&at, number, done.then_some("discarded"), out)
        }
    }
}

fn said(reason: &str) -> Result<&str, CliError> {
    if reason.trim().is_empty() { Err(CliError::Usage("say why with --reason".to_owned())) } else { Ok(reason) }
}

async fn lift<S: Store>(at: &At, journey: &Journey, store: &S, reason: &str, out: &mut dyn Write) -> Result<u8, CliError> {
    let (_, person) = person::read(journey.keys(), store.now())?;
    let lifted = journey.lift_flag(store, &person, &at.operator, reason).await?;
    let code = u8::from(lifted.is_none());
    if at.json {
        let told = |one: &Waiting| json!({ "message": one.number.0, "login": one.login.as_str(), "messageId": one.message_id.to_string() });
        let was_flagged = lifted.as_ref().is_some_and(|lifted| lifted.was_flagged);
        let waiting: Vec<Value> = lifted.iter().flat_map(|lifted| &lifted.waiting).map(told).collect();
        writeln!(out, "{}", json!({ "lifted": was_flagged, "diverted": waiting }))?;
        return Ok(code);
    }
    let Some(lifted) = lifted else {
        writeln!(out, "The person has no flag.")?;
        return Ok(code);
    };
    if lifted.was_flagged {
        writeln!(out, "The flag is lifted. Nothing is published by it.")?;
    } else {
        writeln!(out, "The person has no flag. These reports were diverted before it was lifted:")?;
    }
    for one in lifted.waiting {
        writeln!(out, "  message {} from {}, id {}: run it again or discard it", one.number, one.login, one.message_id)?;
    }
    Ok(code)
}

fn outdated(at: &At, number: MessageNumber, newest: MessageNumber, out: &mut dyn Write) -> Result<u8, CliError> {
    if at.json {
        writeln!(out, "{}", json!({ "message": number.0, "state": null, "higherRevision": newest.0 }))?;
    } else {
        writeln!(out, "Message {number} stays diverted: its sender has corrected or cancelled it by message {newest}.")?;
        writeln!(out, "Run that one again instead.")?;
    }
    Ok(1)
}

fn say(at: &At, number: MessageNumber, state: Option<&str>, out: &mut dyn Write) -> Result<u8, CliError> {
    if at.json {
        writeln!(out, "{}", json!({ "message": number.0, "state": state }))?;
    } else {
        match state {
            Some(state) => writeln!(out, "Message {number} is {state} now.")?,
            None => writeln!(out, "There is no diverted report {number} whose person's flag was lifted.")?,
        }
    }
    Ok(u8::from(state.is_none()))
}
