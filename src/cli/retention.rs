//! `brygga retention run`: blanks what may be kept no longer, or says what that would be.

use std::io::Write;

use clap::Subcommand;
use serde_json::json;

use super::place::{Beside, Place, on_store};
use super::table::table;
use super::{CliError, ContractsFrom, config};
use crate::journey::Retained;

/// What to do with what has been kept for its period.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Blanks it, beside a service that may run; a service does the same by itself where its configuration has `[retention]`.
    Run {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        from: ContractsFrom,
        /// Says what would go, and why, and changes nothing.
        #[arg(long)]
        dry_run: bool,
        /// Who acts, for the audit log.
        #[arg(long, value_name = "NAME", env = "BRYGGA_OPERATOR", default_value = "operator")]
        operator: String,
        /// One JSON object for machines.
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn run(command: Command, out: &mut dyn Write) -> Result<u8, CliError> {
    let Command::Run { place, from, dry_run, operator, json } = command;
    let rules = place.config.as_deref().map(config::read).transpose()?.map(|read| read.retention).unwrap_or_default();
    let opened = place.open(&from, Beside::AService).await?;
    let (all, space) = on_store!(opened, |journey, store| {
        let all = journey.retain(store, &rules, Some(&operator), dry_run).await?;
        let space = if !dry_run && all.iter().any(|one| one.gone > 0) { journey.give_back(store).await } else { Ok(()) };
        (all, space.err())
    });
    let space = space.map(|fault| fault.to_string());
    if json {
        let kinds: Vec<_> = all.iter().map(object).collect();
        writeln!(
            out,
            "{}",
            json!({ "dryRun": dry_run, "kinds": kinds, "auditRule": rules.audit_rule, "spaceNotGivenBack": space })
        )?;
        return Ok(u8::from(space.is_some()));
    }
    let gone = if dry_run { "would go" } else { "gone" };
    let mut table = table(&["kind", "by", gone, "the oldest of them", "kept", "the oldest kept"]);
    for one in &all {
        let time = |at: Option<jiff::Timestamp>| at.map_or_else(String::new, |at| at.to_string());
        table.add_row([
            one.kind.as_str().to_owned(),
            format!("{} = {}", rule(one), one.days),
            one.gone.to_string(),
            time(one.oldest),
            one.kept.to_string(),
            time(one.oldest_kept),
        ]);
    }
    writeln!(out, "{table}")?;
    writeln!(out, "Ids, positions, subjects, states, ledgers, the audit chain's links and what proves a removal stay.")?;
    writeln!(out, "The audit log is kept by: {}.", rules.audit_rule)?;
    if let Some(fault) = &space {
        writeln!(out, "What is said above has gone, but its space was not given back: {fault}")?;
    }
    Ok(u8::from(space.is_some()))
}

/// Which line of `[retention]` says so.
fn rule(one: &Retained) -> String {
    format!("{}_days", one.kind.as_str().replace('-', "_"))
}

fn object(one: &Retained) -> serde_json::Value {
    json!({
        "kind": one.kind.as_str(), "days": one.days, "gone": one.gone, "oldest": one.oldest.map(|at| at.to_string()),
        "kept": one.kept, "oldestKept": one.oldest_kept.map(|at| at.to_string()),
        "rule": format!("retention.{}", rule(one)),
    })
}
