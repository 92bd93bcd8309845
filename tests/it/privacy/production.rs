//! The whole of production, RabbitMQ and PostgreSQL and the program as processes of their own, with every message of every
//! scenario: what leaves but as a document to its recipient has nothing of a person in it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use brygga::app::Scenario;
use futures_util::StreamExt as _;
use lapin::options::{BasicConsumeOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use serde_json::Value;
use sqlx::PgConnection;

use super::forms::Forms;
use super::secrets;
use crate::amqp::world::{Post, SUPPLIERS, Supplier};
use crate::harness::{root, scenario};
use crate::servers::keeper::free_port;
use crate::servers::postgres::Server;
use crate::servers::rabbit::{PASSWORD, Rabbit};
use crate::tls::server::{Files, af_by_organisation};

/// How long anything may take on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(150);

/// Systems to which answers and documents are relayed.
const SYSTEMS: [&str; 8] = [
    "1863.ame",
    "1863.forsorjningsstod",
    "1273.ame",
    "1273.forsorjningsstod",
    "0181.ame",
    "0181.forsorjningsstod",
    "1281.ame",
    "1281.forsorjningsstod",
];

/// A personal number that stands in requests, where it has no business.
const ASKED: &str = "19990723-2392";

/// What came out, by where it did.
#[derive(Default)]
struct Outputs(Vec<(String, Vec<u8>)>);

impl Outputs {
    fn keep(&mut self, place: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.0.push((place.into(), bytes.into()));
    }

    /// How many forms stand in what came out at a place of this name, and how many bytes were searched.
    fn found(&self, place: &str, forms: &Forms) -> (usize, usize) {
        let of_place = self.0.iter().filter(|(of, _)| of == place);
        of_place.fold((0, 0), |(found, bytes), (_, text)| (found + forms.found_in(text), bytes + text.len()))
    }
}

/// A process that is killed when the test ends.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// All messages of all scenarios, and what of persons stands in them and in what is asked.
fn everything() -> (Vec<Scenario>, Vec<String>) {
    let read = std::fs::read_dir(root().join("fixtures/scenarios")).expect("scenarios");
    let mut folders: Vec<PathBuf> = read.map(|entry| entry.expect("a folder").path()).collect();
    folders.sort();
    folders.push(root().join("fixtures/demo"));
    let scenarios: Vec<Scenario> = folders.iter().map(|folder| scenario(folder).0).collect();
    let messages = scenarios.iter().flat_map(|scenario| &scenario.messages);
    let mut values: Vec<String> = messages.flat_map(|message| secrets(&String::from_utf8_lossy(&message.bytes))).collect();
    values.push(ASKED.to_owned());
    values.sort();
    values.dedup();
    (scenarios, values)
}

fn configure(files: &Files, amqp: &str, server: &Server, names: [&str; 2], [management, feed]: [u16; 2]) -> PathBuf {
    let secret = files.put("secret", &format!("{}Bwc=\n", "BwcH".repeat(10)));
    let password = files.put("password", PASSWORD);
    let url = |name: &str| format!("url = \"postgres://postgres@127.0.0.1:{}/{name}\"\ntls = \"off\"\n", server.port);
    let mut text = format!(
        "[contracts]\nfolder = \"{}\"\nillustrations = [\"hallefors-2026\", \"osby-2026\", \"sodertalje-2026\", \"lund-2026\"]\n\
         [management]\nlisten = \"127.0.0.1:{management}\"\n[store]\nkind = \"postgres\"\n{}\
         [keys]\nservice_key_file = \"{secret}\"\nwrapping_key_files = [\"{secret}\"]\nstore = \"postgres\"\n{}\
         [amqp]\nurl = \"{amqp}\"\npassword_file = \"{}\"\n\
         [feed]\nlisten = \"127.0.0.1:{feed}\"\ncertificate_file = \"{}\"\nkey_file = \"{}\"\nclient_ca_file = \"{}\"\n{}",
        root().join("contracts").display(),
        url(names[0]),
        url(names[1]),
        password.display(),
        files.path("server.pem").display(),
        files.path("server.key").display(),
        files.path("clients.pem").display(),
        af_by_organisation(),
        secret = secret.display(),
    );
    for system in SYSTEMS {
        text.push_str(&format!("[[relay]]\nrecipient = \"{system}\"\nkind = \"amqp\"\n"));
    }
    files.put("brygga.toml", &text)
}

async fn until(what: &str, holds: impl AsyncFnMut() -> bool) {
    let (begun, mut holds) = (Instant::now(), holds);
    while !holds().await {
        assert!(begun.elapsed() < PATIENCE, "it did not come about that {what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn count(bare: &mut PgConnection, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(bare).await.expect("counted")
}

/// Runs a command as a person does, and keeps what it says.
fn command(outputs: &mut Outputs, config: &str, args: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_brygga"));
    let done = command.args(args).args(["--config", config]).env("BRYGGA_LOG", "debug").output().expect("run");
    outputs.keep("log", done.stderr);
    outputs.keep("command", done.stdout.clone());
    String::from_utf8_lossy(&done.stdout).into_owned()
}

/// What operators look at: letters, one of each code, some stories, and the audit chain.
fn look(outputs: &mut Outputs, config: &str, scenarios: &[Scenario]) {
    command(outputs, config, &["held", "list"]);
    let listed = command(outputs, config, &["dead-letters", "list", "--json"]);
    let letters: Value = serde_json::from_str(&listed).expect("JSON");
    // One letter of each code: the others are shown in the same way.
    let mut shown = BTreeSet::new();
    for letter in letters["deadLetters"].as_array().expect("a list of letters") {
        if shown.insert(letter["code"].to_string()) {
            command(outputs, config, &["dead-letters", "show", letter["message"].to_string().trim_matches('"')]);
        }
    }
    assert!(shown.len() > 20, "{} codes were shown", shown.len());
    for message in scenarios.iter().flat_map(|scenario| &scenario.messages).step_by(15) {
        command(outputs, config, &["explain", "--json", &message.name.message_id.to_string()]);
    }
    command(outputs, config, &["audit", "export"]);
}

/// Asks for what is not there, with a personal number wherever a request can have one. A page of documents is AF's own: of it
/// nothing but the head is kept.
async fn ask(outputs: &mut Outputs, files: &Files, management: u16, feed: u16) {
    for path in ["/metrics", "/readyz", "/healthz", &format!("/{ASKED}?personNumber={ASKED}")] {
        let answer = reqwest::get(format!("http://127.0.0.1:{management}{path}")).await.expect("an answer");
        outputs.keep("http", format!("{:?}", answer.headers()));
        outputs.keep("http", answer.bytes().await.expect("bytes").to_vec());
    }
    let af = files.af();
    let pem = [af.certificate.as_bytes(), af.key.as_bytes()].concat();
    let authority = reqwest::Certificate::from_pem(files.server_ca.pem().as_bytes()).expect("a certificate");
    let client = reqwest::Client::builder()
        .identity(reqwest::Identity::from_pem(&pem).expect("an identity"))
        .tls_certs_only([authority])
        .build()
        .expect("a client");
    let url = |target: &str| format!("https://localhost:{feed}{target}");
    let page = client.get(url("/v1/feed?limit=500")).send().await.expect("an answer");
    assert_eq!(page.status(), 200);
    outputs.keep("http", format!("{:?}", page.headers()));
    let query = format!("/v1/feed?personNumber={ASKED}");
    let last = format!("/v1/feed?lastEventId={ASKED}");
    for request in [
        client.get(url(&query)),
        client.get(url(&last)),
        client.get(url(&format!("/persons/{ASKED}"))).header("accept", ASKED),
        client.get(url("/v1/feed?limit=0")).header("x-request-id", ASKED).header("user-agent", ASKED),
        client.post(url("/v1/receipts")).body(format!("{{\"{ASKED}\": \"{ASKED}\"}}")),
    ] {
        let answer = request.send().await.expect("an answer");
        assert!(answer.status().is_client_error(), "{}", answer.status());
        outputs.keep("problems", format!("{:?}", answer.headers()));
        outputs.keep("problems", answer.bytes().await.expect("bytes").to_vec());
    }
}

/// Everything that comes back: where it goes and what stands outside of it, and answers as a whole.
async fn collect(outputs: &mut Outputs, supplier: &Supplier, expected: usize) {
    let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
    let consuming = supplier.channel.basic_consume("back".into(), "back".into(), options, FieldTable::default());
    let mut deliveries = consuming.await.expect("a consumer");
    for _ in 0..expected {
        let delivery = deliveries.next().await.expect("a message").expect("a message");
        outputs.keep("headers", format!("{} {:?}", delivery.routing_key, delivery.properties));
        let kind = delivery.properties.kind().as_ref().map(|kind| kind.as_str().to_owned()).unwrap_or_default();
        if !kind.starts_with("fs.") {
            outputs.keep("answers", delivery.data);
        }
    }
}

/// Runs all scenarios through production; gives all that came out, and the values that must not be in it.
async fn run() -> (Outputs, Vec<String>) {
    let (scenarios, values) = everything();
    let (rabbit, server) = (Rabbit::shared().await, Server::shared().await);
    let users: Vec<&str> = SUPPLIERS.iter().copied().chain(["brygga"]).collect();
    let vhost = rabbit.virtual_host(&users).await;
    let (content, keys) = (server.database().await, server.database().await);
    let (files, [management, feed]) = (Files::new(), [free_port(), free_port()]);
    let names = [content.database.as_str(), keys.database.as_str()];
    let amqp = format!("amqp://brygga@127.0.0.1:{}/{vhost}", rabbit.port());
    let config = configure(&files, &amqp, server, names, [management, feed]);
    let config = config.to_str().expect("a path");
    let log = files.path("log");
    let mut outputs = Outputs::default();
    let started = Command::new(env!("CARGO_BIN_EXE_brygga"))
        .args(["serve", "--config", config])
        .env("BRYGGA_LOG", "debug,brygga=trace")
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(&log).expect("a file"))
        .spawn();
    let serving = Serving(started.expect("started"));
    let ready = format!("http://127.0.0.1:{management}/readyz");
    until("it is ready", async || reqwest::get(&ready).await.is_ok_and(|answer| answer.status() == 200)).await;

    let collecting = Supplier::connect(rabbit.port(), &vhost, "brygga").await;
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    collecting.channel.queue_declare("back".into(), durable, FieldTable::default()).await.expect("a queue");
    let (options, arguments) = (QueueBindOptions::default(), FieldTable::default());
    collecting.channel.queue_bind("back".into(), "brygga.out".into(), "#".into(), options, arguments).await.expect("bound");
    let posted = post(&scenarios, rabbit.port(), &vhost).await;
    let mut bare = server.connect(&content.database).await.expect("a connection");
    let stored = "SELECT (count(*) + coalesce(sum(duplicates), 0))::bigint FROM messages";
    until("all are stored", async || count(&mut bare, stored).await >= posted).await;
    let waiting =
        "SELECT count(*) FROM entries WHERE state = 'live' AND confirmed_at IS NULL AND recipient <> 'arbetsformedlingen'";
    until("all has gone back", async || count(&mut bare, waiting).await == 0).await;
    let back = collecting.ready("back").await;
    collect(&mut outputs, &collecting, usize::try_from(back).expect("a number")).await;

    ask(&mut outputs, &files, management, feed).await;
    look(&mut outputs, config, &scenarios);
    outputs.keep("arguments", std::fs::read(format!("/proc/{}/cmdline", serving.0.id())).expect("it runs"));
    drop(serving);
    outputs.keep("log", std::fs::read(log).expect("the log"));
    (outputs, values)
}

/// Posts every message under the login that it is from; gives how many.
async fn post(scenarios: &[Scenario], broker: u16, vhost: &str) -> i64 {
    let mut posted = 0;
    for login in SUPPLIERS {
        let supplier = Supplier::connect(broker, vhost, login).await;
        let messages = scenarios.iter().flat_map(|scenario| &scenario.messages);
        for message in messages.filter(|message| message.login.as_str() == login && message.bytes.len() <= 2_000_000) {
            let (name, contract) = (&message.name, message.name.contract.to_string());
            let post = Post::new(login, &contract, name.syntax.media_type(), name.message_id, &message.bytes);
            supplier.post(&post).await.expect("posted");
            posted += 1;
        }
    }
    posted
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_person_is_in_anything_that_production_says() {
    let (outputs, values) = run().await;
    assert!(values.len() > 100, "{} values are looked for", values.len());
    let forms = Forms::of(&values);
    for place in ["log", "command", "headers", "answers", "http", "problems", "arguments"] {
        let (found, searched) = outputs.found(place, &forms);
        assert!(searched > 10, "{place}: nothing was said");
        // The values themselves must not be printed by this very test, so only their number is.
        assert_eq!(found, 0, "{place}: form(s) of values of persons have leaked, in {searched} bytes");
    }
}
