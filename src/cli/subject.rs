//! `brygga subject export|erase`: what the participant can ask for.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::place::{Beside, Place, on_store};
use super::{CliError, ContractsFrom, config, person};
use crate::app::erasure::{Erasure, erase};
use crate::app::{Opened, WrappingFiles};
use crate::config::RetentionConfig;
use crate::page;
use crate::store::Store as _;
use crate::subject::extract;

/// What a participant has asked for. The personnummer is read from standard input.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Writes all that is held of a participant, what was sent of it, and who has looked (GDPR article 15): a page and JSON.
    Export {
        #[command(flatten)]
        at: At,
        /// The folder that the page and the JSON are written to, readable by you alone. It is made where it is not there.
        #[arg(long, value_name = "DIR", required_unless_present = "json")]
        out: Option<PathBuf>,
        /// Also of a protected participant: for the privacy role alone.
        #[arg(long)]
        with_protected: bool,
    },
    /// Erases all that is held of a participant and no rule keeps (GDPR article 17), while the service runs.
    Erase {
        #[command(flatten)]
        at: At,
    },
}

/// Where, who and why.
#[derive(Debug, Args)]
pub(super) struct At {
    #[command(flatten)]
    pub(super) place: Place,
    #[command(flatten)]
    pub(super) from: ContractsFrom,
    /// Who acts, for the audit log.
    #[arg(long, value_name = "NAME", env = "BRYGGA_OPERATOR", default_value = "operator")]
    pub(super) operator: String,
    /// Why; kept in the audit log. Nothing of the person may stand in it.
    #[arg(long)]
    pub(super) reason: String,
    /// One JSON object for machines.
    #[arg(long)]
    pub(super) json: bool,
}

impl At {
    /// Opens the store beside a service, with what the configuration says of retention and where the wrapping keys are.
    async fn open(&self) -> Result<(Opened, RetentionConfig, WrappingFiles), CliError> {
        if self.reason.trim().is_empty() {
            return Err(CliError::Usage("say why with --reason".to_owned()));
        }
        let opened = self.place.open(&self.from, Beside::AService).await?;
        let read = self.place.config.as_deref().map(config::read).transpose()?;
        let files = match (&opened, read.as_ref().and_then(|read| read.keys.as_ref())) {
            (Opened::Embedded { folder, .. }, _) => folder.wrapping_files(),
            (Opened::Postgres { .. }, keys) => {
                WrappingFiles::new(keys.map(|keys| keys.wrapping_key_files.clone()).unwrap_or_default())
            }
        };
        Ok((opened, read.map(|read| read.retention).unwrap_or_default(), files))
    }
}

pub(super) async fn run(command: Command, out: &mut dyn Write) -> Result<u8, CliError> {
    match command {
        Command::Export { at, out: folder, with_protected } => {
            let (opened, ..) = at.open().await?;
            let found = on_store!(opened, |journey, store| {
                let (number, person) = person::read(journey.keys(), store.now())?;
                extract(journey, store, (&number, &person), with_protected, &at.operator, &at.reason).await
            })?;
            let Some(found) = found else {
                // The same words whether there is nothing or a protection: which of the two is for the privacy role alone.
                let words = "Nothing is held of this person that may be shown here.";
                writeln!(out, "{}", if at.json { "{}" } else { words })?;
                return Ok(1);
            };
            let json = serde_json::to_string_pretty(&found).map_err(|error| CliError::Usage(error.to_string()))?;
            if let Some(folder) = folder {
                std::fs::create_dir_all(&folder)?;
                for (name, text) in [("registerutdrag.html", page::extract(&found)?), ("registerutdrag.json", json.clone())] {
                    write_private(&folder.join(name), &text)?;
                    if !at.json {
                        writeln!(out, "Written: {}", folder.join(name).display())?;
                    }
                }
            }
            if at.json {
                writeln!(out, "{json}")?;
            }
            Ok(0)
        }
        Command::Erase { at } => {
            let (opened, retention, files) = at.open().await?;
            on_store!(opened, |journey, store| {
                let now = store.now();
                let (_, person) = person::read(journey.keys(), now)?;
                let done =
                    erase(journey, store, &files, &person, &at.operator, &at.reason, retention.archive_rule.is_some()).await?;
                let newest_archived = done.as_ref().and_then(|done| done.erased.newest_archived);
                say(done.as_ref(), &kept(&retention, now, newest_archived), at.json, out)
            })
        }
    }
}

/// Writes a file that nobody else on the machine can read.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::File::options();
    options.create(true).write(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}

/// Something that an erasure leaves, by which rule, and until when.
struct Rest {
    what: &'static str,
    rule: String,
    until: Option<Timestamp>,
}

fn kept(retention: &RetentionConfig, now: Timestamp, newest_archived: Option<Timestamp>) -> Vec<Rest> {
    let after = |at: Timestamp, days: u32| at.checked_add(SignedDuration::from_hours(24 * i64::from(days))).ok();
    let archived = newest_archived.zip(retention.archive_rule.clone()).map(|(newest, rule)| Rest {
        what: "reports of which a document was served, as they came, and the journal's key",
        rule,
        until: after(newest, retention.journal),
    });
    let others = [
        Rest {
            what: "audit rows: who did what with which message, without contents",
            rule: retention.audit_rule.clone(),
            until: after(now, retention.audit),
        },
        Rest {
            what: "message ids, times, states and keyed digests of person and report; ledgers of withdrawals, revocations and erasures",
            rule: "dataskyddsförordningen artikel 17.3 b: a later arrival or an older backup must bring nothing back"
                .to_owned(),
            until: None,
        },
        Rest {
            what: "a protection flag, where one is set: as a keyed digest alone",
            rule: "OSL 21 kap. 3 § och 22 kap. 1 §".to_owned(),
            until: None,
        },
        Rest {
            what: "what recipients hold: they have been told by a DELETE, and their own law decides",
            rule: "the recipient's register law, and the agreement".to_owned(),
            until: None,
        },
    ];
    archived.into_iter().chain(others).collect()
}

fn say(done: Option<&Erasure>, kept: &[Rest], json: bool, out: &mut dyn Write) -> Result<u8, CliError> {
    let Some(Erasure { erased, rotated, destroyed, not_given_back }) = done else {
        if json {
            writeln!(out, "{}", json!({ "erased": false }))?;
        } else {
            writeln!(out, "Nothing is held of this person.")?;
        }
        return Ok(1);
    };
    if json {
        let rest: Vec<_> = kept
            .iter()
            .map(|rest| json!({ "what": rest.what, "rule": rest.rule, "until": rest.until.map(|until| until.to_string()) }))
            .collect();
        let whole = json!({
            "erased": true, "messages": erased.messages, "entries": erased.entries, "withdrawn": erased.withdrawn,
            "deletes": erased.deletes, "archived": erased.archived, "wrappingKey": rotated.wrapping.to_string(),
            "before": rotated.before.map(|id| id.to_string()), "dataKeys": rotated.keys, "oldDestroyed": destroyed,
            "warnings": not_given_back, "kept": rest, "backUp": "the key store and the wrapping key",
        });
        writeln!(out, "{whole}")?;
        return Ok(0);
    }
    writeln!(out, "{} messages and {} entries of feeds are erased.", erased.messages, erased.entries)?;
    writeln!(
        out,
        "{} entries were withdrawn before anybody had fetched them; {} DELETEs follow for what somebody had.",
        erased.withdrawn, erased.deletes
    )?;
    writeln!(out, "The {} data keys that remain are wrapped by the wrapping key {}.", rotated.keys, rotated.wrapping)?;
    if let Some(before) = rotated.before.filter(|_| !destroyed) {
        writeln!(out, "Take the wrapping key {before} out of every configuration and destroy it, with every copy.")?;
        writeln!(out, "Until then an earlier backup of both stores can still be opened with it.")?;
    }
    for warning in not_given_back {
        writeln!(out, "Warning: space was not given back by {warning}. Let the database's administrator run VACUUM on it.")?;
    }
    writeln!(out, "\nWhat is kept:")?;
    for rest in kept {
        let until = rest.until.map_or_else(|| "no end".to_owned(), |until| format!("until {until}"));
        writeln!(out, "- {} ({until}; {})", rest.what, rest.rule)?;
    }
    writeln!(out, "\nMake a new backup of the key store and the wrapping key NOW: earlier ones open nothing any more.")?;
    Ok(0)
}
