//! `[[relay]]`: by which courier what goes back to a system leaves.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::section::Section;
use crate::domain::RecipientId;

/// How a relay's entries leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    /// To the exchange `brygga.out`, by the connection of `[amqp]`.
    Amqp,
    /// As files in `outbox/<recipient>/`, in the folder of `[spool]`.
    Spool,
    /// To the system's own address.
    Https(Box<Https>),
}

/// A system's address: `https://host[:port]/path`, without user, query or fragment. Secrets do not stand in addresses, which
/// are read by more people than a secret is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemAddress(String);

/// Why a text is no system's address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{HOW}")]
pub struct SystemAddressError;

const HOW: &str = "an address is written https://host/path, without user, query and fragment";

impl SystemAddress {
    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SystemAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for SystemAddress {
    type Err = SystemAddressError;

    fn from_str(text: &str) -> Result<Self, SystemAddressError> {
        let rest = text.strip_prefix("https://").ok_or(SystemAddressError)?;
        let authority = rest.split('/').next().unwrap_or_default();
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                port.parse::<u16>().ok().filter(|port| *port > 0).ok_or(SystemAddressError)?;
                host
            }
            _ => authority,
        };
        let is_plain = rest.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#@\\\"<>".contains(&byte));
        if host.is_empty() || !is_plain { Err(SystemAddressError) } else { Ok(Self(text.to_owned())) }
    }
}

/// How a system is reached over HTTPS, with both sides' certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Https {
    /// Where entries are posted to.
    pub address: SystemAddress,
    /// The certificates that vouch for the system, PEM. The machine's own list is never asked.
    pub ca_file: PathBuf,
    /// Brygga's certificate for the system, PEM.
    pub certificate_file: PathBuf,
    /// Its key, PEM.
    pub key_file: PathBuf,
    /// How long a connection may take to be opened, TLS included.
    pub connect_timeout: Duration,
    /// How long a delivery may take in all. It stays below half of a lease, so that two processes never deliver at once.
    pub timeout: Duration,
}

impl Https {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let before = section.fault_count();
        if !section.has("url") {
            section.fault("url", section.line(), "the key is missing");
        }
        let address = section.parsed("url", HOW);
        let ca_file = section.path("ca_file");
        let certificate_file = section.path("client_certificate_file");
        let key_file = section.path("client_key_file");
        let line = section.line();
        let timeout = section.number("timeout_ms", 20_000, 100..=25_000);
        let connect_timeout = section.number("connect_timeout_ms", timeout.min(5_000), 100..=20_000);
        if connect_timeout > timeout {
            section.fault("connect_timeout_ms", line, "it is at most timeout_ms");
        }
        if section.fault_count() > before {
            return None;
        }
        Some(Self {
            address: address?,
            ca_file: ca_file?,
            certificate_file: certificate_file?,
            key_file: key_file?,
            connect_timeout: Duration::from_millis(connect_timeout),
            timeout: Duration::from_millis(timeout),
        })
    }
}

/// One relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relay {
    /// Whose feed: `1863.ame`.
    pub recipient: RecipientId,
    /// How it leaves.
    pub via: Via,
}

impl Relay {
    /// Reads one table.
    pub fn read(section: &mut Section<'_>) -> Option<Self> {
        let line = section.line();
        let name: Option<String> = section.required("recipient");
        let kind: Option<String> = section.required("kind");
        let via = match kind.as_deref() {
            Some("amqp") => Some(Via::Amqp),
            Some("spool") => Some(Via::Spool),
            Some("https") => Https::read(section).map(|https| Via::Https(Box::new(https))),
            Some(_) => {
                section.fault("kind", line, "`amqp`, `https` or `spool`");
                None
            }
            None => None,
        };
        let recipient = name.map(RecipientId::from_stored);
        if recipient.as_ref().is_some_and(|recipient| !recipient.is_a_systems()) {
            section.fault("recipient", line, "a system's feed, as in 1863.ame or 1863.forsorjningsstod");
            return None;
        }
        Some(Self { recipient: recipient?, via: via? })
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::Path;

    use super::{Relay, SystemAddress, Via};
    use crate::config::{Section, Surroundings};

    struct Nothing;

    impl Surroundings for Nothing {
        fn variable(&self, _: &str) -> Option<String> {
            None
        }

        fn file(&self, _: &Path) -> io::Result<String> {
            Err(io::ErrorKind::NotFound.into())
        }
    }

    fn read(text: &str) -> (Option<Relay>, Vec<String>) {
        let text = format!("[[relay]]\nrecipient = \"1863.ame\"\nkind = \"https\"\n{text}");
        let mut file = Section::of_text(&text, &Nothing).expect("TOML");
        let mut section = file.sections("relay").pop().expect("a table");
        let relay = Relay::read(&mut section);
        (relay, section.end().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn an_address_is_https_and_holds_no_secret() {
        for good in ["https://ame.example", "https://ame.example/", "https://[::1]:8443/in", "https://192.0.2.1/a/b"] {
            assert!(good.parse::<SystemAddress>().is_ok(), "{good}");
        }
        for bad in [
            "http://ame.example/",
            "https://",
            "https:///in",
            "https://me:secret@ame.example/",
            "https://ame.example/?key=1",
            "https://ame.example/#a",
            "https://ame.example:0/",
            "https://ame.example:x/",
            "https://ame example/",
        ] {
            assert!(bad.parse::<SystemAddress>().is_err(), "{bad} was taken");
        }
    }

    #[test]
    fn a_system_over_https_needs_certificates_and_its_faults_are_told_together() {
        let files = "ca_file = \"a\"\nclient_certificate_file = \"b\"\nclient_key_file = \"c\"\n";
        let (relay, faults) = read(&format!("url = \"https://ame.example/in\"\n{files}"));
        assert_eq!(faults, Vec::<String>::new());
        let Some(Relay { via: Via::Https(https), .. }) = relay else { panic!("{relay:?}") };
        assert_eq!((https.connect_timeout.as_secs(), https.timeout.as_secs()), (5, 20));
        let (relay, faults) = read("url = \"http://ame.example\"\nca_file = 7\nclient_key_file = \"c\"\ntimeout_ms = 30000\n");
        assert!(relay.is_none());
        for wanted in [
            "line 4: relay[0].url: ",
            "line 5: relay[0].ca_file",
            "relay[0].client_certificate_file",
            "line 7: relay[0].timeout_ms",
        ] {
            assert!(faults.iter().any(|told| told.contains(wanted)), "{wanted} is not in {faults:#?}");
        }
        let (_, faults) =
            read(&format!("url = \"https://ame.example\"\n{files}timeout_ms = 1000\nconnect_timeout_ms = 2000\n"));
        assert!(faults.concat().contains("relay[0].connect_timeout_ms: it is at most timeout_ms"), "{faults:?}");
        let (_, faults) = read(&format!("{files}redirects = true\n"));
        assert_eq!(faults.len(), 2, "{faults:?}");
    }
}
