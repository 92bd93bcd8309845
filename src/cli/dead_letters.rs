//! `brygga dead-letters groups|list|show|unmask|comment|retry|discard`: what was refused, through the mask.

use std::io::Write;

use clap::Subcommand;
use serde_json::json;

use super::CliError;
use super::desk::At;
use super::letter::{show_one, unmask_one};
use super::letter_list::{Filter, by_cause, list};
use super::place::on_store;
use crate::dead_letter::{Act, Again, Language, comment_as, discard_as, retry_as};
use crate::domain::MessageNumber;
use crate::store::MessageState;

/// What to do with dead letters.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Groups those that wait by cause: sender, code, contract and place. The largest group comes first.
    Groups {
        #[command(flatten)]
        at: At,
    },
    /// Lists them, the oldest first, a page at a time.
    List {
        #[command(flatten)]
        at: At,
        #[command(flatten)]
        filter: Filter,
    },
    /// Shows one through the mask: what is wrong, where, what the sender should do, what was done. The reading is audited.
    Show {
        #[command(flatten)]
        at: At,
        /// The language of what is wrong and what to do.
        #[arg(long, default_value = "en", value_parser = language)]
        language: Language,
        /// The message's number.
        number: i64,
    },
    /// Shows one masked value of one letter, which whoever asks then sees for ten minutes. It is audited with its reason.
    Unmask {
        #[command(flatten)]
        at: At,
        /// Why; kept in the audit log. Nothing of the person may stand in it.
        #[arg(long)]
        reason: String,
        /// The message's number.
        number: i64,
        /// The place, as `show` tells it: `participant.personNumber`.
        place: String,
    },
    /// Writes a comment on one, for whoever looks at it next.
    Comment {
        #[command(flatten)]
        at: At,
        /// The message's number.
        number: i64,
        /// The comment; kept in the audit log. Nothing of the person may stand in it.
        comment: String,
    },
    /// Runs one again under the contracts of today, and sends again what a system did not take of it.
    Retry {
        #[command(flatten)]
        at: At,
        /// Only where it still stands as `show` said (`standing`).
        #[arg(long, value_name = "STANDING")]
        seen: Option<String>,
        /// The message's number.
        number: i64,
    },
    /// Sets one aside for good; it stays refused.
    Discard {
        #[command(flatten)]
        at: At,
        /// Why; kept in the audit log. Nothing of the person may stand in it.
        #[arg(long)]
        reason: String,
        /// Only where it still stands as `show` said (`standing`).
        #[arg(long, value_name = "STANDING")]
        seen: Option<String>,
        /// The message's number.
        number: i64,
    },
}

pub(super) async fn run(command: Command, out: &mut dyn Write) -> Result<u8, CliError> {
    match command {
        Command::Groups { at } => {
            let opened = at.open().await?;
            on_store!(opened, |journey, store| by_cause(&at, journey, store, out).await)
        }
        Command::List { at, filter } => {
            let opened = at.open().await?;
            on_store!(opened, |journey, store| list(&at, &filter, journey, store, out).await)
        }
        Command::Show { at, language, number } => {
            let opened = at.open().await?;
            on_store!(opened, |journey, store| show_one(&at, language, journey, store, MessageNumber(number), out).await)
        }
        Command::Unmask { at, reason, number, place } => {
            let opened = at.open().await?;
            on_store!(opened, |journey, store| {
                unmask_one(&at, journey, store, MessageNumber(number), (&place, &reason), out).await
            })
        }
        Command::Comment { at, number, comment } => {
            let (opened, message) = (at.open().await?, MessageNumber(number));
            let acting = at.acting();
            let done = on_store!(opened, |journey, store| comment_as(journey, store, &acting, message, &comment).await)?;
            let told = done.told(|()| (format!("The comment on message {number} is kept."), "commented"));
            say(&at, number, told?, out)
        }
        Command::Retry { at, seen, number } => {
            let (opened, message) = (at.open().await?, MessageNumber(number));
            let acting = at.acting();
            let done = on_store!(opened, |journey, store| retry_as(journey, store, &acting, message, seen.as_deref()).await)?;
            say(&at, number, done.told(|again| told(number, again))?, out)
        }
        Command::Discard { at, reason, seen, number } => {
            let (opened, message) = (at.open().await?, MessageNumber(number));
            let (acting, seen) = (at.acting(), seen.as_deref());
            let done = on_store!(opened, |journey, store| discard_as(journey, store, &acting, message, seen, &reason).await)?;
            let told = done.told(|()| (format!("Message {number} is set aside; it stays refused."), "discarded"));
            say(&at, number, told?, out)
        }
    }
}

fn language(text: &str) -> Result<Language, &'static str> {
    match text {
        "sv" => Ok(Language::Swedish),
        "en" => Ok(Language::English),
        _ => Err("sv or en"),
    }
}

impl<T> Act<T> {
    /// What an act came to, in words and in one word; nothing where there was nothing to act on.
    fn told(self, done: impl FnOnce(T) -> (String, &'static str)) -> Result<Option<(String, &'static str)>, CliError> {
        match self {
            Self::Done(value) => Ok(Some(done(value))),
            Self::Changed => Err(CliError::Usage("it has changed since; nothing was done: look at it again".to_owned())),
            Self::Nothing => Ok(None),
            Self::NotAllowed => Err(CliError::Usage("your role may not do this".to_owned())),
            Self::NoReason => Err(CliError::Usage("say why".to_owned())),
        }
    }
}

/// What a retry has done, in words and in one word. Whether a report is diverted is nobody's to know, so all that did not fail
/// again look alike.
fn told(number: i64, again: Again) -> (String, &'static str) {
    let (ran, state) = match again.state {
        Some(MessageState::Refused) => (format!("Message {number} was run again and was refused again."), "refused"),
        Some(_) => (format!("Message {number} was run again."), "run-again"),
        None => (String::new(), "sent-again"),
    };
    let sent = match again.entries {
        0 => String::new(),
        entries => format!("Of message {number}, {entries} that a system or recipient did not take will be sent again."),
    };
    (format!("{ran}{}{sent}", if ran.is_empty() || sent.is_empty() { "" } else { " " }), state)
}

pub(super) fn say(at: &At, number: i64, done: Option<(String, &str)>, out: &mut dyn Write) -> Result<u8, CliError> {
    let (words, state) = done.unzip();
    if at.json {
        writeln!(out, "{}", json!({ "message": number, "state": state }))?;
    } else {
        let nothing = || format!("There is no dead letter {number} that can be looked at.");
        writeln!(out, "{}", words.unwrap_or_else(nothing))?;
    }
    Ok(u8::from(state.is_none()))
}
