//! The management listener over real HTTP: alive, ready or not and why, and the numbers.

use std::sync::Arc;

use brygga::http::management::{Management, serve};
use brygga::store::Clock;
use brygga::telemetry::{Health, Numbers};
use serde_json::Value;
use tokio::net::TcpListener;

/// A listener of its own, and its address.
async fn listener(health: &Health, numbers: &Arc<Numbers>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let management = Management { health: health.clone(), numbers: Arc::clone(numbers), now: || Clock::System.now() };
    tokio::spawn(serve(listener, management, std::future::pending()));
    format!("http://{address}")
}

async fn get(url: &str) -> (u16, String, String) {
    let answer = reqwest::get(url).await.expect("an answer");
    let media_type = answer.headers()["content-type"].to_str().expect("text").to_owned();
    (answer.status().as_u16(), media_type, answer.text().await.expect("a body"))
}

#[tokio::test]
async fn a_service_is_ready_only_while_every_needed_part_works_and_says_which_does_not() {
    let (health, numbers) = (Health::default(), Arc::new(Numbers::default()));
    let base = listener(&health, &numbers).await;
    let (store, relay) = (health.part("store", true), health.part("relay.1863.ame", false));
    assert_eq!(get(&format!("{base}/healthz")).await.0, 200, "alive, though not ready");
    let (status, _, body) = get(&format!("{base}/readyz")).await;
    assert_eq!(status, 503, "{body}");
    store.up();
    assert!(relay.down("the address does not answer"));
    let (status, media_type, body) = get(&format!("{base}/readyz")).await;
    assert_eq!((status, media_type.as_str()), (200, "application/json"), "what is not needed keeps nobody from being ready");
    let told: Value = serde_json::from_str(&body).expect("JSON");
    let relay = &told["parts"][0];
    assert_eq!(relay["part"], "relay.1863.ame");
    assert_eq!((&relay["state"], &relay["why"]), (&"down".into(), &"the address does not answer".into()));
    let since: jiff::Timestamp = relay["since"].as_str().expect("a time").parse().expect("RFC 3339");
    assert!(since <= Clock::System.now());
    assert!(store.down("the database does not answer"));
    assert_eq!(get(&format!("{base}/readyz")).await.0, 503);
    assert_eq!(get(&format!("{base}/healthz")).await.0, 200, "a restart would not bring the database back");
}

#[tokio::test]
async fn a_feed_is_ready_without_a_broker_and_not_without_its_store() {
    let (health, numbers) = (Health::default(), Arc::new(Numbers::default()));
    let base = listener(&health, &numbers).await;
    let feed = format!("{base}/readyz/feed");
    assert_eq!(get(&feed).await.0, 503, "nothing works yet");
    let (store, broker, tls) = (health.part("store", true), health.part("amqp.in", true), health.part("feed.tls", false));
    health.part("contracts", true).up();
    assert_eq!(get(&feed).await.0, 503, "the store is not open yet");
    store.up();
    assert!(broker.down("not reachable"));
    assert!(tls.down("what is in use is kept"));
    let (status, media_type, body) = get(&feed).await;
    assert_eq!((status, media_type.as_str()), (200, "application/json"), "{body}");
    let told: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(
        (&told["ready"], &told["parts"][0]["why"]),
        (&true.into(), &"not reachable".into()),
        "and it is told all the same"
    );
    assert_eq!(get(&format!("{base}/readyz")).await.0, 503, "the service as a whole is not ready");
    assert!(store.down("the database does not answer"));
    assert_eq!(get(&feed).await.0, 503);
}

#[tokio::test]
async fn numbers_are_written_as_open_metrics_with_labels_from_closed_sets_alone() {
    let (health, numbers) = (Health::default(), Arc::new(Numbers::default()));
    let base = listener(&health, &numbers).await;
    health.part("store", true).up();
    numbers.set_messages("refused", 2);
    let (status, media_type, body) = get(&format!("{base}/metrics")).await;
    assert_eq!(status, 200);
    assert!(media_type.starts_with("application/openmetrics-text"), "{media_type}");
    assert!(body.contains("brygga_messages{state=\"refused\"} 2\n"), "{body}");
    assert!(body.contains("brygga_part_up{part=\"store\"} 1\n"), "{body}");
    assert!(body.ends_with("# EOF\n"));
    assert_eq!(get(&format!("{base}/elsewhere")).await.0, 404);
}
