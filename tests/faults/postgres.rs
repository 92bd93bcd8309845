//! A PostgreSQL of our own: restart, crash, pause, and a database for each schedule.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

use super::process::{Process, Signal, as_user, free_port, give, send};

const BIN: &str = "/usr/lib/postgresql/15/bin";

/// The server.
pub(crate) struct Postgres {
    folder: PathBuf,
    log: PathBuf,
    pub(crate) port: u16,
    process: Option<Process>,
}

impl Postgres {
    /// Makes a cluster in a folder and starts it.
    pub(crate) fn start(folder: &Path) -> Self {
        let data = folder.join("postgres");
        std::fs::create_dir_all(&data).expect("a folder");
        give(&data, "postgres");
        let mut initdb = as_user("postgres", &format!("{BIN}/initdb"));
        initdb.args(["-A", "trust", "-U", "brygga", "-E", "UTF8", "--no-locale", "-N", "-D"]).arg(&data);
        let made = initdb.output().expect("initdb");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let mut server = Self { folder: data, log: folder.join("postgres.log"), port: free_port(), process: None };
        server.run();
        server
    }

    fn run(&mut self) {
        let mut command = as_user("postgres", &format!("{BIN}/postgres"));
        command.arg("-D").arg(&self.folder).args(["-p", &self.port.to_string()]);
        // It is fsync that makes a commit outlive a crash of the machine; only processes die here.
        for setting in ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "max_connections=150"] {
            command.args(["-c", setting]);
        }
        self.process = Some(Process::start(command, &self.log));
    }

    /// Waits until it answers. After a crash it may end at once, since a backend of its earlier life has still to notice; it is
    /// started again then, as a service manager does.
    pub(crate) async fn wait(&mut self) {
        let deadline = Instant::now() + Duration::from_mins(1);
        loop {
            if self.process.as_mut().is_none_or(|process| !process.runs()) {
                self.run();
            }
            match self.pool("postgres").acquire().await {
                Ok(_) => return,
                Err(error) => assert!(Instant::now() < deadline, "PostgreSQL does not start: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// A database of a schedule's own.
    pub(crate) async fn make(&self, name: &str) {
        let pool = self.pool("postgres");
        for sql in [format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"), format!("CREATE DATABASE {name}")] {
            sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&pool).await.expect("a database");
        }
    }

    /// The checker's own way in, past every proxy.
    pub(crate) fn pool(&self, database: &str) -> PgPool {
        let options = PgConnectOptions::new().host("127.0.0.1").port(self.port).username("brygga").database(database);
        PgPoolOptions::new().max_connections(2).acquire_timeout(Duration::from_secs(2)).connect_lazy_with(options)
    }

    /// As an operator restarts it: sessions are cut off, the rest is put in order.
    pub(crate) fn stop_fast(&mut self) {
        self.end(Signal::Interrupt);
    }

    /// As the kernel ends it: every process of it at once. A backend that outlived its postmaster would keep the data folder
    /// from the next one.
    pub(crate) fn crash(&mut self) {
        self.all(Signal::Kill);
        self.end(Signal::Kill);
    }

    fn end(&mut self, signal: Signal) {
        if let Some(mut process) = self.process.take() {
            process.signal(signal);
            assert!(process.ends_within(Duration::from_secs(30)), "PostgreSQL does not stop");
        }
    }

    /// Starts it again on the same port and data.
    pub(crate) fn start_again(&mut self) {
        self.run();
    }

    /// Nothing of it runs until it is woken; its sockets stay open.
    pub(crate) fn pause(&self) {
        self.all(Signal::Stop);
    }

    pub(crate) fn wake(&self) {
        self.all(Signal::Continue);
    }

    /// Backends lead groups of their own: each is found by its parent.
    fn all(&self, signal: Signal) {
        let Some(process) = &self.process else { return };
        let children = Command::new("pgrep").args(["-P", &process.id().to_string()]).output().expect("pgrep");
        process.signal(signal);
        for child in String::from_utf8_lossy(&children.stdout).split_whitespace() {
            send(signal, child);
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.wake();
        if let Some(mut process) = self.process.take() {
            process.signal(Signal::Interrupt);
            process.ends_within(Duration::from_secs(10));
        }
    }
}
