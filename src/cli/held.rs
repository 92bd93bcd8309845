//! `brygga held list`: what waits, for what, and until when.

use std::io::Write;

use clap::Subcommand;
use serde_json::json;

use super::place::{Beside, Place, on_store};
use super::table::{WORDS, table};
use super::{CliError, ContractsFrom};
use crate::store::{Store, Survey as _, Tx as _};

/// What to do with held reports.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Lists them, oldest first.
    List {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        from: ContractsFrom,
        /// One JSON object for machines.
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn run(command: Command, out: &mut dyn Write) -> Result<u8, CliError> {
    let Command::List { place, from, json } = command;
    let opened = place.open(&from, Beside::AService).await?;
    on_store!(opened, |_journey, store| list(store, json, out).await)
}

async fn list<S: Store>(store: &S, json: bool, out: &mut dyn Write) -> Result<u8, CliError> {
    let mut tx = store.begin("held-list").await?;
    let held = tx.held().await?;
    tx.commit().await?;
    if json {
        let list: Vec<_> = held
            .iter()
            .map(|leg| {
                json!({
                    "message": leg.message.0, "messageId": leg.message_id.to_string(), "recipient": leg.recipient.as_str(),
                    "login": leg.login.as_str(), "code": leg.code.as_str(), "receivedAt": leg.received_at.to_string(),
                    "until": leg.due_at.map(|due| due.to_string()),
                })
            })
            .collect();
        writeln!(out, "{}", json!({ "held": list }))?;
        return Ok(0);
    }
    if held.is_empty() {
        writeln!(out, "Nothing is held.")?;
        return Ok(0);
    }
    let mut table = table(&["message", "from", "recipient", "code", WORDS, "until"]);
    for leg in &held {
        table.add_row([
            leg.message.to_string(),
            leg.login.to_string(),
            leg.recipient.to_string(),
            leg.code.to_string(),
            leg.code.words().to_owned(),
            leg.due_at.map_or_else(String::new, |due| due.to_string()),
        ]);
    }
    writeln!(out, "{table}")?;
    Ok(0)
}
