//! What is counted and listed in PostgreSQL: law 6, what waits, held legs.

use jiff::Timestamp;
use sqlx::postgres::PgRow;

use super::fault::away;
use super::line::Line;
use super::read::{column, micros, optional_time, recipient, time, word};
use super::rows::{login, message_id, number, stored};
use super::sql;
use crate::domain::{Position, RecipientId};
use crate::store::{Census, FeedStanding, HeldLeg, Standing, Stored, StoredMessage};

pub(super) async fn census(db: &mut Line) -> Stored<Census> {
    let messages = sqlx::query(sql::COUNT_MESSAGES).fetch_one(&mut *db).await.map_err(away)?;
    let legs = sqlx::query(sql::COUNT_LEGS).fetch_one(db).await.map_err(away)?;
    Ok(Census {
        received: column(&messages, "received")?,
        duplicates: column(&messages, "duplicates")?,
        refused: column(&messages, "refused")?,
        diverted: column(&messages, "diverted")?,
        recorded: column(&messages, "recorded")?,
        journeys: column(&messages, "journeys")?,
        restricted: column(&messages, "restricted")?,
        fan_out: column(&messages, "fan_out")?,
        published: column(&legs, "published")?,
        held: column(&legs, "held")?,
        legs_refused: column(&legs, "refused")?,
        superseded: column(&legs, "superseded")?,
        withdrawn: column(&legs, "withdrawn")?,
    })
}

pub(super) async fn standing(db: &mut Line, now: Timestamp) -> Stored<Standing> {
    let oldest = sqlx::query(sql::OLDEST).bind(micros(now)).fetch_one(&mut *db).await.map_err(away)?;
    let rows = sqlx::query(sql::STANDING).fetch_all(db).await.map_err(away)?;
    let feed = |row: &PgRow| {
        Ok(FeedStanding {
            recipient: recipient(row, "recipient")?,
            head: Position(column(row, "head")?),
            waiting: column(row, "waiting")?,
            oldest_waiting: optional_time(row, "entries", "oldest")?,
            refused: column(row, "refused")?,
        })
    };
    Ok(Standing {
        oldest_dead_letter: optional_time(&oldest, "messages", "dead_letter")?,
        oldest_due: optional_time(&oldest, "legs", "due")?,
        feeds: rows.iter().map(feed).collect::<Stored<_>>()?,
    })
}

pub(super) async fn last_served(db: &mut Line) -> Stored<Vec<(RecipientId, Option<Timestamp>)>> {
    let rows = sqlx::query(sql::LAST_SERVED).fetch_all(db).await.map_err(away)?;
    rows.iter().map(|row| Ok((recipient(row, "recipient")?, optional_time(row, "entries", "served_at")?))).collect()
}

pub(super) async fn held(db: &mut Line) -> Stored<Vec<HeldLeg>> {
    let rows = sqlx::query(sql::HELD).fetch_all(db).await.map_err(away)?;
    let leg = |row: &PgRow| {
        Ok(HeldLeg {
            message: number(row, "message")?,
            recipient: recipient(row, "recipient")?,
            login: login(row)?,
            message_id: message_id(row)?,
            code: word(row, "legs", "code", |text| text.parse().ok())?,
            received_at: time(row, "messages", "received_at")?,
            due_at: optional_time(row, "legs", "due_at")?,
        })
    };
    rows.iter().map(leg).collect()
}

pub(super) async fn recorded_consents(db: &mut Line, limit: i64) -> Stored<Vec<StoredMessage>> {
    let rows = sqlx::query(sql::RECORDED_CONSENTS).bind(limit).fetch_all(db).await.map_err(away)?;
    rows.iter().map(stored).collect()
}

pub(super) async fn protected(db: &mut Line) -> Stored<i64> {
    let row = sqlx::query(sql::PROTECTED).fetch_one(db).await.map_err(away)?;
    column(&row, "protected")
}
