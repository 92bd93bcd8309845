//! The ledgers in SQLite: revocations and protection flags that a restored backup must not undo.

use sqlx::{SqliteConnection, SqlitePool};

use super::{away, sql};
use crate::domain::PersonKey;
use crate::seal::{LedgerNote, Revocation, categories_text};
use crate::store::Stored;
use crate::store::sqlite::read::{digest, micros, person};
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
