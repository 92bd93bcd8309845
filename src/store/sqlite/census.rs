//! What is counted and listed in SQLite: law 6, held legs.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use uuid::Uuid;

use super::messages::stored;
use super::read::{column, digest, inconsistent, micros, optional_time, recipient, time, word};
use super::{Stored, away, sql};
use crate::domain::{Login, MessageNumber, Position, RecipientId};
use crate::store::{Census, FeedStanding, HeldLeg, Standing, StoredMessage};

pub(super) async fn census(db: &mut SqliteConnection) -> Stored<Census> {
    let messages = sqlx::query(sql::COUNT_MESSAGES).fetch_one(&mut *db).await.map_err(away)?;
    let legs = sqlx::query(sql::COUNT_LEGS).fetch_one(db).await.map_err(away)?;
    Ok(Census {
        received: messages.get("received"),
        duplicates: messages.get("duplicates"),
        refused: messages.get("refused"),
        diverted: messages.get("diverted"),
        recorded: messages.get("recorded"),
        journeys: messages.get("journeys"),
        restricted: messages.get("restricted"),
        fan_out: messages.get("fan_out"),
        published: legs.get("published"),
        held: legs.get("held"),
        legs_refused: legs.get("refused"),
        superseded: legs.get("superseded"),
        withdrawn: legs.get("withdrawn"),
    })
}

pub(super) async fn standing(db: &mut SqliteConnection, now: Timestamp) -> Stored<Standing> {
    let oldest = sqlx::query(sql::OLDEST).bind(micros(now)).fetch_one(&mut *db).await.map_err(away)?;
    let rows = sqlx::query(sql::STANDING).fetch_all(db).await.map_err(away)?;
    let feed = |row: &SqliteRow| {
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

pub(super) async fn last_served(db: &mut SqliteConnection) -> Stored<Vec<(RecipientId, Option<Timestamp>)>> {
    let rows = sqlx::query(sql::LAST_SERVED).fetch_all(db).await.map_err(away)?;
    rows.iter().map(|row| Ok((recipient(row, "recipient")?, optional_time(row, "entries", "served_at")?))).collect()
}

pub(super) async fn held(db: &mut SqliteConnection) -> Stored<Vec<HeldLeg>> {
    let rows = sqlx::query(sql::HELD).fetch_all(db).await.map_err(away)?;
    let leg = |row: &SqliteRow| {
        Ok(HeldLeg {
            message: MessageNumber(column(row, "message")?),
            recipient: recipient(row, "recipient")?,
            login: login(row)?,
            message_id: digest(row, "messages", "message_id", |bytes| Uuid::from_slice(bytes).ok())?,
            code: word(row, "legs", "code", |text| text.parse().ok())?,
            received_at: time(row, "messages", "received_at")?,
            due_at: optional_time(row, "legs", "due_at")?,
        })
    };
    rows.iter().map(leg).collect()
}

fn login(row: &SqliteRow) -> Stored<Login> {
    let text: String = column(row, "login")?;
    Login::try_from(text).map_err(|_| inconsistent("messages", "login"))
}

pub(super) async fn recorded_consents(db: &mut SqliteConnection, limit: i64) -> Stored<Vec<StoredMessage>> {
    let rows = sqlx::query(sql::RECORDED_CONSENTS).bind(limit).fetch_all(db).await.map_err(away)?;
    rows.iter().map(stored).collect()
}

pub(super) async fn protected(db: &mut SqliteConnection) -> Stored<i64> {
    let row = sqlx::query(sql::PROTECTED).fetch_one(db).await.map_err(away)?;
    column(&row, "protected")
}
