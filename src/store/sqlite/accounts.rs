//! Accounts and sessions in SQLite.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;

use super::read::{column, digest, micros, optional_time, time, word};
use super::{SqliteTx, Stored, away, sql};
use crate::account::{Account, AccountName, PasswordHash, Session, SessionDigest, read_scope, scope_texts};
use crate::domain::Role;
use crate::store::Accounts;

const TABLE: &str = "accounts";
const SESSIONS: &str = "sessions";

impl Accounts for SqliteTx {
    async fn add_account(&mut self, account: &Account) -> Stored<bool> {
        let query = sqlx::query(sql::ADD_ACCOUNT)
            .bind(account.name.as_str())
            .bind(account.role.as_str())
            .bind(scope_texts(&account.scope).join("\n"))
            .bind(account.password.as_str())
            .bind(micros(account.created_at))
            .bind(micros(account.password_at))
            .bind(account.disabled_at.map(micros));
        query.execute(self.db()).await.map(|done| done.rows_affected() == 1).map_err(away)
    }

    async fn change_account(&mut self, account: &Account) -> Stored<()> {
        let query = sqlx::query(sql::CHANGE_ACCOUNT)
            .bind(account.name.as_str())
            .bind(account.role.as_str())
            .bind(scope_texts(&account.scope).join("\n"))
            .bind(account.password.as_str())
            .bind(micros(account.password_at))
            .bind(account.disabled_at.map(micros));
        query.execute(self.db()).await.map(drop).map_err(away)
    }

    async fn account(&mut self, name: &AccountName) -> Stored<Option<Account>> {
        let row = sqlx::query(sql::ACCOUNT).bind(name.as_str()).fetch_optional(self.db()).await.map_err(away)?;
        row.as_ref().map(account).transpose()
    }

    async fn accounts(&mut self) -> Stored<Vec<Account>> {
        let rows = sqlx::query(sql::ACCOUNTS).fetch_all(self.db()).await.map_err(away)?;
        rows.iter().map(account).collect()
    }

    async fn open_session(&mut self, session: &Session) -> Stored<()> {
        let query = sqlx::query(sql::OPEN_SESSION)
            .bind(session.digest.as_bytes())
            .bind(session.account.as_str())
            .bind(micros(session.created_at))
            .bind(micros(session.seen_at));
        query.execute(self.db()).await.map(drop).map_err(away)
    }

    async fn session(&mut self, of: &SessionDigest) -> Stored<Option<Session>> {
        let query = sqlx::query(sql::SESSION).bind(of.as_bytes());
        let row = query.fetch_optional(self.db()).await.map_err(away)?;
        row.as_ref().map(session).transpose()
    }

    async fn touch_session(&mut self, of: &SessionDigest, at: Timestamp) -> Stored<()> {
        let query = sqlx::query(sql::TOUCH_SESSION).bind(of.as_bytes()).bind(micros(at));
        query.execute(self.db()).await.map(drop).map_err(away)
    }

    async fn end_session(&mut self, of: &SessionDigest) -> Stored<bool> {
        let query = sqlx::query(sql::END_SESSION).bind(of.as_bytes());
        query.execute(self.db()).await.map(|done| done.rows_affected() == 1).map_err(away)
    }

    async fn end_sessions_of(&mut self, name: &AccountName) -> Stored<u64> {
        let query = sqlx::query(sql::END_SESSIONS_OF).bind(name.as_str());
        query.execute(self.db()).await.map(|done| done.rows_affected()).map_err(away)
    }

    async fn end_sessions(&mut self) -> Stored<()> {
        sqlx::query(sql::END_SESSIONS).execute(self.db()).await.map(drop).map_err(away)
    }

    async fn sweep_sessions(&mut self, opened: Timestamp, used: Timestamp) -> Stored<()> {
        let query = sqlx::query(sql::SWEEP_SESSIONS).bind(micros(opened)).bind(micros(used));
        query.execute(self.db()).await.map(drop).map_err(away)
    }
}

fn account(row: &SqliteRow) -> Stored<Account> {
    Ok(Account {
        name: word(row, TABLE, "name", |text| text.parse().ok())?,
        role: word(row, TABLE, "role", Role::from_stored)?,
        scope: word(row, TABLE, "scope", |text| read_scope(text.lines()).ok())?,
        password: PasswordHash::from_stored(column(row, "password")?),
        created_at: time(row, TABLE, "created_at")?,
        password_at: time(row, TABLE, "password_at")?,
        disabled_at: optional_time(row, TABLE, "disabled_at")?,
    })
}

fn session(row: &SqliteRow) -> Stored<Session> {
    Ok(Session {
        digest: digest(row, SESSIONS, "digest", SessionDigest::from_slice)?,
        account: word(row, SESSIONS, "account", |text| text.parse().ok())?,
        created_at: time(row, SESSIONS, "created_at")?,
        seen_at: time(row, SESSIONS, "seen_at")?,
    })
}
