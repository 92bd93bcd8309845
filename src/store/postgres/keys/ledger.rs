//! The ledgers in PostgreSQL: revocations and protection flags that a restored backup must not undo.

use sqlx::postgres::PgRow;

use super::{away, sql};
use crate::domain::{PersonKey, ReportKey};
use crate::seal::{LedgerNote, Revocation, categories, categories_text};
use crate::store::Stored;
use crate::store::postgres::line::{Line, Lines};
use crate::store::postgres::read::{digest, micros, person, time, word};

pub(super) async fn note(db: &mut Line, notes: &[LedgerNote]) -> Stored<()> {
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

pub(super) async fn revocations(pool: &Lines) -> Stored<Vec<Revocation>> {
    let rows = sqlx::query(sql::REVOCATIONS).fetch_all(pool).await.map_err(away)?;
    let revocation = |row: &PgRow| {
        Ok(Revocation {
            consent: digest(row, "revocations", "consent", ReportKey::from_slice)?,
            person: digest(row, "revocations", "person", person)?,
            revoked_at: time(row, "revocations", "revoked_at")?,
            categories: word(row, "revocations", "categories", |text| Some(categories(text)))?,
        })
    };
    rows.iter().map(revocation).collect()
}

pub(super) async fn flags(pool: &Lines) -> Stored<Vec<PersonKey>> {
    let rows = sqlx::query(sql::FLAGS).fetch_all(pool).await.map_err(away)?;
    rows.iter().map(|row| digest(row, "flags", "person", person)).collect()
}
