//! A feed over mutual TLS on the demo's messages, and the files that it is served with.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use brygga::config::{FeedConfig, Machine};
use brygga::http::{Api, TlsPlace, Trust};
use brygga::store::Store;
use brygga::store::sqlite::SqliteStore;
use brygga::telemetry::{Health, PartState};
use rustls::time_provider::{DefaultTimeProvider, TimeProvider};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::pki::{AF, Authority, Identity, Says};
use super::wire::Wire;
use crate::harness::{Desk, root, scenario};

/// Everything that a feed is served with, in files.
pub(crate) struct Files {
    folder: TempDir,
    pub(crate) server_ca: Authority,
    pub(crate) client_ca: Authority,
}

impl Files {
    /// A server certificate, an authority of clients, and no list.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let files = Self { folder, server_ca: Authority::new("servers"), client_ca: Authority::new("clients") };
        files.put_server(&files.server_ca.server(1));
        files.put("clients.pem", &files.client_ca.pem());
        files.put("server-ca.pem", &files.server_ca.pem());
        files
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file as an operator should: whole or not at all.
    pub(crate) fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        let temporary = path.with_extension("tmp");
        std::fs::write(&temporary, text).expect("a file");
        std::fs::rename(temporary, &path).expect("a rename");
        path
    }

    pub(crate) fn put_server(&self, identity: &Identity) {
        self.put("server.pem", &identity.certificate);
        self.put("server.key", &identity.key);
    }

    /// Writes the configuration: clients as TOML tables, and further keys of the section.
    pub(crate) fn configure(&self, clients: &str, keys: &str) -> PathBuf {
        let folder = self.folder.path().display();
        self.put(
            "brygga.toml",
            &format!(
                "[feed]\nlisten = \"127.0.0.1:0\"\ncertificate_file = \"{folder}/server.pem\"\nkey_file = \"{folder}/server.key\"\n\
                 client_ca_file = \"{folder}/clients.pem\"\ncheck_period_ms = 50\n{keys}\n{clients}\n",
            ),
        )
    }

    /// The keys of the section that name a list in the file `clients.crl`.
    pub(crate) fn crl(&self) -> String {
        format!("crl = [\"{}\"]", self.path("clients.crl").display())
    }

    /// AF's certificate, with its organisation number as Swedish organisation certificates have it.
    pub(crate) fn af(&self) -> Identity {
        self.client_ca.issue(Says::organisation(&format!("16{AF}")))
    }
}

/// AF, known by its organisation number.
pub(crate) fn af_by_organisation() -> String {
    client("arbetsformedlingen", &format!("organisation = \"{AF}\""))
}

/// A client as the configuration has it.
pub(crate) fn client(recipient: &str, mark: &str) -> String {
    format!("[[feed.clients]]\nrecipient = \"{recipient}\"\n{mark}\n")
}

/// A feed that is served.
pub(crate) struct Served {
    pub(crate) files: Files,
    pub(crate) desk: Desk,
    pub(crate) demo: brygga::app::Scenario,
    pub(crate) trust: Trust,
    pub(crate) health: Health,
    pub(crate) port: u16,
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) serving: JoinHandle<()>,
}

/// What a test can choose of a feed before it is served.
pub(crate) struct Setting<'a> {
    pub(crate) clients: String,
    pub(crate) keys: &'a str,
    /// Whether the demo's messages are taken before.
    pub(crate) take: bool,
    pub(crate) clock: Arc<dyn TimeProvider>,
}

impl Default for Setting<'_> {
    fn default() -> Self {
        Self { clients: af_by_organisation(), keys: "", take: false, clock: Arc::new(DefaultTimeProvider) }
    }
}

impl Served {
    /// A feed with AF as its client.
    pub(crate) async fn plain(take: bool) -> Self {
        Self::with(Files::new(), Setting { take, ..Setting::default() }).await
    }

    pub(crate) async fn with(files: Files, setting: Setting<'_>) -> Self {
        Self::over(files, setting, SqliteStore::clone).await
    }

    /// As [`with`](Self::with), over a store that is made of the desk's.
    pub(crate) async fn over<S: Store>(files: Files, setting: Setting<'_>, store: impl Fn(&SqliteStore) -> S) -> Self {
        let (demo, _) = scenario(&root().join("fixtures/demo"));
        let desk = Desk::open(&demo).await;
        if setting.take {
            desk.run(&demo).await;
        }
        let path = files.configure(&setting.clients, setting.keys);
        let config = config(&path);
        let health = Health::default();
        let trust = Trust::open_at(setting.clock, &config.tls, Some(path), &health).expect("the files can be loaded");
        let (stop, stopping) = watch::channel(false);
        let api = Api::new(desk.journey.clone(), store(&desk.store), config.limits, &config.about, stopping.clone());
        let bound = TlsPlace::take(config.listen).and_then(TlsPlace::listen).expect("a port");
        let port = bound.address().expect("an address").port();
        let serving = tokio::spawn(bound.serve(api, trust.clone(), config.connections, stopping));
        Self { files, desk, demo, trust, health, port, stop, serving }
    }

    /// Looks at the files from now on.
    pub(crate) fn watch(&self) {
        tokio::spawn(self.trust.clone().watch(self.stop.subscribe()));
    }

    /// A connection with a client's certificate.
    pub(crate) async fn connect(&self, identity: &Identity) -> std::io::Result<Wire> {
        Wire::connect(self.port, &self.files.server_ca, Some(identity)).await
    }

    /// Whether a client reads its feed on a new connection.
    pub(crate) async fn reads(&self, identity: &Identity) -> bool {
        match self.connect(identity).await {
            Ok(mut wire) => wire.get("/v1/feed").await.is_ok_and(|answer| answer.status == 200),
            Err(_) => false,
        }
    }

    /// How a part of the service is.
    pub(crate) fn part(&self, name: &str) -> PartState {
        let view = self.health.view();
        view.into_iter().find(|part| part.name == name).expect("the part").state
    }
}

/// The section `[feed]` of a file.
pub(crate) fn config(path: &Path) -> FeedConfig {
    let text = std::fs::read_to_string(path).expect("the configuration");
    FeedConfig::of_text(&text, &Machine).expect("a good configuration")
}

/// Waits until something holds, for as long as it may reasonably take.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    for _ in 0..600 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never came to be that {what}");
}
