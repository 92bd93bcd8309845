//! `GET /v1/feed`: a page of one recipient's feed (HTTP Feeds, CloudEvents 1.0), with long polling.

use std::collections::HashMap;
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::Value;
use tokio::time::Instant;

use super::problem::Problem;
use crate::domain::RecipientId;
use crate::feed::Cursor;
use crate::journey::{Journey, Page};
use crate::store::{Store, Stored};
use crate::telemetry::{Event as _, Waiting};

/// Events in a page where the reader does not say.
const DEFAULT_LIMIT: usize = 20;

/// The most events in a page.
const MAX_LIMIT: usize = 500;

/// The longest that a reader may wait, in milliseconds.
const MAX_TIMEOUT: u64 = 60_000;

/// How often a waiting reader's feed is looked at: commits of other processes are noticed this soon.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// One recipient's feed, to be served.
#[derive(Debug, Clone)]
pub struct FeedOf<S> {
    /// The way.
    pub journey: Journey,
    /// The store.
    pub store: S,
    /// Whose feed; decided by the listener, never by the request.
    pub recipient: RecipientId,
    /// Turns true when the service stops: readers that wait are answered at once.
    pub stopping: tokio::sync::watch::Receiver<bool>,
}

/// The routes of one feed.
pub fn router<S: Store>(feed: FeedOf<S>) -> Router {
    Router::new()
        .route("/v1/feed", get(read::<S>).head(|| async { Problem::Method }).fallback(|| async { Problem::Method }))
        .fallback(|| async { Problem::NotFound })
        .with_state(feed)
}

async fn read<S: Store>(
    State(feed): State<FeedOf<S>>,
    Query(query): Query<HashMap<String, String>>,
) -> Result<Response, Problem> {
    let limit = number(&query, "limit", DEFAULT_LIMIT as u64, 1..=MAX_LIMIT as u64, "limit is a number from 1 to 500")?;
    let timeout = number(&query, "timeout", 0, 0..=MAX_TIMEOUT, "timeout is milliseconds from 0 to 60000")?;
    let epoch = feed.store.epoch().await.map_err(|fault| away(&fault))?;
    let last = query.get("lastEventId").map(String::as_str);
    let cursor = Cursor::read(last, feed.journey.keys(), &feed.recipient, epoch).map_err(|_| Problem::ForeignId)?;
    let limit = usize::try_from(limit).unwrap_or(MAX_LIMIT);
    let page =
        wait_for_page(feed.clone(), cursor, limit, Duration::from_millis(timeout)).await.map_err(|fault| away(&fault))?;
    let events: Vec<Value> =
        page.entries.iter().map(|entry| entry.event(feed.journey.keys(), &feed.recipient, epoch).to_json()).collect();
    let mut response = Value::Array(events).to_string().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/cloudevents-batch+json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn away(fault: &crate::store::StoreError) -> Problem {
    Waiting { part: "feed", cause: fault }.emit();
    Problem::Away
}

fn number(
    query: &HashMap<String, String>,
    name: &str,
    default: u64,
    range: std::ops::RangeInclusive<u64>,
    words: &'static str,
) -> Result<u64, Problem> {
    let Some(text) = query.get(name) else { return Ok(default) };
    text.parse().ok().filter(|number| range.contains(number)).ok_or(Problem::Parameter(words))
}

/// Reads a page; an empty one is waited for until the time is over or the service stops.
async fn wait_for_page<S: Store>(mut feed: FeedOf<S>, cursor: Cursor, limit: usize, timeout: Duration) -> Stored<Page> {
    let deadline = Instant::now() + timeout;
    loop {
        // A reader that hangs up must not cut a transaction in two, so each runs in a task of its own.
        let (journey, store, recipient) = (feed.journey.clone(), feed.store.clone(), feed.recipient.clone());
        let page = tokio::spawn(async move { journey.page(&store, &recipient, cursor, limit).await });
        let page = page.await.map_err(|_| crate::store::StoreError::Away("the page's task failed".to_owned()))??;
        if !page.entries.is_empty() || Instant::now() >= deadline || *feed.stopping.borrow() {
            return Ok(page);
        }
        let pause = LOOK_AGAIN.min(deadline - Instant::now());
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            // Told to stop, or nobody is left who could tell: either way this reader is answered now.
            _ = feed.stopping.changed() => return Ok(page),
        }
    }
}
