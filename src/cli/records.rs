//! `brygga records`: the records of processing (GDPR art. 30) and the draft of an impact assessment (art. 35), as documents.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;

use super::table::table;
use super::{CliError, ContractsFrom, config};
use crate::agreement::Illustrations;
use crate::domain::STOCKHOLM;
use crate::page;
use crate::records::Records;
use crate::store::Clock;

/// Of what, and where to.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    from: ContractsFrom,
    /// The service's configuration; its contracts are used, whatever --contracts says.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder that the documents are written to. It is made where it is not there.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// One JSON object for machines: the records themselves.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, out: &mut dyn Write) -> Result<u8, CliError> {
    let configured = args.config.as_deref().map(config::read).transpose()?;
    let set = match &configured {
        Some(configured) => Arc::new(config::contracts(configured)?),
        None => args.from.load(Illustrations::All)?,
    };
    let today = Clock::System.now().in_tz(STOCKHOLM).map_err(|error| CliError::Usage(error.to_string()))?.date();
    let records = Records::of(&set, configured.as_ref(), today);
    let files = args.out.as_deref().map(|folder| write(folder, &records)).transpose()?.unwrap_or_default();
    let shown: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    if args.json {
        writeln!(out, "{}", json!({ "records": records, "files": shown }))?;
        return Ok(0);
    }
    let mut table = table(&["agreement", "terms", "status", "nämnd", "recipients", "purpose"]);
    for agreement in &records.agreements {
        let recipients: Vec<&str> = agreement.recipients.iter().map(|recipient| recipient.party).collect();
        table.add_row([
            agreement.name.clone(),
            agreement.version.to_string(),
            if agreement.is_signed { "signed" } else { "illustrative" }.to_owned(),
            agreement.namnd.clone(),
            recipients.join("\n"),
            agreement.purpose.clone(),
        ]);
    }
    writeln!(out, "{table}")?;
    for file in shown {
        writeln!(out, "Written: {file}")?;
    }
    if args.out.is_none() {
        writeln!(out, "With --out DIR the documents are written.")?;
    }
    Ok(0)
}

fn write(folder: &Path, records: &Records) -> Result<Vec<PathBuf>, CliError> {
    let documents = [
        ("artikel-30.html", page::records(records)?),
        ("artikel-30.csv", records.csv()),
        ("artikel-35-utkast.html", page::assessment(records)?),
    ];
    std::fs::create_dir_all(folder)?;
    let mut written = Vec::new();
    for (name, text) in documents {
        let file = folder.join(name);
        std::fs::write(&file, text)?;
        written.push(file);
    }
    Ok(written)
}
