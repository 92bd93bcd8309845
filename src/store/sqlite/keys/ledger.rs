//! The ledgers in SQLite: revocations, protection flags and erasures that a restored backup must not undo.

use sqlx::sqlite::SqliteRow;
use sqlx::{SqliteConnection, SqlitePool};
use uuid::Uuid;

use super::{away, sql};
use crate::domain::{Login, PersonKey};
use crate::seal::{Erasure, Holder, LedgerNote, Revocation, TakenId, categories_text};
use crate::store::Stored;
use crate::store::sqlite::read::{column, digest, inconsistent, micros, person, time, word};
use crate::store::sqlite::restore::revocation;

pub(super) async fn note(db: &mut SqliteConnection, notes: &[LedgerNote]) -> Stored<()> {
    for note in notes {
        let query = match note {
            LedgerNote::Revocation(revocation) => sqlx::query(sql::NOTE_REVOCATION)
                .bind(revocation.consent.as_bytes())
                .bind(revocation.person.as_bytes().as_slice())
                .bind(micros(revocation.revoked_at))
                .bind(categories_text(revocation.categories)),
            LedgerNote::Flag(person, at) => sqlx::query(sql::NOTE_FLAG).bind(person.as_bytes().as_slice()).bind(micros(*at)),
            LedgerNote::Erasure(erasure) => sqlx::query(sql::NOTE_ERASURE)
                .bind(erasure.holder.digest())
                .bind(erasure.holder.class().as_str())
                .bind(micros(erasure.at)),
            LedgerNote::Taken(id) => sqlx::query(sql::NOTE_TAKEN)
                .bind(id.login.as_str())
                .bind(id.message_id.as_bytes().as_slice())
                .bind(id.contract.to_string())
                .bind(micros(id.at)),
            LedgerNote::Lift(person, at) => sqlx::query(sql::LIFT_FLAG).bind(person.as_bytes().as_slice()).bind(micros(*at)),
        };
        query.execute(&mut *db).await.map_err(away)?;
    }
    Ok(())
}

pub(super) async fn revocations(pool: &SqlitePool) -> Stored<Vec<Revocation>> {
    let rows = sqlx::query(sql::REVOCATIONS).fetch_all(pool).await.map_err(away)?;
    rows.iter().map(|row| revocation(row, "revocations")).collect()
}

pub(super) async fn flags(pool: &SqlitePool) -> Stored<Vec<PersonKey>> {
    let rows = sqlx::query(sql::FLAGS).fetch_all(pool).await.map_err(away)?;
    rows.iter().map(|row| digest(row, "flags", "person", person)).collect()
}

pub(super) async fn erasures(pool: &SqlitePool) -> Stored<Vec<Erasure>> {
    let rows = sqlx::query(sql::ERASURES).fetch_all(pool).await.map_err(away)?;
    let erasure = |row: &SqliteRow| {
        let (holder, class): (&[u8], &str) = (column(row, "holder")?, column(row, "class")?);
        let holder = Holder::from_stored(holder, class).ok_or_else(|| inconsistent("erasures", "holder"))?;
        Ok(Erasure { holder, at: time(row, "erasures", "at")? })
    };
    rows.iter().map(erasure).collect()
}

pub(super) async fn taken_ids(pool: &SqlitePool) -> Stored<Vec<TakenId>> {
    const TABLE: &str = "taken_ids";
    let rows = sqlx::query(sql::TAKEN_IDS).fetch_all(pool).await.map_err(away)?;
    let taken = |row: &SqliteRow| {
        Ok(TakenId {
            login: word(row, TABLE, "login", |text| Login::try_from(text.to_owned()).ok())?,
            message_id: digest(row, TABLE, "message_id", |bytes| Uuid::from_slice(bytes).ok())?,
            contract: word(row, TABLE, "contract", |text| text.parse().ok())?,
            at: time(row, TABLE, "at")?,
        })
    };
    rows.iter().map(taken).collect()
}
