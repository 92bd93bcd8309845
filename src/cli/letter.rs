//! `brygga dead-letters show|unmask`: one dead letter through the mask.

use std::io::Write;

use serde_json::{Value, json};

use super::CliError;
use super::dead_letters::say;
use super::desk::At;
use crate::dead_letter::{Act, Branch, Language, Letter, Look, Node, advice, look, shown_contract, unmask};
use crate::domain::{Code, MessageNumber};
use crate::journey::Journey;
use crate::store::{AuditAct, AuditedAct, RefusedEntry, Store, StoredMessage};

pub(super) async fn show_one<S: Store>(
    at: &At,
    language: Language,
    journey: &Journey,
    store: &S,
    number: MessageNumber,
    out: &mut dyn Write,
) -> Result<u8, CliError> {
    match look(journey, store, &at.acting(), number).await? {
        Look::Letter(letter) if at.json => writeln!(out, "{}", whole(&letter, language))?,
        Look::Letter(letter) => show(&letter, language, out)?,
        Look::Undelivered(stored, entries) => return show_envelope(at, journey, &stored, &entries, out),
        Look::Nothing => return say(at, number.0, None, out),
    }
    Ok(0)
}

pub(super) async fn unmask_one<S: Store>(
    at: &At,
    journey: &Journey,
    store: &S,
    number: MessageNumber,
    (place, reason): (&str, &str),
    out: &mut dyn Write,
) -> Result<u8, CliError> {
    match unmask(journey, store, &at.acting(), number, place, reason).await? {
        Act::Done(value) if at.json => {
            writeln!(out, "{}", json!({ "message": number.0, "place": place, "value": value }))?;
        }
        Act::Done(value) => writeln!(out, "{place}: {value}")?,
        Act::NotAllowed => return Err(CliError::Usage("your role may not unmask".to_owned())),
        Act::NoReason => return Err(CliError::Usage("say why with --reason".to_owned())),
        Act::Changed | Act::Nothing => {
            writeln!(out, "There is no masked value at that place of a dead letter {number} that can be looked at.")?;
            return Ok(1);
        }
    }
    Ok(0)
}

fn envelope(stored: &StoredMessage, contract: &str) -> Value {
    let envelope = &stored.message.envelope;
    json!({
        "message": stored.number.0, "messageId": envelope.message_id.to_string(), "login": envelope.login.as_str(),
        "correlationId": envelope.trace.correlation_id.map(|id| id.to_string()), "contract": contract,
        "messageTime": envelope.message_time.to_string(), "receivedAt": envelope.received_at.to_string(),
    })
}

fn told(code: Code, place: &str, language: Language) -> Value {
    let words = advice(code, language);
    json!({ "code": code.as_str(), "place": place, "cause": words.cause, "remedy": words.remedy })
}

fn whole(letter: &Letter, language: Language) -> Value {
    let mut whole = envelope(&letter.stored, &letter.contract);
    let message = &letter.stored.message;
    let legs = letter.legs.iter().map(|leg| {
        json!({ "recipient": leg.id.recipient.as_str(), "state": leg.state.as_str(), "code": leg.code.map(Code::as_str) })
    });
    let rest = json!({
        "state": message.state.as_str(), "standing": letter.standing,
        "violations": message.violations.iter().map(|(code, place)| told(*code, place, language)).collect::<Vec<_>>(),
        "legs": legs.collect::<Vec<_>>(), "document": letter.document, "undelivered": undelivered(&letter.undelivered),
        "history": letter.history.iter().map(happened).collect::<Vec<_>>(),
        "group": letter.group.as_ref().map(|(id, letters)| json!({ "group": id, "letters": letters })),
        "unmasked": letter.unmasked.iter()
            .map(|field| json!({ "place": field.place, "until": field.until.to_string() })).collect::<Vec<_>>(),
    });
    if let (Some(whole), Value::Object(rest)) = (whole.as_object_mut(), rest) {
        whole.extend(rest);
    }
    whole
}

/// What was done, without what it rests on.
fn happened(act: &AuditedAct) -> Value {
    let row = &act.row;
    let is_a_persons = row.act == AuditAct::Operator;
    json!({
        "at": act.at.to_string(), "by": row.actor, "recipient": row.recipient.as_ref().map(ToString::to_string),
        "code": row.code.map(Code::as_str), "act": if is_a_persons { &row.detail } else { row.act.as_str() },
        "reason": row.reason,
    })
}

fn show(letter: &Letter, language: Language, out: &mut dyn Write) -> Result<(), CliError> {
    let message = &letter.stored.message;
    writeln!(out, "Message {} from {}, {}", letter.stored.number, message.envelope.login, letter.contract)?;
    writeln!(out, "id {}, received {}", message.envelope.message_id, message.envelope.received_at)?;
    for (code, place) in &message.violations {
        let words = advice(*code, language);
        writeln!(out, "  {code} at {place}: {} {}", words.cause, words.remedy)?;
    }
    for leg in &letter.legs {
        let words = leg.code.map(|code| (code, advice(code, language)));
        let words = words.map_or_else(String::new, |(code, words)| format!(" {code}: {} {}", words.cause, words.remedy));
        writeln!(out, "  to {}: {}{words}", leg.id.recipient, leg.state.as_str())?;
    }
    say_undelivered(&letter.undelivered, out)?;
    if let Some((id, letters)) = &letter.group {
        writeln!(out, "{letters} in its group: dead-letters list --group {id}")?;
    }
    for act in letter.history.iter().filter(|act| act.row.act == AuditAct::Operator) {
        let reason = act.row.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
        writeln!(out, "{} {}: {}{reason}", act.at, act.row.actor, act.row.detail)?;
    }
    writeln!(out, "It stands as {}.", letter.standing)?;
    match &letter.tree {
        Some(tree) => draw(tree, out),
        None => Ok(writeln!(out, "The message could not be decoded; nothing of it is shown.")?),
    }
}

fn draw(tree: &Branch, out: &mut dyn Write) -> Result<(), CliError> {
    let mut lines = Vec::new();
    tree.walk(0, &mut |depth, branch| {
        let value = match &branch.node {
            Node::Branches(_) => String::new(),
            Node::Value(value) => value.clone(),
            Node::Masked => crate::filter::MASK.to_owned(),
            Node::Missing => "(missing)".to_owned(),
        };
        let name = if branch.name.is_empty() { "the document" } else { &branch.name };
        let mut line = vec![format!("{:indent$}{name}: {value}", "", indent = depth * 2)];
        line.extend(branch.broken.iter().map(|code| format!("<-- {code}")));
        lines.push(line.join("  "));
    });
    lines.iter().try_for_each(|line| Ok(writeln!(out, "{}", line.trim_end())?))
}

/// Shows what a system did not take of a message that is no dead letter itself: nothing but the envelope, so that what became
/// of the message cannot be told from it.
fn show_envelope(
    at: &At,
    journey: &Journey,
    stored: &StoredMessage,
    entries: &[RefusedEntry],
    out: &mut dyn Write,
) -> Result<u8, CliError> {
    let contract = shown_contract(journey, &stored.message.envelope.contract.to_string());
    if at.json {
        let mut whole = envelope(stored, &contract);
        if let Some(whole) = whole.as_object_mut() {
            whole.insert("undelivered".to_owned(), undelivered(entries));
        }
        writeln!(out, "{whole}")?;
        return Ok(0);
    }
    let envelope = &stored.message.envelope;
    writeln!(out, "Message {} from {}, {contract}", stored.number, envelope.login)?;
    writeln!(out, "id {}, received {}", envelope.message_id, envelope.received_at)?;
    say_undelivered(entries, out)?;
    Ok(0)
}

fn undelivered(entries: &[RefusedEntry]) -> Value {
    let told = |entry: &RefusedEntry| json!({ "recipient": entry.recipient.as_str(), "code": entry.code.as_str(), "said": entry.said });
    entries.iter().map(told).collect()
}

fn say_undelivered(entries: &[RefusedEntry], out: &mut dyn Write) -> Result<(), CliError> {
    for entry in entries {
        let code = entry.code;
        writeln!(out, "  to {}: {code}: {} It said: {}.", entry.recipient, code.words(), entry.said)?;
    }
    Ok(())
}
