//! `brygga explain MESSAGE-ID`: the whole story of a message, each stage with the rule that decided, without any value.

use std::io::Write;

use serde_json::{Value, json};
use uuid::Uuid;

use super::place::{Beside, Place, on_store};
use super::table::table;
use super::{CliError, ContractsFrom, explain_since};
use crate::domain::Code;
use crate::feed::Method;
use crate::journey::{BasisRecord, CorrectionView, FieldFate, LegStory, Story, explain};
use crate::store::MessageState;

/// Which message.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    from: ContractsFrom,
    /// Who looks, for the audit log.
    #[arg(long, value_name = "NAME", env = "BRYGGA_OPERATOR", default_value = "operator")]
    operator: String,
    /// One JSON object for machines.
    #[arg(long)]
    json: bool,
    /// The sender's id of the message. Several senders may have used one; all are told.
    #[arg(value_name = "MESSAGE-ID")]
    message_id: Uuid,
}

pub(super) async fn run(args: Args, out: &mut dyn Write) -> Result<u8, CliError> {
    let opened = args.place.open(&args.from, Beside::AService).await?;
    let (id, operator) = (args.message_id, &args.operator);
    let stories = on_store!(opened, |journey, store| explain(journey, store, id, operator).await)?;
    if args.json {
        let stories: Vec<Value> = stories.iter().map(story_json).collect();
        writeln!(out, "{}", json!({ "messageId": id.to_string(), "messages": stories }))?;
    } else if stories.is_empty() {
        writeln!(out, "No message under this id has come, or none that may be looked at.")?;
    } else {
        for story in &stories {
            print(story, out)?;
        }
    }
    Ok(u8::from(stories.is_empty()))
}

/// The stages of the way as far as the message came, each with what decided.
fn stages(story: &Story) -> Vec<[String; 3]> {
    let message = &story.stored.message;
    let contract = message.envelope.contract.to_string();
    let refused: Vec<&(Code, String)> = match message.state {
        MessageState::Refused => message.violations.iter().collect(),
        _ => Vec::new(),
    };
    let mut rows = Vec::new();
    for (stage, prefixes, by) in [
        ("intake", ["transport.", "decode."], format!("{contract}, {}", message.envelope.syntax.as_str())),
        ("contract", ["contract.", "identity."], contract.clone()),
        ("agreement", ["agreement.", "journey."], agreements(story)),
    ] {
        let of_stage: Vec<_> =
            refused.iter().filter(|(code, _)| prefixes.iter().any(|prefix| code.as_str().starts_with(prefix))).collect();
        if of_stage.is_empty() {
            let is_told = stage != "agreement" || message.state == MessageState::Journey;
            if is_told {
                rows.push([stage.to_owned(), "holds".to_owned(), by]);
            }
            continue;
        }
        for (code, place) in of_stage {
            rows.push([stage.to_owned(), "refused".to_owned(), format!("{code} at {place}: {}", code.words())]);
        }
        return rows;
    }
    match message.state {
        MessageState::Duplicate => rows.push(["journal".to_owned(), "repeats an earlier message".to_owned(), String::new()]),
        MessageState::Recorded => rows.push(["journal".to_owned(), "recorded".to_owned(), String::new()]),
        _ => {}
    }
    rows
}

fn agreements(story: &Story) -> String {
    let mut named: Vec<String> = story.legs.iter().map(|leg| named_terms(&leg.basis)).collect();
    named.dedup();
    named.join(", ")
}

fn named_terms(basis: &BasisRecord) -> String {
    let mark = if basis.status == "illustrative" { format!(" {}", super::table::MARK) } else { String::new() };
    format!("{} version {}{mark}", basis.agreement, basis.version)
}

fn print(story: &Story, out: &mut dyn Write) -> Result<(), CliError> {
    let message = &story.stored.message;
    let envelope = &message.envelope;
    writeln!(
        out,
        "Message {} from {}, received {}: {}",
        story.stored.number,
        envelope.login,
        envelope.received_at,
        message.state.as_str()
    )?;
    if let Some(at) = story.stored.discarded_at {
        writeln!(out, "Set aside by a person {at}.")?;
    }
    if !story.readable {
        writeln!(out, "It cannot be opened and judged any more: its key is gone, or the contracts have changed under it.")?;
    }
    let mut stages_table = table(&["stage", "outcome", "by"]);
    for row in stages(story) {
        stages_table.add_row(row);
    }
    writeln!(out, "{stages_table}")?;
    if story.revisions.len() > 1 {
        let all: Vec<String> = story
            .revisions
            .iter()
            .map(|one| format!("{} (message {}, {})", one.revision, one.number, one.message_id))
            .collect();
        let this = message.revision.unwrap_or_default();
        writeln!(out, "Revision {this} of a report with the revisions {}.", all.join(", "))?;
    }
    for leg in &story.legs {
        print_leg(leg, out)?;
    }
    print_corrections(&story.corrections, out)?;
    writeln!(out)?;
    Ok(())
}

fn print_leg(leg: &LegStory, out: &mut dyn Write) -> Result<(), CliError> {
    let (row, basis) = (&leg.row, &leg.basis);
    let why = row.code.map_or_else(String::new, |code| format!(" {code}: {}", code.words()));
    writeln!(out, "\nTo {}: {}{why}", row.id.recipient, row.state.as_str())?;
    if let Some(until) = row.due_at {
        writeln!(out, "  looked at again: {until}")?;
    }
    writeln!(out, "  terms: {}; purpose: {}", named_terms(basis), basis.purpose)?;
    let gate = basis.gate.as_deref().unwrap_or("none");
    let consents: Vec<String> = basis.consents.iter().map(|key| key.chars().take(12).collect()).collect();
    let by = if consents.is_empty() { String::new() } else { format!("; consents {}", consents.join(", ")) };
    writeln!(out, "  gate: {gate} ({}){by}", basis.rule.as_deref().unwrap_or_default())?;
    let regime = basis.regime.as_deref().unwrap_or("none recorded");
    writeln!(
        out,
        "  law: {regime}; ground {} [{}]; rules {}",
        basis.legal_ground,
        basis.grounds.join(", "),
        basis.rules.join(", ")
    )?;
    for touched in &basis.transitions {
        let confirmed = if touched.confirmed { "confirmed" } else { "not confirmed, so it is no ground" };
        let key: String = touched.consent.chars().take(12).collect();
        writeln!(out, "  transition {}: consent {key} is {confirmed}", touched.row)?;
    }
    if !basis.documents.is_empty() || !basis.documents_withheld.is_empty() {
        let withheld = match basis.documents_withheld.as_slice() {
            [] => String::new(),
            some => format!("; not made, because of what is withheld: {}", some.join(", ")),
        };
        writeln!(out, "  {} to {}{withheld}", basis.contract, basis.documents.join(", "))?;
    }
    if !basis.set.is_empty() {
        writeln!(out, "  contract set: {}", basis.set)?;
    }
    if !leg.fields.is_empty() {
        let told = if leg.recorded { "as recorded when it was decided" } else { "as it would be decided now" };
        writeln!(out, "  Fields, {told}:")?;
        let mut fields = table(&["field", "fate", "by"]);
        for (path, fate) in &leg.fields {
            fields.add_row(fate_row(path, fate, leg));
        }
        writeln!(out, "{fields}")?;
    }
    if !leg.entries.is_empty() {
        let mut entries = table(&["position", "document", "published", "what happened since"]);
        for entry in &leg.entries {
            let document = match entry.method {
                Method::Put => entry.contract.clone(),
                Method::Delete => format!("DELETE of {}", entry.contract),
            };
            entries.add_row([
                entry.position.0.to_string(),
                document,
                entry.published_at.to_string(),
                explain_since::since(entry, leg).join("; "),
            ]);
        }
        writeln!(out, "{entries}")?;
    }
    Ok(())
}

fn print_corrections(corrections: &[CorrectionView], out: &mut dyn Write) -> Result<(), CliError> {
    if corrections.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nWhat recipients were served of earlier revisions, and what has reached them since:")?;
    let mut rows = table(&["recipient", "served at position", "followed by", "reached the recipient"]);
    for one in corrections {
        let kind = if one.deleted { "DELETE at" } else { "a document at" };
        let by = one.by.map_or_else(|| "nothing".to_owned(), |by| format!("{kind} {}", by.0));
        let reached = if one.reached { "yes" } else { "not yet" };
        rows.add_row([one.recipient.to_string(), one.corrects.0.to_string(), by, reached.to_owned()]);
    }
    writeln!(out, "{rows}")?;
    Ok(())
}

fn fate_row(path: &str, fate: &FieldFate, leg: &LegStory) -> [String; 3] {
    let file = leg.file.as_deref().unwrap_or(&leg.basis.agreement);
    let (fate, by) = match fate {
        FieldFate::Disclosed => ("disclosed", String::new()),
        FieldFate::NotInFormat => ("not sent", "no document to this recipient has it".to_owned()),
        FieldFate::Unknown => ("unknown", "the gate is shut now".to_owned()),
        FieldFate::Absent => ("absent", String::new()),
        FieldFate::Withheld { category, line: Some(line), with_consent } => {
            (if *with_consent { "withheld: no waiver names it" } else { "withheld" }, format!("{file}:{line} ({category})"))
        }
        FieldFate::Withheld { category, line: None, .. } => ("withheld", format!("{file} does not name {category}")),
    };
    [path.to_owned(), fate.to_owned(), by]
}

fn story_json(story: &Story) -> Value {
    let message = &story.stored.message;
    let envelope = &message.envelope;
    let stages: Vec<Value> =
        stages(story).into_iter().map(|[stage, outcome, by]| json!({ "stage": stage, "outcome": outcome, "by": by })).collect();
    let revisions: Vec<Value> = story
        .revisions
        .iter()
        .map(|one| {
            json!({
                "revision": one.revision, "message": one.number.0, "messageId": one.message_id.to_string(),
                "state": one.state.as_str(),
            })
        })
        .collect();
    let corrections: Vec<Value> = story
        .corrections
        .iter()
        .map(|one| {
            json!({
                "recipient": one.recipient.as_str(), "subject": one.subject.to_hex(), "corrects": one.corrects.0,
                "by": one.by.map(|by| by.0), "deleted": one.deleted, "reached": one.reached,
            })
        })
        .collect();
    json!({
        "message": story.stored.number.0, "login": envelope.login.as_str(), "contract": envelope.contract.to_string(),
        "receivedAt": envelope.received_at.to_string(), "state": message.state.as_str(), "readable": story.readable,
        "revision": message.revision, "discardedAt": story.stored.discarded_at.map(|at| at.to_string()),
        "stages": stages, "revisions": revisions, "corrections": corrections,
        "legs": story.legs.iter().map(leg_json).collect::<Vec<_>>(),
    })
}

fn leg_json(leg: &LegStory) -> Value {
    let fields: Vec<Value> = leg.fields.iter().map(|(path, fate)| fate_json(path, fate, leg)).collect();
    let entries: Vec<Value> = leg.entries.iter().map(|entry| explain_since::entry_json(entry, leg)).collect();
    json!({
        "recipient": leg.row.id.recipient.as_str(), "state": leg.row.state.as_str(), "code": leg.row.code.map(Code::as_str),
        "dueAt": leg.row.due_at.map(|due| due.to_string()), "basis": leg.basis, "file": leg.file,
        "recorded": leg.recorded, "fields": fields, "entries": entries,
    })
}

fn fate_json(path: &str, fate: &FieldFate, leg: &LegStory) -> Value {
    match fate {
        FieldFate::Disclosed => json!({ "field": path, "fate": "disclosed" }),
        FieldFate::NotInFormat => json!({ "field": path, "fate": "not-in-format" }),
        FieldFate::Unknown => json!({ "field": path, "fate": "unknown" }),
        FieldFate::Absent => json!({ "field": path, "fate": "absent" }),
        FieldFate::Withheld { category, line, with_consent } => json!({
            "field": path, "fate": "withheld", "category": category.as_str(), "file": leg.file, "line": line,
            "withConsent": with_consent,
        }),
    }
}
