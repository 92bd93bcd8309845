//! What all schedules of a run share: the servers, the proxies before them, certificates, contracts and keys.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::certificates::Certificates;
use super::load::{self, AME, FS};
use super::made_up::copy;
use super::postgres::Postgres;
use super::proxy::Proxy;
use super::rabbit::Rabbit;

/// The secret of the service's digests; nothing but test data is under it.
pub(crate) const SECRET: [u8; 32] = [7; 32];

/// Servers and files of a run. The folder goes with it; logs are elsewhere.
pub(crate) struct World {
    folder: tempfile::TempDir,
    pub(crate) rabbit: Rabbit,
    pub(crate) postgres: Postgres,
    pub(crate) amqp_line: Proxy,
    pub(crate) postgres_line: Proxy,
    pub(crate) certificates: Certificates,
}

impl World {
    /// Starts everything.
    pub(crate) async fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("brygga-faults-").tempdir().expect("a folder");
        open_to_all(folder.path());
        let mut postgres = Postgres::start(folder.path());
        let mut rabbit = Rabbit::start(folder.path(), &[AME, FS]);
        let certificates = Certificates::write(folder.path());
        write_contracts(&folder.path().join("contracts"));
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).expect("a file");
        };
        write("service.key", &STANDARD.encode(SECRET));
        write("wrapping.key", &STANDARD.encode([9; 32]));
        write("amqp.password", super::rabbit::PASSWORD);
        let (amqp_line, postgres_line) = (Proxy::to(rabbit.port).await, Proxy::to(postgres.port).await);
        postgres.wait().await;
        rabbit.wait().await;
        Self { folder, rabbit, postgres, amqp_line, postgres_line, certificates }
    }

    /// A file or folder that all processes share.
    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// The repository's contracts, with one agreement around today in place of the illustrations.
fn write_contracts(folder: &Path) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("contracts");
    copy(&source, folder);
    std::fs::write(folder.join("agreements").join("faults.toml"), load::agreement(load::today())).expect("a file");
}

/// Servers that run as somebody else must be able to reach their folders below.
fn open_to_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).expect("rights");
}
