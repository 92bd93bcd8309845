//! The ledgers in SQLite: revocations and protection flags that a restored backup must not undo.

use sqlx::{SqliteConnection, SqlitePool};

use super::away;
use crate::domain::PersonKey;
use crate::seal::{LedgerNote, Revocation, categories_text};
use crate::store::Stored;
use crate::store::sqlite::read::{digest, micros, person};
use crate::store::sqlite::restore::revocation;

pub(super) async fn note(db: &mut SqliteConnection, notes: &[LedgerNote]) -> Stored<()> {
    for note in notes {
        let query = match note {
            LedgerNote::Revocation(revocation) => {
                let sql = "INSERT INTO revocations (consent, person, revoked_at, categories) VALUES (?1, ?2, ?3, ?4) \
                    ON CONFLICT DO NOTHING";
                sqlx::query(sql)
                    .bind(revocation.consent.as_bytes())
                    .bind(revocation.person.as_bytes().as_slice())
                    .bind(micros(revocation.revoked_at))
                    .bind(categories_text(revocation.categories))
            }
            LedgerNote::Flag(person, at) => {
                let sql = "INSERT INTO flags (person, at) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
                sqlx::query(sql).bind(person.as_bytes().as_slice()).bind(micros(*at))
            }
        };
        query.execute(&mut *db).await.map_err(away)?;
    }
    Ok(())
}

pub(super) async fn revocations(pool: &SqlitePool) -> Stored<Vec<Revocation>> {
    let sql = "SELECT consent, person, revoked_at, categories FROM revocations ORDER BY person, consent, revoked_at";
    let rows = sqlx::query(sql).fetch_all(pool).await.map_err(away)?;
    rows.iter().map(|row| revocation(row, "revocations")).collect()
}

pub(super) async fn flags(pool: &SqlitePool) -> Stored<Vec<PersonKey>> {
    let rows = sqlx::query("SELECT person FROM flags ORDER BY person").fetch_all(pool).await.map_err(away)?;
    rows.iter().map(|row| digest(row, "flags", "person", person)).collect()
}
