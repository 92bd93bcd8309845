//! `[keys]`: the service key, the wrapping keys, and the key store, which is kept apart from the content.

use std::path::PathBuf;

use secrecy::SecretString;

use super::section::Section;
use super::store::Postgres;

/// Where the key store is.
#[derive(Debug, Clone)]
pub enum KeyStorePlace {
    /// A SQLite file of its own, outside the backup of the content.
    Embedded {
        /// The file.
        file: PathBuf,
    },
    /// A PostgreSQL database of its own.
    Postgres(Box<Postgres>),
}

/// What the keys of a service are.
#[derive(Debug, Clone)]
pub struct KeysConfig {
    /// 32 bytes in base64: what the digests of persons, reports and ids are made under. It never changes.
    pub service_key: SecretString,
    /// Files of wrapping keys, 32 bytes in base64 on a line of its own each; the first of all is the newest, under which
    /// data keys are wrapped. The files are read again when the key store uses a key that was not known.
    pub wrapping_key_files: Vec<PathBuf>,
    /// The key store.
    pub store: KeyStorePlace,
}

impl KeysConfig {
    /// Reads the section; `None` only when faults were recorded.
    pub fn read(section: &mut Section<'_>) -> Option<Self> {
        let service_key = section.required_secret("service_key");
        let wrapping_key_files = section.secret_files("wrapping_key_files");
        let line = section.line();
        let store = match section.required::<String>("store").as_deref() {
            Some("embedded") => section.path("file").map(|file| KeyStorePlace::Embedded { file }),
            Some("postgres") => Postgres::read(section).map(|postgres| KeyStorePlace::Postgres(Box::new(postgres))),
            Some(_) => {
                section.fault("store", line, "embedded or postgres");
                None
            }
            None => None,
        };
        Some(Self { service_key: service_key?, wrapping_key_files: wrapping_key_files?, store: store? })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{KeyStorePlace, KeysConfig};
    use crate::config::{Section, Surroundings};

    struct Around;

    impl Surroundings for Around {
        fn variable(&self, _: &str) -> Option<String> {
            None
        }

        fn file(&self, path: &Path) -> std::io::Result<String> {
            if path.starts_with("/missing") { Err(std::io::ErrorKind::NotFound.into()) } else { Ok("c2VjcmV0\n".to_owned()) }
        }
    }

    fn read(text: &str) -> (Option<KeysConfig>, Vec<String>) {
        let mut section = Section::of_text(text, &Around).expect("TOML");
        let keys = KeysConfig::read(&mut section);
        (keys, section.end().into_iter().map(|fault| fault.key).collect())
    }

    #[test]
    fn each_kind_of_key_store_is_read() {
        let embedded =
            "service_key_file = \"/a\"\nwrapping_key_files = [\"/new\", \"/old\"]\nstore = \"embedded\"\nfile = \"/k.db\"";
        let (keys, faults) = read(embedded);
        assert_eq!(faults, Vec::<String>::new());
        let keys = keys.expect("a section");
        assert_eq!(keys.wrapping_key_files, [Path::new("/new"), Path::new("/old")]);
        assert!(matches!(keys.store, KeyStorePlace::Embedded { file } if file == Path::new("/k.db")));
        let postgres = "service_key_file = \"/a\"\nwrapping_key_files = [\"/new\"]\nstore = \"postgres\"\n\
            url = \"postgres://brygga_keys@localhost/brygga_keys\"\npassword_file = \"/p\"\ntls = \"off\"";
        let (keys, faults) = read(postgres);
        assert_eq!(faults, Vec::<String>::new());
        let store = keys.expect("a section").store;
        assert!(matches!(store, KeyStorePlace::Postgres(postgres) if postgres.password.is_some()));
    }

    #[test]
    fn every_fault_is_told() {
        let (keys, faults) =
            read("service_key = \"x\"\nwrapping_key_files = [\"/missing\"]\nstore = \"cloud\"\nfile = \"/k.db\"");
        assert!(keys.is_none());
        assert_eq!(faults, ["service_key", "wrapping_key_files", "store", "file"]);
        let (keys, faults) = read(
            "service_key_file = \"/a\"\nwrapping_key_files = []\nstore = \"postgres\"\nurl = \"postgres://a:b@localhost/d\"\ntls = \"off\"",
        );
        assert!(keys.is_none());
        assert_eq!(faults, ["wrapping_key_files", "url"]);
    }
}
