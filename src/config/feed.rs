//! The section `[feed]`: where the feed is served over mutual TLS, to whom, and within which bounds.
//!
//! Whether a file can be read and parsed is for the one who loads it; here stands what can be told from the text alone.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{ConfigFault, Section, Surroundings};
use crate::domain::{KommunCode, OrganisationNumber, Party, RecipientId};

/// How long a `DELETE` may stand without its recipient's acknowledgement, in hours, where the configuration does not say.
pub const ACKNOWLEDGE_WITHIN_HOURS: u64 = 72;

/// What a feed over mutual TLS is served with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedConfig {
    /// Where it listens; any address, since nobody is let in without a certificate.
    pub listen: SocketAddr,
    /// Its files, and who is let in.
    pub tls: FeedTls,
    /// What a reader may ask for.
    pub limits: FeedLimits,
    /// What a connection may cost.
    pub connections: FeedConnections,
    /// How long a `DELETE` may stand without its recipient's acknowledgement before it is counted as overdue.
    pub acknowledge_within: Duration,
    /// What `/openapi.json` and `/api-info` say of the one who serves.
    pub about: FeedAbout,
}

/// The part of the section that is loaded again without a restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedTls {
    /// The server's certificate and what leads up to its issuer, PEM.
    pub certificate_file: PathBuf,
    /// The certificate's key, PEM.
    pub key_file: PathBuf,
    /// The authorities whose client certificates are taken, PEM.
    pub client_ca_file: PathBuf,
    /// Where revocation lists come from; empty: certificates are not checked for revocation.
    pub crl: Vec<CrlSource>,
    /// How often lists are fetched.
    pub crl_period: Duration,
    /// How often the files are looked at.
    pub check_period: Duration,
    /// Who is let in.
    pub clients: Vec<FeedClient>,
}

/// Where one revocation list comes from. A list is signed by its authority, so plain HTTP is enough to fetch it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum CrlSource {
    /// A file, PEM or DER.
    File(PathBuf),
    /// An address, `http` or `https`.
    Url(String),
}

/// One client: whose feed it reads, and how its certificate is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedClient {
    /// Whose feed.
    pub recipient: RecipientId,
    /// How it is known.
    pub mark: ClientMark,
}

/// What in a client's certificate says who it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ClientMark {
    /// The organisation number in the subject's `serialNumber`.
    Organisation(OrganisationNumber),
    /// A subject alternative name that is a URI, compared byte for byte.
    Uri(String),
    /// A subject alternative name that is a DNS name, in lower case.
    Dns(String),
    /// SHA-256 of the subject public key info (RFC 7469 section 2.4).
    Spki([u8; 32]),
}

/// What a reader may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedLimits {
    /// Events in a page where the reader does not say.
    pub default_limit: u16,
    /// The most events in a page.
    pub max_limit: u16,
    /// The longest that a reader may wait.
    pub max_timeout: Duration,
    /// Requests a minute of one recipient, evenly spread.
    pub rate: u32,
    /// Requests of one recipient at once.
    pub burst: u32,
}

impl Default for FeedLimits {
    fn default() -> Self {
        Self { default_limit: 20, max_limit: 500, max_timeout: Duration::from_mins(1), rate: 1200, burst: 200 }
    }
}

/// What a connection may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedConnections {
    /// The most connections at once, those in their handshake included.
    pub max: u32,
    /// How long a handshake may take.
    pub handshake_timeout: Duration,
    /// How long a request's head may take, and an idle connection is kept.
    pub header_timeout: Duration,
}

/// Whom a reader turns to, and under which address the feed is reached from outside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FeedAbout {
    /// The address, `https://…`, without a path.
    pub public_url: Option<String>,
    /// Who answers questions.
    pub contact_name: Option<String>,
    /// A page about the service.
    pub contact_url: Option<String>,
    /// A mailbox of a function, never of a person.
    pub contact_email: Option<String>,
}

impl FeedConfig {
    /// Reads the section.
    pub fn read(section: &mut Section<'_>) -> Option<Self> {
        if !section.has("listen") {
            section.fault("listen", section.line(), "the key is missing");
        }
        let listen = section.parsed("listen", "an address and a port, as in 0.0.0.0:8443");
        let tls = FeedTls::read(section);
        let limits = FeedLimits::read(section);
        let connections = FeedConnections {
            max: small(section.number("max_connections", 2_000, 1..=100_000)),
            handshake_timeout: section.millis("handshake_timeout_ms", 10_000, 100..=60_000),
            header_timeout: section.millis("header_timeout_ms", 30_000, 100..=300_000),
        };
        let about = FeedAbout {
            public_url: https(section, "public_url"),
            contact_name: section.value("contact_name"),
            contact_url: https(section, "contact_url"),
            contact_email: section.value("contact_email"),
        };
        let hours = section.number("acknowledge_within_hours", ACKNOWLEDGE_WITHIN_HOURS, 1..=8_760);
        let acknowledge_within = Duration::from_secs(hours.saturating_mul(3_600));
        Some(Self { listen: listen?, tls: tls?, limits, connections, acknowledge_within, about })
    }

    /// Reads the section `[feed]` of a whole configuration and looks at nothing else in it: how a running service takes
    /// up a changed list of clients.
    ///
    /// # Errors
    /// Every fault of the section.
    pub fn of_text(text: &str, around: &dyn Surroundings) -> Result<Self, Vec<ConfigFault>> {
        let mut whole = Section::of_text(text, around).map_err(|fault| vec![fault])?;
        let missing = || ConfigFault { key: "feed".to_owned(), line: 1, words: "the section is missing".to_owned() };
        let Some(mut section) = whole.section("feed") else { return Err(vec![missing()]) };
        let read = Self::read(&mut section);
        let faults = section.end();
        match read {
            Some(config) if faults.is_empty() => Ok(config),
            _ => Err(faults),
        }
    }
}

impl FeedTls {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let (certificate, key) = (section.path("certificate_file"), section.path("key_file"));
        let ca = section.path("client_ca_file");
        let line = section.line();
        let mut crl = Vec::new();
        for text in section.value_or::<Vec<String>>("crl", Vec::new()) {
            match text.parse() {
                Ok(source) if crl.contains(&source) => section.fault("crl", line, "the same list stands twice"),
                Ok(source) => crl.push(source),
                Err(()) => section.fault("crl", line, "a list is a path or an address that begins with http:// or https://"),
            }
        }
        let crl_period = section.millis("crl_period_ms", 3_600_000, 1_000..=86_400_000);
        let check_period = section.millis("check_period_ms", 5_000, 50..=3_600_000);
        let mut clients: Vec<FeedClient> = Vec::new();
        let tables = section.sections("clients");
        if tables.is_empty() {
            section.fault("clients", line, "at least one client is needed: nobody could read the feed");
        }
        let mut all_read = true;
        for mut table in tables {
            match FeedClient::read(&mut table) {
                Some(client) if clients.iter().any(|other| other.mark == client.mark) => {
                    let line = table.line();
                    table.fault("recipient", line, "another client is known by the same mark");
                }
                Some(client) => clients.push(client),
                None => all_read = false,
            }
            section.absorb(table);
        }
        let (certificate_file, key_file, client_ca_file) = (certificate?, key?, ca?);
        all_read.then_some(Self { certificate_file, key_file, client_ca_file, crl, crl_period, check_period, clients })
    }
}

impl FeedClient {
    fn read(table: &mut Section<'_>) -> Option<Self> {
        let recipient = table.required::<String>("recipient");
        let recipient = recipient.and_then(|text| {
            let known = recipient_of(&text);
            if known.is_none() {
                let line = table.line();
                table.fault("recipient", line, "a recipient is arbetsformedlingen or <kommunkod>.forsorjningsstod");
            }
            known
        });
        let stated = ["organisation", "san", "spki"].iter().filter(|name| table.has(name)).count();
        if stated != 1 {
            let line = table.line();
            table.fault("organisation", line, "exactly one of organisation, san and spki says how the client is known");
        }
        let organisation = table.parsed("organisation", "not a valid organisation number").map(ClientMark::Organisation);
        let san = table.parsed::<San>("san", "a name is written URI:… or DNS:…, as in the certificate").map(|san| san.0);
        let pin = table.parsed::<Pin>("spki", "a pin is the base64 of 32 bytes, SHA-256 of the public key info");
        let mark = organisation.or(san).or(pin.map(|pin| ClientMark::Spki(pin.0)));
        if stated == 1 { Some(Self { recipient: recipient?, mark: mark? }) } else { None }
    }
}

impl FeedLimits {
    fn read(section: &mut Section<'_>) -> Self {
        let known = Self::default();
        let max_limit = section.number("max_limit", known.max_limit.into(), 1..=500);
        let default_limit = section.number("default_limit", u64::from(known.default_limit).min(max_limit), 1..=max_limit);
        Self {
            default_limit: u16::try_from(default_limit).unwrap_or(known.default_limit),
            max_limit: u16::try_from(max_limit).unwrap_or(known.max_limit),
            max_timeout: section.millis("max_timeout_ms", 60_000, 0..=60_000),
            rate: small(section.number("rate_per_minute", known.rate.into(), 1..=1_000_000)),
            burst: small(section.number("burst", known.burst.into(), 1..=100_000)),
        }
    }
}

/// A number that its bounds have made small.
fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn https(section: &mut Section<'_>, name: &str) -> Option<String> {
    let url: String = section.value(name)?;
    if url.starts_with("https://") && !url.ends_with('/') {
        return Some(url);
    }
    let line = section.line();
    section.fault(name, line, "an address begins with https:// and does not end in /");
    None
}

fn recipient_of(text: &str) -> Option<RecipientId> {
    if text == Party::Arbetsformedlingen.as_str() {
        return Some(RecipientId::arbetsformedlingen());
    }
    let (kommun, party) = text.split_once('.')?;
    let kommun = KommunCode::try_from(kommun.to_owned()).ok()?;
    (party == Party::Forsorjningsstod.as_str()).then(|| Party::Forsorjningsstod.recipient(&kommun))
}

impl FromStr for CrlSource {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let is_address = text.starts_with("http://") || text.starts_with("https://");
        match text {
            "" => Err(()),
            _ if is_address => Ok(Self::Url(text.to_owned())),
            _ if text.contains("://") => Err(()),
            _ => Ok(Self::File(Path::new(text).to_owned())),
        }
    }
}

impl fmt::Display for CrlSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Url(url) => f.write_str(url),
        }
    }
}

struct San(ClientMark);

impl FromStr for San {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text.split_once(':') {
            Some(("URI", uri)) if uri.contains(':') => Ok(Self(ClientMark::Uri(uri.to_owned()))),
            // A wildcard is no name of anybody.
            Some(("DNS", name)) if name.contains('.') && !name.contains('*') => {
                Ok(Self(ClientMark::Dns(name.to_ascii_lowercase())))
            }
            _ => Err(()),
        }
    }
}

struct Pin([u8; 32]);

impl FromStr for Pin {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let bytes = STANDARD.decode(text).map_err(|_| ())?;
        bytes.try_into().map(Self).map_err(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::{ClientMark, CrlSource, FeedConfig};
    use crate::config::Machine;

    const FILES: &str =
        "[feed]\nlisten = \"0.0.0.0:8443\"\ncertificate_file = \"c\"\nkey_file = \"k\"\nclient_ca_file = \"a\"\n";

    fn faults(keys: &str) -> String {
        let read = FeedConfig::of_text(&format!("{FILES}{keys}"), &Machine);
        read.err().unwrap_or_default().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_client_is_known_by_one_mark_and_every_fault_is_told() {
        let told = faults(
            "crl = [\"a.crl\", \"ftp://x/y\", \"a.crl\"]\nmax_limit = 501\n\
            [[feed.clients]]\nrecipient = \"arbetsformedlingen\"\n\
            [[feed.clients]]\nrecipient = \"arbetsformedlingen\"\norganisation = \"2021002115\"\n\
            [[feed.clients]]\nrecipient = \"somebody\"\nsan = \"DNS:*.example\"\n\
            [[feed.clients]]\nrecipient = \"1863.forsorjningsstod\"\nspki = \"AAAA\"\nsan = \"URI:urn:x\"\n",
        );
        for words in [
            "feed.crl: a list is a path or an address",
            "feed.crl: the same list stands twice",
            "feed.max_limit: a number from 1 to 500",
            "feed.clients[0].organisation: exactly one of",
            "feed.clients[1].organisation: not a valid organisation number",
            "feed.clients[2].recipient: a recipient is",
            "feed.clients[2].san: a name is written",
            "feed.clients[3].organisation: exactly one of",
            "feed.clients[3].spki: a pin is",
        ] {
            assert!(told.contains(words), "{words} is not in\n{told}");
        }
        assert!(faults("").contains("feed.clients: at least one client is needed"));
    }

    #[test]
    fn two_clients_do_not_share_a_mark_however_it_is_written() {
        let told = faults(
            "[[feed.clients]]\nrecipient = \"arbetsformedlingen\"\norganisation = \"202100-2114\"\n\
            [[feed.clients]]\nrecipient = \"1863.forsorjningsstod\"\norganisation = \"162021002114\"\n",
        );
        assert!(told.contains("feed.clients[1].recipient: another client is known by the same mark"), "{told}");
    }

    #[test]
    fn what_is_not_said_has_a_default() {
        let client = "crl = [\"a.crl\", \"http://crl.example/a\"]\n[[feed.clients]]\nrecipient = \"arbetsformedlingen\"\nsan = \"DNS:AF.example\"\n";
        let config = FeedConfig::of_text(&format!("{FILES}{client}"), &Machine).expect("a good section");
        assert_eq!((config.limits.default_limit, config.limits.max_limit), (20, 500));
        assert_eq!(config.tls.clients[0].mark, ClientMark::Dns("af.example".to_owned()));
        assert_eq!(config.tls.crl, [CrlSource::File("a.crl".into()), CrlSource::Url("http://crl.example/a".to_owned())]);
    }
}
