//! What holds for every request before any route sees it: its id, its bounds, and how its answer is counted.

use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use uuid::Uuid;

use super::problem::Problem;
use crate::telemetry::Numbers;

/// The request's id, taken from the client where it is a UUID, and given back.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The most characters of an address (DIGG's REST API profile, UFN.05).
const LONGEST_ADDRESS: usize = 2048;

/// Gives a request its id and keeps it within bounds; writes the id into the answer, and into a problem's `instance`.
pub(super) async fn take(State(numbers): State<Option<Arc<Numbers>>>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let id = id_of(&request);
    let route = route_of(request.uri().path());
    let mut response = match fault_of(&request) {
        Some(problem) => problem.into_response(),
        None => next.run(request).await,
    };
    if let Some(problem) = response.extensions().get::<Problem>().copied() {
        response = problem.document(id);
    }
    if let Ok(value) = HeaderValue::from_str(&id.hyphenated().to_string()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    if let Some(numbers) = numbers {
        numbers.answered(route, response.status().as_u16(), begun.elapsed());
    }
    response
}

/// What a panic is answered with; its words stay inside.
pub(super) fn failed(_: Box<dyn std::any::Any + Send>) -> Response<Body> {
    Problem::Failed.into_response()
}

fn id_of(request: &Request) -> Uuid {
    let stated = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok());
    stated.and_then(|text| Uuid::try_parse(text).ok()).unwrap_or_else(Uuid::now_v7)
}

fn fault_of(request: &Request) -> Option<Problem> {
    let address = request.uri().path_and_query().map_or(0, |address| address.as_str().len());
    if address > LONGEST_ADDRESS {
        return Some(Problem::Long);
    }
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    (reads && !request.body().is_end_stream()).then_some(Problem::Body)
}

/// A label of a closed set, whatever was asked for.
fn route_of(path: &str) -> &'static str {
    ["/v1/feed", "/v1/receipts", "/openapi.json", "/api-info"].into_iter().find(|route| *route == path).unwrap_or("other")
}
