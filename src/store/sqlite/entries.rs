//! Feeds and their entries in SQLite.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::read::{
    column, digest, inconsistent, micros, optional_digest, optional_time, optional_word, recipient as recipient_of, time, word,
};
use super::{Stored, away, sql};
use crate::domain::{MessageNumber, PersonKey, Position, RecipientId, ReportKey, Subject};
use crate::feed::Method;
use crate::seal::{Sealed, SealedBytes};
use crate::store::{EntryRow, EntryState, FeedEntry, StoredMessage};

const TABLE: &str = "entries";

pub(super) fn method(text: &str) -> Option<Method> {
    [Method::Put, Method::Delete].into_iter().find(|method| method.as_str() == text)
}

pub(super) async fn lock_deliveries(db: &mut SqliteConnection, recipients: &[RecipientId]) -> Stored<()> {
    for recipient in recipients {
        sqlx::query(sql::MAKE_FEED).bind(recipient.as_str()).execute(&mut *db).await.map_err(away)?;
    }
    Ok(())
}

pub(super) async fn of_report(db: &mut SqliteConnection, report: &ReportKey, recipient: &RecipientId) -> Stored<Vec<EntryRow>> {
    let rows = sqlx::query(sql::ENTRIES).bind(report.as_bytes()).bind(recipient.as_str()).fetch_all(db).await.map_err(away)?;
    let entry = |row: &SqliteRow| {
        Ok(EntryRow {
            position: Position(column(row, "position")?),
            subject: digest(row, TABLE, "subject", Subject::from_slice)?,
            method: word(row, TABLE, "method", method)?,
            state: word(row, TABLE, "state", EntryState::from_stored)?,
            served: column(row, "served")?,
            message: MessageNumber(column(row, "message")?),
            fingerprint: column(row, "fingerprint")?,
        })
    };
    rows.iter().map(entry).collect()
}

pub(super) async fn feeds_of(db: &mut SqliteConnection, report: &ReportKey) -> Stored<Vec<RecipientId>> {
    let rows = sqlx::query(sql::FEEDS_OF).bind(report.as_bytes()).fetch_all(db).await.map_err(away)?;
    rows.iter().map(|row| recipient_of(row, "recipient")).collect()
}

/// What an entry is made of.
pub(super) struct Fresh<'a> {
    pub(super) recipient: &'a RecipientId,
    pub(super) subject: &'a Subject,
    pub(super) contract: String,
    pub(super) syntax: &'static str,
    pub(super) method: Method,
    pub(super) bytes: &'a [u8],
    pub(super) fingerprint: &'a [u8],
    pub(super) until: Option<Timestamp>,
    pub(super) illustrative: bool,
}

impl<'a> Fresh<'a> {
    pub(super) fn put(sealed: &'a Sealed, fingerprint: &'a [u8], until: Timestamp) -> Self {
        let heading = sealed.heading();
        Self {
            recipient: &heading.recipient,
            subject: &heading.subject,
            contract: heading.contract.to_string(),
            syntax: heading.syntax.as_str(),
            method: Method::Put,
            bytes: sealed.bytes(),
            fingerprint,
            until: Some(until),
            illustrative: heading.illustrative,
        }
    }
}

/// What an entry was made of, or answers.
#[derive(Clone, Copy)]
pub(super) struct Origin<'a> {
    pub(super) message: MessageNumber,
    pub(super) report: Option<&'a ReportKey>,
    pub(super) person: Option<&'a PersonKey>,
}

impl<'a> Origin<'a> {
    pub(super) const fn of(stored: &'a StoredMessage) -> Self {
        Self { message: stored.number, report: stored.message.report.as_ref(), person: stored.message.person.as_ref() }
    }
}

/// Puts an entry into its feed; gives its position.
pub(super) async fn publish(
    db: &mut SqliteConnection,
    fresh: &Fresh<'_>,
    origin: Origin<'_>,
    now: Timestamp,
) -> Stored<Position> {
    let query = sqlx::query(sql::REPLACE_ENTRY).bind(fresh.recipient.as_str()).bind(fresh.subject.as_bytes());
    query.execute(&mut *db).await.map_err(away)?;
    let head: i64 = sqlx::query(sql::RAISE_HEAD).bind(fresh.recipient.as_str()).fetch_one(&mut *db).await.map_err(away)?.get(0);
    sqlx::query(sql::INSERT_ENTRY)
        .bind(fresh.recipient.as_str())
        .bind(head)
        .bind(origin.message.0)
        .bind(origin.report.map(ReportKey::as_bytes))
        .bind(origin.person.map(|person| person.as_bytes().as_slice()))
        .bind(fresh.subject.as_bytes())
        .bind(fresh.contract.as_str())
        .bind(fresh.syntax)
        .bind(fresh.method.as_str())
        .bind(fresh.bytes)
        .bind(fresh.fingerprint)
        .bind(micros(now))
        .bind(fresh.until.map(micros))
        .bind(fresh.illustrative)
        .execute(db)
        .await
        .map(|_| Position(head))
        .map_err(away)
}

/// The outgoing contract of a subject's newest entry: a `DELETE` is of the same type as what it takes back.
pub(super) async fn contract_of(
    db: &mut SqliteConnection,
    recipient: &RecipientId,
    subject: &Subject,
) -> Stored<(String, String, bool)> {
    let query = sqlx::query(sql::NEWEST_OF_SUBJECT).bind(recipient.as_str()).bind(subject.as_bytes());
    let row = query.fetch_optional(db).await.map_err(away)?.ok_or_else(|| inconsistent(TABLE, "subject"))?;
    Ok((row.get(0), row.get(1), row.get(2)))
}

pub(super) async fn keep(
    db: &mut SqliteConnection,
    recipient: &RecipientId,
    position: Position,
    message: MessageNumber,
    until: Timestamp,
) -> Stored<()> {
    let query = sqlx::query(sql::KEEP_ENTRY).bind(recipient.as_str()).bind(position.0).bind(message.0).bind(micros(until));
    query.execute(db).await.map(drop).map_err(away)
}

pub(super) async fn withdraw(db: &mut SqliteConnection, recipient: &RecipientId, position: Position) -> Stored<()> {
    sqlx::query(sql::WITHDRAW_ENTRY).bind(recipient.as_str()).bind(position.0).execute(db).await.map(drop).map_err(away)
}

pub(super) async fn page(
    db: &mut SqliteConnection,
    recipient: &RecipientId,
    after: Position,
    limit: i64,
) -> Stored<Vec<FeedEntry>> {
    let rows = sqlx::query(sql::PAGE).bind(recipient.as_str()).bind(after.0).bind(limit).fetch_all(db).await.map_err(away)?;
    rows.iter().map(feed_entry).collect()
}

pub(super) async fn unconfirmed(db: &mut SqliteConnection, recipient: &RecipientId, limit: i64) -> Stored<Vec<FeedEntry>> {
    let rows = sqlx::query(sql::UNCONFIRMED).bind(recipient.as_str()).bind(limit).fetch_all(db).await.map_err(away)?;
    rows.iter().map(feed_entry).collect()
}

fn feed_entry(row: &SqliteRow) -> Stored<FeedEntry> {
    Ok(FeedEntry {
        position: Position(column(row, "position")?),
        subject: digest(row, TABLE, "subject", Subject::from_slice)?,
        contract: column(row, "contract")?,
        syntax: word(row, TABLE, "syntax", |text| text.parse().ok())?,
        method: word(row, TABLE, "method", method)?,
        sealed: SealedBytes::from_stored(column(row, "sealed")?),
        published_at: time(row, TABLE, "published_at")?,
        until: optional_time(row, TABLE, "until")?,
        traceparent: optional_word(row, "messages", "traceparent", |text| text.parse().ok())?,
        illustrative: column(row, "illustrative")?,
        flagged: column(row, "flagged")?,
        served: column(row, "served")?,
        report: optional_digest(row, TABLE, "report", ReportKey::from_slice)?,
        message: MessageNumber(column(row, "message")?),
        terms: column(row, "terms")?,
    })
}

pub(super) async fn assume_served(
    db: &mut SqliteConnection,
    recipient: &RecipientId,
    positions: &[Position],
    now: Timestamp,
) -> Stored<()> {
    for position in positions {
        let query = sqlx::query(sql::MARK_SERVED).bind(recipient.as_str()).bind(position.0).bind(micros(now));
        query.execute(&mut *db).await.map_err(away)?;
    }
    Ok(())
}

/// Counts a page, unless it is empty; gives how many the feed has counted.
pub(super) async fn count_page(db: &mut SqliteConnection, recipient: &RecipientId, counts: bool) -> Stored<i64> {
    let query = sqlx::query(sql::COUNT_PAGE).bind(recipient.as_str()).bind(i64::from(counts));
    // A feed that nobody knows has no pages.
    query.fetch_optional(db).await.map(|row| row.map_or(0, |row| row.get("pages"))).map_err(away)
}

pub(super) async fn confirm(
    db: &mut SqliteConnection,
    recipient: &RecipientId,
    position: Position,
    now: Timestamp,
) -> Stored<()> {
    sqlx::query(sql::CONFIRM)
        .bind(recipient.as_str())
        .bind(position.0)
        .bind(micros(now))
        .execute(db)
        .await
        .map(drop)
        .map_err(away)
}

pub(super) async fn recipients(db: &mut SqliteConnection) -> Stored<Vec<RecipientId>> {
    let rows = sqlx::query(sql::RECIPIENTS).fetch_all(db).await.map_err(away)?;
    rows.iter().map(|row| recipient_of(row, "recipient")).collect()
}
