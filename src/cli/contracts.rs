//! `brygga contracts lint|list|xsd`: the contract set as suppliers and lawyers look at it.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Subcommand;
use serde_json::json;

use super::table::table;
use super::{CliError, ContractsFrom};
use crate::agreement::Illustrations;
use crate::contract::{Contract, Direction, xsd};
use crate::domain::{Files, Flaw};
use crate::journey::ContractSet;

/// What to do with contracts.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Checks the whole set and reports every flaw with file and line.
    Lint {
        #[command(flatten)]
        from: ContractsFrom,
        /// One JSON object for machines.
        #[arg(long)]
        json: bool,
    },
    /// Lists the message contracts.
    List {
        #[command(flatten)]
        from: ContractsFrom,
        /// One JSON object for machines.
        #[arg(long)]
        json: bool,
    },
    /// Says in words what another set of contracts would change, and what it would make of the stored traffic.
    Diff(super::diff::Args),
    /// Writes the XSD of every contract beside its schema, or into another folder.
    Xsd {
        #[command(flatten)]
        from: ContractsFrom,
        /// Where to write; the contracts' own folder where it is not said.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
}

pub(super) async fn run(command: Command, out: &mut dyn Write) -> Result<u8, CliError> {
    match command {
        Command::Lint { from, json } => lint(&from, json, out),
        Command::List { from, json } => list(&from, json, out),
        Command::Xsd { from, out: folder } => write_xsds(&from, folder, out),
        Command::Diff(args) => super::diff::run(args, super::diff::About::Contracts, out).await,
    }
}

fn lint(from: &ContractsFrom, json: bool, out: &mut dyn Write) -> Result<u8, CliError> {
    let files = from.files()?;
    let flaws = match ContractSet::load(&files, Illustrations::All) {
        Ok(set) => stale_xsds(&set, &files),
        Err(flaws) => flaws,
    };
    if json {
        let list: Vec<_> =
            flaws.iter().map(|flaw| json!({ "file": flaw.file, "line": flaw.line, "words": flaw.words })).collect();
        writeln!(out, "{}", json!({ "flaws": list }))?;
    } else if flaws.is_empty() {
        writeln!(out, "The contracts have no flaw.")?;
    } else {
        for flaw in &flaws {
            writeln!(out, "{flaw}")?;
        }
        writeln!(out, "{} flaw(s).", flaws.len())?;
    }
    Ok(u8::from(!flaws.is_empty()))
}

/// XSDs that are not what the schemas beside them give: a supplier would check against something else than Brygga does.
fn stale_xsds(set: &ContractSet, files: &Files) -> Vec<Flaw> {
    let stale = |contract: &&Arc<Contract>| {
        files.get(&format!("{}/schema.xsd", contract.folder())) != Some(xsd::write(contract).as_str())
    };
    let flaw = |contract: &Arc<Contract>| Flaw {
        file: format!("{}/schema.xsd", contract.folder()),
        line: 1,
        words: "missing, or not what schema.json gives: run `brygga contracts xsd`".to_owned(),
    };
    set.catalogue.contracts().filter(stale).map(flaw).collect()
}

fn list(from: &ContractsFrom, json: bool, out: &mut dyn Write) -> Result<u8, CliError> {
    let set = from.load(Illustrations::All)?;
    if json {
        let list: Vec<_> = set
            .catalogue
            .contracts()
            .map(|contract| {
                json!({ "contract": contract.outline().reference.to_string(), "title": contract.title(), "direction": direction(contract.direction()) })
            })
            .collect();
        writeln!(out, "{}", json!({ "contracts": list }))?;
        return Ok(0);
    }
    let mut table = table(&["contract", "direction", "fields", "title"]);
    for contract in set.catalogue.contracts() {
        let outline = contract.outline();
        let fields = outline.leaves().len().to_string();
        table.add_row([outline.reference.to_string(), direction(contract.direction()), fields, contract.title().to_owned()]);
    }
    writeln!(out, "{table}")?;
    Ok(0)
}

fn direction(direction: Direction) -> String {
    match direction {
        Direction::In => "in (json, xml)".to_owned(),
        Direction::Out(syntax) => format!("out ({})", syntax.as_str()),
    }
}

fn write_xsds(from: &ContractsFrom, folder: Option<PathBuf>, out: &mut dyn Write) -> Result<u8, CliError> {
    let set = from.load(Illustrations::All)?;
    let Some(root) = folder.or_else(|| from.folder().map(std::path::Path::to_owned)) else {
        return Err(CliError::Usage(
            "say where to write: --out DIR, or --contracts DIR for the contracts' own folder".to_owned(),
        ));
    };
    for contract in set.catalogue.contracts() {
        let folder = root.join(contract.folder());
        fs::create_dir_all(&folder)?;
        let path = folder.join("schema.xsd");
        fs::write(&path, xsd::write(contract))?;
        writeln!(out, "{}", path.display())?;
    }
    Ok(0)
}
