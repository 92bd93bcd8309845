//! The ledger of withdrawals in SQLite.

use jiff::Timestamp;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use super::read::{
    column, digest, inconsistent, micros, optional_digest, optional_time, recipient as recipient_of, time, word,
};
use super::{SqliteTx, Stored, away, sql};
use crate::domain::{Login, MessageNumber, Position, RecipientId, Subject};
use crate::store::{Tx as _, Unacknowledged, Withdrawal, WithdrawalFilter, WithdrawalRow, WithdrawalStep, Withdrawals};

const TABLE: &str = "withdrawals";

impl Withdrawals for SqliteTx {
    async fn note_withdrawal(&mut self, row: &WithdrawalRow) -> Stored<()> {
        let now = self.now();
        note(self.db(), row, now).await
    }

    async fn note_deletes_served(&mut self, recipient: &RecipientId, deletes: &[Position]) -> Stored<()> {
        let now = self.now();
        served(self.db(), recipient, deletes, now).await
    }

    async fn note_delete_acknowledged(&mut self, recipient: &RecipientId, delete: Position) -> Stored<()> {
        let now = self.now();
        acknowledged(self.db(), recipient, delete, now).await
    }

    async fn withdrawals(&mut self, filter: &WithdrawalFilter) -> Stored<Vec<Withdrawal>> {
        read(self.db(), filter).await
    }

    async fn unacknowledged(&mut self, before: Timestamp) -> Stored<Vec<Unacknowledged>> {
        unacknowledged(self.db(), before).await
    }
}

async fn note(db: &mut SqliteConnection, row: &WithdrawalRow, now: Timestamp) -> Stored<()> {
    let at = |step: WithdrawalStep| (row.step == step).then(|| micros(now));
    sqlx::query(sql::NOTE_WITHDRAWAL)
        .bind(micros(now))
        .bind(row.recipient.as_str())
        .bind(row.position.0)
        .bind(row.subject.as_bytes())
        .bind(row.report.as_bytes())
        .bind(row.code.as_str())
        .bind(row.step.as_str())
        .bind(row.delete.map(|delete| delete.0))
        .bind(row.cause.map(|cause| cause.0))
        .bind(at(WithdrawalStep::LapsedAfterServing))
        .bind(at(WithdrawalStep::DeleteSuperseded))
        .execute(db)
        .await
        .map(drop)
        .map_err(away)
}

async fn served(db: &mut SqliteConnection, recipient: &RecipientId, deletes: &[Position], now: Timestamp) -> Stored<()> {
    for delete in deletes {
        let query = sqlx::query(sql::DELETE_SERVED).bind(recipient.as_str()).bind(delete.0).bind(micros(now));
        query.execute(&mut *db).await.map_err(away)?;
    }
    Ok(())
}

async fn acknowledged(db: &mut SqliteConnection, recipient: &RecipientId, delete: Position, now: Timestamp) -> Stored<()> {
    let query = sqlx::query(sql::DELETE_ACKNOWLEDGED).bind(recipient.as_str()).bind(delete.0).bind(micros(now));
    query.execute(db).await.map(drop).map_err(away)
}

async fn read(db: &mut SqliteConnection, filter: &WithdrawalFilter) -> Stored<Vec<Withdrawal>> {
    let query = sqlx::query(sql::WITHDRAWALS).bind(filter.recipient.as_ref().map(RecipientId::as_str));
    let rows = query.bind(filter.open).bind(filter.limit).fetch_all(db).await.map_err(away)?;
    rows.iter().map(withdrawal).collect()
}

pub(super) fn withdrawal(row: &SqliteRow) -> Stored<Withdrawal> {
    let number: Option<i64> = column(row, "number")?;
    let login: Option<String> = column(row, "login")?;
    let id = optional_digest(row, "messages", "message_id", |bytes| Uuid::from_slice(bytes).ok())?;
    let message = match (number, login, id) {
        (Some(number), Some(login), Some(id)) => {
            let login = Login::try_from(login).map_err(|_| inconsistent("messages", "login"))?;
            Some((MessageNumber(number), login, id))
        }
        _ => None,
    };
    let delete: Option<i64> = column(row, "delete_position")?;
    Ok(Withdrawal {
        recipient: recipient_of(row, "recipient")?,
        position: Position(column(row, "position")?),
        delete: delete.map(Position),
        subject: digest(row, TABLE, "subject", Subject::from_slice)?,
        code: word(row, TABLE, "code", |text| text.parse().ok())?,
        step: word(row, TABLE, "step", WithdrawalStep::from_stored)?,
        at: time(row, TABLE, "at")?,
        lapsed_at: optional_time(row, TABLE, "lapsed_at")?,
        served_at: optional_time(row, TABLE, "served_at")?,
        acknowledged_at: optional_time(row, TABLE, "acknowledged_at")?,
        superseded_at: optional_time(row, TABLE, "superseded_at")?,
        message,
    })
}

async fn unacknowledged(db: &mut SqliteConnection, before: Timestamp) -> Stored<Vec<Unacknowledged>> {
    let rows = sqlx::query(sql::UNACKNOWLEDGED).bind(micros(before)).fetch_all(db).await.map_err(away)?;
    let feed = |row: &SqliteRow| {
        Ok(Unacknowledged {
            recipient: recipient_of(row, "recipient")?,
            overdue: column(row, "overdue")?,
            oldest: time(row, TABLE, "oldest")?,
        })
    };
    rows.iter().map(feed).collect()
}
