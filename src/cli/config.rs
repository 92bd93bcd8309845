//! `brygga config check`: reads the configuration and all that it names, as `serve` does, without any effect.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;

use super::CliError;
use crate::agreement::Illustrations;
use crate::app::{checked, embedded};
use crate::config::{Config, ConfigFault, Machine};
use crate::journey::ContractSet;

/// What to do with the configuration.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Says every fault of the configuration and of what it names, each with its place; changes nothing.
    Check {
        /// The configuration.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// One JSON object for machines.
        #[arg(long)]
        json: bool,
    },
}

/// Reads a configuration file.
pub(super) fn read(path: &Path) -> Result<Config, CliError> {
    let text = std::fs::read_to_string(path).map_err(|error| CliError::Usage(format!("{}: {error}", path.display())))?;
    Config::read(&text, &Machine).map_err(|faults| CliError::Config(path.display().to_string(), faults))
}

/// The contracts that a configuration names.
pub(super) fn contracts(config: &Config) -> Result<ContractSet, CliError> {
    let folder = &config.contracts.folder;
    let files = embedded::contracts_from(folder).map_err(|error| CliError::Usage(format!("{}: {error}", folder.display())))?;
    ContractSet::load(&files, Illustrations::Named(config.contracts.illustrations.clone())).map_err(CliError::Flaws)
}

pub(super) fn run(command: Command, out: &mut dyn Write) -> Result<u8, CliError> {
    let Command::Check { config: path, json } = command;
    let mut told: Vec<String> = Vec::new();
    match read(&path) {
        Ok(config) => {
            let set = contracts(&config);
            match &set {
                Ok(_) => {}
                Err(CliError::Flaws(flaws)) => told.extend(flaws.iter().map(|flaw| format!("contracts.folder: {flaw}"))),
                Err(error) => told.push(format!("contracts.folder: {error}")),
            }
            told.extend(checked::check(&config, set.ok().as_ref()).iter().map(ToString::to_string));
        }
        Err(CliError::Config(_, faults)) => told.extend(faults.iter().map(ConfigFault::to_string)),
        Err(error) => return Err(error),
    }
    if json {
        writeln!(out, "{}", json!({ "ok": told.is_empty(), "faults": told }))?;
    } else if told.is_empty() {
        writeln!(out, "The configuration is good.")?;
    } else {
        for fault in &told {
            writeln!(out, "{fault}")?;
        }
    }
    Ok(u8::from(!told.is_empty()))
}
