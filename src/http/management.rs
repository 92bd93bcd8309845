//! The management listener: `/healthz`, `/readyz`, `/readyz/feed`, `/metrics`. It holds nothing of any person and is for the operators' own
//! network; who may reach it is for the address it listens on and the network around it.

use std::future::Future;
use std::io;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::problem::Problem;
use crate::telemetry::{Health, Numbers, PartState};

/// The parts without which no feed can be read. Certificates that could not be renewed leave the old ones in use, so
/// `feed.tls` is not among them: a bad file must not take every process out of service at once.
const FEED_NEEDS: [&str; 1] = ["store"];

/// What the management listener shows.
#[derive(Debug, Clone)]
pub struct Management {
    /// The parts and their states.
    pub health: Health,
    /// The numbers.
    pub numbers: Arc<Numbers>,
    /// The time, for `since`.
    pub now: fn() -> Timestamp,
}

/// The routes of the management listener.
pub fn router(management: Management) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/readyz/feed", get(feed_ready))
        .route("/metrics", get(metrics))
        .fallback(|| async { Problem::NotFound })
        .with_state(management)
}

/// Serves until told to stop.
///
/// # Errors
/// Where the listener fails.
pub async fn serve(
    listener: TcpListener,
    management: Management,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    axum::serve(listener, router(management)).with_graceful_shutdown(stop).await
}

/// 200 while everything that is needed works, else 503: each part with its state, since when, and why.
async fn ready(State(management): State<Management>) -> Response {
    told(&management, management.health.is_ready())
}

/// 200 while the feed can be read, whatever becomes of messages meanwhile; what is told is the same.
async fn feed_ready(State(management): State<Management>) -> Response {
    told(&management, management.health.works(&FEED_NEEDS))
}

fn told(management: &Management, is_ready: bool) -> Response {
    let now = (management.now)();
    let parts: Vec<Value> = management
        .health
        .view()
        .into_iter()
        .map(|part| {
            let (state, why) = match part.state {
                PartState::Starting => ("starting", None),
                PartState::Up => ("up", None),
                PartState::Down(why) => ("down", Some(why)),
            };
            let since = now.checked_sub(part.standing_for).unwrap_or(now);
            json!({ "part": part.name, "state": state, "needed": part.needed, "since": since.to_string(), "why": why })
        })
        .collect();
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = json!({ "ready": is_ready, "parts": parts });
    typed(status, "application/json", body.to_string())
}

async fn metrics(State(management): State<Management>) -> Response {
    let text = management.numbers.text(&management.health);
    typed(StatusCode::OK, "application/openmetrics-text; version=1.0.0; charset=utf-8", text)
}

fn typed(status: StatusCode, media_type: &'static str, body: String) -> Response {
    let mut response = (status, body).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
