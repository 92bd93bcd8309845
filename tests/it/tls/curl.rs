//! A client that is not ours: curl follows the feed, over HTTP/2 and HTTP/1.1.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::pki::Identity;
use super::server::Served;

/// One request of curl's: the version of HTTP, the status, and the body.
fn curl(served: &Served, identity: &Identity, query: &str, options: &[&str]) -> (String, String, Vec<u8>) {
    let (certificate, key) = (served.files.put("af.pem", &identity.certificate), served.files.put("af.key", &identity.key));
    let out = served.files.path("answer");
    let text = |path: &PathBuf| path.display().to_string();
    let run = Command::new("curl")
        .args(["--silent", "--show-error", "--noproxy", "*", "--write-out", "%{http_version} %{http_code}"])
        .args(["--cert", &text(&certificate), "--key", &text(&key), "--output", &text(&out)])
        .args(["--cacert", &text(&served.files.path("server-ca.pem"))])
        .args(options)
        .arg(format!("https://localhost:{}/v1/feed?{query}", served.port))
        .output()
        .expect("curl is installed");
    assert!(run.status.success(), "curl: {}", String::from_utf8_lossy(&run.stderr));
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    let (version, status) = said.split_once(' ').expect("two words");
    (version.to_owned(), status.to_owned(), std::fs::read(out).expect("an answer"))
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_follows_the_feed_with_its_certificate() {
    let served = Served::plain(true).await;
    let af = served.files.af();
    let whole = served.connect(&af).await.expect("a connection").get("/v1/feed?limit=6").await.expect("an answer").json();
    for (options, expected) in
        [(&["--http2", "--compressed"][..], "2"), (&["--http1.1"], "1.1"), (&["--tls-max", "1.2", "--compressed"], "2")]
    {
        let mut events = Vec::new();
        let mut query = "limit=3".to_owned();
        for _ in 0..2 {
            let (version, status, body) = curl(&served, &af, &query, options);
            assert_eq!((&*version, &*status), (expected, "200"));
            let page: Value = serde_json::from_slice(&body).expect("JSON");
            let page = page.as_array().expect("a page").clone();
            assert_eq!(page.len(), 3);
            query = format!("limit=3&lastEventId={}", page[2]["id"].as_str().expect("an id"));
            events.extend(page);
        }
        assert_eq!(Value::Array(events), whole);
    }
}
