//! The material in use, loaded again when a file changes or somebody asks; what cannot be loaded changes nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::time_provider::{DefaultTimeProvider, TimeProvider};
use tokio::sync::watch;

use super::list::{Held, fetch};
use super::material::{Material, TrustFault};
use super::peer::Peer;
use crate::config::{CrlSource, FeedConfig, FeedTls, Machine};
use crate::domain::RecipientId;
use crate::http::problem::Problem;
use crate::telemetry::{ClientRefused, Event as _, Health, Part, RevocationUnchecked, TrustKept, TrustRenewed};

/// Who is let in now: shared by the listener, every connection and every request.
#[derive(Clone)]
pub struct Trust(Arc<Inner>);

struct Inner {
    current: RwLock<Arc<Material>>,
    held: Mutex<Held>,
    /// The configuration's own file, where the list of clients may change.
    source: Option<PathBuf>,
    clock: Arc<dyn TimeProvider>,
    /// How each file stood when it was last loaded from, and why that failed, if it did.
    seen: Mutex<Seen>,
    /// Held while loading: of two loads the later one stays.
    loading: Mutex<()>,
    tls: Part,
    crl: Part,
}

#[derive(Default)]
struct Seen {
    files: Files,
    failed: Option<String>,
}

type Stamp = Option<(SystemTime, u64)>;

type Files = BTreeMap<PathBuf, Stamp>;

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Trust").field(&self.material()).finish()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Trust {
    /// Whether a configuration's files can be loaded; nothing is kept.
    ///
    /// # Errors
    /// Every fault.
    pub fn check(config: &FeedTls) -> Result<(), Vec<TrustFault>> {
        let clock: Arc<dyn TimeProvider> = Arc::new(DefaultTimeProvider);
        Material::load(config, &Held::default(), &clock).map(drop)
    }

    /// Loads what a configuration names. `source` is the configuration's own file: its section `[feed]` is read again when
    /// it changes. Lists that come from addresses are fetched by [`watch`](Self::watch); until then nobody is let in.
    ///
    /// # Errors
    /// Every fault. Only a running service keeps what it had.
    pub fn open(config: &FeedTls, source: Option<PathBuf>, health: &Health) -> Result<Self, Vec<TrustFault>> {
        Self::open_at(Arc::new(DefaultTimeProvider), config, source, health)
    }

    /// As [`open`](Self::open), by another clock: certificates and lists begin and end by it.
    ///
    /// # Errors
    /// Every fault.
    pub fn open_at(
        clock: Arc<dyn TimeProvider>,
        config: &FeedTls,
        source: Option<PathBuf>,
        health: &Health,
    ) -> Result<Self, Vec<TrustFault>> {
        let files = stand(config, source.as_ref());
        let held = Held::default();
        let material = Material::load(config, &held, &clock)?;
        if config.crl.is_empty() {
            RevocationUnchecked.emit();
        }
        let trust = Self(Arc::new(Inner {
            current: RwLock::new(Arc::new(material)),
            held: Mutex::new(held),
            source,
            clock,
            seen: Mutex::new(Seen { files, failed: None }),
            loading: Mutex::new(()),
            tls: health.part("feed.tls", false),
            crl: health.part("feed.crl", false),
        }));
        trust.tell();
        Ok(trust)
    }

    /// Loads everything again, now. Says whether it could be loaded; if not, everything stays as it was. Reads files, so it is
    /// not for a task that others wait behind.
    pub fn reload(&self) -> bool {
        let _loading = lock(&self.0.loading);
        // How each file stands is taken before it is read: what changes in between is seen by the next look.
        let source = self.0.source.clone().map(|path| (path.clone(), stamp(&path)));
        let config = self.named();
        let mut files = stand(config.as_ref().unwrap_or(&self.material().config), None);
        files.extend(source);
        let loaded = config.and_then(|config| Material::load(&config, &lock(&self.0.held), &self.0.clock));
        let failed = match loaded {
            Ok(material) => {
                TrustRenewed { clients: material.config.clients.len(), lists: material.lists.len() }.emit();
                *self.0.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(material);
                None
            }
            Err(faults) => {
                let words: Vec<String> = faults.iter().map(ToString::to_string).collect();
                TrustKept { why: &words.join("; ") }.emit();
                Some(words.join("; "))
            }
        };
        let done = failed.is_none();
        *lock(&self.0.seen) = Seen { files, failed };
        self.tell();
        done
    }

    /// Looks at the files and fetches lists until told to stop. A list whose place does not answer keeps no file waiting.
    pub async fn watch(self, mut stopping: watch::Receiver<bool>) {
        if *stopping.borrow() {
            return;
        }
        tokio::select! {
            () = self.look_again() => {}
            () = self.fetch_again() => {}
            _ = stopping.changed() => {}
        }
    }

    /// Loads again whenever a file has changed, for ever.
    async fn look_again(&self) {
        loop {
            let trust = self.clone();
            // Files may lie on something slow.
            drop(tokio::task::spawn_blocking(move || trust.look()).await);
            tokio::time::sleep(self.material().config.check_period).await;
        }
    }

    /// Fetches lists, for ever, and loads again whenever one is new.
    async fn fetch_again(&self) {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(30));
        let client = client.build().ok();
        loop {
            if self.fetch_due(client.as_ref()).await {
                let trust = self.clone();
                drop(tokio::task::spawn_blocking(move || trust.reload()).await);
            }
            tokio::time::sleep(self.material().config.check_period).await;
        }
    }

    fn look(&self) {
        let files = stand(&self.material().config, self.0.source.as_ref());
        let changed = lock(&self.0.seen).files != files;
        if changed {
            self.reload();
        } else {
            self.tell();
        }
    }

    /// Fetches each list whose time has come. Says whether one is new.
    async fn fetch_due(&self, client: Option<&reqwest::Client>) -> bool {
        let material = self.material();
        let mut is_new = false;
        for source in &material.config.crl {
            let CrlSource::Url(url) = source else { continue };
            if !lock(&self.0.held).is_due(url, material.config.crl_period) {
                continue;
            }
            let answer = match client {
                Some(client) => fetch(client, url).await,
                None => Err("the machine has no certificates of authorities".to_owned()),
            };
            is_new |= lock(&self.0.held).take(url, answer, &material.authorities, self.seconds());
        }
        is_new
    }

    /// The configuration as it stands in its file now, or as it was given.
    fn named(&self) -> Result<FeedTls, Vec<TrustFault>> {
        let Some(path) = &self.0.source else { return Ok(self.material().config.clone()) };
        let text = std::fs::read_to_string(path)
            .map_err(|error| vec![TrustFault::Unreadable { path: path.clone(), kind: error.kind() }])?;
        let read = FeedConfig::of_text(&text, &Machine);
        read.map(|config| config.tls).map_err(|faults| faults.into_iter().map(TrustFault::Config).collect())
    }

    /// Tells how the parts `feed.tls` and `feed.crl` are.
    fn tell(&self) {
        let (material, now) = (self.material(), self.seconds());
        let failed = lock(&self.0.seen).failed.clone();
        if let Some(why) = failed {
            self.0.tls.down(format!("what is in use is kept, since what was to replace it cannot be loaded: {why}"));
        } else if material.certificate_ends <= now {
            self.0.tls.down("the server's own certificate has expired");
        } else {
            self.0.tls.up();
        }
        if material.config.crl.is_empty() {
            self.0.crl.down("no revocation list is configured: a revoked certificate is let in until its client is removed");
            return;
        }
        let wrong: Vec<String> = material.config.crl.iter().filter_map(|source| self.wrong_with(source, now)).collect();
        if wrong.is_empty() {
            self.0.crl.up();
        } else {
            self.0.crl.down(wrong.join("; "));
        }
    }

    fn wrong_with(&self, source: &CrlSource, now: i64) -> Option<String> {
        let material = self.material();
        let mut lists = material.lists.iter().filter(|(from, _)| from == source).map(|(_, list)| list).peekable();
        let failure = match source {
            CrlSource::Url(url) => lock(&self.0.held).failure(url).map(str::to_owned),
            CrlSource::File(_) => None,
        };
        let why = failure.as_deref().unwrap_or("it was not fetched yet");
        if lists.peek().is_none() {
            return Some(format!("the revocation list {source} is not there, and nobody is let in by it: {why}"));
        }
        if lists.any(|list| list.ends <= now) {
            return Some(format!("the revocation list {source} is past its time, and nobody is let in by it"));
        }
        failure.map(|why| format!("the revocation list {source} cannot be renewed: {why}"))
    }

    fn seconds(&self) -> i64 {
        let now = self.0.clock.current_time().map_or(u64::MAX, |now| now.as_secs());
        i64::try_from(now).unwrap_or(i64::MAX)
    }

    pub(super) fn material(&self) -> Arc<Material> {
        Arc::clone(&self.0.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// How the next handshake is done.
    pub(super) fn server(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.material().server)
    }

    /// Whether a peer is one of the clients now, good certificate or not.
    pub(super) fn knows(&self, peer: &Peer) -> bool {
        self.material().recipient(peer).is_some()
    }

    /// Whose feed a peer reads, judged anew by what is in use now.
    ///
    /// # Errors
    /// [`Problem::Certificate`] where its certificate is not good any more, [`Problem::Client`] where it is not a client's.
    pub(in crate::http) fn admit(&self, peer: &Peer) -> Result<RecipientId, Problem> {
        let material = self.material();
        // Without a clock nothing is known to be within its time.
        let good = self.0.clock.current_time().is_some_and(|now| material.verifies(peer, now));
        if !good {
            ClientRefused { why: "certificate" }.emit();
            return Err(Problem::Certificate);
        }
        let recipient = material.recipient(peer).cloned();
        recipient.ok_or_else(|| {
            ClientRefused { why: "client" }.emit();
            Problem::Client
        })
    }
}

/// How the files stand: when each was last changed, and how long it is.
fn stand(config: &FeedTls, source: Option<&PathBuf>) -> Files {
    let mut files = Material::files(config);
    files.extend(source.cloned());
    files.into_iter().map(|path| (path.clone(), stamp(&path))).collect()
}

fn stamp(path: &Path) -> Stamp {
    let found = std::fs::metadata(path).ok();
    found.and_then(|found| found.modified().ok().map(|changed| (changed, found.len())))
}
