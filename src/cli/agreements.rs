//! `brygga agreements list|show`: who may get what, under which gate, by which line.

use std::io::Write;

use clap::Subcommand;
use serde_json::json;

use super::table::{agreement, table};
use super::{CliError, ContractsFrom};
use crate::agreement::{Illustrations, RecipientTerms, Terms};
use crate::domain::Category;

/// What to do with agreements.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Lists all dated terms.
    List {
        #[command(flatten)]
        from: ContractsFrom,
        /// One JSON object for machines.
        #[arg(long)]
        json: bool,
    },
    /// Says in words what other agreements would change, and what they would make of the stored traffic.
    Diff(super::diff::Args),
    /// Shows one agreement: its terms, gates and matrices.
    Show {
        #[command(flatten)]
        from: ContractsFrom,
        /// One JSON object for machines.
        #[arg(long)]
        json: bool,
        /// The agreement's name, as `agreements list` gives it.
        name: String,
    },
}

pub(super) async fn run(command: Command, out: &mut dyn Write) -> Result<u8, CliError> {
    match command {
        Command::List { from, json } => list(&from, json, out),
        Command::Show { from, json, name } => show(&from, json, &name, out),
        Command::Diff(args) => super::diff::run(args, super::diff::About::Agreements, out).await,
    }
}

fn list(from: &ContractsFrom, json: bool, out: &mut dyn Write) -> Result<u8, CliError> {
    let set = from.load(Illustrations::All)?;
    if json {
        let list: Vec<_> = set.register.terms().iter().map(|terms| describe(terms)).collect();
        writeln!(out, "{}", json!({ "agreements": list }))?;
        return Ok(0);
    }
    let mut table = table(&["agreement", "terms", "from", "to", "nämnd", "recipients"]);
    for terms in set.register.terms() {
        let recipients = terms.recipients.iter().map(|one| format!("{}: {}", one.party.as_str(), one.gate.kind.as_str()));
        table.add_row([
            agreement(&terms.agreement, terms.status),
            terms.version.to_string(),
            terms.from.to_string(),
            terms.to.to_string(),
            terms.namnd.clone(),
            recipients.collect::<Vec<_>>().join("\n"),
        ]);
    }
    writeln!(out, "{table}")?;
    Ok(0)
}

fn show(from: &ContractsFrom, json: bool, name: &str, out: &mut dyn Write) -> Result<u8, CliError> {
    let set = from.load(Illustrations::All)?;
    let found: Vec<_> = set.register.terms().iter().filter(|terms| terms.agreement == name).collect();
    if found.is_empty() {
        return Err(CliError::Usage(format!("there is no agreement `{name}`; `brygga agreements list` names them")));
    }
    if json {
        let list: Vec<_> = found.iter().map(|terms| describe(terms)).collect();
        writeln!(out, "{}", json!({ "agreements": list }))?;
        return Ok(0);
    }
    for terms in found {
        writeln!(out, "{}\n{}", agreement(&terms.agreement, terms.status), terms.title)?;
        writeln!(out, "  terms {}: {} to {}, {}", terms.version, terms.from, terms.to, terms.namnd)?;
        writeln!(out, "  purpose: {}\n  legal ground: {}", terms.purpose, terms.legal_ground)?;
        writeln!(
            out,
            "  late reports: {} days; a report waits {} days for a waiver",
            terms.late_reporting_days, terms.hold_days
        )?;
        if let Some(ages) = terms.ages {
            writeln!(out, "  ages: {} to {}", ages.from, ages.to)?;
        }
        for (activity, ages) in &terms.ages_by_activity {
            writeln!(out, "  ages for {activity}: {} to {}", ages.from, ages.to)?;
        }
        for recipient in &terms.recipients {
            writeln!(
                out,
                "\n  to {}: {} ({}; {})",
                recipient.party.as_str(),
                recipient.gate.kind.as_str(),
                recipient.gate.rule,
                recipient.gate.reason
            )?;
            let mut table = table(&["category", "disclosed", "line"]);
            for category in Category::ALL {
                let line = recipient.matrix.lines.get(category);
                table.add_row([
                    category.as_str().to_owned(),
                    right(recipient, *category).to_owned(),
                    line.map_or_else(|| "not named".to_owned(), ToString::to_string),
                ]);
            }
            writeln!(out, "{table}")?;
        }
    }
    Ok(0)
}

fn right(recipient: &RecipientTerms, category: Category) -> &'static str {
    if recipient.matrix.always.contains(category) {
        "always"
    } else if recipient.matrix.with_consent.contains(category) {
        "with-consent"
    } else {
        "never"
    }
}

fn describe(terms: &Terms) -> serde_json::Value {
    let recipients: Vec<_> = terms
        .recipients
        .iter()
        .map(|one| {
            let matrix: serde_json::Map<_, _> =
                Category::ALL.iter().map(|category| (category.as_str().to_owned(), json!(right(one, *category)))).collect();
            json!({
                "party": one.party.as_str(),
                "documents": one.documents.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "gate": one.gate.kind.as_str(), "rule": one.gate.rule, "reason": one.gate.reason, "matrix": matrix,
            })
        })
        .collect();
    json!({
        "agreement": terms.agreement, "title": terms.title, "status": terms.status.as_str(), "version": terms.version,
        "from": terms.from.to_string(), "to": terms.to.to_string(), "namnd": terms.namnd, "purpose": terms.purpose,
        "legalGround": terms.legal_ground, "recipients": recipients,
        "reviews": terms.reviews.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}
