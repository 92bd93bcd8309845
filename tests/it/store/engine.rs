//! The two engines as a test sees them: one place that outlives its processes, each with connections of its own.

use std::time::{Duration, Instant};

use brygga::config::Postgres as Settings;
use brygga::store::postgres::PostgresStore;
use brygga::store::sqlite::{SqliteStore, SqliteTx};
use brygga::store::{Clock, Store};
use jiff::Timestamp;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, PgConnection};

use crate::harness::folder_in_memory;
use crate::servers::postgres::Server;

/// What a transaction is kept from, where the engine can tell such steps apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The participants' rows: what was seen before them may have moved.
    Persons,
    /// New positions in feeds: everything else of the transaction is decided, and its locks are held.
    Positions,
}

/// A place where a store is kept.
pub(crate) trait Engine: Sized + Send + Sync {
    /// Its store.
    type Store: Store + std::fmt::Debug;

    /// Where its migrations lie.
    const MIGRATIONS: &'static str;

    /// What keeps everybody from changing entries, until it is dropped.
    type Gate: Send;

    /// An empty place whose clock stands at an instant.
    async fn open(now: Timestamp) -> Self;

    /// The clock of all its processes.
    fn clock(&self) -> &Clock;

    /// A process: connections of its own.
    async fn process(&self) -> Self::Store;

    /// Keeps everybody from changing what stands in a feed.
    async fn gate(&self) -> Self::Gate;

    /// Keeps everybody from a step.
    async fn gate_at(&self, step: Step) -> Self::Gate;

    /// Opens the gate.
    async fn open_gate(gate: Self::Gate);

    /// Waits until so many processes stand before the gate or behind one that does, where the engine can tell.
    async fn wait_for_waiting(&self, wanted: i64);

    /// One column of numbers, past the port: what no act of it reads.
    async fn numbers(&self, statement: &'static str) -> Vec<i64>;
}

/// SQLite, in one file.
pub(crate) struct Sqlite {
    folder: tempfile::TempDir,
    clock: Clock,
}

impl Engine for Sqlite {
    type Store = SqliteStore;
    type Gate = SqliteTx;

    const MIGRATIONS: &'static str = "migrations/sqlite";

    async fn open(now: Timestamp) -> Self {
        Self { folder: folder_in_memory(), clock: Clock::at(now) }
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    async fn process(&self) -> SqliteStore {
        SqliteStore::open(&self.folder.path().join("brygga.db"), self.clock.clone()).await.expect("the store opens")
    }

    /// The one writer.
    async fn gate(&self) -> SqliteTx {
        self.process().await.begin("gate").await.expect("a transaction")
    }

    /// The one writer goes before every step.
    async fn gate_at(&self, _: Step) -> SqliteTx {
        self.gate().await
    }

    async fn open_gate(gate: SqliteTx) {
        drop(gate);
    }

    /// It cannot be told who waits for a file's lock: they are given time to come, and whoever is late comes in order.
    async fn wait_for_waiting(&self, _: i64) {
        tokio::time::sleep(Duration::from_millis(30)).await;
    }

    async fn numbers(&self, statement: &'static str) -> Vec<i64> {
        let options = SqliteConnectOptions::new().filename(self.folder.path().join("brygga.db"));
        let mut bare = options.connect().await.expect("a connection");
        sqlx::query_scalar(statement).fetch_all(&mut bare).await.expect("read")
    }
}

/// PostgreSQL, in a database of its own.
pub(crate) struct Postgres {
    settings: Settings,
    clock: Clock,
}

impl Postgres {
    async fn bare(&self) -> PgConnection {
        Server::shared().await.connect(&self.settings.database).await.expect("a connection")
    }
}

impl Engine for Postgres {
    type Store = PostgresStore;
    type Gate = PgConnection;

    const MIGRATIONS: &'static str = "migrations/postgres";

    async fn open(now: Timestamp) -> Self {
        Self { settings: Server::shared().await.database().await, clock: Clock::at(now) }
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    async fn process(&self) -> PostgresStore {
        PostgresStore::open(&self.settings, self.clock.clone()).await.expect("the store opens")
    }

    async fn gate(&self) -> PgConnection {
        let mut gate = self.bare().await;
        sqlx::raw_sql("BEGIN; SELECT 1 FROM entries FOR UPDATE").execute(&mut gate).await.expect("locked");
        gate
    }

    async fn gate_at(&self, step: Step) -> PgConnection {
        let mut gate = self.bare().await;
        let sql = match step {
            Step::Persons => "BEGIN; LOCK TABLE persons IN EXCLUSIVE MODE",
            Step::Positions => "BEGIN; LOCK TABLE feeds IN EXCLUSIVE MODE",
        };
        sqlx::raw_sql(sql).execute(&mut gate).await.expect("locked");
        gate
    }

    async fn open_gate(gate: PgConnection) {
        sqlx::Connection::close(gate).await.expect("closed");
    }

    async fn wait_for_waiting(&self, wanted: i64) {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
        let mut bare = self.bare().await;
        let begun = Instant::now();
        loop {
            let waiting: i64 = sqlx::query_scalar(sql).fetch_one(&mut bare).await.expect("counted");
            if waiting >= wanted {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "{waiting} of {wanted} wait");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn numbers(&self, statement: &'static str) -> Vec<i64> {
        sqlx::query_scalar(statement).fetch_all(&mut self.bare().await).await.expect("read")
    }
}

/// Makes of each act a test on either engine.
macro_rules! on_both_engines {
    ($($act:ident,)*) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $act() {
                super::$act::<crate::store::engine::Sqlite>().await;
            })*
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $act() {
                super::$act::<crate::store::engine::Postgres>().await;
            })*
        }
    };
}

pub(crate) use on_both_engines;
