//! `brygga audit export` and `brygga audit verify`: the audit chain, written out in its one form, and followed link by link.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;

use super::place::{Beside, Place, on_store};
use super::{CliError, ContractsFrom};
use crate::app::public_keys;
use crate::audit::{self, Broken, Checkpoint, CheckpointFault, ExportFault, PublicKey, Verified};

/// What to do with the audit chain.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Writes links with their rows, in the one form that an export has.
    Export {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        contracts: ContractsFrom,
        /// The first link.
        #[arg(long, value_name = "N", default_value_t = 1)]
        from: i64,
        /// The last link; the chain's own last one where it is left out.
        #[arg(long, value_name = "N")]
        to: Option<i64>,
        /// The file that is written, instead of standard output.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Follows a chain, of exports or of a store, and names the first row that was changed, removed, inserted or reordered.
    Verify {
        #[command(flatten)]
        chain: Chain,
        #[command(flatten)]
        contracts: ContractsFrom,
        /// A checkpoint that was kept elsewhere, or a folder of them. May be given more than once.
        #[arg(long, value_name = "FILE")]
        checkpoint: Vec<PathBuf>,
        /// A key that the checkpoints' signatures are checked with, instead of those beside each. May be given more than once.
        #[arg(long, value_name = "FILE", requires = "checkpoint")]
        public_key: Vec<PathBuf>,
        /// One JSON object for machines.
        #[arg(long)]
        json: bool,
    },
}

/// What is verified.
#[derive(Debug, clap::Args)]
#[group(id = "chain", required = true, multiple = false)]
pub(super) struct Chain {
    /// Exports, each going on where the one before it ends. No store is needed.
    #[arg(value_name = "EXPORT")]
    exports: Vec<PathBuf>,
    /// The data folder.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The service's configuration.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(super) async fn run(command: Command, out: &mut dyn Write) -> Result<u8, CliError> {
    match command {
        Command::Export { place, contracts, from, to, out: into } => {
            let opened = place.open(&contracts, Beside::AService).await?;
            match into {
                Some(path) => {
                    let file = File::create(&path).map_err(|error| unusable(&path, &error))?;
                    let file = BufWriter::new(file);
                    on_store!(opened, |_journey, store| audit::export(store, from, to, file).await)?
                }
                None => on_store!(opened, |_journey, store| audit::export(store, from, to, out).await)?,
            };
            Ok(0)
        }
        Command::Verify { chain, contracts, checkpoint, public_key, json } => {
            let checkpoints = checkpoints(&checkpoint, &public_key)?;
            let found = if chain.exports.is_empty() {
                let place = Place { data: chain.data, config: chain.config };
                let opened = place.open(&contracts, Beside::AService).await?;
                on_store!(opened, |_journey, store| audit::verify(store, checkpoints).await)?
            } else {
                let exports = chain.exports.iter().map(|path| File::open(path).map(BufReader::new));
                match audit::verify_exports(exports, checkpoints) {
                    Ok(found) => Ok(found),
                    Err(ExportFault::Broken(broken)) => Err(broken),
                    Err(fault @ ExportFault::Line { .. }) => return broken(&fault.to_string(), json, out),
                    Err(fault) => return Err(CliError::Usage(fault.to_string())),
                }
            };
            tell(&found, json, out)
        }
    }
}

/// Reads the checkpoints that are given, each by the key that it was signed with.
fn checkpoints(given: &[PathBuf], named: &[PathBuf]) -> Result<Vec<Checkpoint>, CliError> {
    let mut files = Vec::new();
    for path in given {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        for entry in fs::read_dir(path).map_err(|error| unusable(path, &error))? {
            let entry = entry?.path();
            let name = entry.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if name.starts_with("checkpoint-") && entry.extension().is_some_and(|kind| kind == "json") {
                files.push(entry);
            }
        }
    }
    files.sort();
    let read = |path: &Path| fs::read_to_string(path).map_err(|error| unusable(path, &error));
    let mut all = Vec::with_capacity(files.len());
    for path in &files {
        let keys = match named {
            [] => public_keys(beside(path)).map_err(|fault| unusable(path, &fault))?,
            named => {
                let key = |file: &PathBuf| PublicKey::read(&read(file)?).map_err(|fault| unusable(file, &fault));
                named.iter().map(key).collect::<Result<_, _>>()?
            }
        };
        let text = read(path)?;
        let mut tried = keys.iter().map(|key| Checkpoint::read(&text, key));
        let first = tried.next().unwrap_or(Err(CheckpointFault::PublicKey));
        all.push(tried.fold(first, Result::or).map_err(|fault| unusable(path, &fault))?);
    }
    Ok(all)
}

/// The folder that a file lies in.
fn beside(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn unusable(path: &Path, cause: &dyn std::fmt::Display) -> CliError {
    CliError::Usage(format!("{}: {cause}", path.display()))
}

fn tell(found: &Result<Verified, Broken>, json: bool, out: &mut dyn Write) -> Result<u8, CliError> {
    let found = match found {
        Ok(found) => found,
        Err(fault) => return broken(&fault.to_string(), json, out),
    };
    if json {
        let whole = json!({
            "holds": true, "from": found.from, "to": found.to, "rows": found.rows, "rowsGone": found.gone,
            "confirmed": found.confirmed,
        });
        writeln!(out, "{whole}")?;
        return Ok(0);
    }
    writeln!(out, "The chain holds: links {} to {} with {} rows.", found.from, found.to, found.rows)?;
    if found.gone > 0 {
        writeln!(out, "{} rows are gone by retention, as rows of the chain prove; their links stand.", found.gone)?;
    }
    match found.confirmed {
        Some(link) => writeln!(out, "A checkpoint confirms it up to link {link}; what came after could have been cut off.")?,
        None => writeln!(out, "No checkpoint confirms it: its end could have been cut off, or the whole made anew.")?,
    }
    Ok(0)
}

fn broken(what: &str, json: bool, out: &mut dyn Write) -> Result<u8, CliError> {
    if json {
        writeln!(out, "{}", json!({ "holds": false, "broken": what }))?;
    } else {
        writeln!(out, "The chain is broken. {what}")?;
    }
    Ok(1)
}
