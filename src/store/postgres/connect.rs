//! Connections to PostgreSQL: who connects how, with which bounds, in which small pools.

use std::borrow::Cow;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, PgConnection, SqlSafeStr as _};

use super::fault::{away, migration};
use super::line::{Line, Lines, no_answer};
use super::sql;
use crate::config::{DatabaseTls, Postgres as Settings};
use crate::store::{StoreError, Stored};

/// Every migration of the content, in order. A migration that was ever released is never changed.
pub(super) fn migrations() -> Vec<Migration> {
    let all = [
        ("base", include_str!("../../../migrations/postgres/0001_base.sql")),
        ("audit chain", include_str!("../../../migrations/postgres/0002_audit_chain.sql")),
    ];
    let one = |(version, (name, text)): (i64, (&'static str, &'static str))| {
        Migration::new(version, Cow::Borrowed(name), MigrationType::Simple, text.into_sql_str(), false)
    };
    (1..).zip(all).map(one).collect()
}

/// How a connection is made. Every bound that the server can keep is the server's to keep, for each connection.
pub(super) fn options(settings: &Settings) -> PgConnectOptions {
    let mut options = bare(settings).options([
        ("statement_timeout", millis(settings.statement_timeout)),
        ("lock_timeout", millis(settings.lock_timeout)),
        ("idle_in_transaction_session_timeout", millis(settings.idle_in_transaction_timeout)),
        // A rollback outside a transaction is a warning, and said to nobody.
        ("client_min_messages", "error".to_owned()),
    ]);
    // Statements are told by their own names, not logged as text.
    options = options.disable_statement_logging();
    options
}

fn millis(duration: Duration) -> String {
    format!("{}ms", duration.as_millis())
}

fn bare(settings: &Settings) -> PgConnectOptions {
    // Nothing comes from the environment or from a file of passwords in somebody's home.
    let mut options = PgConnectOptions::new_without_pgpass()
        .host(settings.host.trim_matches(['[', ']']))
        .port(settings.port)
        .database(&settings.database)
        .username(&settings.user)
        .application_name("brygga")
        .statement_cache_capacity(200);
    if let Some(folder) = &settings.socket {
        options = options.socket(folder);
    }
    if let Some(password) = settings.password.as_ref().map(SecretString::expose_secret) {
        options = options.password(password);
    }
    match &settings.tls {
        DatabaseTls::Off => options.ssl_mode(PgSslMode::Disable),
        DatabaseTls::VerifyFull { roots } => options.ssl_mode(PgSslMode::VerifyFull).ssl_root_cert(roots),
    }
}

/// A pool whose statements all go by keys. Right after a table has grown fast its statistics say that it is small, and a plan
/// that reads the whole of it for each batch looks cheap: here that is never right.
pub(super) fn pool_by_key(settings: &Settings, size: u32) -> Lines {
    sized(size, settings, options(settings).options([("enable_seqscan", "off")]))
}

/// A pool that connects when it is first used.
pub(super) fn pool(settings: &Settings, size: u32) -> Lines {
    sized(size, settings, options(settings))
}

fn sized(size: u32, settings: &Settings, options: PgConnectOptions) -> Lines {
    let patience = settings.answer_timeout;
    let pool = PgPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(settings.acquire_timeout)
        .idle_timeout(Duration::from_mins(10))
        .max_lifetime(Duration::from_hours(1))
        .after_release(move |connection, _| {
            // A transaction that was not committed ends here.
            Box::pin(async move {
                let ended = tokio::time::timeout(patience, connection.execute(sql::ROLLBACK)).await;
                ended.unwrap_or_else(|_| Err(no_answer())).map(|_| true)
            })
        })
        .connect_lazy_with(options);
    Lines::new(pool, patience)
}

/// Brings the schema up to date, one process at a time; the others wait and find it done. Says which it is
/// now.
pub(super) async fn migrate(settings: &Settings, migrations: Vec<Migration>) -> Stored<i64> {
    let newest = migrations.iter().map(|one| one.version).max().unwrap_or_default();
    let options = bare(settings).disable_statement_logging();
    let connected = tokio::time::timeout(settings.acquire_timeout, options.connect()).await;
    let mut connection: PgConnection = connected.unwrap_or_else(|_| Err(no_answer())).map_err(away)?;
    let migrated = Migrator::with_migrations(migrations).run(&mut connection).await.map_err(migration);
    // The advisory lock goes with the connection, also where the migration has failed.
    let closed = connection.close().await.map_err(away);
    migrated.and(closed).map(|()| newest)
}

/// The time by the database's clock, in microseconds since 1970.
pub(super) async fn clock(connection: &mut Line) -> Stored<i64> {
    sqlx::query_scalar(sql::NOW).fetch_one(connection).await.map_err(away)
}

/// What a task that was stopped says of itself.
pub(super) fn cut_off() -> StoreError {
    StoreError::Away("the program is stopping".to_owned())
}
