//! The console in a real browser: Debian's Chromium without a screen, through chromedriver. The sign-in by keyboard alone, and
//! axe-core on every page, in both languages, light and dark, wide and at 320 pixels.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use brygga::console::routes::{Page, ROUTES};
use brygga::domain::Role;
use serde_json::{Value, json};

use super::world::{House, PASSWORD};
use crate::harness::root;

/// Keys as the driver names them: tab and enter.
const TAB: &str = "\u{E004}";
const ENTER: &str = "\u{E007}";

/// The port in a line of chromedriver's.
fn port_of(line: &str) -> Option<u16> {
    line.split_once("on port ").and_then(|(_, port)| port.trim_end_matches('.').parse().ok())
}

/// A browser of its own, with a profile of its own, which ends with the test.
struct Browser {
    driver: Child,
    port: u16,
    session: String,
    client: reqwest::Client,
    _profile: tempfile::TempDir,
}

impl Browser {
    async fn open() -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is installed; script/test does that");
        let mut lines = BufReader::new(driver.stdout.take().expect("its output")).lines();
        // It first repeats what it was asked for, port 0, and then says which it has.
        let mut said = lines.by_ref().map_while(Result::ok).filter_map(|line| port_of(&line));
        let port = said.find(|port| *port > 0);
        let port = port.expect("chromedriver says its port");
        // It says more, which nobody reads; a pipe that is full would stop it.
        std::thread::spawn(move || lines.for_each(drop));
        let profile = tempfile::tempdir().expect("a folder");
        let client = reqwest::Client::new();
        let folder = format!("--user-data-dir={}", profile.path().display());
        let arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", folder.as_str()];
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome", "acceptInsecureCerts": true, "goog:chromeOptions": { "args": arguments },
        } } });
        let mut browser = Self { driver, port, session: String::new(), client, _profile: profile };
        let made = browser.ask("session", &wanted).await;
        made["sessionId"].as_str().expect("a session").clone_into(&mut browser.session);
        browser
    }

    async fn ask(&self, path: &str, body: &Value) -> Value {
        let value = self.ask_for(path, body).await;
        assert!(value.get("error").is_none(), "{path}: {value}");
        value
    }

    /// What chromedriver says, an error too.
    async fn ask_for(&self, path: &str, body: &Value) -> Value {
        let address = format!("http://127.0.0.1:{}/{path}", self.port);
        let answer = self.client.post(&address).json(body).send().await.expect("chromedriver answers");
        let mut told: Value = answer.json().await.expect("JSON");
        told["value"].take()
    }

    async fn command(&self, command: &str, body: Value) -> Value {
        self.ask(&format!("session/{}/{command}", self.session), &body).await
    }

    async fn go(&self, url: &str) {
        self.command("url", json!({ "url": url })).await;
    }

    async fn run(&self, script: &str) -> Value {
        self.command("execute/sync", json!({ "script": script, "args": [] })).await
    }

    /// Presses keys, wherever the focus is.
    async fn press(&self, keys: &str) {
        let strokes: Vec<Value> = keys
            .chars()
            .flat_map(|key| [("keyDown", key), ("keyUp", key)])
            .map(|(kind, key)| json!({ "type": kind, "value": key }))
            .collect();
        self.command("actions", json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": strokes }] })).await;
    }

    /// Goes on by tabs to an element, as somebody without a mouse does.
    async fn tab_to(&self, selector: &str) {
        for _ in 0..30 {
            self.press(TAB).await;
            let script = format!("return document.activeElement.matches({});", json!(selector));
            if self.run(&script).await == json!(true) {
                return;
            }
        }
        panic!("no way to {selector} by keyboard");
    }

    /// Waits until a script gives this.
    async fn wait_until(&self, script: &str, wanted: Value) {
        // While one page goes and another comes, nothing can be asked.
        let (path, body) = (format!("session/{}/execute/sync", self.session), json!({ "script": script, "args": [] }));
        let begun = Instant::now();
        while self.ask_for(&path, &body).await != wanted {
            assert!(begun.elapsed() < Duration::from_mins(1), "never {wanted} by {script}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until a page has this path.
    async fn wait_for(&self, path: &str) {
        self.wait_until("return document.readyState === 'complete' && location.pathname;", json!(path)).await;
    }

    /// Changes to the other language.
    async fn change_language(&self, to: &str) {
        self.tab_to("form.language button").await;
        self.press(ENTER).await;
        self.wait_until("return document.readyState === 'complete' && document.documentElement.lang;", json!(to)).await;
    }

    async fn sign_in(&self, house: &House, name: &str) {
        self.go(&format!("{}/console/", house.base)).await;
        self.wait_for("/console/sign-in").await;
        self.tab_to("#name").await;
        self.press(name).await;
        self.tab_to("#password").await;
        self.press(PASSWORD).await;
        self.press(ENTER).await;
        self.wait_for("/console/").await;
    }

    /// How wide the window is, and what its person has asked for.
    async fn see(&self, width: u32, scheme: &str) {
        let metrics = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.command("goog/cdp/execute", json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": metrics })).await;
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.command("goog/cdp/execute", json!({ "cmd": "Emulation.setEmulatedMedia", "params": media })).await;
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The session's end ends the browser; the driver alone would leave it behind.
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
            let request = format!("DELETE /session/{} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", self.session);
            // It answers once the browser has ended, and keeps the connection.
            let _bounded = stream.set_read_timeout(Some(Duration::from_secs(20)));
            let _sent = stream.write_all(request.as_bytes());
            let _read = stream.read(&mut [0; 512]);
        }
        let _killed = self.driver.kill();
        let _reaped = self.driver.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_without_a_mouse_signs_in_reads_changes_the_language_and_signs_out_over_tls() {
    let house = House::secure().await;
    house.account("registrator", Role::Operator, &["all"]).await;
    let browser = Browser::open().await;
    browser.sign_in(&house, "registrator").await;
    let cookies = browser.run("return document.cookie;").await;
    assert_eq!(cookies, json!(""), "no script reads the session");
    assert_eq!(browser.run("return document.querySelector('h1').textContent;").await, json!("Översikt"));
    browser.change_language("en").await;
    browser.tab_to("form[action='/console/sign-out'] button").await;
    browser.press(ENTER).await;
    browser.wait_for("/console/sign-in").await;
    browser.go(&format!("{}/console/account", house.base)).await;
    browser.wait_for("/console/sign-in").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn axe_finds_no_violation_of_wcag_on_any_page_in_any_form() {
    let axe = root().join("target/axe/node_modules/axe-core/axe.min.js");
    let axe = std::fs::read_to_string(axe).expect("axe-core lies in target/axe; script/test puts it there");
    // Without TLS, so that the cookie of loopback is tried too.
    let house = House::open().await;
    house.account("keeper", Role::Admin, &["all"]).await;
    house.health.part("store", true).down("the database does not answer");
    let browser = Browser::open().await;
    browser.sign_in(&house, "keeper").await;
    let is_page = |page: Page| !matches!(page, Page::Style | Page::Link);
    let mut paths: Vec<&str> =
        ROUTES.iter().filter(|route| !route.changes && is_page(route.page)).map(|route| route.path).collect();
    paths.push("/console/nothing");
    let (mut seen, mut wrong) = (0, Vec::new());
    for lang in ["sv", "en"] {
        if lang == "en" {
            browser.go(&format!("{}/console/", house.base)).await;
            browser.change_language("en").await;
        }
        for path in &paths {
            browser.go(&format!("{}{path}", house.base)).await;
            for (width, scheme) in [(1280, "light"), (1280, "dark"), (320, "light"), (320, "dark")] {
                browser.see(width, scheme).await;
                let place = format!("{path} in {lang}, {width} wide, {scheme}");
                let told = browser.run("return [document.documentElement.scrollWidth, document.documentElement.lang];").await;
                assert_eq!(told[1], json!(lang), "{place}");
                assert!(
                    told[0].as_u64().is_some_and(|wide| wide <= u64::from(width)),
                    "{place}: {told} is wider than the window"
                );
                let script = format!(
                    "{axe}; return axe.run(document, {{ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] }})\
                     .then(found => found.violations.map(one => one.id + ': ' + one.nodes.map(node => node.html).join(' | ')));"
                );
                let found = browser.run(&script).await;
                let found = found.as_array().expect("a list").clone();
                wrong.extend(found.iter().map(|one| format!("{place}: {one}")));
                seen += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(seen, paths.len() * 8);
}
