//! What the tests share: the repository's contracts, a service on a temporary data folder, the command line in process.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use brygga::agreement::Illustrations;
use brygga::app::{DataFolder, Scenario, embedded};
use brygga::cli::{Cli, run};
use brygga::journey::{ContractSet, Journey, Outcome};
use brygga::spool::{Inbox, SpoolFolders};
use brygga::store::sqlite::SqliteStore;
use clap::Parser as _;

/// The repository.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The repository's contracts, illustrations in use.
pub(crate) fn set() -> Arc<ContractSet> {
    let files = embedded::contracts_from(&root().join("contracts")).expect("the contracts can be read");
    match ContractSet::load(&files, Illustrations::All) {
        Ok(set) => Arc::new(set),
        Err(flaws) => panic!("the contracts have flaws: {flaws:#?}"),
    }
}

/// Runs a command line; gives its exit code (2 where it could not be run) and what it printed.
pub(crate) fn brygga(args: &[&str]) -> (u8, String) {
    let mut out = Vec::new();
    let cli = match Cli::try_parse_from(std::iter::once("brygga").chain(args.iter().copied())) {
        Ok(cli) => cli,
        Err(error) => return (2, error.to_string()),
    };
    match run(cli, &mut out) {
        Ok(code) => (code, String::from_utf8(out).expect("output is UTF-8")),
        Err(error) => (2, format!("{}{error}", String::from_utf8_lossy(&out))),
    }
}

/// A temporary folder, in memory where the machine has such a place: what is tested does not depend on how long a disk takes
/// to say that something is on it.
pub(crate) fn folder_in_memory() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    folder.expect("a temporary folder")
}

/// A service's parts on a data folder of their own.
pub(crate) struct Desk {
    folder: tempfile::TempDir,
    pub(crate) data: DataFolder,
    pub(crate) journey: Journey,
    pub(crate) store: SqliteStore,
    pub(crate) inbox: Inbox,
}

impl Desk {
    /// Opens a data folder whose clock stands at a scenario's instant.
    pub(crate) async fn open(scenario: &Scenario) -> Self {
        let folder = folder_in_memory();
        let data = DataFolder::hold(folder.path()).expect("nobody else holds it");
        let store = data.store(Some(scenario.instant)).await.expect("the store opens");
        let set = set();
        data.spool().make(set.catalogue.parties().senders().iter().map(|s| s.login.as_str())).expect("folders");
        let journey = Journey::new(set, data.keys().expect("keys"), data.vault().await.expect("a vault"));
        let inbox = Inbox::new(data.spool()).at(scenario.instant);
        Self { folder, data, journey, store, inbox }
    }

    /// The data folder; gone, with everything in it, when the desk is.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Closes the store and lets go of the folder, which is given back with everything in it.
    pub(crate) async fn close(self) -> tempfile::TempDir {
        self.store.close().await;
        self.folder
    }

    /// Drops each message and takes it, in order.
    pub(crate) async fn run(&self, scenario: &Scenario) -> Vec<(String, Outcome)> {
        let mut outcomes = Vec::new();
        for message in &scenario.messages {
            drop_file(&self.data.spool(), message.login.as_str(), &message.name.name(), &message.bytes);
            let taken = self.inbox.take(&self.journey, &self.store).await.expect("the store is there");
            assert_eq!(taken.len(), 1, "one file, one outcome: {}", message.order);
            outcomes.extend(taken.into_iter().map(|outcome| (message.order.clone(), outcome)));
        }
        outcomes
    }
}

/// Has a data folder's store take one message only as a dead letter, as a value would that a rule of the store's own forbids.
pub(crate) async fn refuse_in_sqlite(folder: &Path, message: uuid::Uuid) {
    use sqlx::ConnectOptions as _;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.join("brygga.db"));
    let mut db = options.busy_timeout(std::time::Duration::from_secs(10)).connect().await.expect("the file opens");
    let hex: String = message.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let sql = format!(
        "CREATE TRIGGER planted BEFORE INSERT ON messages WHEN NEW.message_id IN (x'{hex}', '{message}') AND NEW.state <> 'refused' \
         BEGIN SELECT RAISE(ABORT, 'planted by the test'); END"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut db).await.expect("planted");
}

/// Drops a file as a supplier does: by rename.
pub(crate) fn drop_file(spool: &SpoolFolders, login: &str, name: &str, bytes: &[u8]) {
    let folder = spool.inbox().join(login);
    std::fs::create_dir_all(&folder).expect("a folder");
    let temporary = folder.join(format!(".{name}.tmp"));
    std::fs::write(&temporary, bytes).expect("a file");
    std::fs::rename(temporary, folder.join(name)).expect("a rename");
}

/// A scenario from its folder, with the folder's files.
pub(crate) fn scenario(folder: &Path) -> (Scenario, Vec<PathBuf>) {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path()).collect();
    paths.sort();
    let read: Vec<(String, Vec<u8>)> = paths
        .iter()
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read(path).expect("a file"))
        })
        .collect();
    let scenario = Scenario::read(read.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())))
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    paths.retain(|path| path.file_name().is_some_and(|name| name != "scenario.toml"));
    (scenario, paths)
}

/// Every dead letter that waits, in the order of the lists.
pub(crate) async fn dead_letters<T: brygga::store::DeadLetters>(tx: &mut T) -> Vec<brygga::store::DeadLetter> {
    use brygga::store::{LetterChoice, LetterPage};
    tx.dead_letters(&LetterPage::open(LetterChoice::All, 1000)).await.expect("read")
}
