//! `POST /v1/receipts`: what the recipient says of the events that it was served, a batch at a time.

use std::time::Duration;

use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::accept::choose;
use super::api::Api;
use super::problem::Problem;
use super::reader::Reader;
use crate::receipt::{ReceiptFault, read};
use crate::store::Store;
use crate::telemetry::{Event as _, Waiting};

/// The most bytes of a batch: 500 receipts with room to spare.
const LARGEST: usize = 256 * 1024;

/// How long a body may take.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn take<S: Store>(
    State(api): State<Api<S>>,
    Extension(reader): Extension<Reader>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let media = choose(&headers, &["application/json"]).ok_or(Problem::NotAcceptable)?;
    if !is_json(&headers) {
        return Err(Problem::MediaType);
    }
    let stated = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if stated.is_some_and(|length| length > LARGEST) {
        return Err(Problem::TooLarge);
    }
    let bytes = tokio::time::timeout(PATIENCE, to_bytes(body, LARGEST)).await;
    // What cannot be read whole in time is too much, or too slow, or broken off.
    let bytes = bytes.map_err(|_| Problem::TooLarge)?.map_err(|_| Problem::TooLarge)?;
    let stated = read(&bytes).map_err(|_| Problem::Receipts)?;
    // Whoever has sent slowly may have been shut out meanwhile.
    reader.admitted()?;
    // A client that hangs up must not cut a transaction in two, so it runs in a task of its own.
    let (journey, store, recipient) = (api.journey.in_force(), api.store.clone(), reader.recipient().clone());
    let taken = tokio::spawn(async move { journey.take_receipts(&store, &recipient, &stated).await });
    let results = taken.await.map_err(|_| Problem::Failed)?.map_err(|fault| {
        Waiting { part: "receipts", cause: &fault }.emit();
        Problem::Away
    })?;
    let results: Vec<Value> = results.into_iter().map(told).collect();
    let mut response = json!({ "results": results }).to_string().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn told(result: Result<(), ReceiptFault>) -> Value {
    match result {
        Ok(()) => json!({ "result": "recorded" }),
        Err(fault) => json!({ "result": "refused", "problem": fault.as_str() }),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let stated = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    stated.and_then(|text| text.split(';').next()).is_some_and(|media| media.trim().eq_ignore_ascii_case("application/json"))
}
