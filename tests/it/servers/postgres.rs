//! A private PostgreSQL: its own folder and port, without fsync where nothing is measured. One is shared by all tests, each in a database of its own;
//! tests that hurt the server have one for themselves.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use brygga::config::{DatabaseTls, Postgres};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};
use tokio::sync::OnceCell;

use super::keeper::{free_port, is_root, signal, start};

const USER: &str = "postgres";
const BIN: &str = "/usr/lib/postgresql/15/bin";

static SHARED: OnceCell<Server> = OnceCell::const_new();
static COUNT: AtomicU32 = AtomicU32::new(0);

/// A running server.
pub(crate) struct Server {
    folder: PathBuf,
    pub(crate) port: u16,
    pub(crate) child: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.go_on();
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
        let _removed = std::fs::remove_dir_all(&self.folder);
    }
}

/// Empties a content database, but for what the schema itself has put there: the chain begins anew. Tables are asked for, so
/// that none that comes later is forgotten; to delete few rows costs less than to truncate.
pub(crate) async fn empty(connection: &mut PgConnection) {
    let names = "SELECT 'DELETE FROM ' || quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' \
        AND tablename NOT IN ('meta', '_sqlx_migrations', 'audit_head', 'bases')";
    let mut statements: Vec<String> = sqlx::query_scalar(names).fetch_all(&mut *connection).await.expect("the tables");
    // All go, so no row is missed by another that names it, in whatever order they go.
    statements.insert(0, "SET session_replication_role = replica".to_owned());
    statements.push("SET session_replication_role = origin".to_owned());
    statements.push("UPDATE audit_head SET number = 0, hash = decode(repeat('00', 32), 'hex')".to_owned());
    connection.execute(AssertSqlSafe(statements.join(";"))).await.expect("emptied");
}

/// Folders of test processes that are gone: a static is never dropped.
fn sweep_leftovers(temporary: &Path) {
    for entry in std::fs::read_dir(temporary).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let process = name.strip_prefix("brygga-postgres-").and_then(|rest| rest.split('-').next());
        if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            let _removed = std::fs::remove_dir_all(entry.path());
        }
    }
}

impl Server {
    /// The server that all tests share; each takes a database of its own.
    pub(crate) async fn shared() -> &'static Self {
        SHARED.get_or_init(Self::own).await
    }

    /// A server for one test.
    pub(crate) async fn own() -> Self {
        Self::with("fsync=off").await
    }

    /// A server with a setting of its own, besides those that make it private.
    pub(crate) async fn with(setting: &str) -> Self {
        let temporary = std::env::temp_dir();
        sweep_leftovers(&temporary);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = temporary.join(format!("brygga-postgres-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        if is_root() {
            let owned = Command::new("chown").arg(USER).arg(&folder).status().expect("chown");
            assert!(owned.success(), "the folder is the server's");
        }
        let data = folder.join("data");
        let made = start(Some(USER), &format!("{BIN}/initdb"), |command| {
            command.args(["-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "-D"]).arg(&data);
            command.stdout(Stdio::null()).current_dir(&folder);
        })
        .wait()
        .expect("initdb");
        assert!(made.success(), "a cluster is made");
        let port = free_port();
        let child = run(&folder, port, setting);
        let server = Self { folder, port, child };
        server.wait().await;
        server
    }

    /// Where its files lie, write-ahead logs among them.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Stops all of it where it stands (SIGSTOP): connections stay, and nothing on them is answered.
    pub(crate) fn pause(&self) {
        self.signal_all("STOP");
    }

    /// Lets it go on (SIGCONT).
    pub(crate) fn go_on(&self) {
        self.signal_all("CONT");
    }

    /// Backends lead groups of their own: each is found by its parent.
    fn signal_all(&self, name: &str) {
        let server = self.child.id();
        let children = Command::new("pgrep").args(["-P", &server.to_string()]).output().expect("pgrep");
        signal(name, server);
        for child in String::from_utf8_lossy(&children.stdout).split_whitespace() {
            // One that has ended meanwhile is no child any more.
            let _sent = Command::new("kill").arg(format!("-{name}")).arg(child).stderr(Stdio::null()).status();
        }
    }

    /// Waits until it takes connections.
    pub(crate) async fn wait(&self) {
        let begun = Instant::now();
        while self.connect("postgres").await.is_err() {
            assert!(begun.elapsed() < Duration::from_mins(1), "the server does not start");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// A bare connection.
    pub(crate) async fn connect(&self, database: &str) -> sqlx::Result<PgConnection> {
        let options = PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(self.port).username(USER);
        options.database(database).ssl_mode(PgSslMode::Disable).connect().await
    }

    /// A database that nobody else uses, and how it is reached.
    pub(crate) async fn database(&self) -> Postgres {
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let mut connection = self.connect("postgres").await.expect("the server is there");
        connection.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.expect("a database");
        connection.close().await.expect("closed");
        Postgres {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            socket: None,
            database: name,
            user: USER.to_owned(),
            password: None,
            tls: DatabaseTls::Off,
            intake_connections: 4,
            feed_connections: 4,
            console_connections: 2,
            acquire_timeout: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(30),
            lock_timeout: Duration::from_secs(20),
            answer_timeout: Duration::from_secs(35),
            idle_in_transaction_timeout: Duration::from_mins(1),
        }
    }
}

fn run(folder: &Path, port: u16, setting: &str) -> Child {
    // The inner setpriv asks for a shutdown where the tests end, and not for a kill, so that nothing of it stays behind.
    start(Some(USER), "setpriv", |command| {
        command.arg("--pdeathsig=QUIT").arg("--").arg(format!("{BIN}/postgres")).arg("-D").arg(folder.join("data"));
        let preload = "shared_preload_libraries=pg_stat_statements";
        for setting in ["listen_addresses=127.0.0.1", setting, "max_connections=200", "unix_socket_directories=", preload] {
            command.args(["-c", setting]);
        }
        command.args(["-p", &port.to_string()]).stdout(Stdio::null()).stderr(Stdio::null()).current_dir(folder);
    })
}
