//! `[amqp]`: the message broker that messages come in from and answers go back by.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::password::Password;
use super::section::Section;

/// Where a broker is: `amqp://user@host:port/vhost`, or `amqps://…`. The password stands elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerUrl {
    /// Whether TLS is spoken.
    pub tls: bool,
    /// The user.
    pub user: String,
    /// The host's name or address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The virtual host.
    pub vhost: String,
}

/// Why a text is no broker's URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a broker is written amqps://user@host:5671/vhost, without a password")]
pub struct BrokerUrlError;

impl FromStr for BrokerUrl {
    type Err = BrokerUrlError;

    fn from_str(text: &str) -> Result<Self, BrokerUrlError> {
        let (scheme, rest) = text.split_once("://").ok_or(BrokerUrlError)?;
        let (tls, default_port) = match scheme {
            "amqp" => (false, 5672),
            "amqps" => (true, 5671),
            _ => return Err(BrokerUrlError),
        };
        let (authority, vhost) = rest.split_once('/').map_or((rest, "/".to_owned()), |(a, v)| (a, decoded(v)));
        let (user, place) = authority.rsplit_once('@').ok_or(BrokerUrlError)?;
        if user.is_empty() || user.contains(':') || vhost.is_empty() || vhost.contains(['?', '#']) {
            return Err(BrokerUrlError);
        }
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().map_err(|_| BrokerUrlError)?),
            _ => (place, default_port),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(BrokerUrlError);
        }
        Ok(Self { tls, user: decoded(user), host: host.to_owned(), port, vhost })
    }
}

impl fmt::Display for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", if self.tls { "amqps" } else { "amqp" }, self.host, self.port)
    }
}

/// Percent-decoding (RFC 3986, 2.1); what is no such triple stays as it is.
fn decoded(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16)).and_then(|n| u8::try_from(n).ok());
        if byte == b'%'
            && let (Some(high), Some(low)) = (digit(ahead.next()), digit(ahead.next()))
        {
            out.push(high * 16 + low);
            bytes = ahead;
            continue;
        }
        out.push(byte);
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The broker, and how messages are taken from it.
#[derive(Debug, Clone)]
pub struct Amqp {
    /// Where it is.
    pub broker: BrokerUrl,
    /// The user's password.
    pub password: Password,
    /// The certificates that vouch for the broker, PEM. The machine's own list is never asked.
    pub ca_file: Option<PathBuf>,
    /// Brygga's certificate and key for the broker, PEM, where it asks for one.
    pub client_certificate: Option<(PathBuf, PathBuf)>,
    /// Whether exchanges and queues are declared; otherwise they must be there.
    pub declare: bool,
    /// The queue that messages are taken from.
    pub queue: String,
    /// The routing keys under which the queue is bound to `brygga.in`, where it is declared.
    pub bindings: Vec<String>,
    /// The queue of what exceeded the delivery limit.
    pub dead_queue: String,
    /// How many messages may be on their way without being acknowledged.
    pub prefetch: u16,
    /// The greatest number of messages in one transaction.
    pub batch_size: usize,
    /// How long a batch waits for more messages once it has one.
    pub linger: Duration,
    /// How often the queue delivers a message before it sets it aside, where it is declared.
    pub delivery_limit: u16,
    /// The seconds between two heartbeats.
    pub heartbeat_seconds: u16,
}

impl Amqp {
    /// Reads the table; `None` where it has faults.
    pub fn read(section: &mut Section<'_>) -> Option<Self> {
        let given = section.has("url");
        let line = section.line();
        let broker: Option<BrokerUrl> =
            section.parsed("url", "a broker is written amqps://user@host:5671/vhost, without a password");
        if !given {
            section.fault("url", line, "the key is missing");
        }
        let password = Password::required(section);
        let ca_file = section.value::<PathBuf>("ca_file");
        if broker.as_ref().is_some_and(|broker| broker.tls) && ca_file.is_none() {
            section.fault("ca_file", line, "amqps needs the file of the certificates that vouch for the broker");
        }
        let certificate = section.value::<PathBuf>("client_certificate_file");
        let key = section.value::<PathBuf>("client_key_file");
        if certificate.is_some() != key.is_some() {
            section.fault("client_certificate_file", line, "a certificate goes with its key: client_key_file");
        }
        let declare = section.value_or("declare", true);
        let queue = section.value_or("queue", "brygga.in".to_owned());
        let bindings = section.value_or("bindings", vec!["#".to_owned()]);
        let dead_queue = section.value_or("dead_queue", "brygga.dead".to_owned());
        for (name, text) in [("queue", &queue), ("dead_queue", &dead_queue)] {
            if text.is_empty() || text.len() > 255 {
                section.fault(name, line, "a queue's name has 1 to 255 bytes");
            }
        }
        if bindings.iter().any(|binding| binding.len() > 255) {
            section.fault("bindings", line, "a routing key has at most 255 bytes");
        }
        let batch_size = section.number("batch_size", 500, 1..=5_000);
        let prefetch = section.number("prefetch", (batch_size * 4).min(20_000), 1..=60_000);
        if prefetch < batch_size {
            section.fault("prefetch", line, "the prefetch holds at least one batch");
        }
        let linger = section.millis("linger_ms", 20, 0..=5_000);
        let delivery_limit = section.number("delivery_limit", 20, 1..=1_000);
        let heartbeat = section.number("heartbeat_seconds", 8, 1..=60);
        if section.has_faults() {
            return None;
        }
        Some(Self {
            broker: broker?,
            password: password?,
            ca_file,
            client_certificate: certificate.zip(key),
            declare,
            queue,
            bindings,
            dead_queue,
            prefetch: u16::try_from(prefetch).ok()?,
            batch_size: usize::try_from(batch_size).ok()?,
            linger,
            delivery_limit: u16::try_from(delivery_limit).ok()?,
            heartbeat_seconds: u16::try_from(heartbeat).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::Path;

    use super::{Amqp, BrokerUrl};
    use crate::config::{Section, Surroundings};

    struct OnePassword;

    impl Surroundings for OnePassword {
        fn variable(&self, name: &str) -> Option<String> {
            (name == "BRYGGA_AMQP_PASSWORD").then(|| "not-a-real-one".to_owned())
        }

        fn file(&self, _: &Path) -> io::Result<String> {
            Err(io::ErrorKind::NotFound.into())
        }
    }

    fn read(text: &str) -> (Option<Amqp>, Vec<String>) {
        let text = format!("[amqp]\n{text}");
        let mut file = Section::of_text(&text, &OnePassword).expect("TOML");
        let mut section = file.section("amqp").expect("a table");
        let amqp = Amqp::read(&mut section);
        let faults = section.end();
        assert!(file.end().is_empty());
        (amqp, faults.iter().map(|fault| fault.key.clone()).collect())
    }

    #[test]
    fn a_url_has_defaults_and_never_a_password() {
        let url: BrokerUrl = "amqp://brygga@localhost".parse().expect("a URL");
        assert_eq!((url.port, url.vhost.as_str(), url.tls), (5672, "/", false));
        let url: BrokerUrl = "amqps://bryg%67a@[::1]:5771/af%2Fin".parse().expect("a URL");
        assert_eq!((url.user.as_str(), url.host.as_str(), url.port, url.vhost.as_str()), ("brygga", "::1", 5771, "af/in"));
        let bad = ["", "amqp://localhost", "amqp://a:b@localhost", "http://a@b", "amqp://a@", "amqp://a@b:x", "amqp://a@b/"];
        for bad in bad {
            assert!(bad.parse::<BrokerUrl>().is_err(), "{bad} was taken");
        }
    }

    #[test]
    fn a_short_table_is_enough_and_its_faults_are_told_together() {
        let (amqp, faults) = read("url = \"amqp://brygga@127.0.0.1\"");
        assert_eq!(faults, Vec::<String>::new());
        let amqp = amqp.expect("a configuration");
        assert_eq!((amqp.batch_size, amqp.prefetch, amqp.delivery_limit), (500, 2_000, 20));
        assert!(!format!("{amqp:?}").contains("not-a-real-one"), "a password is never shown");
        let (amqp, faults) = read("url = \"amqps://brygga@host\"\nprefetch = 10\nclient_key_file = \"k\"\nqueues = 1");
        assert!(amqp.is_none());
        assert_eq!(faults, ["amqp.ca_file", "amqp.client_certificate_file", "amqp.prefetch", "amqp.queues"]);
    }
}
