//! Answers to systems, and when they fall due.

use std::collections::BTreeSet;

use jiff::Timestamp;
use sqlx::postgres::{PgBindIterExt as _, PgRow};

use super::fault::away;
use super::read::{column, digest, key, micros, person, time};
use super::tx::PgTx;
use super::work::Fresh;
use super::{rows, sql};
use crate::answer::{Answer, Kind};
use crate::domain::{MessageNumber, PersonKey, RecipientId};
use crate::feed::Method;
use crate::store::{DueAnswer, EntryState, Stored};

/// An answer as an entry to be written.
pub(super) fn fresh(answer: &Answer) -> Fresh {
    Fresh {
        recipient: answer.to().clone(),
        message: answer.message(),
        of: None,
        subject: *answer.subject(),
        contract: answer.kind().contract().to_owned(),
        syntax: Kind::SYNTAX.as_str().to_owned(),
        method: Method::Put,
        sealed: answer.document().to_vec(),
        fingerprint: Vec::new(),
        until: None,
        illustrative: answer.illustrative(),
        state: EntryState::Live,
    }
}

fn due(row: &PgRow) -> Stored<DueAnswer> {
    let recipients: &str = column(row, "recipients")?;
    Ok(DueAnswer {
        message: rows::number(row, "message")?,
        person: digest(row, "due_answers", "person", person)?,
        recipients: recipients.split(' ').map(|name| RecipientId::from_stored(name.to_owned())).collect(),
        due_at: time(row, "due_answers", "due_at")?,
        illustrative: column(row, "illustrative")?,
    })
}

impl PgTx {
    pub(super) async fn write_due_answers(&mut self) -> Stored<()> {
        let due = std::mem::take(&mut self.work.due_answers);
        if due.is_empty() {
            return Ok(());
        }
        let names = |one: &DueAnswer| one.recipients.iter().map(RecipientId::as_str).collect::<Vec<_>>().join(" ");
        let recipients: Vec<String> = due.iter().map(names).collect();
        let query = sqlx::query(sql::KEEP_DUE_ANSWERS)
            .bind(due.iter().map(|one| one.message.0).bind_iter())
            .bind(due.iter().map(|one| key(&one.person)).bind_iter())
            .bind(recipients.iter().map(String::as_str).bind_iter())
            .bind(due.iter().map(|one| micros(one.due_at)).bind_iter())
            .bind(due.iter().map(|one| one.illustrative).bind_iter());
        query.execute(self.db()).await.map(drop).map_err(away)
    }

    pub(super) async fn look_due_answers(&mut self, limit: i64) -> Stored<Vec<DueAnswer>> {
        let query = sqlx::query(sql::DUE_ANSWERS).bind(micros(self.now)).bind(limit);
        query.fetch_all(self.db()).await.map_err(away)?.iter().map(due).collect()
    }

    pub(super) async fn put_off_answer(&mut self, message: MessageNumber, until: Timestamp) -> Stored<()> {
        let query = sqlx::query(sql::PUT_OFF_DUE_ANSWER).bind(message.0).bind(micros(until));
        query.execute(self.db()).await.map(drop).map_err(away)
    }

    /// Claims reports whose hold period has ended: looks, takes the participants that nobody else works on, looks again.
    pub(super) async fn claim_answers(&mut self, limit: i64) -> Stored<Vec<DueAnswer>> {
        let now = micros(self.now);
        let candidates = self.look_due_answers(limit.saturating_mul(4)).await?;
        let persons: BTreeSet<PersonKey> = candidates.iter().map(|one| one.person).collect();
        if persons.is_empty() {
            return Ok(Vec::new());
        }
        let query = sqlx::query(sql::CLAIM_PERSONS).bind(persons.iter().map(key).bind_iter());
        let claimed = query.fetch_all(self.db()).await.map_err(away)?;
        let mut persons = Vec::new();
        for row in &claimed {
            let (person, flagged) = rows::person_flag(row)?;
            self.work.flags.insert(person, flagged);
            persons.push(person);
        }
        let query = sqlx::query(sql::DUE_ANSWERS_OF).bind(now).bind(limit).bind(persons.iter().map(key).bind_iter());
        query.fetch_all(self.db()).await.map_err(away)?.iter().map(due).collect()
    }
}
