//! `brygga breach export`: whose data of which categories was disclosed to whom within a span of time (GDPR article 33).

use std::io::Write;

use clap::Subcommand;
use jiff::Timestamp;

use super::place::{Beside, Place, on_store};
use super::{CliError, ContractsFrom};
use crate::domain::RecipientId;
use crate::subject::{Span, breach};

/// What to gather after a breach.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Writes one line for each recipient, participant and kind of document, as comma-separated values.
    Export {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        from_contracts: ContractsFrom,
        /// From this instant on, as in 2026-03-01T00:00:00Z.
        #[arg(long, value_name = "T")]
        from: Timestamp,
        /// Up to this instant, not included.
        #[arg(long, value_name = "T")]
        to: Timestamp,
        /// To this recipient alone.
        #[arg(long, value_name = "R")]
        recipient: Option<String>,
        /// With personnummer, of those who are not protected and whose contents are still there: a reading of each of them.
        #[arg(long)]
        with_identities: bool,
        /// Who asks, for the audit log.
        #[arg(long, value_name = "NAME", env = "BRYGGA_OPERATOR", default_value = "operator")]
        operator: String,
        /// Why; kept in the audit log. Nothing of a person may stand in it.
        #[arg(long)]
        reason: String,
        /// One JSON object for machines.
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn run(command: Command, out: &mut dyn Write) -> Result<u8, CliError> {
    let Command::Export { place, from_contracts, from, to, recipient, with_identities, operator, reason, json } = command;
    if reason.trim().is_empty() {
        return Err(CliError::Usage("say why with --reason".to_owned()));
    }
    if from >= to {
        return Err(CliError::Usage("--from is before --to".to_owned()));
    }
    let opened = place.open(&from_contracts, Beside::AService).await?;
    let span = Span { from, to, recipient: recipient.map(RecipientId::from_stored) };
    let found = on_store!(opened, |journey, store| breach(journey, store, &span, with_identities, &operator, &reason).await)?;
    if json {
        let text = serde_json::to_string(&found).map_err(|error| CliError::Usage(error.to_string()))?;
        writeln!(out, "{text}")?;
    } else {
        write!(out, "{}", found.csv())?;
    }
    Ok(u8::from(found.documents == 0))
}
