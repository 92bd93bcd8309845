//! What is measured on: private servers that write to disk as real ones do, contracts of today, keys and certificates.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use brygga::store::Clock;
use jiff::ToSpan as _;
use jiff::civil::Date;
use lapin::{Connection, ConnectionProperties};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};
use sqlx::{AssertSqlSafe, Executor as _};

use super::certificates::Certificates;
use super::made_up::copy;
use super::servers::postgres::Server;
use super::servers::rabbit::{PASSWORD, Rabbit};

/// Who sends the reports.
pub(crate) const LOGIN: &str = "hallefors-ame";

/// The secret of the service's digests; nothing but made-up data is under it.
pub(crate) const SECRET: [u8; 32] = [7; 32];

const BRYGGA: &str = "brygga";

/// Servers and files of one run.
pub(crate) struct World {
    folder: tempfile::TempDir,
    pub(crate) rabbit: Rabbit,
    pub(crate) vhost: String,
    pub(crate) postgres: Server,
    pub(crate) certificates: Certificates,
    pub(crate) today: Date,
    /// The content.
    pub(crate) pool: PgPool,
    /// The table of the references.
    pub(crate) references: PgPool,
}

impl World {
    /// Starts everything.
    pub(crate) async fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("brygga-bench-").tempdir().expect("a folder");
        let postgres = Server::with("max_wal_size=4GB").await;
        let rabbit = Rabbit::own().await;
        let vhost = rabbit.virtual_host(&[LOGIN, BRYGGA]).await;
        let certificates = Certificates::write(folder.path());
        let now = Clock::System.now();
        let today = now.to_zoned(jiff::tz::TimeZone::get("Europe/Stockholm").expect("a time zone")).date();
        write_contracts(&folder.path().join("contracts"), today);
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("a file");
        write("service.key", &STANDARD.encode(SECRET));
        write("wrapping.key", &STANDARD.encode([9; 32]));
        write("amqp.password", PASSWORD);
        let mut connection = postgres.connect("postgres").await.expect("the server is there");
        for name in ["content", "keys", "reference"] {
            connection.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.expect("a database");
        }
        let (pool, references) = (pool(postgres.port, "content"), pool(postgres.port, "reference"));
        Self { folder, rabbit, vhost, postgres, certificates, today, pool, references }
    }

    /// A file of the run.
    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// RabbitMQ's process.
    pub(crate) fn rabbit(&self) -> u32 {
        self.rabbit.server.as_ref().expect("a running server").id()
    }

    /// A connection of the sender's.
    pub(crate) async fn connect(&self) -> Connection {
        let uri = format!("amqp://{LOGIN}:{PASSWORD}@127.0.0.1:{}/{}", self.rabbit.port(), self.vhost);
        Connection::connect(&uri, ConnectionProperties::default()).await.expect("RabbitMQ is there")
    }

    /// The configuration of the service: as it is delivered, but for places and for who may ask how often.
    pub(crate) fn configuration(&self, feed: u16, management: u16) -> String {
        let (amqp, postgres, vhost) = (self.rabbit.port(), self.postgres.port, &self.vhost);
        let at = self.folder.path().display();
        format!(
            r#"[contracts]
folder = "{at}/contracts"
illustrations = ["hallefors-2026"]

[management]
listen = "127.0.0.1:{management}"

[store]
kind = "postgres"
url = "postgres://postgres@127.0.0.1:{postgres}/content"
tls = "off"

[keys]
service_key_file = "{at}/service.key"
wrapping_key_files = ["{at}/wrapping.key"]
store = "postgres"
url = "postgres://postgres@127.0.0.1:{postgres}/keys"
tls = "off"

[amqp]
url = "amqp://{BRYGGA}@127.0.0.1:{amqp}/{vhost}"
password_file = "{at}/amqp.password"

[feed]
listen = "127.0.0.1:{feed}"
certificate_file = "{at}/server.pem"
key_file = "{at}/server.key"
client_ca_file = "{at}/ca.pem"
rate_per_minute = 1000000
burst = 100000

[[feed.clients]]
recipient = "arbetsformedlingen"
organisation = "202100-2114"
"#
        )
    }
}

fn pool(port: u16, database: &str) -> PgPool {
    let options = PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(port).username("postgres");
    let options = options.database(database).ssl_mode(PgSslMode::Disable);
    PgPoolOptions::new().max_connections(2).connect_lazy_with(options)
}

/// The repository's contracts, with the terms of the illustration for Hällefors moved around today.
fn write_contracts(folder: &Path, today: Date) {
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("contracts"), folder);
    let path = folder.join("agreements").join("hallefors-2026.toml");
    let day = |days: i32| today.checked_add(days.days()).expect("a day");
    let text = std::fs::read_to_string(&path).expect("the agreement");
    let moved = |line: &str| match line.split(' ').next() {
        Some("from") => format!("from = \"{}\"\n", day(-200)),
        Some("to") => format!("to = \"{}\"\n", day(200)),
        Some("reviews") => String::new(),
        _ => format!("{line}\n"),
    };
    std::fs::write(&path, text.lines().map(moved).collect::<String>()).expect("a file");
}
