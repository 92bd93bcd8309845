//! `brygga contracts diff` and `brygga agreements diff`: what another set would change, in words and on the stored traffic.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::place::{Beside, Place, on_store};
use super::table::table;
use super::{CliError, ContractsFrom};
use crate::agreement::Illustrations;
use crate::app::embedded;
use crate::change::{ContractChange, Seen, TermsChange, Traffic, Visibility, contracts, terms, traffic, visibility};
use crate::domain::{Files, STOCKHOLM};
use crate::journey::ContractSet;

/// Which sets, and whether on the stored traffic.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder of the set that is in use.
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The folder of the set that would come.
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// Also says what both would make of the reports that have come since a day, read from the store that --data or --config
    /// names. No value is shown and nothing is kept; the reading is audited.
    #[arg(long, value_name = "DATE", value_parser = day)]
    since: Option<Timestamp>,
    /// The data folder.
    #[arg(long, value_name = "DIR", requires = "since", conflicts_with = "config")]
    data: Option<PathBuf>,
    /// The service's configuration.
    #[arg(long, value_name = "FILE", requires = "since")]
    config: Option<PathBuf>,
    /// Who looks, for the audit log.
    #[arg(long, value_name = "NAME", env = "BRYGGA_OPERATOR", default_value = "operator")]
    operator: String,
    /// One JSON object for machines.
    #[arg(long)]
    json: bool,
}

/// What the question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// Message contracts.
    Contracts,
    /// Agreements.
    Agreements,
}

fn day(text: &str) -> Result<Timestamp, String> {
    let day: Date = text.parse().map_err(|_| "a day is written 2026-03-16".to_owned())?;
    day.in_tz(STOCKHOLM).map(|zoned| zoned.timestamp()).map_err(|error| error.to_string())
}

fn read(folder: &Path) -> Result<(Files, ContractSet), CliError> {
    let named = |error| CliError::Usage(format!("{}: {error}", folder.display()));
    let files = embedded::contracts_from(folder).map_err(named)?;
    let set = ContractSet::load(&files, Illustrations::All).map_err(CliError::Flaws)?;
    Ok((files, set))
}

pub(super) async fn run(args: Args, about: About, out: &mut dyn Write) -> Result<u8, CliError> {
    let (old, new) = (read(&args.old)?, read(&args.new)?);
    let changes = match about {
        About::Contracts => contracts((&old.0, &old.1), (&new.0, &new.1)),
        About::Agreements => Vec::new(),
    };
    let changed_terms = match about {
        About::Contracts => Vec::new(),
        About::Agreements => terms(&old.1, &new.1),
    };
    let seen = visibility(&old.1, &new.1);
    let others = other_files(&old.0, &new.0);
    let stored = match args.since {
        Some(since) => Some(on_the_traffic(&args, since, &old.0, &new.0).await?),
        None => None,
    };
    let same = changes.is_empty() && changed_terms.is_empty() && seen.is_empty() && others.is_empty();
    if args.json {
        let whole = json!({
            "same": same,
            "contracts": changes.iter().map(contract_json).collect::<Vec<_>>(),
            "agreements": changed_terms.iter().map(terms_json).collect::<Vec<_>>(),
            "visibility": seen.iter().map(visibility_json).collect::<Vec<_>>(),
            "otherFiles": others,
            "traffic": stored.as_ref().map(traffic_json),
        });
        writeln!(out, "{whole}")?;
    } else {
        print(&changes, &changed_terms, &seen, &others, out)?;
        if let Some(stored) = &stored {
            print_traffic(stored, out)?;
        }
    }
    Ok(u8::from(!same))
}

/// Files that differ and that nothing above speaks of: a person has to read them.
fn other_files(old: &Files, new: &Files) -> Vec<String> {
    let told = |path: &str| ["messages/", "agreements/"].iter().any(|folder| path.starts_with(folder));
    let mut paths: Vec<&str> = old.iter().chain(new.iter()).map(|(path, _)| path).collect();
    paths.sort_unstable();
    paths.dedup();
    let differ = |path: &&str| old.get(path) != new.get(path) && !told(path);
    paths.into_iter().filter(differ).map(str::to_owned).collect()
}

async fn on_the_traffic(args: &Args, since: Timestamp, old: &Files, new: &Files) -> Result<Traffic, CliError> {
    if args.data.is_none() && args.config.is_none() {
        return Err(CliError::Usage("say whose traffic with --data DIR or --config FILE".to_owned()));
    }
    let illustrations = match &args.config {
        Some(config) => Illustrations::Named(super::config::read(config)?.contracts.illustrations),
        None => Illustrations::All,
    };
    let load = |files: &Files| ContractSet::load(files, illustrations.clone()).map(Arc::new).map_err(CliError::Flaws);
    let (old, new) = (load(old)?, load(new)?);
    let place = Place { data: args.data.clone(), config: args.config.clone() };
    let opened = place.open(&ContractsFrom { contracts: Some(args.old.clone()) }, Beside::AService).await?;
    let operator = &args.operator;
    Ok(on_store!(opened, |journey, store| {
        traffic(&journey.by(Arc::clone(&old)), &journey.by(Arc::clone(&new)), store, since, operator).await
    })?)
}

fn print(
    changes: &[ContractChange],
    changed_terms: &[TermsChange],
    seen: &[Visibility],
    others: &[String],
    out: &mut dyn Write,
) -> Result<(), CliError> {
    if changes.is_empty() && changed_terms.is_empty() && seen.is_empty() && others.is_empty() {
        writeln!(out, "Nothing differs.")?;
        return Ok(());
    }
    for change in changes {
        writeln!(out, "{}: documents valid before become invalid: {}", change.contract, change.invalidates.as_str())?;
        for words in &change.words {
            writeln!(out, "  {words}")?;
        }
    }
    for change in changed_terms {
        writeln!(out, "{} version {}:", change.agreement, change.version)?;
        for words in &change.words {
            writeln!(out, "  {words}")?;
        }
    }
    for one in seen {
        let (agreement, version) = &one.terms;
        writeln!(
            out,
            "{} of {} becomes {} to {} (was {}), by {agreement} version {version}",
            one.field,
            one.contract,
            one.after.words(),
            one.recipient,
            one.before.words()
        )?;
    }
    for path in others {
        writeln!(out, "{path} differs")?;
    }
    Ok(())
}

fn print_traffic(found: &Traffic, out: &mut dyn Write) -> Result<(), CliError> {
    writeln!(out, "\nOf the stored reports {} were looked at; {} cannot be read any more.", found.reports, found.unreadable)?;
    let mut reach = table(&["recipient", "reports that reach it now", "and by the new set"]);
    for (recipient, (now, then)) in &found.reach {
        reach.add_row([recipient.to_string(), now.to_string(), then.to_string()]);
    }
    writeln!(out, "{reach}")?;
    if found.fields.is_empty() {
        writeln!(out, "No field of them would be seen more or less.")?;
        return Ok(());
    }
    let mut fields = table(&["recipient", "field", "seen more", "seen less"]);
    for ((recipient, field), delta) in &found.fields {
        fields.add_row([recipient.to_string(), field.clone(), delta.more.to_string(), delta.less.to_string()]);
    }
    writeln!(out, "{fields}")?;
    Ok(())
}

fn contract_json(change: &ContractChange) -> Value {
    json!({ "contract": change.contract.to_string(), "invalidates": change.invalidates.as_str(), "words": change.words })
}

fn terms_json(change: &TermsChange) -> Value {
    json!({ "agreement": change.agreement, "version": change.version, "words": change.words })
}

fn visibility_json(one: &Visibility) -> Value {
    let word = |seen: Seen| match seen {
        Seen::Never => "never",
        Seen::WithConsent => "with-consent",
        Seen::Always => "always",
    };
    json!({
        "agreement": one.terms.0, "version": one.terms.1, "recipient": one.recipient.as_str(),
        "contract": one.contract.to_string(), "field": one.field, "before": word(one.before), "after": word(one.after),
    })
}

fn traffic_json(found: &Traffic) -> Value {
    let reach = found.reach.iter().map(|(to, (now, then))| json!({ "recipient": to.as_str(), "now": now, "then": then }));
    let fields = found.fields.iter().map(
        |((to, field), delta)| json!({ "recipient": to.as_str(), "field": field, "more": delta.more, "less": delta.less }),
    );
    json!({
        "reports": found.reports, "unreadable": found.unreadable, "reach": reach.collect::<Vec<_>>(),
        "fields": fields.collect::<Vec<_>>(),
    })
}
