//! Where the program runs that is compared with the model: a store that outlives its processes, and a key store beside it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use brygga::agreement::Illustrations;
use brygga::app::embedded;
use brygga::config::Postgres as Settings;
use brygga::journey::{ContractSet, Journey};
use brygga::seal::{ServiceKeys, Vault, WrappingKey, WrappingKeys, WrappingSource};
use brygga::store::postgres::PostgresStore;
use brygga::store::sqlite::SqliteStore;
use brygga::store::sqlite::keys::SqliteKeyStore;
use brygga::store::{Clock, Store};
use jiff::Timestamp;
use sqlx::PgConnection;

use super::forms::{AGREEMENT, agreement};
use crate::harness::{folder_in_memory, root};
use crate::servers::postgres::{Server, empty};

/// The instant at which each case begins.
pub(super) fn start() -> Timestamp {
    "2026-03-02T11:00:00Z".parse().expect("an instant")
}

/// The repository's set with the model's agreement, by the gate to försörjningsstöd.
fn set(fs_needs_waiver: bool) -> Arc<ContractSet> {
    static SETS: [OnceLock<Arc<ContractSet>>; 2] = [const { OnceLock::new() }; 2];
    let load = || {
        let mut files = embedded::contracts_from(&root().join("contracts")).expect("the contracts can be read");
        files.insert(format!("agreements/{AGREEMENT}.toml"), agreement(fs_needs_waiver));
        Arc::new(ContractSet::load(&files, Illustrations::All).expect("the set loads"))
    };
    Arc::clone(SETS[usize::from(fs_needs_waiver)].get_or_init(load))
}

/// A place with a clock that is moved by hand.
pub(super) trait Place: Sized {
    type Store: Store;

    /// An empty place.
    async fn open() -> Self;

    fn clock(&self) -> &Clock;

    /// A process with connections of its own: nothing of another is in it.
    async fn process(&self) -> Self::Store;

    /// The key store's vault, opened anew.
    async fn vault(&self) -> Vault;

    /// A copy of everything that is stored, where that is cheap: what is read there disturbs nothing.
    async fn copy(&self) -> Option<Self::Store>;

    /// The way, with nothing in memory.
    async fn journey(&self, fs_needs_waiver: bool) -> Journey {
        Journey::new(set(fs_needs_waiver), Arc::new(ServiceKeys::derive(&[7; 32])), self.vault().await)
    }
}

fn wrapping() -> WrappingSource {
    static SECRET: OnceLock<WrappingKeys> = OnceLock::new();
    fn made() -> WrappingKeys {
        WrappingKeys::read([&WrappingKey::new_secret().expect("random numbers")]).expect("a key")
    }
    WrappingSource::new(|| Ok(SECRET.get_or_init(made).clone())).expect("a source")
}

async fn vault_in(folder: &tempfile::TempDir) -> Vault {
    let store = SqliteKeyStore::open(&folder.path().join("keys.db")).await.expect("the key store opens");
    Vault::new(Arc::new(store), wrapping())
}

/// SQLite: two files.
pub(super) struct Files {
    folder: tempfile::TempDir,
    clock: Clock,
    copies: AtomicU32,
}

impl Files {
    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Place for Files {
    type Store = SqliteStore;

    async fn open() -> Self {
        Self { folder: folder_in_memory(), clock: Clock::at(start()), copies: AtomicU32::new(0) }
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    async fn process(&self) -> SqliteStore {
        SqliteStore::open(&self.file("brygga.db"), self.clock.clone()).await.expect("the store opens")
    }

    async fn vault(&self) -> Vault {
        vault_in(&self.folder).await
    }

    async fn copy(&self) -> Option<SqliteStore> {
        let name = format!("copy-{}.db", self.copies.fetch_add(1, Ordering::Relaxed));
        // Nobody writes meanwhile: what has been committed stands in the file and in its log.
        for end in ["", "-wal"] {
            let from = self.file(&format!("brygga.db{end}"));
            if from.exists() {
                std::fs::copy(from, self.file(&format!("{name}{end}"))).expect("copied");
            }
        }
        Some(SqliteStore::open(&self.file(&name), self.clock.clone()).await.expect("the copy opens"))
    }
}

static FREE: Mutex<Vec<Shared>> = Mutex::new(Vec::new());

/// PostgreSQL: a database that is emptied between cases, and a key store in a file.
pub(super) struct Shared {
    settings: Settings,
    folder: Option<tempfile::TempDir>,
    bare: Mutex<Option<PgConnection>>,
    clock: Clock,
}

impl Drop for Shared {
    fn drop(&mut self) {
        let bare = self.bare.get_mut().map(Option::take).ok().flatten();
        if let (Some(bare), false) = (bare, std::thread::panicking()) {
            let settings = self.settings.clone();
            FREE.lock().expect("nobody panics here").push(Self {
                settings,
                folder: None,
                bare: Mutex::new(Some(bare)),
                clock: Clock::at(start()),
            });
        }
    }
}

impl Place for Shared {
    type Store = PostgresStore;

    async fn open() -> Self {
        let free = FREE.lock().expect("nobody panics here").pop();
        let mut place = if let Some(place) = free {
            place
        } else {
            let server = Server::shared().await;
            let settings = server.database().await;
            let bare = server.connect(&settings.database).await.expect("a connection");
            Self { settings, folder: None, bare: Mutex::new(Some(bare)), clock: Clock::at(start()) }
        };
        place.folder = Some(folder_in_memory());
        place.clock.set(start());
        // The schemas are made by whoever opens them first; whatever tables there are are emptied.
        place.process().await.close().await;
        drop(place.vault().await);
        let bare = place.bare.get_mut().ok().and_then(Option::as_mut).expect("until it is dropped");
        empty(bare).await;
        place
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    async fn process(&self) -> PostgresStore {
        PostgresStore::open(&self.settings, self.clock.clone()).await.expect("the store opens")
    }

    async fn vault(&self) -> Vault {
        vault_in(self.folder.as_ref().expect("while it is lent")).await
    }

    async fn copy(&self) -> Option<PostgresStore> {
        None
    }
}
