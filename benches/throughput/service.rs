//! The service under measurement: the released binary in a process of its own, started and stopped around each filling.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::servers::keeper::{free_port, signal, start};
use super::usage;
use super::world::World;

/// How long anything may take before the benchmark gives up.
const PATIENCE: Duration = Duration::from_mins(10);

/// Documents that one report becomes in Arbetsförmedlingen's feed: a report and a deviation.
pub(crate) const DOCUMENTS: i64 = 2;

/// A running service.
pub(crate) struct Service {
    child: Child,
    pub(crate) feed: u16,
    management: u16,
}

impl Service {
    /// Starts it; it takes messages at once.
    pub(crate) fn start(world: &World) -> Self {
        let (feed, management) = (free_port(), free_port());
        let file = world.at("brygga.toml");
        std::fs::write(&file, world.configuration(feed, management)).expect("a file");
        let log = std::fs::File::create(world.at("brygga.log")).expect("a file");
        let child = start(None, env!("CARGO_BIN_EXE_brygga"), |command| {
            command.args(["serve", "--config"]).arg(&file).env("BRYGGA_LOG", "warn");
            command.stdout(Stdio::null()).stderr(log);
        });
        Self { child, feed, management }
    }

    /// Waits until it is ready.
    pub(crate) async fn ready(&self, world: &World) {
        let begun = Instant::now();
        let address = format!("http://127.0.0.1:{}/readyz", self.management);
        while !reqwest::get(&address).await.is_ok_and(|answer| answer.status().is_success()) {
            assert!(begun.elapsed() < PATIENCE, "not ready: {}", words(world));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Seconds of processor time so far.
    pub(crate) fn cpu(&self) -> f64 {
        usage::cpu_seconds(self.child.id())
    }

    /// Asks it to end and waits.
    pub(crate) async fn stop(mut self) {
        signal("TERM", self.child.id());
        tokio::task::spawn_blocking(move || self.child.wait()).await.expect("a task").expect("its end");
    }
}

fn words(world: &World) -> String {
    std::fs::read_to_string(world.at("brygga.log")).unwrap_or_default()
}

/// Where Arbetsförmedlingen's feed ends.
pub(crate) async fn head(world: &World) -> i64 {
    let sql = "SELECT head FROM feeds WHERE recipient = 'arbetsformedlingen'";
    sqlx::query_scalar(sql).fetch_optional(&world.pool).await.expect("the store").unwrap_or(0)
}

/// Waits until the feed ends there; `look` is called each time.
pub(crate) async fn reaches(world: &World, wanted: i64, pause: Duration, mut look: impl FnMut(i64)) {
    let begun = Instant::now();
    loop {
        let now = head(world).await;
        look(now);
        if now >= wanted {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{now} of {wanted}: {}", words(world));
        tokio::time::sleep(pause).await;
    }
}

/// Posts everyone's waiver and waits until it is stored. The tables are there after that.
pub(crate) async fn prepare(world: &World, corpus: &super::corpus::Corpus, connection: &lapin::Connection) {
    let service = Service::start(world);
    service.ready(world).await;
    let consents = corpus.consents();
    super::publisher::fill(connection, super::publisher::To::Brygga, &consents).await;
    let wanted = i64::try_from(consents.len()).expect("a count");
    let begun = Instant::now();
    loop {
        let sql = "SELECT count(*) FROM messages WHERE state = 'recorded'";
        let there: i64 = sqlx::query_scalar(sql).fetch_one(&world.pool).await.expect("the store");
        if there == wanted {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{there} of {wanted} waivers: {}", words(world));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    service.stop().await;
}
