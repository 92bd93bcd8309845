//! The samples under `fixtures/samples/`: each is one document as JSON and as XML.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use brygga::contract::{Catalogue, Contract};
use brygga::domain::{Code, Envelope, Files, Flaws, Login, Syntax};
use brygga::intake::{self, Decoded, Payload};

/// One document in both syntaxes.
pub(super) struct Sample<'a> {
    pub(super) contract: &'a Contract,
    pub(super) xml: String,
    pub(super) json: String,
    name: String,
}

impl fmt::Display for Sample<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.contract.outline().reference.name(), self.name)
    }
}

impl<'a> Sample<'a> {
    /// Every sample of every contract, in the order of their names.
    pub(super) fn all(catalogue: &'a Catalogue) -> Vec<Self> {
        let mut samples = Vec::new();
        for contract in catalogue.contracts() {
            let folder = root().join("fixtures/samples").join(contract.outline().reference.name());
            for path in files_below(&folder).into_iter().filter(|path| path.extension().is_some_and(|it| it == "xml")) {
                let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                samples.push(Self { contract, xml: read(&path), json: read(&path.with_extension("json")), name });
            }
        }
        assert!(samples.len() >= 3, "the samples are gone");
        samples
    }
}

/// The contracts of the repository.
pub(super) fn catalogue() -> Catalogue {
    let (mut files, mut flaws) = (Files::default(), Flaws::default());
    for path in files_below(&contracts_folder()) {
        let name = path.strip_prefix(contracts_folder()).expect("a file below the folder").to_string_lossy().into_owned();
        files.insert(name, read(&path));
    }
    let catalogue = Catalogue::load(&files, &mut flaws);
    assert!(flaws.is_empty(), "{:?}", flaws.into_sorted());
    catalogue
}

/// Decodes bytes as a message of a contract; the code is that of the refusal.
pub(super) fn decode(contract: &Contract, syntax: Syntax, bytes: &[u8]) -> Result<Decoded, Code> {
    let envelope = Envelope {
        login: Login::try_from("hallefors-ame".to_owned()).expect("a good login"),
        message_id: uuid::Uuid::nil(),
        contract: contract.outline().reference.clone(),
        syntax,
        message_time: "2026-05-04T12:00:00Z".parse().expect("a time"),
        received_at: "2026-05-04T12:00:01Z".parse().expect("a time"),
        trace: brygga::domain::Trace::default(),
    };
    let payload = Payload::new(envelope, bytes.to_vec()).map_err(|refusal| refusal.code())?;
    intake::decode(payload, contract.outline()).map_err(|refusal| refusal.code())
}

/// Where the contracts lie.
pub(super) fn contracts_folder() -> PathBuf {
    root().join("contracts")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() { found.extend(files_below(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}
