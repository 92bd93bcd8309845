//! `brygga check`: a dry run of the whole way over a set of files, for suppliers and lawyers. Nothing is kept or sent.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::check_files::arrival;
use super::table::{agreement, table};
use super::{CliError, ContractsFrom};
use crate::agreement::Illustrations;
use crate::answer::Kind;
use crate::domain::{Code, RecipientId, STOCKHOLM};
use crate::feed::Method;
use crate::journey::{DryRun, FieldFate, LegView, Outcome, Served, is_clean};
use crate::seal::ServiceKeys;
use crate::store::sqlite::SqliteStore;
use crate::store::{Clock, LegRow, MessageState, Store as _, StoredMessage, Survey as _, Tx as _};

/// What is checked, and as of when.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Judges as of a day (at noon, Swedish time) or an instant, instead of now.
    #[arg(long, value_name = "DATE", value_parser = as_of)]
    as_of: Option<Timestamp>,
    /// Takes every waiver that the agreements foresee as given, for all categories.
    #[arg(long)]
    assume_consent: bool,
    /// One JSON object for machines.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    from: ContractsFrom,
    /// Message files, taken in this order as one set.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// A file and what became of it.
struct Checked {
    file: String,
    outcome: Outcome,
    stored: StoredMessage,
    rows: Vec<LegRow>,
    legs: Vec<LegView>,
}

fn as_of(text: &str) -> Result<Timestamp, String> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant);
    }
    let date: Date =
        text.parse().map_err(|_| "a day is written 2026-03-16, an instant 2026-03-16T09:00:00+01:00".to_owned())?;
    date.at(12, 0, 0, 0).in_tz(STOCKHOLM).map(|noon| noon.timestamp()).map_err(|error| error.to_string())
}

pub(super) async fn run(args: Args, out: &mut dyn Write) -> Result<u8, CliError> {
    let set = args.from.load(Illustrations::All)?;
    let instant = args.as_of.unwrap_or_else(|| Clock::System.now());
    // The keys live as long as the dry run: its digests are compared with nothing else.
    let secret = ServiceKeys::new_secret().ok_or_else(|| CliError::Usage("the system gives no random numbers".to_owned()))?;
    let store = SqliteStore::in_memory(Clock::at(instant)).await?;
    let dry = DryRun::new(Arc::clone(&set), Arc::new(ServiceKeys::derive(&secret)), store, args.assume_consent)?;
    let mut outcomes = Vec::new();
    for file in &args.files {
        let arrival = arrival(file, instant, &set).map_err(CliError::Usage)?;
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if let Some(outcome) = dry.take(arrival).await? {
            outcomes.push((name, outcome));
        }
    }
    let checked = look(&dry, outcomes).await?;
    let clean = checked.iter().all(Checked::is_clean);
    if args.json {
        writeln!(out, "{}", to_json(&dry, instant, &checked, clean).await?)?;
    } else {
        print(&dry, instant, &args, &checked, out).await?;
    }
    Ok(u8::from(!clean))
}

impl Checked {
    fn state(&self) -> MessageState {
        if matches!(self.outcome, Outcome::Duplicate(_)) { MessageState::Duplicate } else { self.stored.message.state }
    }

    fn is_clean(&self) -> bool {
        match self.state() {
            MessageState::Refused | MessageState::Diverted => false,
            MessageState::Duplicate | MessageState::Recorded => true,
            MessageState::Journey => is_clean(&self.rows),
        }
    }
}

async fn look(dry: &DryRun<SqliteStore>, outcomes: Vec<(String, Outcome)>) -> Result<Vec<Checked>, CliError> {
    let mut checked = Vec::new();
    for (file, outcome) in outcomes {
        let mut tx = dry.store().begin("check-look").await?;
        let stored = tx.message(outcome.number()).await?;
        let rows = tx.legs(outcome.number()).await?;
        tx.commit().await?;
        let Some(stored) = stored else { continue };
        let legs = if stored.message.state == MessageState::Journey { dry.legs(&stored).await? } else { Vec::new() };
        checked.push(Checked { file, outcome, stored, rows, legs });
    }
    Ok(checked)
}

/// Each recipient's feed as it would be read from the start: what is disclosed, without the answers to its sender.
async fn feeds(dry: &DryRun<SqliteStore>) -> Result<Vec<(RecipientId, Vec<Value>)>, CliError> {
    let mut tx = dry.store().begin("check-feeds").await?;
    let mut recipients: BTreeSet<RecipientId> = tx.recipients().await?.into_iter().collect();
    recipients.retain(|recipient| recipient.party().is_some());
    tx.commit().await?;
    let mut feeds = Vec::new();
    for recipient in recipients {
        let page = dry.feed(&recipient).await?;
        let is_disclosed = |entry: &&Served| entry.method == Method::Put && Kind::of_contract(&entry.contract).is_none();
        let documents = page.entries.iter().filter(is_disclosed);
        let shown = documents.map(|entry| {
            let text = String::from_utf8_lossy(&entry.document).into_owned();
            let data = serde_json::from_str(&text).unwrap_or_else(|_| json!(text));
            json!({ "contract": entry.contract, "illustrative": entry.illustrative, "data": data })
        });
        feeds.push((recipient, shown.collect()));
    }
    Ok(feeds)
}

async fn to_json(dry: &DryRun<SqliteStore>, instant: Timestamp, checked: &[Checked], clean: bool) -> Result<Value, CliError> {
    let files: Vec<Value> = checked
        .iter()
        .map(|one| {
            let legs: Vec<Value> = one.rows.iter().map(|row| leg_json(row, &one.legs)).collect();
            let violations: Vec<String> = match one.state() {
                MessageState::Refused => {
                    one.stored.message.violations.iter().map(|(code, place)| format!("{code} {place}")).collect()
                }
                _ => Vec::new(),
            };
            json!({ "file": one.file, "outcome": one.state().as_str(), "violations": violations, "legs": legs })
        })
        .collect();
    let feeds: serde_json::Map<String, Value> =
        feeds(dry).await?.into_iter().map(|(recipient, documents)| (recipient.to_string(), Value::Array(documents))).collect();
    Ok(json!({ "asOf": instant.to_string(), "clean": clean, "files": files, "feeds": feeds }))
}

fn leg_json(row: &LegRow, views: &[LegView]) -> Value {
    let view = views.iter().find(|view| view.row.id == row.id);
    let fields: Vec<Value> = view
        .iter()
        .flat_map(|view| view.fields.iter())
        .map(|(path, fate)| match fate {
            FieldFate::Disclosed => json!({ "field": path, "fate": "disclosed" }),
            FieldFate::NotInFormat => json!({ "field": path, "fate": "not-in-format" }),
            FieldFate::Absent => json!({ "field": path, "fate": "absent" }),
            FieldFate::Unknown => json!({ "field": path, "fate": "unknown" }),
            FieldFate::Withheld { category, line, with_consent } => json!({
                "field": path, "fate": "withheld", "category": category.as_str(),
                "file": view.map(|view| view.agreement_file.as_str()), "line": line, "withConsent": with_consent,
            }),
        })
        .collect();
    json!({
        "recipient": row.id.recipient.as_str(), "state": row.state.as_str(), "code": row.code.map(Code::as_str),
        "documents": row.documents, "agreement": view.map(|view| view.agreement.as_str()),
        "status": view.map(|view| view.status.as_str()), "fields": fields,
    })
}

async fn print(
    dry: &DryRun<SqliteStore>,
    instant: Timestamp,
    args: &Args,
    checked: &[Checked],
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let consent = if args.assume_consent { "; every waiver that the agreements foresee is taken as given" } else { "" };
    writeln!(out, "A dry run as of {instant}{consent}. Nothing is kept or sent.\n")?;
    for one in checked {
        writeln!(out, "{}: {}", one.file, one.state().as_str())?;
        if one.state() == MessageState::Refused {
            for (code, place) in &one.stored.message.violations {
                writeln!(out, "  {code} at {place}: {}", code.words())?;
            }
        }
        for row in &one.rows {
            let view = one.legs.iter().find(|view| view.row.id == row.id);
            let named = view.map_or_else(String::new, |view| format!(", under {}", agreement(&view.agreement, view.status)));
            let why = row.code.map_or_else(String::new, |code| format!(" {code}: {}", code.words()));
            writeln!(out, "  to {}: {}{named}{why}", row.id.recipient, row.state.as_str())?;
            if let Some(view) = view.filter(|view| !view.fields.is_empty()) {
                let mut table = table(&["field", "fate", "by"]);
                for (path, fate) in &view.fields {
                    table.add_row(fate_row(path, fate, view));
                }
                writeln!(out, "{table}")?;
            }
        }
    }
    for (recipient, documents) in feeds(dry).await? {
        writeln!(out, "\nWhat {recipient} would get: {} document(s)", documents.len())?;
        for document in documents {
            writeln!(out, "{}", serde_json::to_string_pretty(&document).unwrap_or_default())?;
        }
    }
    Ok(())
}

fn fate_row(path: &str, fate: &FieldFate, view: &LegView) -> [String; 3] {
    match fate {
        FieldFate::Disclosed => [path.to_owned(), "disclosed".to_owned(), String::new()],
        FieldFate::NotInFormat => [path.to_owned(), "not sent".to_owned(), "no document to this recipient has it".to_owned()],
        FieldFate::Absent => [path.to_owned(), "absent".to_owned(), String::new()],
        FieldFate::Unknown => [path.to_owned(), "unknown".to_owned(), "the gate is shut now".to_owned()],
        FieldFate::Withheld { category, line, with_consent } => {
            let by = match line {
                Some(line) => format!("{}:{line} ({category})", view.agreement_file),
                None => format!("{} does not name {category}", view.agreement_file),
            };
            let fate = if *with_consent { "withheld: no waiver names it" } else { "withheld" };
            [path.to_owned(), fate.to_owned(), by]
        }
    }
}
