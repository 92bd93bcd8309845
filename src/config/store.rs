//! `[store]`: where messages, feeds and the audit log are kept: a folder on this machine, or PostgreSQL.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::password::Password;
use super::section::Section;

/// Where everything is kept.
#[derive(Debug, Clone)]
pub enum Store {
    /// One service on this machine: SQLite in a data folder.
    Embedded {
        /// The folder.
        data: PathBuf,
    },
    /// Any number of services on one PostgreSQL.
    Postgres(Box<Postgres>),
}

/// How the connection to PostgreSQL is protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseTls {
    /// Not at all: only on this machine.
    Off,
    /// The server's certificate and its name are checked against these roots alone.
    VerifyFull {
        /// A file of root certificates, PEM.
        roots: PathBuf,
    },
}

/// How PostgreSQL is reached, and how long anything there may take.
#[derive(Debug, Clone)]
pub struct Postgres {
    /// The server's name or address; its certificate must have this name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The folder of its socket, instead of host and port.
    pub socket: Option<PathBuf>,
    /// The database.
    pub database: String,
    /// The login.
    pub user: String,
    /// Its password; none where the server knows the login otherwise.
    pub password: Option<Password>,
    /// How the connection is protected.
    pub tls: DatabaseTls,
    /// Connections for intake and due work.
    pub intake_connections: u32,
    /// Connections for readers and relays.
    pub feed_connections: u32,
    /// Connections for operators and numbers.
    pub console_connections: u32,
    /// How long a part waits for a connection, connecting included.
    pub acquire_timeout: Duration,
    /// How long one statement may take.
    pub statement_timeout: Duration,
    /// How long a statement may wait for a lock.
    pub lock_timeout: Duration,
    /// How long an answer of the server is waited for: longer than a statement may take there.
    pub answer_timeout: Duration,
    /// How long a transaction may stand idle.
    pub idle_in_transaction_timeout: Duration,
}

/// What a URL says.
struct Address {
    host: String,
    port: u16,
    database: String,
    user: String,
}

impl Store {
    /// Reads the table.
    pub fn read(section: &mut Section<'_>) -> Option<Self> {
        let line = section.line();
        let kind: String = section.required("kind")?;
        match kind.as_str() {
            "embedded" => Some(Self::Embedded { data: section.path("data")? }),
            "postgres" => Postgres::read(section).map(|postgres| Self::Postgres(Box::new(postgres))),
            _ => {
                section.fault("kind", line, "embedded or postgres");
                None
            }
        }
    }
}

impl Postgres {
    /// Reads the keys that say how a database is reached.
    pub(super) fn read(section: &mut Section<'_>) -> Option<Self> {
        let line = section.line();
        let url: Option<String> = section.required("url");
        let address = url.and_then(|url| match address(&url) {
            Ok(address) => Some(address),
            Err(words) => {
                section.fault("url", line, words);
                None
            }
        });
        let socket: Option<PathBuf> = section.value("socket");
        let password = Password::read(section);
        // Where the address cannot be read, that alone is told.
        let is_near = socket.is_some() || address.as_ref().is_none_or(|address| is_loopback(&address.host));
        let tls = tls(section, is_near);
        let mut connections = |name: &str, default| u32::try_from(section.number(name, default, 1..=100)).unwrap_or(u32::MAX);
        let (intake_connections, feed_connections, console_connections) =
            (connections("intake_connections", 4), connections("feed_connections", 8), connections("console_connections", 2));
        let acquire_timeout = section.millis("acquire_timeout_ms", 5_000, 100..=60_000);
        let statement_timeout = section.millis("statement_timeout_ms", 30_000, 100..=600_000);
        // A server that keeps its own bound has answered by then.
        let answers_by = u64::try_from(statement_timeout.as_millis()).unwrap_or(u64::MAX);
        let answer_timeout = section.millis("answer_timeout_ms", answers_by + 5_000, answers_by + 1..=answers_by + 600_000);
        let lock_timeout = section.millis("lock_timeout_ms", 10_000, 100..=600_000);
        let idle_in_transaction_timeout = section.millis("idle_in_transaction_timeout_ms", 30_000, 1_000..=600_000);
        let address = address?;
        Some(Self {
            host: address.host,
            port: address.port,
            socket,
            database: address.database,
            user: address.user,
            password,
            tls: tls?,
            intake_connections,
            feed_connections,
            console_connections,
            acquire_timeout,
            statement_timeout,
            lock_timeout,
            answer_timeout,
            idle_in_transaction_timeout,
        })
    }
}

fn tls(section: &mut Section<'_>, is_near: bool) -> Option<DatabaseTls> {
    let line = section.line();
    let kind: String = section.value_or("tls", "verify-full".to_owned());
    match kind.as_str() {
        "off" if is_near => Some(DatabaseTls::Off),
        "off" => {
            section.fault("tls", line, "off only on loopback or by a socket; across a network it is verify-full");
            None
        }
        "verify-full" => Some(DatabaseTls::VerifyFull { roots: section.path("tls_roots")? }),
        _ => {
            section.fault("tls", line, "verify-full or off");
            None
        }
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Reads `postgres://user@host:port/database`.
fn address(url: &str) -> Result<Address, &'static str> {
    const FORM: &str = "written postgres://user@host:port/database";
    let rest = url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://")).ok_or(FORM)?;
    let (authority, database) = rest.split_once('/').ok_or(FORM)?;
    let (user, host) = authority.rsplit_once('@').ok_or(FORM)?;
    if user.contains(':') {
        return Err("a password does not stand here; put it into a file and name it with password_file");
    }
    if database.contains(['?', '#']) {
        return Err("what else is to be said has keys of its own");
    }
    let (host, port) = match host.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().map_err(|_| FORM)?),
        _ => (host, 5432),
    };
    if [user, host, database].iter().any(|part| part.is_empty() || part.contains(['/', '%'])) {
        return Err(FORM);
    }
    Ok(Address { host: host.to_owned(), port, database: database.to_owned(), user: user.to_owned() })
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::Path;

    use super::{DatabaseTls, Store, address};
    use crate::config::{Section, Surroundings};

    struct Secrets;

    impl Surroundings for Secrets {
        fn variable(&self, _: &str) -> Option<String> {
            None
        }

        fn file(&self, path: &Path) -> io::Result<String> {
            if path == Path::new("/secret") { Ok("hush\n".to_owned()) } else { Err(io::ErrorKind::NotFound.into()) }
        }
    }

    fn read(text: &str) -> (Option<Store>, Vec<String>) {
        let mut section = Section::of_text(text, &Secrets).expect("TOML");
        let store = Store::read(&mut section);
        (store, section.end().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_url_has_user_host_port_and_database_and_no_password() {
        let near = address("postgres://brygga@localhost/brygga").unwrap_or_else(|words| panic!("{words}"));
        assert_eq!((near.host.as_str(), near.port), ("localhost", 5432));
        let six = address("postgresql://brygga@[::1]:5433/brygga").unwrap_or_else(|words| panic!("{words}"));
        assert_eq!((six.host.as_str(), six.port), ("[::1]", 5433));
        for wrong in ["postgres://brygga:x@db/brygga", "postgres://db/brygga", "mysql://a@b/c", "postgres://a@b/c?sslmode=off"]
        {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_database_elsewhere_needs_tls_and_its_roots() {
        let (store, faults) = read("kind = \"postgres\"\nurl = \"postgres://b@db.example/b\"\ntls = \"off\"\n");
        assert!(store.is_none() && faults.concat().contains("across a network"), "{faults:?}");
        let (store, faults) = read("kind = \"postgres\"\nurl = \"postgres://b@db.example/b\"\n");
        assert!(store.is_none() && faults.concat().contains("tls_roots"), "{faults:?}");
        let (store, faults) = read(
            "kind = \"postgres\"\nurl = \"postgres://b@db.example/b\"\ntls_roots = \"/ca\"\npassword_file = \"/secret\"\n",
        );
        assert!(faults.is_empty(), "{faults:?}");
        assert!(!format!("{store:?}").contains("hush"), "a secret is not shown");
        assert!(matches!(store, Some(Store::Postgres(postgres)) if matches!(postgres.tls, DatabaseTls::VerifyFull { .. })));
    }

    #[test]
    fn the_embedded_store_is_a_folder_and_nothing_else() {
        assert!(
            matches!(read("kind = \"embedded\"\ndata = \"/d\"\n"), (Some(Store::Embedded { .. }), faults) if faults.is_empty())
        );
        assert!(!read("kind = \"embedded\"\ndata = \"/d\"\nurl = \"x\"\n").1.is_empty());
        assert!(!read("kind = \"file\"\n").1.is_empty());
    }
}
