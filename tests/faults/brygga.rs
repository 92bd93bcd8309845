//! The `serve` processes of a schedule, started again when they die, as a service manager does.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::process::{Process, Signal, as_self, free_port};
use super::proxy::Proxy;
use super::world::World;

/// One process with its configuration.
pub(crate) struct Brygga {
    config: PathBuf,
    log: PathBuf,
    clock: PathBuf,
    planted: Option<String>,
    pub(crate) management: u16,
    pub(crate) line: Proxy,
    process: Process,
    started: Instant,
    /// How often it had to be started again.
    pub(crate) restarts: usize,
}

impl Brygga {
    /// Starts process `index` on a schedule's database. `fate` is what happens to it at a point.
    pub(crate) async fn start(
        world: &World,
        folder: &Path,
        database: &str,
        index: usize,
        fate: Option<String>,
        planted: Option<String>,
    ) -> Self {
        let (feed, management) = (free_port(), free_port());
        let config = folder.join(format!("brygga-{index}.toml"));
        std::fs::write(&config, text(world, database, feed, management)).expect("a file");
        let log = folder.join(format!("brygga-{index}.log"));
        let clock = folder.join("clock");
        let process = run(&config, &log, &clock, fate, planted.as_deref());
        Self {
            config,
            log,
            clock,
            planted,
            management,
            line: Proxy::to(feed).await,
            process,
            started: Instant::now(),
            restarts: 0,
        }
    }

    /// Starts it again if it has died; what its environment had wanted at a point has happened by then.
    pub(crate) fn keep(&mut self) {
        // As a service manager does, with a pause before each start.
        if !self.process.runs() && self.started.elapsed() > Duration::from_millis(500) {
            self.restarts += 1;
            self.started = Instant::now();
            self.process = run(&self.config, &self.log, &self.clock, None, self.planted.as_deref());
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Asks it to end and waits; false where it does not in time.
    pub(crate) fn end(&mut self) -> bool {
        self.process.signal(Signal::Term);
        self.process.ends_within(Duration::from_secs(15))
    }

    /// What a command of an operator beside it prints; a process of its own, under the same plan.
    ///
    /// # Errors
    /// In words, where it says nothing.
    pub(crate) async fn ask(&self, args: &[&str]) -> Result<Vec<u8>, String> {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_brygga-faults"));
        command.args(args).arg("--config").arg(&self.config).env("BRYGGA_FAULT_CLOCK", &self.clock);
        command.env("BRYGGA_FAULT", self.planted.as_deref().unwrap_or_default()).kill_on_drop(true);
        let said = command.output().await.map_err(|error| format!("no command can be run: {error}"))?;
        if said.stdout.is_empty() {
            return Err(format!("{} says nothing, and ends with {}", args.join(" "), said.status));
        }
        Ok([said.stdout, said.stderr].concat())
    }

    /// Whether `/readyz` says yes.
    pub(crate) async fn is_ready(&self, client: &reqwest::Client) -> bool {
        let address = format!("http://127.0.0.1:{}/readyz", self.management);
        client.get(address).send().await.is_ok_and(|answer| answer.status().is_success())
    }

    /// Waits until it is ready.
    ///
    /// # Errors
    /// In words, where it is not in time.
    pub(crate) async fn wait(&mut self, client: &reqwest::Client, time: Duration) -> Result<(), String> {
        let deadline = Instant::now() + time;
        while !self.is_ready(client).await {
            self.keep();
            if Instant::now() > deadline {
                return Err(format!(
                    "law 8: a process is not ready after {} s; see {}",
                    time.as_secs(),
                    self.process.log.display()
                ));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }
}

fn run(config: &Path, log: &Path, clock: &Path, fate: Option<String>, planted: Option<&str>) -> Process {
    let mut command = as_self(env!("CARGO_BIN_EXE_brygga-faults"));
    command.args(["serve", "--config"]).arg(config).env("BRYGGA_LOG", "brygga=info,warn").env("BRYGGA_FAULT_CLOCK", clock);
    let wanted: Vec<String> = fate.into_iter().chain(planted.map(str::to_owned)).collect();
    command.env("BRYGGA_FAULT", wanted.join(","));
    Process::start(command, log)
}

/// The configuration of a process: as in production, with times that let a schedule be short.
fn text(world: &World, database: &str, feed: u16, management: u16) -> String {
    let at = |name: &str| world.at(name).display().to_string();
    let (contracts, secrets) = (at("contracts"), world.at(""));
    let (secrets, amqp, postgres) = (secrets.display(), world.amqp_line.port, world.postgres_line.port);
    format!(
        r#"[contracts]
folder = "{contracts}"

[management]
listen = "127.0.0.1:{management}"

[store]
kind = "postgres"
url = "postgres://brygga@127.0.0.1:{postgres}/{database}"
tls = "off"
acquire_timeout_ms = 3000
statement_timeout_ms = 10000
lock_timeout_ms = 5000
idle_in_transaction_timeout_ms = 5000

[keys]
service_key_file = "{secrets}service.key"
wrapping_key_files = ["{secrets}wrapping.key"]
store = "postgres"
url = "postgres://brygga@127.0.0.1:{postgres}/{database}_keys"
tls = "off"
acquire_timeout_ms = 3000
statement_timeout_ms = 10000
lock_timeout_ms = 5000

[amqp]
url = "amqp://brygga@127.0.0.1:{amqp}/%2f"
password_file = "{secrets}amqp.password"
batch_size = 20
prefetch = 60
heartbeat_seconds = 2

[feed]
listen = "127.0.0.1:{feed}"
certificate_file = "{secrets}server.pem"
key_file = "{secrets}server.key"
client_ca_file = "{secrets}ca.pem"
rate_per_minute = 1000000
burst = 100000

[[feed.clients]]
recipient = "arbetsformedlingen"
organisation = "202100-2114"

[[relay]]
recipient = "1863.ame"
kind = "amqp"

[[relay]]
recipient = "1863.forsorjningsstod"
kind = "amqp"
"#
    )
}
