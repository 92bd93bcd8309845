//! `brygga migrate`: brings the stores of a configuration up to the schema of this version.

use std::io::Write;
use std::path::PathBuf;

use serde_json::json;

use super::CliError;
use crate::app::migrate::migrate;

/// Which stores.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configuration.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// One JSON object for machines.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args, out: &mut dyn Write) -> Result<u8, CliError> {
    let config = super::config::read(&args.config)?;
    let migrated = migrate(&config).await?;
    if args.json {
        writeln!(out, "{}", json!({ "content": migrated.content, "keys": migrated.keys }))?;
    } else {
        writeln!(out, "The content has schema {}, the key store schema {}.", migrated.content, migrated.keys)?;
    }
    Ok(0)
}
