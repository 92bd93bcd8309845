//! A private RabbitMQ: its own node name, cookie, ports and folder. One is shared by all tests, each in a virtual host of its
//! own; tests that hurt the server have one for themselves.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::{Mutex, OnceCell};

use super::keeper::{free_port, id, is_root, signal, start};

const USER: &str = "rabbitmq";
const BIN: &str = "/usr/lib/rabbitmq/bin";
const ADMIN: &str = "test-admin";

/// Every user's password but Brygga's in the test of a wrong one.
pub(crate) const PASSWORD: &str = "of-these-tests-alone";

static SHARED: OnceCell<Rabbit> = OnceCell::const_new();
static COUNT: AtomicU32 = AtomicU32::new(0);

/// A running server.
pub(crate) struct Rabbit {
    folder: PathBuf,
    node: String,
    ports: Ports,
    epmd: Child,
    pub(crate) server: Option<Child>,
    /// Users that have been made. The server answers with an error where two tests make the same one at once.
    users: Mutex<HashSet<String>>,
}

struct Ports {
    amqp: u16,
    amqps: u16,
    management: u16,
    distribution: u16,
    epmd: u16,
}

impl Drop for Rabbit {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            signal("CONT", server.id());
            let _killed = server.kill();
            let _reaped = server.wait();
        }
        let _killed = self.epmd.kill();
        let _reaped = self.epmd.wait();
        let _removed = std::fs::remove_dir_all(&self.folder);
    }
}

impl Rabbit {
    /// The server that all tests share; each takes a virtual host of its own.
    pub(crate) async fn shared() -> &'static Self {
        SHARED.get_or_init(Self::own).await
    }

    /// A server for one test alone.
    pub(crate) async fn own() -> Self {
        Self::with("ssl_options.verify = verify_none\n").await
    }

    /// A server that lets nobody in over TLS who shows no certificate of its own authority.
    pub(crate) async fn asking_for_certificates() -> Self {
        Self::with("ssl_options.verify = verify_peer\nssl_options.fail_if_no_peer_cert = true\n").await
    }

    async fn with(tls: &str) -> Self {
        remove_what_the_dead_left();
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("brygga-rabbit-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let [amqp, amqps, management, distribution, epmd] = std::array::from_fn(|_| free_port());
        let ports = Ports { amqp, amqps, management, distribution, epmd };
        write_files(&folder, &ports, tls);
        let epmd = start(Some(USER), "epmd", |command| {
            command.args(["-address", "127.0.0.1", "-port"]).arg(ports.epmd.to_string());
        });
        let node = format!("brygga-test-{}-{number}@localhost", std::process::id());
        let mut rabbit = Self { folder, node, ports, epmd, server: None, users: Mutex::default() };
        rabbit.begin().await;
        rabbit
    }

    /// The port of plain AMQP.
    pub(crate) const fn port(&self) -> u16 {
        self.ports.amqp
    }

    /// The port of AMQP over TLS.
    pub(crate) const fn tls_port(&self) -> u16 {
        self.ports.amqps
    }

    /// The certificate that vouches for the server.
    pub(crate) fn ca_file(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// A client's certificate and key that the server knows.
    pub(crate) fn client(&self) -> (PathBuf, PathBuf) {
        (self.folder.join("client.pem"), self.folder.join("client.key"))
    }

    fn environment(&self, command: &mut Command) {
        let at = |name: &str| self.folder.join(name);
        command
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("LANG", "C.UTF-8")
            .env("HOME", &self.folder)
            .env("ERL_EPMD_PORT", self.ports.epmd.to_string())
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_NODENAME", &self.node)
            .env("RABBITMQ_MNESIA_BASE", at("mnesia"))
            .env("RABBITMQ_LOG_BASE", at("log"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", at("enabled_plugins"))
            .env("RABBITMQ_CONFIG_FILE", at("rabbitmq.conf"))
            .env("RABBITMQ_ADVANCED_CONFIG_FILE", at("none.config"))
            .env("RABBITMQ_CONF_ENV_FILE", at("none.env"))
            .env("RABBITMQ_PID_FILE", at("pid"))
            .env("RABBITMQ_DIST_PORT", self.ports.distribution.to_string())
            .env(
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
                "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}",
            )
            // The Erlang VM takes the shell's place, so that our child is the server itself.
            .env("RABBITMQ_ALLOW_INPUT", "true")
            .current_dir(&self.folder);
    }

    /// Starts the server and waits until it answers.
    pub(crate) async fn begin(&mut self) {
        let out = std::fs::File::create(self.folder.join("out")).expect("a file");
        let server = start(Some(USER), &format!("{BIN}/rabbitmq-server"), |command| {
            self.environment(command);
            command.arg("-noinput").stdin(std::process::Stdio::null());
            command.stderr(out.try_clone().expect("a file")).stdout(out);
        });
        self.server = Some(server);
        let deadline = Instant::now() + Duration::from_mins(3);
        while !self.answers().await {
            assert!(Instant::now() < deadline, "RabbitMQ does not start: {}", self.words());
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    fn words(&self) -> String {
        std::fs::read_to_string(self.folder.join("out")).unwrap_or_default()
    }

    async fn answers(&self) -> bool {
        let listens = tokio::net::TcpStream::connect(("127.0.0.1", self.ports.amqp)).await.is_ok();
        listens && self.ask("GET", "/api/whoami", None).await.is_some_and(|status| status < 300)
    }

    /// Ends the server as a service manager does.
    pub(crate) async fn stop(&mut self) {
        self.end("TERM").await;
    }

    /// Kills the server.
    pub(crate) async fn kill(&mut self) {
        self.end("KILL").await;
    }

    async fn end(&mut self, name: &str) {
        let mut server = self.server.take().expect("a running server");
        signal(name, server.id());
        tokio::task::spawn_blocking(move || server.wait()).await.expect("a task").expect("its end");
    }

    /// Stops the server's clock: connections stay open, and nobody answers.
    pub(crate) fn pause(&self) {
        signal("STOP", self.server.as_ref().expect("a running server").id());
    }

    /// Lets a paused server go on.
    pub(crate) fn resume(&self) {
        signal("CONT", self.server.as_ref().expect("a running server").id());
    }

    /// Runs `rabbitmqctl`.
    pub(crate) async fn ctl(&self, args: &[&str]) {
        let mut child = start(Some(USER), &format!("{BIN}/rabbitmqctl"), |command| {
            self.environment(command);
            command.args(["-n", &self.node]).args(args).stdout(std::process::Stdio::null());
        });
        let status = tokio::task::spawn_blocking(move || child.wait()).await.expect("a task").expect("its end");
        assert!(status.success(), "rabbitmqctl {args:?}");
    }

    async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Option<u16> {
        let url = format!("http://127.0.0.1:{}{path}", self.ports.management);
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = reqwest::Client::new().request(method, url).basic_auth(ADMIN, Some(PASSWORD));
        if let Some(body) = body {
            request = request.json(body);
        }
        request.send().await.ok().map(|answer| answer.status().as_u16())
    }

    async fn put(&self, path: &str, body: &Value) {
        let status = self.ask("PUT", path, Some(body)).await;
        assert!(status.is_some_and(|status| status < 300), "PUT {path}: {status:?}");
    }

    /// A virtual host of a test's own, that these users may use in every way.
    pub(crate) async fn virtual_host(&self, users: &[&str]) -> String {
        let name = format!("v{}", COUNT.fetch_add(1, Ordering::Relaxed));
        self.put(&format!("/api/vhosts/{name}"), &json!({})).await;
        for user in users.iter().chain(&[ADMIN]) {
            let mut known = self.users.lock().await;
            if *user != ADMIN && known.insert((*user).to_owned()) {
                self.user(user, PASSWORD).await;
            }
            drop(known);
            self.allow(&name, user).await;
        }
        name
    }

    /// Lets a user do everything in a virtual host.
    pub(crate) async fn allow(&self, vhost: &str, user: &str) {
        self.allow_only(vhost, user, ".*", ".*", ".*").await;
    }

    /// Lets a user configure, write and read what matches, and nothing else.
    pub(crate) async fn allow_only(&self, vhost: &str, user: &str, configure: &str, write: &str, read: &str) {
        let rights = json!({ "configure": configure, "write": write, "read": read });
        self.put(&format!("/api/permissions/{vhost}/{user}"), &rights).await;
    }

    /// A user with a password, new or changed.
    pub(crate) async fn user(&self, name: &str, password: &str) {
        self.put(&format!("/api/users/{name}"), &json!({ "password": password, "tags": "" })).await;
    }
}

fn write_files(folder: &Path, ports: &Ports, tls: &str) {
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("a file");
    let ca_key = rcgen::KeyPair::generate().expect("a key");
    let mut ca = rcgen::CertificateParams::new(Vec::new()).expect("parameters");
    ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca_certificate = ca.self_signed(&ca_key).expect("a certificate");
    let key = rcgen::KeyPair::generate().expect("a key");
    let server = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
    let issuer = rcgen::Issuer::new(ca, ca_key);
    let certificate = server.signed_by(&key, &issuer).expect("a certificate");
    let client_key = rcgen::KeyPair::generate().expect("a key");
    let mut client = rcgen::CertificateParams::new(Vec::new()).expect("parameters");
    // Under its issuer's own name it would be taken for one that signs itself.
    client.distinguished_name.push(rcgen::DnType::CommonName, "brygga");
    client.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    write("client.pem", &client.signed_by(&client_key, &issuer).expect("a certificate").pem());
    write("client.key", &client_key.serialize_pem());
    write("ca.pem", &ca_certificate.pem());
    write("server.pem", &certificate.pem());
    write("server.key", &key.serialize_pem());
    write("enabled_plugins", "[rabbitmq_management].\n");
    let Ports { amqp, amqps, management, .. } = ports;
    let shown = folder.display();
    write(
        "rabbitmq.conf",
        &format!(
            "listeners.tcp.default = 127.0.0.1:{amqp}\nlisteners.ssl.default = 127.0.0.1:{amqps}\n\
             ssl_options.cacertfile = {shown}/ca.pem\nssl_options.certfile = {shown}/server.pem\n\
             ssl_options.keyfile = {shown}/server.key\n{tls}\
             management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {management}\n\
             default_user = {ADMIN}\ndefault_pass = {PASSWORD}\ndisk_free_limit.absolute = 10MB\n"
        ),
    );
    write(".erlang.cookie", "THECOOKIEOFTHESETESTS");
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o400);
    std::fs::set_permissions(folder.join(".erlang.cookie"), private).expect("rights");
    if is_root() {
        let (user, group) = (id(&["-u", USER]), id(&["-g", USER]));
        let own = |path: &Path| std::os::unix::fs::chown(path, user, group).expect("an owner");
        own(folder);
        for file in std::fs::read_dir(folder).expect("the folder") {
            own(&file.expect("a file").path());
        }
    }
}

/// A test process that was killed leaves its folder behind; its servers died with it.
fn remove_what_the_dead_left() {
    for entry in std::fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(rest) = name.strip_prefix("brygga-rabbit-") else { continue };
        let alive = rest.split('-').next().is_some_and(|pid| Path::new("/proc").join(pid).exists());
        if !alive {
            let _removed = std::fs::remove_dir_all(entry.path());
        }
    }
}
