//! The section `[console]`: where operators reach their pages.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::Section;

/// Where the console is served, and with which certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleConfig {
    /// Where it listens: without a certificate on loopback alone.
    pub listen: SocketAddr,
    /// Its certificate; none on loopback.
    pub tls: Option<ConsoleTls>,
}

/// The files of the console's own certificate. Operators show none: they sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleTls {
    /// The server's certificate and what leads up to its issuer, PEM.
    pub certificate_file: PathBuf,
    /// The certificate's key, PEM.
    pub key_file: PathBuf,
}

impl ConsoleConfig {
    /// Reads the section.
    pub fn read(section: &mut Section<'_>) -> Option<Self> {
        if !section.has("listen") {
            section.fault("listen", section.line(), "the key is missing");
        }
        let listen: Option<SocketAddr> = section.parsed("listen", "an address and a port, as in 0.0.0.0:8444");
        let tls = if section.has("certificate_file") || section.has("key_file") {
            let (certificate_file, key_file) = (section.path("certificate_file"), section.path("key_file"));
            Some(ConsoleTls { certificate_file: certificate_file?, key_file: key_file? })
        } else {
            None
        };
        let listen = listen?;
        if tls.is_none() && !listen.ip().is_loopback() {
            let words = "without certificate_file and key_file the console listens on loopback alone: passwords go over it";
            section.fault("listen", section.line(), words);
            return None;
        }
        Some(Self { listen, tls })
    }
}

#[cfg(test)]
mod tests {
    use super::ConsoleConfig;
    use crate::config::{Machine, Section};

    fn read(text: &str) -> (Option<ConsoleConfig>, Vec<String>) {
        let mut section = Section::of_text(text, &Machine).expect("it is TOML");
        let read = ConsoleConfig::read(&mut section);
        (read, section.end().iter().map(|fault| format!("{}: {}", fault.key, fault.words)).collect())
    }

    #[test]
    fn without_a_certificate_the_console_listens_on_loopback_alone() {
        let (read_here, faults) = read("listen = \"127.0.0.1:8444\"\n");
        assert!(read_here.is_some_and(|console| console.tls.is_none()) && faults.is_empty(), "{faults:?}");
        let (elsewhere, faults) = read("listen = \"0.0.0.0:8444\"\n");
        assert!(elsewhere.is_none() && faults.iter().any(|fault| fault.contains("loopback alone")), "{faults:?}");
        let (with, faults) = read("listen = \"0.0.0.0:8444\"\ncertificate_file = \"/a\"\nkey_file = \"/b\"\n");
        assert!(with.is_some_and(|console| console.tls.is_some()) && faults.is_empty(), "{faults:?}");
        let (half, faults) = read("listen = \"127.0.0.1:8444\"\nkey_file = \"/b\"\n");
        assert!(half.is_none() && faults.iter().any(|fault| fault.starts_with("certificate_file")), "{faults:?}");
    }
}
