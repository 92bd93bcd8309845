//! Takes files out of the inbox: stored first, deleted after the commit, so that a crash between the two makes a duplicate
//! and never a loss.

use std::collections::HashSet;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use jiff::Timestamp;
use uuid::Uuid;

use super::{SpoolError, SpoolFolders};
use crate::domain::{ContractRef, Login, Syntax, Trace};
use crate::intake::MAX_BYTES;
use crate::journey::{Arrival, Journey, Outcome};
use crate::store::Store;
use crate::telemetry::{Event as _, FileStuck, FileUnreadable, RunAlone};

/// The greatest number of files in one transaction.
const BATCH: usize = 64;

/// Where the message time of a file comes from.
#[derive(Debug, Clone, Copy)]
enum MessageTime {
    /// The file's own time.
    OfFile,
    /// One instant for all: the demo and scenarios.
    At(Timestamp),
}

/// The inbox.
#[derive(Debug, Clone)]
pub struct Inbox {
    folders: SpoolFolders,
    time: MessageTime,
    /// Files that were taken and could not be deleted: they are not taken again.
    stuck: Arc<Mutex<HashSet<PathBuf>>>,
}

/// A file's name, read: `<contract>.<message-id>.(json|xml)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// The contract it claims.
    pub contract: ContractRef,
    /// The message id.
    pub message_id: Uuid,
    /// The syntax.
    pub syntax: Syntax,
}

impl Dropped {
    /// Reads a file's name; `None` where it tells neither contract nor id.
    #[must_use]
    pub fn read(name: &str) -> Option<Self> {
        let (rest, extension) = name.rsplit_once('.')?;
        let (contract, id) = rest.rsplit_once('.')?;
        let message_id = Uuid::try_parse(id).ok()?;
        Some(Self { contract: contract.parse().ok()?, message_id, syntax: extension.parse().ok()? })
    }

    /// The name to drop a file under.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}.{}.{}", self.contract, self.message_id, self.syntax.as_str())
    }
}

/// A file that is waiting.
struct Waiting {
    login: Login,
    path: PathBuf,
    modified: SystemTime,
}

impl Inbox {
    /// The inbox; each file's own time is its message time.
    #[must_use]
    pub fn new(folders: SpoolFolders) -> Self {
        Self { folders, time: MessageTime::OfFile, stuck: Arc::default() }
    }

    /// The same inbox where the clock stands: every file's message time is one instant.
    #[must_use]
    pub fn at(mut self, instant: Timestamp) -> Self {
        self.time = MessageTime::At(instant);
        self
    }

    /// Takes up to a batch of waiting files, oldest first. Empty when nothing waits.
    ///
    /// # Errors
    /// A fault: nothing of the batch is stored, and every file lies where it lay.
    pub async fn take<S: Store>(&self, journey: &Journey, store: &S) -> Result<Vec<Outcome>, SpoolError> {
        let mut arrivals = Vec::new();
        let mut paths = Vec::new();
        for waiting in self.waiting()?.into_iter().take(BATCH) {
            let name = waiting.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let Some(dropped) = Dropped::read(&name) else {
                FileUnreadable { login: waiting.login.as_str() }.emit();
                if self.set_aside(&waiting).is_err() {
                    self.leave_alone(&waiting.login, waiting.path);
                }
                continue;
            };
            let message_time = match self.time {
                MessageTime::At(instant) => instant,
                MessageTime::OfFile => Timestamp::try_from(waiting.modified).unwrap_or_else(|_| store.now()),
            };
            // One file that cannot be read must not keep the others waiting.
            let Ok(bytes) = read_bounded(&waiting.path) else {
                self.leave_alone(&waiting.login, waiting.path);
                continue;
            };
            let login = waiting.login.clone();
            arrivals.push(Arrival {
                login: waiting.login,
                message_id: dropped.message_id,
                contract: dropped.contract,
                syntax: dropped.syntax,
                message_time,
                bytes,
                trace: Trace::default(),
                defect: None,
            });
            paths.push((login, waiting.path));
        }
        if arrivals.is_empty() {
            return Ok(Vec::new());
        }
        match journey.take(store, &arrivals).await {
            Err(fault) if fault.is_of_one_row() => self.take_singly(journey, store, arrivals, paths).await,
            taken => {
                let outcomes = taken?;
                for (login, path) in paths {
                    self.remove(&login, path);
                }
                Ok(outcomes)
            }
        }
    }

    /// Takes files one by one, so that the one that the store does not take keeps none of the others waiting. That one is
    /// stored unopened as a dead letter; where not even that can be done, it is left where it lies.
    async fn take_singly<S: Store>(
        &self,
        journey: &Journey,
        store: &S,
        arrivals: Vec<Arrival>,
        paths: Vec<(Login, PathBuf)>,
    ) -> Result<Vec<Outcome>, SpoolError> {
        RunAlone { messages: arrivals.len() }.emit();
        let mut outcomes = Vec::with_capacity(arrivals.len());
        for (arrival, (login, path)) in arrivals.into_iter().zip(paths) {
            let taken = match journey.take(store, [arrival.clone()]).await {
                Err(fault) if fault.is_of_one_row() => journey.take(store, [arrival.unopened()]).await,
                taken => taken,
            };
            match taken {
                Ok(stored) => {
                    self.remove(&login, path);
                    outcomes.extend(stored);
                }
                Err(fault) if fault.is_of_one_row() => self.leave_alone(&login, path),
                Err(fault) => return Err(fault.into()),
            }
        }
        Ok(outcomes)
    }

    /// Removes a file whose message is stored.
    fn remove(&self, login: &Login, path: PathBuf) {
        if fs::remove_file(&path).is_err() && path.exists() {
            self.leave_alone(login, path);
        }
    }

    /// Takes a file no more: it cannot be read, moved or deleted, and an operator has to look.
    fn leave_alone(&self, login: &Login, path: PathBuf) {
        FileStuck { login: login.as_str() }.emit();
        self.stuck.lock().unwrap_or_else(PoisonError::into_inner).insert(path);
    }

    /// Files that have arrived whole, oldest first and then by name. Hidden files and `.tmp` are still being written.
    fn waiting(&self) -> Result<Vec<Waiting>, SpoolError> {
        let stuck = self.stuck.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut waiting = Vec::new();
        for folder in fs::read_dir(self.folders.inbox())? {
            let folder = folder?;
            let Ok(login) = Login::try_from(folder.file_name().to_string_lossy().into_owned()) else { continue };
            if !folder.file_type()?.is_dir() {
                continue;
            }
            for file in fs::read_dir(folder.path())? {
                let file = file?;
                let name = file.file_name().to_string_lossy().into_owned();
                // A link could lead to a file that its dropper may not read, but we may.
                if name.starts_with('.') || is_temporary(&file.path()) || !file.file_type()?.is_file() {
                    continue;
                }
                if stuck.contains(&file.path()) {
                    continue;
                }
                // A file that has gone since the listing is simply not there.
                let Ok(modified) = file.metadata().and_then(|metadata| metadata.modified()) else { continue };
                waiting.push(Waiting { login: login.clone(), path: file.path(), modified });
            }
        }
        waiting.sort_by(|a, b| (a.modified, &a.path).cmp(&(b.modified, &b.path)));
        Ok(waiting)
    }

    /// Moves a file whose name cannot be read to `failed/`, under a name of our own that overwrites nothing. What it was
    /// called goes in as far as a file name can hold it.
    fn set_aside(&self, waiting: &Waiting) -> std::io::Result<()> {
        let name = waiting.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let short: String = name.chars().filter(char::is_ascii_graphic).take(80).collect();
        fs::rename(&waiting.path, self.folders.failed().join(format!("{}.{}.{short}", waiting.login, Uuid::now_v7())))
    }
}

fn is_temporary(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "tmp")
}

/// Reads at most one byte more than is taken: a larger file is refused without ever being held whole.
fn read_bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = open(path)?;
    if !file.metadata()?.is_file() {
        return Err(std::io::ErrorKind::InvalidInput.into());
    }
    file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Opens a file, but neither through a link, which could lead to what its dropper may not read, nor a pipe to wait on.
#[cfg(unix)]
fn open(path: &Path) -> std::io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    /// `O_NOFOLLOW | O_NONBLOCK` of Linux (open(2)).
    const FLAGS: i32 = 0o400_000 | 0o4000;
    fs::File::options().read(true).custom_flags(if cfg!(target_os = "linux") { FLAGS } else { 0 }).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> std::io::Result<fs::File> {
    fs::File::open(path)
}

#[cfg(test)]
mod tests {
    use super::Dropped;

    #[test]
    fn a_name_tells_contract_id_and_syntax_or_nothing() {
        let name = "activity-report.v1.0b6f6c1e-7f5c-4d2e-9c0a-0d7d3b1f2a3b.xml";
        let dropped = Dropped::read(name).expect("a good name");
        assert_eq!((dropped.contract.name(), dropped.name().as_str()), ("activity-report", name));
        for bad in
            ["report.xml", "activity-report.v1.17.xml", "activity-report.v1.0b6f6c1e-7f5c-4d2e-9c0a-0d7d3b1f2a3b.txt", ""]
        {
            assert_eq!(Dropped::read(bad), None, "{bad}");
        }
    }
}
