//! What is loaded again without a restart, and asked again at every request of an open connection.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use brygga::http::Trust;
use brygga::telemetry::PartState;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::time_provider::TimeProvider;

use super::pki::{AF, Says};
use super::server::{Files, Served, Setting, client, config, until};

fn is_down(state: &PartState, words: &str) -> bool {
    matches!(state, PartState::Down(why) if why.contains(words))
}

/// A clock that is set by hand, in seconds since 1970.
#[derive(Debug)]
struct Hand(AtomicU64);

impl TimeProvider for Hand {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(std::time::Duration::from_secs(self.0.load(Ordering::SeqCst))))
    }
}

/// About the middle of a year.
fn middle_of(year: u64) -> u64 {
    (year - 1970) * 31_557_600 + 15_000_000
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_connection_is_refused_once_its_certificate_is_revoked() {
    let files = Files::new();
    let af = files.af();
    files.put("clients.crl", &files.client_ca.list(&[], (2020, 2090)));
    let keys = files.crl();
    let served = Served::with(files, Setting { keys: &keys, ..Setting::default() }).await;
    assert_eq!(served.part("feed.crl"), PartState::Up);
    let mut wire = served.connect(&af).await.expect("a connection");
    for _ in 0..2 {
        assert_eq!(wire.get("/v1/feed").await.expect("an answer").status, 200);
    }
    served.files.put("clients.crl", &served.files.client_ca.list(&[af.serial], (2021, 2090)));
    assert!(served.trust.reload());
    let answer = wire.get("/v1/feed").await.expect("an answer");
    assert_eq!((answer.status, answer.problem()), (403, "certificate".to_owned()));
    assert!(wire.is_ended().await);
    assert!(!served.reads(&af).await, "and no new one is made");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_connection_and_a_waiting_reader_are_refused_once_the_client_is_removed() {
    let files = Files::new();
    let af = files.af();
    let served = Served::with(files, Setting::default()).await;
    let mut wire = served.connect(&af).await.expect("a connection");
    assert_eq!(wire.get("/v1/feed").await.expect("an answer").status, 200);
    let mut waiting = served.connect(&af).await.expect("a connection");
    let waits = tokio::spawn(async move { waiting.get("/v1/feed?timeout=60000").await });
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    served.files.configure(&client("arbetsformedlingen", "san = \"DNS:somebody.else.example\""), "");
    assert!(served.trust.reload());
    let answer = wire.get("/v1/feed").await.expect("an answer");
    assert_eq!((answer.status, answer.problem()), (403, "client".to_owned()));
    served.desk.run(&served.demo).await;
    let answer = waits.await.expect("a task").expect("an answer");
    assert_eq!((answer.status, answer.problem()), (403, "client".to_owned()), "what came while it waited is not for it");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_connection_is_refused_once_its_certificate_or_the_list_is_past_its_time() {
    for (certificate, list) in [((2020, 2031), (2020, 2090)), ((2020, 2090), (2020, 2031))] {
        let files = Files::new();
        let af = files.client_ca.issue(Says { years: certificate, ..Says::organisation(AF) });
        files.put("clients.crl", &files.client_ca.list(&[], list));
        let keys = files.crl();
        let clock = Arc::new(Hand(AtomicU64::new(middle_of(2030))));
        let served = Served::with(files, Setting { keys: &keys, clock: clock.clone(), ..Setting::default() }).await;
        let mut wire = served.connect(&af).await.expect("a connection");
        assert_eq!(wire.get("/v1/feed").await.expect("an answer").status, 200);
        clock.0.store(middle_of(2031), Ordering::SeqCst);
        let answer = wire.get("/v1/feed").await.expect("an answer");
        assert_eq!((answer.status, answer.problem()), (403, "certificate".to_owned()));
        assert!(!served.reads(&af).await);
        if list.1 == 2031 {
            served.watch();
            until("the part tells it", || async { is_down(&served.part("feed.crl"), "past its time") }).await;
            served.files.put("clients.crl", &served.files.client_ca.list(&[], (2031, 2090)));
            until("a new list lets the client in", || served.reads(&af)).await;
            assert_eq!(served.part("feed.crl"), PartState::Up);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_file_is_loaded_by_itself_and_a_bad_one_changes_nothing() {
    let served = Served::plain(false).await;
    served.watch();
    let af = served.files.af();
    let old = served.connect(&af).await.expect("a connection").server();
    let next = served.files.server_ca.server(2);
    served.files.put_server(&next);
    let der = CertificateDer::from_pem_slice(next.certificate.as_bytes()).expect("PEM").to_vec();
    assert_ne!(old, der);
    until("the new certificate is shown", || async { served.connect(&af).await.expect("a connection").server() == der }).await;
    until("all is well", || async { served.part("feed.tls") == PartState::Up }).await;
    for (name, bad, words) in [
        ("server.pem", "nothing", "server.pem: it holds no certificate"),
        ("server.key", &*served.files.server_ca.server(3).key, "server.key: it does not fit the certificate"),
        ("clients.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "clients.pem: one of its"),
        ("brygga.toml", "[feed]\nlisten = 7\n", "the configuration has a fault: line 2: feed.listen"),
    ] {
        let good = std::fs::read_to_string(served.files.path(name)).expect("a file");
        served.files.put(name, bad);
        until(&format!("a bad {name} is told"), || async { is_down(&served.part("feed.tls"), words) }).await;
        assert!(!served.trust.reload());
        assert!(served.reads(&af).await, "{name}");
        assert_eq!(served.connect(&af).await.expect("a connection").server(), der, "{name}");
        served.files.put(name, &good);
        until(&format!("a good {name} is told"), || async { served.part("feed.tls") == PartState::Up }).await;
    }
    std::fs::remove_file(served.files.path("clients.pem")).expect("a file");
    until("a missing file is told", || async { is_down(&served.part("feed.tls"), "clients.pem cannot be read") }).await;
    assert!(served.reads(&af).await);
}

#[test]
fn at_the_start_every_fault_is_told_at_once() {
    let files = Files::new();
    let path = files.configure(&super::server::af_by_organisation(), &files.crl());
    files.put("server.key", "nothing");
    std::fs::remove_file(files.path("clients.pem")).expect("a file");
    files.put("clients.crl", "nothing");
    let faults = Trust::check(&config(&path).tls).expect_err("three faults");
    let told = faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    for name in ["server.key", "clients.pem", "clients.crl"] {
        assert!(told.contains(name), "{name} is not in {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_list_it_is_told_that_nothing_is_checked() {
    let served = Served::plain(false).await;
    assert!(is_down(&served.part("feed.crl"), "no revocation list is configured"));
    assert_eq!(served.part("feed.tls"), PartState::Up);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_another_authority_or_with_a_forged_signature_lets_nobody_in() {
    let files = Files::new();
    let af = files.af();
    let keys = files.crl();
    files.put("clients.crl", &super::pki::Authority::new("others").list(&[], (2020, 2090)));
    let served = Served::with(files, Setting { keys: &keys, ..Setting::default() }).await;
    assert!(!served.reads(&af).await, "whether it is revoked cannot be told");
    served.files.put("clients.crl", &super::pki::Authority::new("clients").list(&[], (2020, 2090)));
    assert!(served.trust.reload());
    assert!(!served.reads(&af).await, "the list is not its authority's");
    served.files.put("clients.crl", &served.files.client_ca.list(&[], (2020, 2090)));
    assert!(served.trust.reload());
    assert!(served.reads(&af).await);
}

/// A place on HTTP where a list is kept; nothing is answered while it is empty.
fn list_at(list: Arc<Mutex<String>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut head = [0; 4096];
            let _length = stream.read(&mut head);
            let body = list.lock().expect("a lock").clone();
            let status = if body.is_empty() { "404 Not Found" } else { "200 OK" };
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
            let _written = stream.write_all(answer.as_bytes());
        }
    });
    format!("http://{address}/clients.crl")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_fetched_again_and_again_and_until_it_is_there_nobody_is_let_in() {
    let files = Files::new();
    let af = files.af();
    let kept = Arc::new(Mutex::new(String::new()));
    let keys = format!("crl = [\"{}\"]\ncrl_period_ms = 1000", list_at(Arc::clone(&kept)));
    let served = Served::with(files, Setting { keys: &keys, ..Setting::default() }).await;
    served.watch();
    until("it is told", || async { is_down(&served.part("feed.crl"), "answered with status 404") }).await;
    assert!(!served.reads(&af).await);
    *kept.lock().expect("a lock") = served.files.client_ca.list(&[], (2022, 2090));
    until("the list has come", || served.reads(&af)).await;
    *kept.lock().expect("a lock") = served.files.client_ca.list(&[af.serial], (2021, 2090));
    until("an older list is told", || async { is_down(&served.part("feed.crl"), "older than the one that is held") }).await;
    assert!(served.reads(&af).await, "an older list changes nothing");
    for (name, words) in [("clients", "not signed by its authority"), ("others", "of another authority")] {
        *kept.lock().expect("a lock") = super::pki::Authority::new(name).list(&[], (2024, 2090));
        until("a forged list is told", || async { is_down(&served.part("feed.crl"), words) }).await;
        assert!(served.reads(&af).await, "and keeps no genuine one out");
    }
    *kept.lock().expect("a lock") = served.files.client_ca.list(&[af.serial], (2023, 2090));
    until("the newer list counts", || async { !served.reads(&af).await }).await;
    until("all is well", || async { served.part("feed.crl") == PartState::Up }).await;
}
