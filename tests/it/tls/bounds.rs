//! Within which bounds the feed is read: methods, media types, sizes, rates, and what every answer carries.

use std::io::Read as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::server::{Files, Served, Setting};

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_answered_is_a_problem_with_the_requests_own_id() {
    let served = Served::plain(false).await;
    let af = served.files.af();
    let long = format!("/v1/feed?lastEventId={}", "x".repeat(2100));
    for (method, target, lines, status, problem) in [
        ("GET", "/v1/feed?limit=0", "", 400, "number"),
        ("GET", "/v1/feed?limit=501", "", 400, "number"),
        ("GET", "/v1/feed?timeout=60001", "", 400, "number"),
        ("GET", "/v1/feed?lasteventid=x", "", 400, "parameter"),
        ("GET", "/v1/feed?limit=1&limit=2", "", 400, "parameter"),
        ("GET", "/v1/feed?lastEventId=forged", "", 410, "foreign-id"),
        ("GET", &long, "", 414, "long"),
        ("GET", "/v1/feed", "accept: text/html\r\n", 406, "not-acceptable"),
        ("GET", "/openapi.json", "accept: application/xml\r\n", 406, "not-acceptable"),
        ("GET", "/v1/feed/", "", 404, "not-found"),
        ("GET", "/", "", 404, "not-found"),
        ("POST", "/v1/feed", "content-length: 0\r\n", 405, "method"),
        ("DELETE", "/api-info", "", 405, "method"),
    ] {
        let mut wire = served.connect(&af).await.expect("a connection");
        let id = "0a3cbe7e-6d3f-4d0e-8c37-7f0f6c6a4f10";
        let answer = wire.ask(method, target, &format!("{lines}x-request-id: {id}\r\n")).await.expect("an answer");
        assert_eq!((answer.status, &*answer.problem()), (status, problem), "{method} {target}");
        assert_eq!(answer.header("x-request-id"), Some(id));
        assert_eq!(answer.json()["instance"], format!("urn:uuid:{id}"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let allowed = answer.header("allow");
        match (status, target) {
            (405, "/v1/feed") => assert_eq!(allowed, Some("GET")),
            (405, _) => assert_eq!(allowed, Some("GET,HEAD")),
            _ => assert_eq!(allowed, None),
        }
    }
    let mut wire = served.connect(&af).await.expect("a connection");
    let head = wire.ask("HEAD", "/v1/feed", "").await.expect("an answer");
    assert_eq!((head.status, head.header("allow")), (405, Some("GET")), "HEAD would mark entries as served");
    let head = wire.ask("HEAD", "/api-info", "").await.expect("an answer");
    assert_eq!((head.status, head.header("content-type")), (200, Some("application/json")));
    let own = wire.ask("GET", "/v1/feed", "x-request-id: my own\r\n").await.expect("an answer");
    let made = own.header("x-request-id").and_then(|id| id.parse::<uuid::Uuid>().ok());
    assert_eq!((own.status, made.map(|id| id.get_version_num())), (200, Some(7)), "what is no UUID is not taken over");
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_and_bodies_have_their_limits() {
    let served = Served::plain(false).await;
    let af = served.files.af();
    let mut wire = served.connect(&af).await.expect("a connection");
    wire.send("GET /v1/feed HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\n\r\nhello").await.expect("sent");
    let answer = wire.ask("GET", "/v1/feed", "").await.expect("an answer");
    assert_eq!((answer.status, answer.problem()), (413, "body".to_owned()));
    for lines in [format!("x-filler: {}\r\n", "x".repeat(20_000)), "x-filler: x\r\n".repeat(100)] {
        let mut wire = served.connect(&af).await.expect("a connection");
        let answer = wire.ask("GET", "/v1/feed", &lines).await;
        assert_eq!(answer.expect("an answer").status, 431, "Request Header Fields Too Large");
        assert!(wire.is_ended().await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_and_a_slow_head_are_cut() {
    let files = Files::new();
    let af = files.af();
    let served = Served::with(files, Setting { keys: "header_timeout_ms = 500", ..Setting::default() }).await;
    let mut idle = served.connect(&af).await.expect("a connection");
    assert_eq!(idle.get("/api-info").await.expect("an answer").status, 200);
    let mut slow = served.connect(&af).await.expect("a connection");
    slow.send("GET /v1/feed HTTP/1.1\r\nhost:").await.expect("sent");
    let mut silent = served.connect(&af).await.expect("a connection");
    for wire in [&mut idle, &mut slow, &mut silent] {
        // A last word, 408, may come before the end.
        let _last = wire.is_ended().await;
        assert!(wire.is_ended().await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recipient_that_asks_too_often_is_told_when_to_ask_again() {
    let files = Files::new();
    let af = files.af();
    let served = Served::with(files, Setting { keys: "rate_per_minute = 1\nburst = 3", ..Setting::default() }).await;
    let mut wire = served.connect(&af).await.expect("a connection");
    for _ in 0..3 {
        assert_eq!(wire.get("/v1/feed").await.expect("an answer").status, 200);
    }
    let mut other = served.connect(&af).await.expect("a connection");
    let answer = other.get("/v1/feed").await.expect("an answer");
    assert_eq!((answer.status, answer.problem()), (429, "too-many".to_owned()), "the recipient is counted, not the connection");
    let seconds: u64 = answer.header("retry-after").expect("a time").parse().expect("seconds");
    assert!((1..=61).contains(&seconds), "{seconds}");
}

/// Opens what a program of the system has compressed.
fn opened(program: &str, bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut child = Command::new(program).arg("-dc").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect(program);
    let mut input = child.stdin.take().expect("an input");
    let bytes = bytes.to_vec();
    let writing = std::thread::spawn(move || input.write_all(&bytes));
    let mut out = Vec::new();
    child.stdout.take().expect("an output").read_to_end(&mut out).expect("opened");
    writing.join().expect("a thread").expect("written");
    assert!(child.wait().expect("ended").success());
    out
}

#[tokio::test(flavor = "multi_thread")]
async fn the_feed_alone_is_compressed() {
    let served = Served::plain(true).await;
    let af = served.files.af();
    let mut wire = served.connect(&af).await.expect("a connection");
    let plain = wire.get("/v1/feed?limit=500").await.expect("an answer");
    assert_eq!(plain.header("content-encoding"), None);
    let gzip = wire.ask("GET", "/v1/feed?limit=500", "accept-encoding: gzip\r\n").await.expect("an answer");
    assert_eq!(gzip.header("content-encoding"), Some("gzip"));
    assert!(gzip.body.len() < plain.body.len() / 2);
    assert_eq!(opened("gzip", &gzip.body), plain.body);
    let zstd = wire.ask("GET", "/v1/feed?limit=500", "accept-encoding: zstd\r\n").await.expect("an answer");
    assert_eq!(zstd.header("content-encoding"), Some("zstd"));
    assert_eq!(zstd.body[..4], [0x28, 0xb5, 0x2f, 0xfd], "a frame of RFC 8878");
    assert!(zstd.body.len() < plain.body.len() / 2);
    let other = wire.ask("GET", "/v1/feed?limit=500", "accept-encoding: br, deflate\r\n").await.expect("an answer");
    assert_eq!((other.header("content-encoding"), other.body.len()), (None, plain.body.len()));
    let api = wire.ask("GET", "/openapi.json", "accept-encoding: gzip, zstd\r\n").await.expect("an answer");
    assert_eq!(api.header("content-encoding"), None);
    let json = wire.ask("GET", "/v1/feed?limit=1", "accept: application/json\r\n").await.expect("an answer");
    assert_eq!(json.header("content-type"), Some("application/json"));
    assert_eq!(json.json().as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limits_of_the_configuration_are_those_of_the_feed_and_of_its_description() {
    let files = Files::new();
    let af = files.af();
    let keys = "default_limit = 2\nmax_limit = 5\nmax_timeout_ms = 2000\npublic_url = \"https://feed.example.se\"\ncontact_email = \"feed@example.se\"";
    let served = Served::with(files, Setting { keys, take: true, ..Setting::default() }).await;
    let mut wire = served.connect(&af).await.expect("a connection");
    let count = |page: Value| page.as_array().map(Vec::len);
    assert_eq!(count(wire.get("/v1/feed").await.expect("an answer").json()), Some(2));
    assert_eq!(count(wire.get("/v1/feed?limit=5").await.expect("an answer").json()), Some(5));
    for wrong in ["limit=6", "timeout=2001"] {
        assert_eq!(wire.get(&format!("/v1/feed?{wrong}")).await.expect("an answer").problem(), "number");
    }
    let api = wire.get("/openapi.json").await.expect("an answer").json();
    let limit = &api["components"]["parameters"]["limit"]["schema"];
    assert_eq!((&limit["default"], &limit["maximum"]), (&2.into(), &5.into()));
    assert_eq!(api["components"]["parameters"]["timeout"]["schema"]["maximum"], 2000);
    assert_eq!(api["servers"][0]["url"], "https://feed.example.se");
    assert_eq!(api["info"]["contact"]["email"], "feed@example.se");
    let info = wire.get("/api-info").await.expect("an answer").json();
    assert_eq!(info["apiDocumentation"], "https://feed.example.se/openapi.json");
}
