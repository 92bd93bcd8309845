//! `brygga serve` as a process of its own, on the embedded store: from a configuration to answers, and to an end in order.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{brygga, root};
use crate::servers::keeper::free_port;

/// How long anything may take on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_mins(1);

struct Serving {
    child: Child,
    base: String,
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn configure(folder: &Path, port: u16) -> String {
    configure_with(folder, port, &root().join("contracts"))
}

fn configure_with(folder: &Path, port: u16, contracts: &Path) -> String {
    let text = format!(
        "[contracts]\nfolder = \"{}\"\nillustrations = [\"hallefors-2026\"]\n\n[store]\nkind = \"embedded\"\n\
        data = \"{}\"\n\n[management]\nlisten = \"127.0.0.1:{port}\"\n\n[spool]\nfolder = \"{}\"\n\n\
        [[relay]]\nrecipient = \"1863.ame\"\nkind = \"spool\"\n",
        contracts.display(),
        folder.join("data").display(),
        folder.join("spool").display(),
    );
    let path = folder.join("brygga.toml");
    std::fs::write(&path, text).expect("written");
    path.to_str().expect("UTF-8").to_owned()
}

fn start(config: &str, port: u16) -> Serving {
    let mut command = Command::new(env!("CARGO_BIN_EXE_brygga"));
    command.args(["serve", "--config", config]).stdout(Stdio::null()).stderr(Stdio::piped());
    Serving { child: command.spawn().expect("started"), base: format!("http://127.0.0.1:{port}") }
}

/// A command beside the service; it brings a runtime of its own.
async fn command(args: &[&str]) -> (u8, String) {
    let args: Vec<String> = args.iter().map(ToString::to_string).collect();
    let run = move || brygga(&args.iter().map(String::as_str).collect::<Vec<_>>());
    tokio::task::spawn_blocking(run).await.expect("it ends")
}

async fn get(url: &str) -> Option<(u16, String)> {
    let answer = reqwest::get(url).await.ok()?;
    let status = answer.status().as_u16();
    Some((status, answer.text().await.ok()?))
}

/// Asks until the answer is as wanted.
async fn until(url: &str, wanted: impl Fn(u16, &str) -> bool) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match get(url).await {
            Some((status, body)) if wanted(status, &body) => return body,
            last => assert!(Instant::now() < deadline, "{url} never came to what was wanted: {last:?}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn drop_into(folder: &Path, name: &str, bytes: &[u8]) {
    let temporary = folder.join(format!(".{name}.tmp"));
    std::fs::write(&temporary, bytes).expect("written");
    std::fs::rename(temporary, folder.join(name)).expect("renamed");
}

#[tokio::test]
async fn a_service_takes_what_is_dropped_tells_how_it_is_and_stops_in_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let port = free_port();
    let config = configure(folder.path(), port);
    assert_eq!(command(&["config", "check", "--config", &config]).await, (0, "The configuration is good.\n".to_owned()));
    let mut serving = start(&config, port);
    let ready = until(&format!("{}/readyz", serving.base), |status, _| status == 200).await;
    let ready: Value = serde_json::from_str(&ready).expect("JSON");
    let parts: Vec<&str> = ready["parts"].as_array().expect("parts").iter().filter_map(|part| part["part"].as_str()).collect();
    assert_eq!(parts, ["checkpoints", "contracts", "relay.1863.ame", "spool", "store"]);

    // A second service on the same folder is refused, and told who holds it.
    let other = configure(folder.path(), free_port());
    let second = Command::new(env!("CARGO_BIN_EXE_brygga")).args(["serve", "--config", &other]).output().expect("run");
    assert_eq!(second.status.code(), Some(2));
    let told = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(told.contains(&format!("process {}", serving.child.id())), "{told}");

    // There is nothing to be read again here; it is no reason to die.
    crate::servers::keeper::signal("HUP", serving.child.id());
    let inbox = folder.path().join("spool/inbox/hallefors-ame");
    let id = "0b6f6c1e-7f5c-4d2e-9c0a-0d7d3b1f2a3b";
    drop_into(&inbox, &format!("activity-report.v1.{id}.json"), b"{\"reportId\":");
    until(&format!("{}/metrics", serving.base), |_, body| body.contains("brygga_messages{state=\"refused\"} 1\n")).await;
    let (code, listed) = command(&["dead-letters", "list", "--config", &config]).await;
    assert_eq!(code, 0, "{listed}");
    assert!(listed.contains("decode.truncated"), "a command beside the service sees the same store: {listed}");

    let answers = folder.path().join("spool/outbox/1863.ame");
    let deadline = Instant::now() + PATIENCE;
    while std::fs::read_dir(&answers).map_or(0, Iterator::count) == 0 {
        assert!(Instant::now() < deadline, "the sender hears nothing of what was refused");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    let asked = Instant::now();
    crate::servers::keeper::signal("TERM", serving.child.id());
    let status = serving.child.wait().expect("ended");
    assert!(status.success(), "{status}");
    assert!(asked.elapsed() < Duration::from_secs(30), "what is idle stops at once");

    // A service that starts writes how far the audit chain has come, for keeping elsewhere.
    let _serving = start(&config, port);
    let checkpoints = folder.path().join("data/checkpoints");
    let is_written = || {
        std::fs::read_dir(&checkpoints).is_ok_and(|mut all| {
            all.any(|entry| entry.is_ok_and(|entry| entry.path().extension().is_some_and(|kind| kind == "json")))
        })
    };
    let deadline = Instant::now() + PATIENCE;
    while !is_written() {
        assert!(Instant::now() < deadline, "no checkpoint is written");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let kept = checkpoints.to_str().expect("UTF-8");
    let (code, told) = command(&["audit", "verify", "--config", &config, "--checkpoint", kept, "--json"]).await;
    assert!(code == 0 && told.contains("\"holds\":true") && !told.contains("\"confirmed\":null"), "{told}");
    let out = folder.path().join("audit.jsonl").to_str().expect("UTF-8").to_owned();
    assert_eq!(command(&["audit", "export", "--config", &config, "--out", &out]).await, (0, String::new()));
    let (code, told) = command(&["audit", "verify", &out, "--checkpoint", kept]).await;
    assert!(code == 0 && told.contains("A checkpoint confirms it up to link"), "{told}");
    std::fs::write(&out, std::fs::read_to_string(&out).expect("read").replacen("\"brygga\"", "\"brygge\"", 1))
        .expect("written");
    let (code, told) = command(&["audit", "verify", &out, "--checkpoint", kept]).await;
    assert!(code == 1 && told.contains("link 1, row 0: the row was changed"), "{told}");
    assert_eq!(command(&["audit", "verify"]).await.0, 2);
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, target).expect("copied");
        }
    }
}

#[tokio::test]
async fn contracts_that_change_come_into_force_without_a_restart_and_bad_ones_change_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let contracts = folder.path().join("contracts");
    copy(&root().join("contracts"), &contracts);
    let port = free_port();
    let config = configure_with(folder.path(), port, &contracts);
    let serving = start(&config, port);
    let (readyz, metrics) = (format!("{}/readyz", serving.base), format!("{}/metrics", serving.base));
    until(&readyz, |status, _| status == 200).await;
    let parties = contracts.join("parties.toml");
    let good = std::fs::read_to_string(&parties).expect("parties");

    // A bad set is told with file and line, and the service stays ready by the one before it.
    std::fs::write(&parties, good.replacen("hallefors-ame", "hallefors ame!", 1)).expect("written");
    let told = until(&readyz, |_, body| body.contains("flaw(s) and are not used")).await;
    assert!(told.contains(".toml:"), "{told}");
    assert_eq!(get(&readyz).await.map(|(status, _)| status), Some(200), "the contracts before it are in force");
    let inbox = folder.path().join("spool/inbox/hallefors-ame");
    let report = |id: &str| format!("activity-report.v1.0b6f6c1e-7f5c-4d2e-9c0a-0d7d3b1f2a{id}.json");
    drop_into(&inbox, &report("01"), b"{\"reportId\":");
    until(&metrics, |_, body| body.contains("brygga_messages{state=\"refused\"} 1\n")).await;

    // A good one comes into force: this login may no longer send reports.
    let sends = "sends = [\"activity-report\", \"consent\", \"protection\"]";
    std::fs::write(&parties, good.replacen(sends, "sends = [\"consent\", \"protection\"]", 1)).expect("written");
    crate::servers::keeper::signal("HUP", serving.child.id());
    until(&readyz, |status, body| status == 200 && !body.contains("flaw(s)")).await;
    drop_into(&inbox, &report("02"), b"{\"reportId\":");
    until(&metrics, |_, body| body.contains("brygga_messages{state=\"refused\"} 2\n")).await;
    let (code, listed) = command(&["dead-letters", "list", "--config", &config]).await;
    assert_eq!(code, 0, "{listed}");
    assert!(listed.contains("decode.truncated") && listed.contains("transport.sender"), "{listed}");
}
