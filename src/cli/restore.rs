//! `brygga restore accept`: takes a content that came back from a backup into use.

use std::io::Write;

use clap::Subcommand;
use serde_json::json;

use super::place::{Beside, Place, on_store};
use super::{CliError, ContractsFrom};
use crate::app::restore;

/// What to do after a restore.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Makes revocations and protection flags hold that the backup had lost, and lets readers start again.
    Accept {
        /// No service may be running on it.
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        from: ContractsFrom,
        /// Who accepts, for the audit log.
        #[arg(long, value_name = "NAME", env = "BRYGGA_OPERATOR", default_value = "operator")]
        operator: String,
        /// One JSON object for machines.
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn run(command: Command, out: &mut dyn Write) -> Result<u8, CliError> {
    let Command::Accept { place, from, operator, json } = command;
    let opened = place.open(&from, Beside::Nobody).await?;
    let accepted = on_store!(opened, |journey, store| restore::accept(journey, store, &operator).await)?;
    let Some(accepted) = accepted else {
        if json {
            writeln!(out, "{}", json!({ "accepted": false }))?;
        } else {
            writeln!(out, "The content is not behind; there is nothing to accept.")?;
        }
        return Ok(1);
    };
    if json {
        let whole = json!({
            "accepted": true, "epoch": accepted.epoch, "behind": accepted.behind,
            "revocations": accepted.revocations, "flags": accepted.flags, "erasures": accepted.erasures,
        });
        writeln!(out, "{whole}")?;
        return Ok(0);
    }
    writeln!(out, "The content is in use from here on, as epoch {}: readers start again.", accepted.epoch)?;
    let (revocations, flags, erasures) = (accepted.revocations, accepted.flags, accepted.erasures);
    writeln!(out, "All {revocations} revocations, {flags} protection flags and {erasures} erasures of the ledgers hold.")?;
    for lost in &accepted.behind {
        writeln!(out, "The backup had {lost}.")?;
    }
    writeln!(out, "What senders sent after the backup is lost here: ask them to send it again.")?;
    Ok(0)
}
