//! `brygga dead-letters groups|list`: what waits for somebody, by cause and in pages.

use std::io::Write;

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::CliError;
use super::desk::At;
use super::table::{WORDS, table};
use crate::dead_letter::{Group, Page, Query, groups, page};
use crate::domain::{Code, Login, RecipientId};
use crate::journey::Journey;
use crate::store::{Census, DeadLetter, LetterKey, LetterState, Store, Survey as _, Tx as _};

/// Which letters a list shows.
#[derive(Debug, Args)]
pub(super) struct Filter {
    /// Only those of a sender.
    #[arg(long, value_name = "LOGIN", value_parser = login, conflicts_with = "group")]
    sender: Option<Login>,
    /// Only those of a code, such as `contract.missing`.
    #[arg(long, value_parser = code, conflicts_with = "group")]
    code: Option<Code>,
    /// Only those of a group, by the id that `groups` shows.
    #[arg(long, value_name = "ID")]
    group: Option<String>,
    /// Those that wait, or those that were set aside.
    #[arg(long, default_value = "open", value_parser = state)]
    state: LetterState,
    /// Only those that belong to a message, as the sender gave it.
    #[arg(long, value_name = "UUID", conflicts_with = "group")]
    correlation_id: Option<Uuid>,
    /// Only those that came at this time or later (RFC 3339).
    #[arg(long, value_name = "TIME")]
    from: Option<Timestamp>,
    /// Only those that came before this time (RFC 3339).
    #[arg(long, value_name = "TIME")]
    before: Option<Timestamp>,
    /// The newest first, instead of the oldest.
    #[arg(long)]
    newest_first: bool,
    /// Where the page before ended, as that page said.
    #[arg(long, value_name = "PLACE", value_parser = key)]
    after: Option<LetterKey>,
    /// How many at most.
    #[arg(long, value_name = "NUMBER", default_value_t = 200, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
}

fn login(text: &str) -> Result<Login, &'static str> {
    text.to_owned().try_into()
}

fn code(text: &str) -> Result<Code, String> {
    text.parse().map_err(|error: crate::domain::UnknownCode| error.to_string())
}

fn state(text: &str) -> Result<LetterState, &'static str> {
    LetterState::from_stored(text).ok_or("open or discarded")
}

fn key(text: &str) -> Result<LetterKey, &'static str> {
    text.parse().map_err(|()| "no place that a page has ended at")
}

impl Filter {
    fn query(&self) -> Query {
        Query {
            state: self.state,
            sender: self.sender.clone(),
            code: self.code,
            group: self.group.clone(),
            correlation: self.correlation_id,
            from: self.from,
            before: self.before,
            newest_first: self.newest_first,
            after: self.after.clone(),
            limit: self.limit.into(),
        }
    }
}

pub(super) async fn by_cause<S: Store>(at: &At, journey: &Journey, store: &S, out: &mut dyn Write) -> Result<u8, CliError> {
    let groups = groups(journey, store, &at.acting()).await?;
    if at.json {
        let all: Vec<_> = groups.iter().map(group).collect();
        writeln!(out, "{}", json!({ "groups": all }))?;
        return Ok(0);
    }
    if groups.is_empty() {
        writeln!(out, "There is no dead letter.")?;
        return Ok(0);
    }
    let mut table = table(&["group", "letters", "from", "contract", "code", "place", "first", "last", WORDS]);
    for Group { id, group } in &groups {
        table.add_row([
            id.clone(),
            group.letters.to_string(),
            group.cause.login.to_string(),
            group.cause.contract.clone(),
            group.cause.code.to_string(),
            group.cause.place.clone(),
            group.first.to_string(),
            group.last.to_string(),
            group.cause.code.words().to_owned(),
        ]);
    }
    writeln!(out, "{table}")?;
    Ok(0)
}

fn group(of: &Group) -> Value {
    let cause = &of.group.cause;
    json!({
        "group": of.id, "letters": of.group.letters, "login": cause.login.as_str(), "contract": cause.contract,
        "code": cause.code.as_str(), "place": cause.place, "first": of.group.first.to_string(), "last": of.group.last.to_string(),
    })
}

pub(super) async fn list<S: Store>(
    at: &At,
    filter: &Filter,
    journey: &Journey,
    store: &S,
    out: &mut dyn Write,
) -> Result<u8, CliError> {
    let page = page(journey, store, &at.acting(), &filter.query()).await?;
    // Counting what nobody is shown looks at everything: it is done once, with the first page.
    let census = if filter.after.is_none() {
        let mut tx = store.begin("dead-letters-apart").await?;
        let census = tx.census().await?;
        tx.commit().await?;
        Some(census)
    } else {
        None
    };
    if at.json {
        let letters: Vec<_> = page.letters.iter().map(letter).collect();
        let next = page.next.as_ref().map(ToString::to_string);
        let (restricted, diverted) = census.map(|census| (census.restricted, census.diverted)).unzip();
        let all = json!({ "deadLetters": letters, "next": next, "restricted": restricted, "diverted": diverted });
        writeln!(out, "{all}")?;
        return Ok(0);
    }
    show(&page, census, out)
}

fn letter(letter: &DeadLetter) -> Value {
    json!({
        "message": letter.message.0, "messageId": letter.message_id.to_string(),
        "correlationId": letter.correlation.map(|id| id.to_string()),
        "recipient": letter.recipient.as_ref().map(RecipientId::as_str), "position": letter.position.map(|at| at.0),
        "login": letter.cause.login.as_str(), "contract": letter.cause.contract, "code": letter.cause.code.as_str(),
        "place": letter.cause.place, "receivedAt": letter.received_at.to_string(), "said": letter.said,
        "state": letter.state.as_str(),
    })
}

fn show(page: &Page, census: Option<Census>, out: &mut dyn Write) -> Result<u8, CliError> {
    if page.letters.is_empty() {
        writeln!(out, "There is no dead letter.")?;
    } else {
        let mut table = table(&["message", "received", "from", "contract", "recipient", "code", "place", WORDS]);
        for letter in &page.letters {
            table.add_row([
                letter.message.to_string(),
                letter.received_at.to_string(),
                letter.cause.login.to_string(),
                letter.cause.contract.clone(),
                letter.recipient.as_ref().map_or_else(|| "all".to_owned(), ToString::to_string),
                letter.cause.code.to_string(),
                letter.cause.place.clone(),
                match &letter.said {
                    Some(said) => format!("{} {said}", letter.cause.code.words()),
                    None => letter.cause.code.words().to_owned(),
                },
            ]);
        }
        writeln!(out, "{table}")?;
    }
    if let Some(next) = &page.next {
        writeln!(out, "There are more: the same command with --after {next}")?;
    }
    if let Some(census) = census {
        writeln!(out, "Shown to nobody: {} restricted, {} diverted.", census.restricted, census.diverted)?;
    }
    Ok(0)
}
