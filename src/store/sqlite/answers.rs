//! Answers and when they fall due in SQLite.

use jiff::Timestamp;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::entries::{self, Fresh, Origin};
use super::read::{column, digest, micros, person, time};
use super::{Stored, away, sql};
use crate::answer::{Answer, Kind};
use crate::domain::{MessageNumber, RecipientId};
use crate::feed::Method;
use crate::store::DueAnswer;

const TABLE: &str = "due_answers";

pub(super) async fn publish(db: &mut SqliteConnection, answers: &[Answer], now: Timestamp) -> Stored<()> {
    for answer in answers {
        let fresh = Fresh {
            recipient: answer.to(),
            subject: answer.subject(),
            contract: answer.kind().contract().to_owned(),
            syntax: Kind::SYNTAX.as_str(),
            method: Method::Put,
            bytes: answer.document(),
            fingerprint: &[],
            until: None,
            illustrative: answer.illustrative(),
        };
        let origin = Origin { message: answer.message(), report: None, person: None };
        entries::publish(db, &fresh, origin, now).await?;
    }
    Ok(())
}

pub(super) async fn keep_due(db: &mut SqliteConnection, due: &DueAnswer) -> Stored<()> {
    let recipients: Vec<&str> = due.recipients.iter().map(RecipientId::as_str).collect();
    sqlx::query(sql::KEEP_DUE_ANSWER)
        .bind(due.message.0)
        .bind(due.person.as_bytes().as_slice())
        .bind(recipients.join(" "))
        .bind(micros(due.due_at))
        .bind(due.illustrative)
        .execute(db)
        .await
        .map(drop)
        .map_err(away)
}

pub(super) async fn due(db: &mut SqliteConnection, now: Timestamp, limit: i64) -> Stored<Vec<DueAnswer>> {
    let rows = sqlx::query(sql::DUE_ANSWERS).bind(micros(now)).bind(limit).fetch_all(db).await.map_err(away)?;
    let due = |row: &SqliteRow| {
        let recipients: &str = column(row, "recipients")?;
        Ok(DueAnswer {
            message: MessageNumber(column(row, "message")?),
            person: digest(row, TABLE, "person", person)?,
            recipients: recipients.split(' ').map(|name| RecipientId::from_stored(name.to_owned())).collect(),
            due_at: time(row, TABLE, "due_at")?,
            illustrative: column(row, "illustrative")?,
        })
    };
    rows.iter().map(due).collect()
}

pub(super) async fn end_due(db: &mut SqliteConnection, message: MessageNumber) -> Stored<()> {
    sqlx::query(sql::END_DUE_ANSWER).bind(message.0).execute(db).await.map(drop).map_err(away)
}

pub(super) async fn put_off(db: &mut SqliteConnection, message: MessageNumber, until: Timestamp) -> Stored<()> {
    let query = sqlx::query(sql::PUT_OFF_DUE_ANSWER).bind(message.0).bind(micros(until));
    query.execute(db).await.map(drop).map_err(away)
}
