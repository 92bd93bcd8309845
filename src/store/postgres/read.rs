//! Reads columns, suspecting every one: what the program cannot have written is an inconsistency, named by its column.

use jiff::Timestamp;
use sqlx::postgres::PgRow;
use sqlx::{Decode, Postgres, Row, Type};

use super::fault::away;
use crate::domain::{PersonKey, RecipientId};
use crate::store::{StoreError, Stored};

pub(super) fn micros(time: Timestamp) -> i64 {
    time.as_microsecond()
}

pub(super) fn column<'r, T: Decode<'r, Postgres> + Type<Postgres>>(row: &'r PgRow, name: &str) -> Stored<T> {
    row.try_get(name).map_err(away)
}

pub(super) fn inconsistent(table: &'static str, column: &'static str) -> StoreError {
    StoreError::Inconsistent { table, column }
}

pub(super) fn time(row: &PgRow, table: &'static str, name: &'static str) -> Stored<Timestamp> {
    Timestamp::from_microsecond(column(row, name)?).map_err(|_| inconsistent(table, name))
}

pub(super) fn optional_time(row: &PgRow, table: &'static str, name: &'static str) -> Stored<Option<Timestamp>> {
    let micros: Option<i64> = column(row, name)?;
    micros.map(|micros| Timestamp::from_microsecond(micros).map_err(|_| inconsistent(table, name))).transpose()
}

/// A text that must be one of a closed set.
pub(super) fn word<T>(row: &PgRow, table: &'static str, name: &'static str, read: impl Fn(&str) -> Option<T>) -> Stored<T> {
    let text: &str = column(row, name)?;
    read(text).ok_or_else(|| inconsistent(table, name))
}

/// A text that is of one form, or absent.
pub(super) fn optional_word<T>(
    row: &PgRow,
    table: &'static str,
    name: &'static str,
    read: impl Fn(&str) -> Option<T>,
) -> Stored<Option<T>> {
    let text: Option<&str> = column(row, name)?;
    text.map(|text| read(text).ok_or_else(|| inconsistent(table, name))).transpose()
}

/// Bytes that must have the length of their digest.
pub(super) fn digest<T>(row: &PgRow, table: &'static str, name: &'static str, read: impl Fn(&[u8]) -> Option<T>) -> Stored<T> {
    let bytes: &[u8] = column(row, name)?;
    read(bytes).ok_or_else(|| inconsistent(table, name))
}

pub(super) fn optional_digest<T>(
    row: &PgRow,
    table: &'static str,
    name: &'static str,
    read: impl Fn(&[u8]) -> Option<T>,
) -> Stored<Option<T>> {
    let bytes: Option<&[u8]> = column(row, name)?;
    bytes.map(|bytes| read(bytes).ok_or_else(|| inconsistent(table, name))).transpose()
}

pub(super) fn person(bytes: &[u8]) -> Option<PersonKey> {
    bytes.try_into().ok().map(PersonKey::from_bytes)
}

pub(super) fn recipient(row: &PgRow, name: &str) -> Stored<RecipientId> {
    column(row, name).map(RecipientId::from_stored)
}

/// A keyed digest's place in a statement.
pub(super) fn key(person: &PersonKey) -> &[u8] {
    person.as_bytes().as_slice()
}
