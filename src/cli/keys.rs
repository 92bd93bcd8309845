//! `brygga keys rotate`: wraps every data key anew under a new wrapping key.

use std::io::Write;

use clap::Subcommand;
use serde_json::json;

use super::place::{Beside, Place, on_store};
use super::{CliError, ContractsFrom};
use crate::app::DataFolder;
use crate::seal::{Rotated, rotate};
use crate::store::Store as _;

/// What to do with the keys that contents are sealed under.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Wraps every data key anew under a new wrapping key, while the service runs; contents and ids stay as they are.
    Rotate {
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
    let Command::Rotate { place, from, json } = command;
    let Some(data) = &place.data else {
        let opened = place.open(&from, Beside::AService).await?;
        let rotated = on_store!(opened, |journey, store| rotate(journey.vault(), store.now()).await)?;
        return say(&rotated, false, json, out);
    };
    let folder = DataFolder::beside(data)?;
    let now = folder.store(None).await?.now();
    let vault = folder.vault().await?;
    let files = folder.wrapping_files().hold().await?;
    // Where there are several, an earlier rotation was cut short: its new key is used.
    if files.count()? == 1 {
        files.add()?;
    }
    let rotated = rotate(&vault, now).await?;
    // Nothing needs the old one any more, and a service that runs reads the file again.
    let destroyed = files.drop_old(vault.store().wrapping().await?)?;
    say(&rotated, destroyed, json, out)
}

/// `destroyed` says that the old wrapping key is gone already; else its keeper has to destroy it.
fn say(rotated: &Rotated, destroyed: bool, json: bool, out: &mut dyn Write) -> Result<u8, CliError> {
    if json {
        let before = rotated.before.map(|id| id.to_string());
        let whole = json!({
            "wrappingKey": rotated.wrapping.to_string(), "before": before, "dataKeys": rotated.keys,
            "oldDestroyed": destroyed,
        });
        writeln!(out, "{whole}")?;
        return Ok(0);
    }
    writeln!(out, "{} data keys were wrapped anew under the wrapping key {}.", rotated.keys, rotated.wrapping)?;
    if let Some(before) = rotated.before {
        if destroyed {
            writeln!(out, "The wrapping key {before} is no longer in the folder.")?;
        } else {
            writeln!(
                out,
                "Nothing needs the wrapping key {before} any more: take it out of every configuration and destroy it."
            )?;
        }
    }
    writeln!(
        out,
        "Make a new backup of the key store and the wrapping key now: older ones of the two no longer fit together."
    )?;
    Ok(0)
}
