//! The whole configuration of `brygga serve`: one TOML file, read to the end, with every fault at once.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::section::{ConfigFault, Section, Surroundings};
use super::{Amqp, Audit, ConsoleConfig, FeedConfig, KeysConfig, Relay, RetentionConfig, Store, Via};

/// Where the contracts lie, and which illustrations are in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contracts {
    /// The folder. A service never uses the set built into the program.
    pub folder: PathBuf,
    /// The agreements with `status = "illustrative"` that are used all the same, by name.
    pub illustrations: Vec<String>,
}

impl Contracts {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let folder = section.path("folder");
        let illustrations = section.value_or("illustrations", Vec::new());
        Some(Self { folder: folder?, illustrations })
    }
}

/// The folder in which suppliers who have no broker drop files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spool {
    /// The folder; `inbox/`, `outbox/` and `failed/` lie in it.
    pub folder: PathBuf,
}

impl Spool {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        Some(Self { folder: section.path("folder")? })
    }
}

/// The listener for `/healthz`, `/readyz` and `/metrics`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Management {
    /// Where it listens; without TLS, so for the operators' own network alone.
    pub listen: SocketAddr,
}

impl Management {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let listen = section.parsed("listen", "an address and a port, as in 127.0.0.1:9480");
        if listen.is_none() && !section.has_faults() {
            section.fault("listen", section.line(), "the key is missing");
        }
        Some(Self { listen: listen? })
    }
}

/// Everything that `brygga serve` is told. What is left out is not run.
#[derive(Debug)]
pub struct Config {
    /// `[contracts]`.
    pub contracts: Contracts,
    /// `[store]`.
    pub store: Store,
    /// `[keys]`: needed by a store that processes share; a data folder has its own.
    pub keys: Option<KeysConfig>,
    /// `[management]`.
    pub management: Management,
    /// `[amqp]`.
    pub amqp: Option<Amqp>,
    /// `[spool]`.
    pub spool: Option<Spool>,
    /// `[feed]`.
    pub feed: Option<FeedConfig>,
    /// `[console]`: the operators' pages.
    pub console: Option<ConsoleConfig>,
    /// `[audit]`: signed checkpoints of the audit chain; a data folder writes them without it.
    pub audit: Option<Audit>,
    /// `[[relay]]`: by which courier what goes back to each system leaves.
    pub relays: Vec<Relay>,
    /// `[retention]`: for how long what is kept, and what an erasure leaves.
    pub retention: RetentionConfig,
}

impl Config {
    /// Reads a configuration.
    ///
    /// # Errors
    /// Every fault at once, each with key and line.
    pub fn read(text: &str, around: &dyn Surroundings) -> Result<Self, Vec<ConfigFault>> {
        let mut file = Section::of_text(text, around).map_err(|fault| vec![fault])?;
        let contracts = needed(&mut file, "contracts", Contracts::read);
        let store = needed(&mut file, "store", Store::read);
        if matches!(store, Some(Store::Postgres(_))) && !file.has("keys") {
            file.fault("keys", file.line(), "the table is missing: a store that processes share has a key store beside it");
        }
        if matches!(store, Some(Store::Embedded { .. }))
            && let Some(section) = file.section("keys")
        {
            file.fault(
                "keys",
                section.line(),
                "a data folder has its own keys, in keys/: the table is for a store that processes share",
            );
        }
        let keys = optional(&mut file, "keys", KeysConfig::read);
        let management = needed(&mut file, "management", Management::read);
        let amqp = optional(&mut file, "amqp", Amqp::read);
        let spool = optional(&mut file, "spool", Spool::read);
        let feed = optional(&mut file, "feed", FeedConfig::read);
        let console = optional(&mut file, "console", ConsoleConfig::read);
        let audit = optional(&mut file, "audit", Audit::read);
        let relays = relays(&mut file, amqp.is_some(), spool.is_some());
        let retention = optional(&mut file, "retention", RetentionConfig::read).unwrap_or_default();
        let mut faults = file.end();
        faults.sort_by(|a, b| (a.line, &a.key).cmp(&(b.line, &b.key)));
        match (contracts, store, management) {
            (Some(contracts), Some(store), Some(management)) if faults.is_empty() => {
                Ok(Self { contracts, store, keys, management, amqp, spool, feed, console, audit, relays, retention })
            }
            _ => Err(faults),
        }
    }
}

/// Every `[[relay]]`: one a recipient, each by a courier that there is.
fn relays(file: &mut Section<'_>, has_amqp: bool, has_spool: bool) -> Vec<Relay> {
    let mut relays: Vec<Relay> = Vec::new();
    for mut section in file.sections("relay") {
        if let Some(relay) = Relay::read(&mut section) {
            let line = section.line();
            match relay.via {
                Via::Amqp if !has_amqp => section.fault("kind", line, "`amqp` needs the table [amqp]"),
                Via::Spool if !has_spool => section.fault("kind", line, "`spool` needs the table [spool]"),
                Via::Amqp | Via::Spool | Via::Https(_) => {}
            }
            if relays.iter().any(|other| other.recipient == relay.recipient) {
                section.fault("recipient", line, "another relay has this recipient");
            }
            relays.push(relay);
        }
        file.absorb(section);
    }
    relays
}

/// A table that must be there.
fn needed<'t, T>(file: &mut Section<'t>, name: &str, read: impl Fn(&mut Section<'t>) -> Option<T>) -> Option<T> {
    if !file.has(name) {
        file.fault(name, file.line(), "the table is missing");
    }
    optional(file, name, read)
}

/// A table that may be left out.
fn optional<'t, T>(file: &mut Section<'t>, name: &str, read: impl Fn(&mut Section<'t>) -> Option<T>) -> Option<T> {
    let mut section = file.section(name)?;
    let part = read(&mut section);
    file.absorb(section);
    part
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::Path;

    use super::Config;
    use crate::config::Surroundings;

    struct Nothing;

    impl Surroundings for Nothing {
        fn variable(&self, _: &str) -> Option<String> {
            None
        }

        fn file(&self, _: &Path) -> io::Result<String> {
            Err(io::ErrorKind::NotFound.into())
        }
    }

    fn faults(text: &str) -> Vec<String> {
        match Config::read(text, &Nothing) {
            Ok(_) => Vec::new(),
            Err(faults) => faults.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn every_fault_is_told_at_once_with_its_key_and_line() {
        let told = faults("[contracts]\nfolder = 7\nilustrations = []\n\n[management]\nlisten = \"somewhere\"\n[extra]\n");
        let wanted = [
            "line 2: contracts.folder: ",
            "line 3: contracts.ilustrations: there is no such key",
            "line 6: management.listen: an address and a port, as in 127.0.0.1:9480",
            "line 7: extra: there is no such key",
        ];
        for wanted in wanted {
            assert!(told.iter().any(|told| told.starts_with(wanted)), "{wanted} is not in {told:#?}");
        }
    }

    #[test]
    fn a_relay_needs_a_systems_feed_of_its_own_and_a_courier_that_there_is() {
        let relay = |recipient: &str, kind: &str| format!("[[relay]]\nrecipient = \"{recipient}\"\nkind = \"{kind}\"\n");
        let told =
            faults(&[relay("1863.ame", "spool"), relay("arbetsformedlingen", "spool"), relay("1863.ame", "pigeon")].concat());
        for wanted in
            ["relay[0].kind: `spool` needs", "relay[1].recipient: a system's feed", "relay[2].kind: `amqp`, `https` or `spool`"]
        {
            assert!(told.iter().any(|told| told.contains(wanted)), "{wanted} is not in {told:#?}");
        }
        let twice = [relay("1863.ame", "spool"), relay("1863.ame", "spool")].concat();
        assert!(faults(&twice).iter().any(|told| told.contains("another relay has this recipient")));
    }

    #[test]
    fn a_missing_table_is_a_fault_and_a_file_that_is_no_toml_has_its_line() {
        assert!(faults("").iter().any(|told| told.contains("contracts: the table is missing")));
        assert_eq!(faults("[contracts]\nfolder = \n").len(), 1);
        assert!(faults("[contracts]\nfolder = \n").concat().starts_with("line 2: the file: "));
    }
}
