//! The ledger of withdrawals in PostgreSQL.

use std::collections::HashSet;

use jiff::Timestamp;
use sqlx::postgres::{PgBindIterExt as _, PgRow};

use super::fault::away;
use super::line::Line;
use super::read::{column, digest, micros, optional_time, recipient as recipient_of, time, word};
use super::rows::{login, message_id, number};
use super::sql;
use super::tx::PgTx;
use crate::domain::{Position, RecipientId, Subject};
use crate::store::{Stored, Unacknowledged, Withdrawal, WithdrawalFilter, WithdrawalRow, WithdrawalStep, Withdrawals};

const TABLE: &str = "withdrawals";

impl PgTx {
    /// Writes what was noted. An entry that was noted more than once takes its steps one after the other: a statement can
    /// touch a row once.
    pub(super) async fn write_withdrawals(&mut self) -> Stored<()> {
        let mut rest = std::mem::take(&mut self.work.withdrawals);
        while !rest.is_empty() {
            let mut seen = HashSet::new();
            let (first, again): (Vec<_>, Vec<_>) =
                rest.into_iter().partition(|row| seen.insert((row.recipient.clone(), row.position)));
            self.note_once(&first).await?;
            rest = again;
        }
        Ok(())
    }

    async fn note_once(&mut self, rows: &[WithdrawalRow]) -> Stored<()> {
        let now = micros(self.now);
        let at = |row: &WithdrawalRow, step: WithdrawalStep| (row.step == step).then_some(now);
        let query = sqlx::query(sql::NOTE_WITHDRAWALS)
            .bind(rows.iter().map(|row| row.recipient.as_str()).bind_iter())
            .bind(rows.iter().map(|row| row.position.0).bind_iter())
            .bind(rows.iter().map(|row| row.subject.as_bytes()).bind_iter())
            .bind(rows.iter().map(|row| row.report.as_bytes()).bind_iter())
            .bind(rows.iter().map(|row| row.code.as_str()).bind_iter())
            .bind(rows.iter().map(|row| row.step.as_str()).bind_iter())
            .bind(rows.iter().map(|row| row.delete.map(|delete| delete.0)).bind_iter())
            .bind(rows.iter().map(|row| row.cause.map(|cause| cause.0)).bind_iter())
            .bind(rows.iter().map(|row| at(row, WithdrawalStep::LapsedAfterServing)).bind_iter())
            .bind(rows.iter().map(|row| at(row, WithdrawalStep::DeleteSuperseded)).bind_iter())
            .bind(now);
        query.execute(self.db()).await.map(drop).map_err(away)
    }
}

impl Withdrawals for PgTx {
    async fn note_withdrawal(&mut self, row: &WithdrawalRow) -> Stored<()> {
        self.work.withdrawals.push(row.clone());
        Ok(())
    }

    async fn note_deletes_served(&mut self, recipient: &RecipientId, deletes: &[Position]) -> Stored<()> {
        let now = self.now;
        served(self.db(), recipient, deletes, now).await
    }

    async fn note_delete_acknowledged(&mut self, recipient: &RecipientId, delete: Position) -> Stored<()> {
        let now = self.now;
        acknowledged(self.db(), recipient, delete, now).await
    }

    async fn withdrawals(&mut self, filter: &WithdrawalFilter) -> Stored<Vec<Withdrawal>> {
        self.write_out().await?;
        read(self.db(), filter).await
    }

    async fn unacknowledged(&mut self, before: Timestamp) -> Stored<Vec<Unacknowledged>> {
        self.write_out().await?;
        unacknowledged(self.db(), before).await
    }
}

async fn served(db: &mut Line, recipient: &RecipientId, deletes: &[Position], now: Timestamp) -> Stored<()> {
    let deletes: Vec<i64> = deletes.iter().map(|delete| delete.0).collect();
    let query = sqlx::query(sql::DELETES_SERVED).bind(recipient.as_str()).bind(deletes).bind(micros(now));
    query.execute(db).await.map(drop).map_err(away)
}

async fn acknowledged(db: &mut Line, recipient: &RecipientId, delete: Position, now: Timestamp) -> Stored<()> {
    let query = sqlx::query(sql::DELETE_ACKNOWLEDGED).bind(recipient.as_str()).bind(delete.0).bind(micros(now));
    query.execute(db).await.map(drop).map_err(away)
}

async fn read(db: &mut Line, filter: &WithdrawalFilter) -> Stored<Vec<Withdrawal>> {
    let query = sqlx::query(sql::WITHDRAWALS).bind(filter.recipient.as_ref().map(RecipientId::as_str));
    let rows = query.bind(filter.open).bind(filter.limit).fetch_all(db).await.map_err(away)?;
    rows.iter().map(withdrawal).collect()
}

pub(super) fn withdrawal(row: &PgRow) -> Stored<Withdrawal> {
    let is_kept = column::<Option<i64>>(row, "number")?.is_some();
    let message = if is_kept { Some((number(row, "number")?, login(row)?, message_id(row)?)) } else { None };
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

async fn unacknowledged(db: &mut Line, before: Timestamp) -> Stored<Vec<Unacknowledged>> {
    let rows = sqlx::query(sql::UNACKNOWLEDGED).bind(micros(before)).fetch_all(db).await.map_err(away)?;
    let feed = |row: &PgRow| {
        Ok(Unacknowledged {
            recipient: recipient_of(row, "recipient")?,
            overdue: column(row, "overdue")?,
            oldest: time(row, TABLE, "oldest")?,
        })
    };
    rows.iter().map(feed).collect()
}
