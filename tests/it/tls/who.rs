//! Who is let in, and to whose feed.

use std::sync::Arc;
use std::time::Duration;

use rcgen::{ExtendedKeyUsagePurpose, SanType};
use tokio_rustls::TlsConnector;

use super::pki::{AF, Authority, Identity, Says};
use super::server::{Files, Served, Setting, af_by_organisation, client};
use super::wire::{Wire, connector};

/// What a client gets: `None` where there is no connection, else the status and a problem's last word.
async fn outcome(served: &Served, identity: Option<&Identity>) -> Option<(u16, String)> {
    let mut wire = Wire::connect(served.port, &served.files.server_ca, identity).await.ok()?;
    let answer = wire.get("/v1/feed").await.ok()?;
    let problem = if answer.status == 200 { String::new() } else { answer.problem() };
    Some((answer.status, problem))
}

fn let_in() -> (u16, String) {
    (200, String::new())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_good_certificate_of_a_client_reads_the_feed() {
    let files = Files::new();
    let good = files.af();
    let by = |says: Says<'_>| files.client_ca.issue(says);
    let expired = by(Says { years: (2019, 2020), ..Says::organisation(AF) });
    let early = by(Says { years: (2089, 2090), ..Says::organisation(AF) });
    let stranger = by(Says::organisation("162120001942"));
    let nameless = by(Says::default());
    let server_only = by(Says { usage: ExtendedKeyUsagePurpose::ServerAuth, ..Says::organisation(AF) });
    let forged = Authority::new("clients").issue(Says::organisation(AF));
    let revoked = by(Says { serial: 66, ..Says::organisation(AF) });
    files.put("clients.crl", &files.client_ca.list(&[66], (2020, 2090)));
    let keys = files.crl();
    let served = Served::with(files, Setting { keys: &keys, ..Setting::default() }).await;
    assert_eq!(outcome(&served, Some(&good)).await, Some(let_in()));
    for (identity, what) in [
        (None, "without a certificate"),
        (Some(&expired), "with an expired certificate"),
        (Some(&early), "with a certificate that is not valid yet"),
        (Some(&forged), "with a certificate of an authority that only has the same name"),
        (Some(&server_only), "with a server's certificate"),
        (Some(&revoked), "with a revoked certificate"),
    ] {
        assert_eq!(outcome(&served, identity).await, None, "{what}");
    }
    for unknown in [&stranger, &nameless] {
        assert_eq!(outcome(&served, Some(unknown)).await, Some((403, "client".to_owned())));
    }
    let mut wire = served.connect(&stranger).await.expect("a connection");
    assert_eq!(wire.get("/openapi.json").await.expect("an answer").status, 403, "nothing at all is for strangers");
    assert!(wire.is_ended().await, "a stranger does not keep the connection");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_does_not_keep_a_connection_of_http2_either() {
    let files = Files::new();
    let stranger = files.client_ca.issue(Says::organisation("162120001942"));
    let served = Served::with(files, Setting { keys: "header_timeout_ms = 300", ..Setting::default() }).await;
    let mut config = connector(&served.files.server_ca, Some(&stranger), rustls::ALL_VERSIONS).config().as_ref().clone();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let mut wire = Wire::by(&TlsConnector::from(Arc::new(config)), served.port).await.expect("a connection");
    // The preface and empty settings (RFC 9113 section 3.4), and then nothing at all.
    wire.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0").await.expect("sent");
    // A connection that nobody ends would be asked every 20 seconds whether it is still there.
    let said = wire.rest(Duration::from_secs(30)).await.expect("it is ended");
    assert!(said.windows(4).any(|frame| frame == [0, 0, 8, 7]), "it is told to go (GOAWAY)");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organisation_number_counts_with_and_without_its_first_two_digits() {
    let served = Served::plain(false).await;
    for written in [AF, "162021002114", "202100-2114", "16202100-2114"] {
        let identity = served.files.client_ca.issue(Says::organisation(written));
        assert_eq!(outcome(&served, Some(&identity)).await, Some(let_in()), "{written}");
    }
    for other in ["2021002115", "172021002114", "SE2021002114"] {
        let identity = served.files.client_ca.issue(Says::organisation(other));
        assert_eq!(outcome(&served, Some(&identity)).await, Some((403, "client".to_owned())), "{other}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_known_by_a_name_or_a_key_where_so_agreed() {
    let files = Files::new();
    let uri = |text: &str| SanType::URI(text.try_into().expect("a URI"));
    let dns = |text: &str| SanType::DnsName(text.try_into().expect("a name"));
    let by_name = |name: SanType| files.client_ca.issue(Says { names: vec![name], ..Says::default() });
    let by_uri = by_name(uri("urn:af:reader"));
    let by_dns = by_name(dns("Reader.AF.example"));
    let by_key = files.client_ca.issue(Says::default());
    let strangers = [
        by_name(uri("urn:af:reader:other")),
        by_name(dns("af.example")),
        by_name(dns("x.reader.af.example")),
        by_name(dns("urn.af.reader")),
        files.client_ca.issue(Says::default()),
    ];
    let clients = [
        client("arbetsformedlingen", "san = \"URI:urn:af:reader\""),
        client("arbetsformedlingen", "san = \"DNS:reader.af.example\""),
        client("arbetsformedlingen", &format!("spki = \"{}\"", by_key.pin)),
    ];
    let served = Served::with(files, Setting { clients: clients.concat(), ..Setting::default() }).await;
    for known in [&by_uri, &by_dns, &by_key] {
        assert_eq!(outcome(&served, Some(known)).await, Some(let_in()));
    }
    for stranger in &strangers {
        assert_eq!(outcome(&served, Some(stranger)).await, Some((403, "client".to_owned())));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_client_reads_its_own_feed_and_one_known_as_two_reads_none() {
    let files = Files::new();
    let af = files.af();
    let other = files
        .client_ca
        .issue(Says { names: vec![SanType::DnsName("fs.example".try_into().expect("a name"))], ..Says::default() });
    let both = files
        .client_ca
        .issue(Says { names: vec![SanType::DnsName("fs.example".try_into().expect("a name"))], ..Says::organisation(AF) });
    let clients = af_by_organisation() + &client("1863.forsorjningsstod", "san = \"DNS:fs.example\"");
    let served = Served::with(files, Setting { clients, take: true, ..Setting::default() }).await;
    let mut of_af = served.connect(&af).await.expect("a connection");
    let mut of_other = served.connect(&other).await.expect("a connection");
    let page_of_af = of_af.get("/v1/feed?limit=500").await.expect("an answer").json();
    let page_of_other = of_other.get("/v1/feed?limit=500").await.expect("an answer").json();
    let kinds = |page: &serde_json::Value| -> Vec<String> {
        page.as_array().expect("a page").iter().map(|event| event["type"].as_str().expect("a type")[..3].to_owned()).collect()
    };
    assert!(!kinds(&page_of_af).is_empty() && kinds(&page_of_af).iter().all(|kind| kind == "af."));
    // A system's feed holds the answers to what it sent, too.
    let of_other_kinds = kinds(&page_of_other);
    assert!(of_other_kinds.iter().any(|kind| kind == "fs.") && of_other_kinds.iter().all(|kind| kind != "af."));
    let id = page_of_af[0]["id"].as_str().expect("an id");
    let answer = of_other.get(&format!("/v1/feed?lastEventId={id}")).await.expect("an answer");
    assert_eq!((answer.status, answer.problem()), (410, "foreign-id".to_owned()));
    assert_eq!(outcome(&served, Some(&both)).await, Some((403, "client".to_owned())));
}
