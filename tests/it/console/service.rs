//! The console as a part of the programs: the demo's link, and `serve`.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::root;

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _killed = self.0.kill();
        let _reaped = self.0.wait();
    }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_prints_a_link_that_opens_its_console_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut demo = Running(
        Command::new(env!("CARGO_BIN_EXE_brygga"))
            .args(["demo", "--listen", "127.0.0.1:0", "--console", "127.0.0.1:0", "--data"])
            .arg(folder.path().join("data"))
            .stdout(Stdio::piped())
            .spawn()
            .expect("the demo starts"),
    );
    let lines = BufReader::new(demo.0.stdout.take().expect("its output")).lines();
    let mut url = String::new();
    for line in lines {
        let line = line.expect("a line");
        if let Some((_, found)) = line.split_once("console:  ") {
            found.trim().clone_into(&mut url);
        }
        if line.starts_with("Serving") {
            break;
        }
    }
    let (base, _) = url.split_once("/console/").expect("a link");
    let entered = client().get(&url).send().await.expect("an answer");
    assert_eq!((entered.status().as_u16(), entered.headers()["location"].to_str().expect("text")), (303, "/console/"));
    let cookie = entered.headers()["set-cookie"].to_str().expect("text").split(';').next().expect("a cookie").to_owned();
    let page = client().get(format!("{base}/console/")).header("cookie", cookie).send().await.expect("an answer");
    assert_eq!(page.status(), 200);
    assert!(page.text().await.expect("a page").contains("arbetsformedlingen"), "the demo's feeds");
    assert_eq!(client().get(&url).send().await.expect("an answer").status(), 404, "once");
}

fn configuration(folder: &Path, port: u16) -> String {
    let at = |name: &str| folder.join(name).display().to_string();
    format!(
        "[contracts]\nfolder = \"{}\"\nillustrations = []\n[store]\nkind = \"embedded\"\ndata = \"{}\"\n[management]\nlisten = \"127.0.0.1:0\"\n\
         [console]\nlisten = \"127.0.0.1:{port}\"\n",
        root().join("contracts").display(),
        at("data"),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_shows_its_console_and_ends_it_when_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("an address").port();
    let path = folder.path().join("brygga.toml");
    std::fs::write(&path, configuration(folder.path(), free)).expect("written");
    let mut service = Running(
        Command::new(env!("CARGO_BIN_EXE_brygga"))
            .args(["serve", "--config"])
            .arg(&path)
            .stdout(Stdio::null())
            .spawn()
            .expect("it starts"),
    );
    let begun = Instant::now();
    let address = format!("http://127.0.0.1:{free}/console/sign-in");
    loop {
        if client().get(&address).send().await.is_ok_and(|answer| answer.status() == 200) {
            break;
        }
        assert!(begun.elapsed() < Duration::from_mins(1), "no console");
        assert!(service.0.try_wait().expect("asked").is_none(), "it has ended");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(Command::new("kill").args(["-TERM", &service.0.id().to_string()]).status().expect("kill runs").success());
    assert_eq!(service.0.wait().expect("it ends").code(), Some(0));
}
