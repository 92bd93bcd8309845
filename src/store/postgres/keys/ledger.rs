//! The ledgers in PostgreSQL: revocations, protection flags and erasures that a restored backup must not undo.

use sqlx::postgres::PgRow;

use super::{away, sql};
use crate::domain::{Login, PersonKey, ReportKey};
use crate::seal::{Erasure, Holder, LedgerNote, Revocation, TakenId, categories, categories_text};
use crate::store::Stored;
use crate::store::postgres::line::{Line, Lines};
use crate::store::postgres::read::{column, digest, inconsistent, micros, person, time, word};

pub(super) async fn note(db: &mut Line, notes: &[LedgerNote]) -> Stored<()> {
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
                .bind(id.message_id)
                .bind(id.contract.to_string())
                .bind(micros(id.at)),
            LedgerNote::Lift(person, at) => sqlx::query(sql::LIFT_FLAG).bind(person.as_bytes().as_slice()).bind(micros(*at)),
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

pub(super) async fn erasures(pool: &Lines) -> Stored<Vec<Erasure>> {
    let rows = sqlx::query(sql::ERASURES).fetch_all(pool).await.map_err(away)?;
    let erasure = |row: &PgRow| {
        let (holder, class): (&[u8], &str) = (column(row, "holder")?, column(row, "class")?);
        let holder = Holder::from_stored(holder, class).ok_or_else(|| inconsistent("erasures", "holder"))?;
        Ok(Erasure { holder, at: time(row, "erasures", "at")? })
    };
    rows.iter().map(erasure).collect()
}

pub(super) async fn taken_ids(pool: &Lines) -> Stored<Vec<TakenId>> {
    const TABLE: &str = "taken_ids";
    let rows = sqlx::query(sql::TAKEN_IDS).fetch_all(pool).await.map_err(away)?;
    let taken = |row: &PgRow| {
        Ok(TakenId {
            login: word(row, TABLE, "login", |text| Login::try_from(text.to_owned()).ok())?,
            message_id: column(row, "message_id")?,
            contract: word(row, TABLE, "contract", |text| text.parse().ok())?,
            at: time(row, TABLE, "at")?,
        })
    };
    rows.iter().map(taken).collect()
}
