//! A RabbitMQ of our own: restart, kill, pause; its users are the logins of the parties file.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lapin::{Connection, ConnectionProperties};
use serde_json::json;

use super::process::{Process, Signal, as_user, free_port, give};

/// Everybody's password; the server listens on loopback and lives for one run.
pub(crate) const PASSWORD: &str = "prov";

/// The login of Brygga itself.
pub(crate) const BRYGGA: &str = "brygga";

/// The server.
pub(crate) struct Rabbit {
    folder: PathBuf,
    log: PathBuf,
    pub(crate) port: u16,
    distribution: u16,
    epmd: u16,
    process: Option<Process>,
    /// Erlang's name server; it would be left behind if the node started it.
    _names: Process,
}

impl Rabbit {
    /// Makes a node in a folder and starts it, with a user for Brygga and one for each sender.
    pub(crate) fn start(folder: &Path, senders: &[&str]) -> Self {
        let home = folder.join("rabbit");
        std::fs::create_dir_all(&home).expect("a folder");
        let port = free_port();
        let mut users = vec![json!({ "name": BRYGGA, "password": PASSWORD, "tags": [] })];
        let mut permissions = vec![json!({ "user": BRYGGA, "vhost": "/", "configure": ".*", "write": ".*", "read": ".*" })];
        for sender in senders {
            users.push(json!({ "name": sender, "password": PASSWORD, "tags": [] }));
            permissions.push(json!({ "user": sender, "vhost": "/", "configure": "", "write": "^brygga\\.in$", "read": "" }));
        }
        let definitions = json!({ "users": users, "vhosts": [{ "name": "/" }], "permissions": permissions });
        let write = |name: &str, text: &str| std::fs::write(home.join(name), text).expect("a file");
        write("definitions.json", &definitions.to_string());
        write("enabled_plugins", "[].");
        let listen = format!("listeners.tcp.1 = 127.0.0.1:{port}\nload_definitions = {}/definitions.json\n", home.display());
        write(
            "rabbitmq.conf",
            &(listen + "heartbeat = 5\nvm_memory_high_watermark.relative = 0.9\ndisk_free_limit.absolute = 1MB\n"),
        );
        give(&home, "rabbitmq");
        let log = folder.join("rabbit.log");
        let epmd = free_port();
        let mut names = as_user("rabbitmq", "epmd");
        names.args(["-address", "127.0.0.1", "-port", &epmd.to_string()]);
        let names = Process::start(names, &log);
        let mut server = Self { folder: home, log, port, distribution: free_port(), epmd, process: None, _names: names };
        server.run();
        server
    }

    fn run(&mut self) {
        let at = |name: &str| self.folder.join(name);
        let mut command = as_user("rabbitmq", "/usr/lib/rabbitmq/bin/rabbitmq-server");
        command
            .env("HOME", &self.folder)
            .env("RABBITMQ_NODENAME", format!("faults{}@localhost", self.port))
            .env("RABBITMQ_MNESIA_BASE", at("mnesia"))
            .env("RABBITMQ_LOG_BASE", at("log"))
            .env("RABBITMQ_CONFIG_FILE", at("rabbitmq"))
            .env("RABBITMQ_CONF_ENV_FILE", "/dev/null")
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", at("enabled_plugins"))
            .env("RABBITMQ_DIST_PORT", self.distribution.to_string())
            .env("ERL_EPMD_PORT", self.epmd.to_string())
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none")
            // The Erlang machine takes the shell's place, so that the child is the server itself.
            .env("RABBITMQ_ALLOW_INPUT", "true")
            .arg("-noinput");
        self.process = Some(Process::start(command, &self.log));
    }

    /// Connects past every proxy.
    ///
    /// # Errors
    /// Where it does not answer.
    pub(crate) async fn connect(&self, login: &str) -> lapin::Result<Connection> {
        connect(self.port, login).await
    }

    /// Waits until it answers; started again where it has ended at once.
    pub(crate) async fn wait(&mut self) {
        let deadline = Instant::now() + Duration::from_mins(2);
        loop {
            if self.process.as_mut().is_none_or(|process| !process.runs()) {
                self.run();
            }
            let connected = tokio::time::timeout(Duration::from_secs(5), self.connect(BRYGGA)).await;
            match connected {
                Ok(Ok(connection)) => {
                    drop(connection.close(200, "up".into()).await);
                    return;
                }
                _ => assert!(Instant::now() < deadline, "RabbitMQ does not start; see {}", self.log.display()),
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }

    /// As an operator stops it.
    pub(crate) fn stop(&mut self) {
        self.end(Signal::Term);
    }

    /// As the kernel ends it.
    pub(crate) fn crash(&mut self) {
        self.end(Signal::Kill);
    }

    fn end(&mut self, signal: Signal) {
        if let Some(mut process) = self.process.take() {
            process.signal_group(signal);
            if !process.ends_within(Duration::from_secs(40)) {
                process.signal_group(Signal::Kill);
            }
        }
    }

    /// Starts it again on the same port and data.
    pub(crate) fn start_again(&mut self) {
        self.run();
    }

    /// Nothing of it runs until it is woken; its sockets stay open.
    pub(crate) fn pause(&self) {
        if let Some(process) = &self.process {
            process.signal_group(Signal::Stop);
        }
    }

    pub(crate) fn wake(&self) {
        if let Some(process) = &self.process {
            process.signal_group(Signal::Continue);
        }
    }
}

/// Connects to a port as a login.
///
/// # Errors
/// Where nobody answers.
pub(crate) async fn connect(port: u16, login: &str) -> lapin::Result<Connection> {
    let address = format!("amqp://{login}:{PASSWORD}@127.0.0.1:{port}/%2f?heartbeat=5");
    Connection::connect(&address, ConnectionProperties::default()).await
}
