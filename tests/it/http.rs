//! Arbetsförmedlingen's feed over real HTTP: pages, ids, long polls, problems.

use std::time::{Duration, Instant};

use brygga::domain::RecipientId;
use brygga::http::{Bound, FeedOf};
use reqwest::{Client, Response, StatusCode};
use serde_json::Value;
use tokio::sync::watch;

use crate::harness::{Desk, root, scenario};

struct Running {
    desk: Desk,
    url: String,
    stop: watch::Sender<bool>,
    served: tokio::task::JoinHandle<std::io::Result<()>>,
    demo: brygga::app::Scenario,
}

/// The demo's messages, taken, and the feed served on a free port.
async fn running(take: bool) -> Running {
    let (demo, _) = scenario(&root().join("fixtures/demo"));
    let desk = Desk::open(&demo).await;
    if take {
        desk.run(&demo).await;
    }
    let bound = Bound::bind("127.0.0.1:0".parse().expect("loopback")).await.expect("a port");
    let url = format!("http://{}/v1/feed", bound.address().expect("an address"));
    let (stop, stopping) = watch::channel(false);
    let recipient = RecipientId::arbetsformedlingen();
    let feed = FeedOf { journey: desk.journey.clone(), store: desk.store.clone(), recipient, stopping: stopping.clone() };
    let mut stopped = stopping;
    let served = tokio::spawn(bound.serve(feed, async move {
        let _stopped = stopped.wait_for(|stop| *stop).await;
    }));
    Running { desk, url, stop, served, demo }
}

async fn get(url: &str, query: &str) -> Response {
    Client::new().get(format!("{url}{query}")).send().await.expect("an answer")
}

async fn events(url: &str, query: &str) -> Vec<Value> {
    let answer = get(url, query).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["content-type"], "application/cloudevents-batch+json");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    answer.json().await.expect("a JSON array")
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_any_size_give_the_same_events_in_the_same_order() {
    let running = running(true).await;
    let whole = events(&running.url, "?limit=500").await;
    assert!(whole.len() > 10, "the demo publishes to AF");
    let mut paged = Vec::new();
    let mut query = "?limit=3".to_owned();
    loop {
        let page = events(&running.url, &query).await;
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 3);
        query = format!("?limit=3&lastEventId={}", last["id"].as_str().expect("an id"));
        paged.extend(page);
    }
    assert_eq!(paged, whole);
    for event in &whole {
        assert_eq!(event["specversion"], "1.0");
        assert_eq!(event["illustrative"], true, "the demo's agreements of 2026 are illustrations");
        assert!(event["time"].as_str().is_some_and(|time| time.ends_with('Z')));
        assert_eq!(event["subject"].as_str().map(str::len), Some(32));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_question_gets_a_problem_document() {
    let running = running(false).await;
    for (query, status) in [
        ("?limit=0", StatusCode::BAD_REQUEST),
        ("?limit=501", StatusCode::BAD_REQUEST),
        ("?limit=x", StatusCode::BAD_REQUEST),
        ("?timeout=60001", StatusCode::BAD_REQUEST),
        ("?lastEventId=forged", StatusCode::GONE),
        ("/other", StatusCode::NOT_FOUND),
    ] {
        let answer = get(&running.url, query).await;
        assert_eq!(answer.status(), status, "{query}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        let problem: Value = answer.json().await.expect("a problem");
        for member in ["type", "title", "status", "detail", "instance"] {
            assert!(!problem[member].is_null(), "{query} lacks {member}");
        }
        assert!(!problem.to_string().contains("forged"), "what was asked is not repeated");
    }
    let post = Client::new().post(&running.url).send().await.expect("an answer");
    assert_eq!(post.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(events(&running.url, "?lastEventId=null").await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_poll_is_answered_by_the_next_commit_and_by_the_end_of_its_time() {
    let running = running(false).await;
    let begun = Instant::now();
    assert_eq!(events(&running.url, "?timeout=300").await.len(), 0);
    assert!(begun.elapsed() >= Duration::from_millis(290), "it waited");
    let url = running.url.clone();
    let waiting = tokio::spawn(async move { events(&url, "?timeout=20000").await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    running.desk.run(&running.demo).await;
    let begun = Instant::now();
    assert!(!waiting.await.expect("an answer").is_empty());
    assert!(begun.elapsed() < Duration::from_secs(10), "it was answered by the commit, not by its time");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_poll_ends_at_once_when_the_service_stops() {
    let running = running(false).await;
    let url = running.url.clone();
    let waiting = tokio::spawn(async move { events(&url, "?timeout=60000").await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    running.stop.send_replace(true);
    let ended = tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("answered at once");
    assert_eq!(ended.expect("an answer").len(), 0);
    tokio::time::timeout(Duration::from_secs(10), running.served).await.expect("stopped").expect("a task").expect("no fault");
}
