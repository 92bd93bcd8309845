//! `brygga serve` as a process of its own, with relays over HTTPS: started, killed, started again.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::ops::Range;
use std::path::PathBuf;
use std::process::Child;

use brygga::config::Postgres;
use tempfile::TempDir;
use uuid::Uuid;

use super::system::System;
use crate::harness::root;
use crate::servers::keeper::{free_port, start};

/// A service on its folder, running or not.
pub(super) struct Service {
    folder: TempDir,
    child: Option<Child>,
}

impl Drop for Service {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Service {
    /// A service on a data folder.
    pub(super) fn embedded(system: &System) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = format!("[store]\nkind = \"embedded\"\ndata = \"{}\"\n\n", folder.path().join("data").display());
        Self::with(folder, &store, system)
    }

    /// A service on PostgreSQL, with keys in files.
    pub(super) fn postgres(settings: &Postgres, system: &System) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, byte) in [("service.key", "A"), ("wrapping.key", "B")] {
            std::fs::write(folder.path().join(name), format!("{}=\n", byte.repeat(42) + "A")).expect("written");
        }
        let at = |name: &str| folder.path().join(name).display().to_string();
        let Postgres { host, port, database, user, .. } = settings;
        let store = format!(
            "[store]\nkind = \"postgres\"\nurl = \"postgres://{user}@{host}:{port}/{database}\"\ntls = \"off\"\n\n\
             [keys]\nservice_key_file = \"{}\"\nwrapping_key_files = [\"{}\"]\nstore = \"embedded\"\nfile = \"{}\"\n\n",
            at("service.key"),
            at("wrapping.key"),
            at("keys.db"),
        );
        Self::with(folder, &store, system)
    }

    fn with(folder: TempDir, store: &str, system: &System) -> Self {
        let contracts = root().join("contracts");
        let spool = folder.path().join("spool");
        let mut text = format!(
            "[contracts]\nfolder = \"{}\"\nillustrations = [\"hallefors-2026\"]\n\n{store}[management]\n\
             listen = \"127.0.0.1:{}\"\n\n[spool]\nfolder = \"{}\"\n\n",
            contracts.display(),
            free_port(),
            spool.display(),
        );
        write!(text, "{}", system.table("1863.ame", "/ame")).expect("written");
        write!(text, "{}", system.table("1863.forsorjningsstod", "/fs")).expect("written");
        std::fs::write(folder.path().join("brygga.toml"), text).expect("written");
        std::fs::create_dir_all(spool.join("inbox/hallefors-ame")).expect("a folder");
        Self { folder, child: None }
    }

    pub(super) fn start(&mut self) {
        let log = self.log_file();
        let config = self.folder.path().join("brygga.toml");
        self.child = Some(start(None, env!("CARGO_BIN_EXE_brygga"), |command| {
            command.args(["serve", "--config"]).arg(config).env("BRYGGA_LOG", "debug").stderr(log);
        }));
    }

    /// Kills it, at once and without a word (SIGKILL).
    pub(super) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn log_file(&self) -> File {
        OpenOptions::new().create(true).append(true).open(self.log_path()).expect("a log")
    }

    /// Everything that its processes have logged.
    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).expect("a log")
    }

    /// Drops reports into its inbox, one a number.
    pub(super) fn drop_reports(&self, numbers: Range<usize>) {
        let report = std::fs::read_to_string(root().join("benches/report.json")).expect("a report");
        for number in numbers {
            let name = format!("activity-report.v1.{}.json", Uuid::now_v7());
            let inbox = self.folder.path().join("spool/inbox/hallefors-ame");
            let temporary = inbox.join(format!(".{name}.tmp"));
            std::fs::write(&temporary, report.replace("AR-2602-09", &format!("AR-{number}"))).expect("written");
            std::fs::rename(temporary, inbox.join(name)).expect("renamed");
        }
    }

    /// How many dead letters its systems have made, as an operator beside it sees them.
    pub(super) async fn refused(&self) -> Vec<i64> {
        let config = self.folder.path().join("brygga.toml").to_str().expect("UTF-8").to_owned();
        let run = move || crate::harness::brygga(&["dead-letters", "list", "--json", "--config", &config]);
        let (code, told) = tokio::task::spawn_blocking(run).await.expect("it ends");
        assert_eq!(code, 0, "{told}");
        let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
        let letters = told["deadLetters"].as_array().expect("a list");
        let of_relay = letters.iter().filter(|letter| letter["code"] == "relay.refused");
        of_relay.map(|letter| letter["message"].as_i64().expect("a number")).collect()
    }

    /// Lets an operator beside it send one again.
    pub(super) async fn retry(&self, number: i64) -> String {
        let config = self.folder.path().join("brygga.toml").to_str().expect("UTF-8").to_owned();
        let run = move || crate::harness::brygga(&["dead-letters", "retry", "--config", &config, &number.to_string()]);
        let (code, told) = tokio::task::spawn_blocking(run).await.expect("it ends");
        assert_eq!(code, 0, "{told}");
        told
    }
}
