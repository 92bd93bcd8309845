//! Connections to PostgreSQL: who connects how, with which bounds, in which small pools.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use secrecy::ExposeSecret as _;
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
        ("withdrawals and receipts", include_str!("../../../migrations/postgres/0003_withdrawals_receipts.sql")),
        ("accounts", include_str!("../../../migrations/postgres/0004_accounts.sql")),
        ("fewer indexes", include_str!("../../../migrations/postgres/0005_fewer_indexes.sql")),
        ("dead letters", include_str!("../../../migrations/postgres/0006_dead_letters.sql")),
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
        // A statement that only seems dear (an estimate of a table that has just grown, a pool that goes by keys) would be
        // translated to machine code each time it runs, which takes a hundred times what running it does.
        ("jit", "off".to_owned()),
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
    if let Some(password) = &settings.password {
        options = options.password(password.current().expose_secret());
    }
    match &settings.tls {
        DatabaseTls::Off => options.ssl_mode(PgSslMode::Disable),
        DatabaseTls::VerifyFull { roots } => options.ssl_mode(PgSslMode::VerifyFull).ssl_root_cert(roots),
    }
}

/// Why a file of root certificates cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RootsFault {
    /// It cannot be read as PEM.
    #[error("{file}: no certificate can be read from it ({words})")]
    File {
        /// The file.
        file: String,
        /// The library's words.
        words: String,
    },
    /// A certificate in it is none.
    #[error("{0}: a certificate in it cannot be used: {1}")]
    Certificate(String, rustls::Error),
}

pub(super) fn check_roots(file: &Path) -> Result<(), RootsFault> {
    let shown = file.display().to_string();
    let fault = |words: String| RootsFault::File { file: shown.clone(), words };
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = read.map_err(|error| fault(error.to_string()))?;
    if found.is_empty() {
        return Err(fault("it holds none".to_owned()));
    }
    let mut roots = RootCertStore::empty();
    for certificate in found {
        roots.add(certificate).map_err(|error| RootsFault::Certificate(shown.clone(), error))?;
    }
    Ok(())
}

/// How the connections of a pool are made.
#[derive(Debug)]
pub(super) struct Making {
    settings: Settings,
    by_key: bool,
}

impl Making {
    /// The options, with the password as its file has it now.
    pub(super) fn options(&self) -> PgConnectOptions {
        let options = options(&self.settings);
        if self.by_key { options.options([("enable_seqscan", "off")]) } else { options }
    }
}

/// A pool whose statements all go by keys. Right after a table has grown fast its statistics say that it is small, and a plan
/// that reads the whole of it for each batch looks cheap: here that is never right. Each connection that it opens is counted.
pub(super) fn pool_by_key(settings: &Settings, size: u32, opened: &Arc<AtomicU64>) -> Lines {
    sized(size, Making { settings: settings.clone(), by_key: true }, opened)
}

/// A pool that connects when it is first used, and counts the connections that it opens.
pub(super) fn pool(settings: &Settings, size: u32, opened: &Arc<AtomicU64>) -> Lines {
    sized(size, Making { settings: settings.clone(), by_key: false }, opened)
}

fn sized(size: u32, making: Making, opened: &Arc<AtomicU64>) -> Lines {
    let patience = making.settings.answer_timeout;
    let opened = Arc::clone(opened);
    let pool = PgPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(making.settings.acquire_timeout)
        .idle_timeout(Duration::from_mins(10))
        .max_lifetime(Duration::from_hours(1))
        .after_connect(move |_, _| {
            // Before anybody gets it: who begins something on it sees that there is a new one.
            opened.fetch_add(1, Ordering::AcqRel);
            Box::pin(async { Ok(()) })
        })
        .after_release(move |connection, _| {
            // A transaction that was not committed ends here.
            Box::pin(async move {
                let ended = tokio::time::timeout(patience, connection.execute(sql::ROLLBACK)).await;
                ended.unwrap_or_else(|_| Err(no_answer())).map(|_| true)
            })
        })
        .connect_lazy_with(making.options());
    Lines::new(pool, patience, making)
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
