//! Handshakes: versions of the protocol, slow ones, and sessions that are not resumed.

use std::time::Duration;

use brygga::http::TlsPlace;
use rustls::version::{TLS12, TLS13};
use rustls::{HandshakeKind, ProtocolVersion};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::server::{Files, Served, Setting, client};
use super::wire::{Wire, connector};

#[tokio::test(flavor = "multi_thread")]
async fn both_present_versions_of_tls_are_spoken() {
    let served = Served::plain(false).await;
    let af = served.files.af();
    for (version, expected) in [(&TLS12, ProtocolVersion::TLSv1_2), (&TLS13, ProtocolVersion::TLSv1_3)] {
        let mut wire =
            Wire::by(&connector(&served.files.server_ca, Some(&af), &[version]), served.port).await.expect("a connection");
        assert_eq!(wire.version(), Some(expected));
        assert_eq!(wire.get("/v1/feed").await.expect("an answer").status, 200);
    }
}

/// A `ClientHello` as clients of an old version send it, with a cipher suite that they and TLS 1.2 have in common.
fn hello(version: [u8; 2]) -> Vec<u8> {
    let mut body = vec![version[0], version[1]];
    body.extend([7; 32]);
    body.push(0);
    body.extend([0, 4, 0xc0, 0x2b, 0xc0, 0x09]);
    body.extend([1, 0]);
    let extensions = [
        // supported groups: P-256; signature algorithms: ECDSA with SHA-256.
        [0, 10, 0, 4, 0, 2, 0, 23],
        [0, 13, 0, 4, 0, 2, 4, 3],
    ];
    body.extend([0, 16]);
    body.extend(extensions.concat());
    let length = u8::try_from(body.len()).expect("short");
    let mut record = vec![22, 3, 1, 0, length + 4, 1, 0, 0, length];
    record.extend(body);
    record
}

#[tokio::test(flavor = "multi_thread")]
async fn old_versions_of_tls_are_refused() {
    let served = Served::plain(false).await;
    let mut answers = Vec::new();
    for version in [[3, 1], [3, 2], [3, 3]] {
        let mut stream = TcpStream::connect(("127.0.0.1", served.port)).await.expect("a connection");
        stream.write_all(&hello(version)).await.expect("sent");
        let mut head = [0; 7];
        let read = tokio::time::timeout(Duration::from_secs(30), stream.read_exact(&mut head)).await.expect("in time");
        read.expect("an answer");
        answers.push((head[0], head[6]));
    }
    // A fatal alert, protocol_version (RFC 8446 section 6.2); the same hello of TLS 1.2 is answered by a handshake record.
    assert_eq!(answers[..2], [(21, 70), (21, 70)]);
    assert_eq!(answers[2].0, 22, "the hello itself is understood");
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_handshakes_hold_up_nobody_and_are_cut() {
    let files = Files::new();
    let af = files.af();
    let served = Served::with(files, Setting { keys: "handshake_timeout_ms = 1500", ..Setting::default() }).await;
    let mut slow = Vec::new();
    for _ in 0..20 {
        let mut stream = TcpStream::connect(("127.0.0.1", served.port)).await.expect("a connection");
        stream.write_all(&[22, 3]).await.expect("sent");
        slow.push(stream);
    }
    assert!(served.reads(&af).await, "the others wait for nobody");
    for mut stream in slow {
        let mut rest = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut rest)).await;
        read.expect("cut in time").ok();
    }
    assert!(served.reads(&af).await);
}

#[tokio::test]
async fn an_address_that_is_taken_refuses_connections_until_somebody_can_answer() {
    let place = TlsPlace::take("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let address = place.address().expect("an address");
    assert!(TcpStream::connect(address).await.is_err(), "whoever asks is told at once");
    let bound = place.listen().expect("it is nobody else's");
    TcpStream::connect(address).await.expect("it is taken up");
    assert!(TlsPlace::take(address).is_err(), "nobody else gets it");
    drop(bound);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_connections_than_there_are_places_wait_for_one() {
    let files = Files::new();
    let af = files.af();
    let served = Served::with(files, Setting { keys: "max_connections = 1", ..Setting::default() }).await;
    let mut first = served.connect(&af).await.expect("a connection");
    assert_eq!(first.get("/api-info").await.expect("an answer").status, 200);
    let second = served.connect(&af);
    tokio::pin!(second);
    let early = tokio::time::timeout(Duration::from_millis(500), &mut second).await;
    assert!(early.is_err(), "there is no place for a second one");
    drop(first);
    let mut second = tokio::time::timeout(Duration::from_secs(30), second).await.expect("its turn came").expect("a connection");
    assert_eq!(second.get("/api-info").await.expect("an answer").status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_session_is_resumed_so_none_outlives_its_clients_removal() {
    let served = Served::plain(false).await;
    let af = served.files.af();
    for version in [&TLS12, &TLS13] {
        let connector = connector(&served.files.server_ca, Some(&af), &[version]);
        for _ in 0..3 {
            let mut wire = Wire::by(&connector, served.port).await.expect("a connection");
            assert_eq!(wire.get("/v1/feed").await.expect("an answer").status, 200);
            assert_eq!(wire.kind(), Some(HandshakeKind::Full));
        }
    }
    let connector = connector(&served.files.server_ca, Some(&af), rustls::ALL_VERSIONS);
    Wire::by(&connector, served.port).await.expect("a connection").get("/v1/feed").await.expect("an answer");
    served.files.configure(&client("arbetsformedlingen", "san = \"DNS:somebody.else.example\""), "");
    assert!(served.trust.reload());
    let mut wire = Wire::by(&connector, served.port).await.expect("a connection");
    let answer = wire.get("/v1/feed").await.expect("an answer");
    assert_eq!((answer.status, answer.problem()), (403, "client".to_owned()));
}
