//! Wrapped data keys in SQLite, and which wrapping key is in use.

use jiff::Timestamp;
use serde_json::json;
use sqlx::sqlite::SqliteRow;
use sqlx::{SqliteConnection, SqlitePool};

use super::{away, sql};
use crate::seal::{Holder, Kept, KeyId, WrappedKey, WrappingId};
use crate::store::Stored;
use crate::store::sqlite::read::{column, digest, inconsistent, micros};

const TABLE: &str = "data_keys";

/// SQLite has no arrays: many digests go as one JSON list of hexadecimal texts.
fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

pub(super) async fn of_holders(pool: &SqlitePool, holders: &[Holder]) -> Stored<Vec<WrappedKey>> {
    let wanted: Vec<_> = holders.iter().map(|holder| json!([hex(holder.digest()), holder.class().as_str()])).collect();
    let rows = sqlx::query(sql::OF_HOLDERS).bind(json!(wanted).to_string()).fetch_all(pool).await.map_err(away)?;
    rows.iter().map(wrapped_key).collect()
}

pub(super) async fn of_ids(pool: &SqlitePool, ids: &[KeyId]) -> Stored<Vec<WrappedKey>> {
    let wanted: Vec<_> = ids.iter().map(|id| hex(id.as_bytes())).collect();
    let rows = sqlx::query(sql::OF_IDS).bind(json!(wanted).to_string()).fetch_all(pool).await.map_err(away)?;
    rows.iter().map(wrapped_key).collect()
}

fn wrapped_key(row: &SqliteRow) -> Stored<WrappedKey> {
    let (holder, class): (&[u8], &str) = (column(row, "holder")?, column(row, "class")?);
    Ok(WrappedKey {
        id: digest(row, TABLE, "id", KeyId::from_slice)?,
        holder: Holder::from_stored(holder, class).ok_or_else(|| inconsistent(TABLE, "holder"))?,
        wrapping: digest(row, TABLE, "wrapping", WrappingId::from_slice)?,
        wrapped: column(row, "wrapped")?,
    })
}

pub(super) async fn keep(db: &mut SqliteConnection, keys: &[WrappedKey], at: Timestamp) -> Stored<Kept> {
    let Some(first) = keys.first() else { return Ok(Kept::New(Vec::new())) };
    match wrapping(db).await? {
        None => use_wrapping(db, first.wrapping, at).await?,
        Some(in_use) if in_use != first.wrapping => return Ok(Kept::Outdated(in_use)),
        Some(_) => {}
    }
    let new: Vec<_> = keys
        .iter()
        .map(|key| {
            let holder = &key.holder;
            json!([hex(key.id.as_bytes()), hex(holder.digest()), holder.class().as_str(), hex(&key.wrapped)])
        })
        .collect();
    let query = sqlx::query(sql::KEEP).bind(json!(new).to_string()).bind(first.wrapping.as_bytes()).bind(micros(at));
    let rows = query.fetch_all(db).await.map_err(away)?;
    rows.iter().map(|row| digest(row, TABLE, "id", KeyId::from_slice)).collect::<Stored<_>>().map(Kept::New)
}

pub(super) async fn wrapping(db: &mut SqliteConnection) -> Stored<Option<WrappingId>> {
    let row = sqlx::query(sql::WRAPPING).fetch_optional(db).await.map_err(away)?;
    row.as_ref().map(|row| digest(row, "wrapping", "id", WrappingId::from_slice)).transpose()
}

pub(super) async fn use_wrapping(db: &mut SqliteConnection, id: WrappingId, at: Timestamp) -> Stored<()> {
    sqlx::query(sql::USE_WRAPPING).bind(id.as_bytes()).bind(micros(at)).execute(db).await.map(drop).map_err(away)
}

pub(super) async fn wrapped_by_others(pool: &SqlitePool, id: WrappingId, limit: i64) -> Stored<Vec<WrappedKey>> {
    let rows = sqlx::query(sql::WRAPPED_BY_OTHERS).bind(id.as_bytes()).bind(limit).fetch_all(pool).await.map_err(away)?;
    rows.iter().map(wrapped_key).collect()
}

pub(super) async fn replace(db: &mut SqliteConnection, keys: &[(WrappingId, WrappedKey)]) -> Stored<()> {
    for (before, key) in keys {
        let query = sqlx::query(sql::REPLACE).bind(key.id.as_bytes()).bind(key.wrapping.as_bytes());
        let query = query.bind(key.wrapped.as_slice()).bind(before.as_bytes());
        query.execute(&mut *db).await.map_err(away)?;
    }
    Ok(())
}

/// Deletes the keys of holders; what is deleted is overwritten in the file.
pub(super) async fn destroy(db: &mut SqliteConnection, holders: &[Holder]) -> Stored<usize> {
    let mut destroyed = 0;
    for holder in holders {
        let query = sqlx::query(sql::DESTROY).bind(holder.digest()).bind(holder.class().as_str());
        destroyed += query.execute(&mut *db).await.map_err(away)?.rows_affected();
    }
    Ok(usize::try_from(destroyed).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::hex;

    #[test]
    fn hexadecimal_is_two_digits_a_byte() {
        assert_eq!(hex(&[0, 10, 255]), "000aff");
    }
}
