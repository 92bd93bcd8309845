//! Wrapped data keys in PostgreSQL, and which wrapping key is in use.

use jiff::Timestamp;
use sqlx::postgres::PgRow;

use super::{away, sql};
use crate::seal::{Holder, Kept, KeyId, WrappedKey, WrappingId};
use crate::store::Stored;
use crate::store::postgres::line::{Line, Lines};
use crate::store::postgres::read::{column, digest, inconsistent, micros};

const TABLE: &str = "data_keys";

fn parts<'a>(holders: impl Iterator<Item = &'a Holder>) -> (Vec<&'a [u8]>, Vec<&'static str>) {
    holders.map(|holder| (holder.digest(), holder.class().as_str())).unzip()
}

pub(super) async fn of_holders(pool: &Lines, holders: &[Holder]) -> Stored<Vec<WrappedKey>> {
    let (digests, classes) = parts(holders.iter());
    let rows = sqlx::query(sql::OF_HOLDERS).bind(digests).bind(classes).fetch_all(pool).await.map_err(away)?;
    rows.iter().map(wrapped_key).collect()
}

pub(super) async fn of_ids(pool: &Lines, ids: &[KeyId]) -> Stored<Vec<WrappedKey>> {
    let ids: Vec<&[u8]> = ids.iter().map(KeyId::as_bytes).collect();
    let rows = sqlx::query(sql::OF_IDS).bind(ids).fetch_all(pool).await.map_err(away)?;
    rows.iter().map(wrapped_key).collect()
}

fn wrapped_key(row: &PgRow) -> Stored<WrappedKey> {
    let (holder, class): (&[u8], &str) = (column(row, "holder")?, column(row, "class")?);
    Ok(WrappedKey {
        id: digest(row, TABLE, "id", KeyId::from_slice)?,
        holder: Holder::from_stored(holder, class).ok_or_else(|| inconsistent(TABLE, "holder"))?,
        wrapping: digest(row, TABLE, "wrapping", WrappingId::from_slice)?,
        wrapped: column(row, "wrapped")?,
    })
}

pub(super) async fn keep(db: &mut Line, keys: &[WrappedKey], at: Timestamp) -> Stored<Kept> {
    let Some(first) = keys.first() else { return Ok(Kept::New(Vec::new())) };
    // A rotation that begins meanwhile waits for this transaction; one that has begun is seen.
    let mut in_use = sqlx::query(sql::WRAPPING_SHARED).fetch_optional(&mut *db).await.map_err(away)?;
    if in_use.is_none() {
        let query = sqlx::query(sql::FIRST_WRAPPING).bind(first.wrapping.as_bytes()).bind(micros(at));
        query.execute(&mut *db).await.map_err(away)?;
        in_use = sqlx::query(sql::WRAPPING_SHARED).fetch_optional(&mut *db).await.map_err(away)?;
    }
    let in_use = in_use.ok_or_else(|| inconsistent("wrapping", "id"))?;
    let in_use = digest(&in_use, "wrapping", "id", WrappingId::from_slice)?;
    if in_use != first.wrapping {
        return Ok(Kept::Outdated(in_use));
    }
    let ids: Vec<&[u8]> = keys.iter().map(|key| key.id.as_bytes()).collect();
    let (digests, classes) = parts(keys.iter().map(|key| &key.holder));
    let wrapped: Vec<&[u8]> = keys.iter().map(|key| key.wrapped.as_slice()).collect();
    let query = sqlx::query(sql::KEEP).bind(ids).bind(digests).bind(classes).bind(first.wrapping.as_bytes());
    let rows = query.bind(wrapped).bind(micros(at)).fetch_all(db).await.map_err(away)?;
    rows.iter().map(|row| digest(row, TABLE, "id", KeyId::from_slice)).collect::<Stored<_>>().map(Kept::New)
}

pub(super) async fn wrapping(pool: &Lines) -> Stored<Option<WrappingId>> {
    let row = sqlx::query(sql::WRAPPING).fetch_optional(pool).await.map_err(away)?;
    row.as_ref().map(|row| digest(row, "wrapping", "id", WrappingId::from_slice)).transpose()
}

pub(super) async fn use_wrapping(pool: &Lines, id: WrappingId, at: Timestamp) -> Stored<()> {
    let query = sqlx::query(sql::USE_WRAPPING).bind(id.as_bytes()).bind(micros(at));
    query.execute(pool).await.map(drop).map_err(away)
}

pub(super) async fn wrapped_by_others(pool: &Lines, id: WrappingId, limit: i64) -> Stored<Vec<WrappedKey>> {
    let query = sqlx::query(sql::WRAPPED_BY_OTHERS).bind(id.as_bytes()).bind(limit);
    query.fetch_all(pool).await.map_err(away)?.iter().map(wrapped_key).collect()
}

pub(super) async fn replace(pool: &Lines, keys: &[(WrappingId, WrappedKey)]) -> Stored<()> {
    let ids: Vec<&[u8]> = keys.iter().map(|(_, key)| key.id.as_bytes()).collect();
    let before: Vec<&[u8]> = keys.iter().map(|(before, _)| before.as_bytes()).collect();
    let wrapping: Vec<&[u8]> = keys.iter().map(|(_, key)| key.wrapping.as_bytes()).collect();
    let wrapped: Vec<&[u8]> = keys.iter().map(|(_, key)| key.wrapped.as_slice()).collect();
    let query = sqlx::query(sql::REPLACE).bind(ids).bind(before).bind(wrapping).bind(wrapped);
    query.execute(pool).await.map(drop).map_err(away)
}

/// Deletes the keys of holders.
pub(super) async fn destroy(pool: &Lines, holders: &[Holder]) -> Stored<usize> {
    let (digests, classes) = parts(holders.iter());
    let gone = sqlx::query(sql::DESTROY).bind(digests).bind(classes).execute(pool).await.map_err(away)?;
    Ok(usize::try_from(gone.rows_affected()).unwrap_or(usize::MAX))
}
