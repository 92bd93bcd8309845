//! `GET /v1/feed`: a page of one recipient's feed (HTTP Feeds, CloudEvents 1.0), with long polling.

use std::time::Duration;

use axum::Extension;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::time::Instant;

use super::accept::choose;
use super::api::Api;
use super::problem::Problem;
use super::reader::Reader;
use super::waiting::Woken;
use crate::config::FeedLimits;
use crate::feed::Cursor;
use crate::journey::Page;
use crate::store::{Store, StoreError};
use crate::telemetry::{Event as _, Waiting};

/// What a page can be given as. It is the same JSON under both names.
const MEDIA: [&str; 2] = ["application/cloudevents-batch+json", "application/json"];

/// What a reader asks for.
struct Asked {
    last: Option<String>,
    limit: usize,
    timeout: Duration,
}

pub(super) async fn read<S: Store>(
    State(api): State<Api<S>>,
    Extension(reader): Extension<Reader>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let media = choose(&headers, &MEDIA).ok_or(Problem::NotAcceptable)?;
    let asked = Asked::read(&uri, &api.limits)?;
    let recipient = reader.recipient();
    let epoch = api.store.epoch().await.map_err(|fault| away(&fault))?;
    let keys = api.journey.keys();
    let cursor = Cursor::read(asked.last.as_deref(), keys, recipient, epoch).map_err(|_| Problem::ForeignId)?;
    let page = wait_for_page(&api, &reader, cursor, &asked).await?;
    let events: Vec<Value> = page.entries.iter().map(|entry| entry.event(keys, recipient, epoch).to_json()).collect();
    let mut response = Value::Array(events).to_string().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn away(fault: &StoreError) -> Problem {
    Waiting { part: "feed", cause: fault }.emit();
    Problem::Away
}

impl Asked {
    fn read(uri: &Uri, limits: &FeedLimits) -> Result<Self, Problem> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri).map_err(|_| Problem::Parameter)?;
        let (mut last, mut limit, mut timeout) = (None, None, None);
        for (name, value) in pairs {
            let place = match name.as_str() {
                "lastEventId" => &mut last,
                "limit" => &mut limit,
                "timeout" => &mut timeout,
                _ => return Err(Problem::Parameter),
            };
            if place.replace(value).is_some() {
                return Err(Problem::Parameter);
            }
        }
        let longest = u64::try_from(limits.max_timeout.as_millis()).unwrap_or(u64::MAX);
        let limit = number("limit", limit.as_deref(), limits.default_limit.into(), 1, limits.max_limit.into())?;
        let timeout = number("timeout", timeout.as_deref(), 0, 0, longest)?;
        let limit = usize::try_from(limit).unwrap_or(usize::from(limits.max_limit));
        Ok(Self { last, limit, timeout: Duration::from_millis(timeout) })
    }
}

fn number(name: &'static str, text: Option<&str>, default: u64, least: u64, most: u64) -> Result<u64, Problem> {
    let Some(text) = text else { return Ok(default) };
    let within = |number: &u64| (least..=most).contains(number);
    text.parse().ok().filter(within).ok_or(Problem::Number { name, least, most })
}

/// Reads a page; an empty one is waited for until the time is over or the service stops.
async fn wait_for_page<S: Store>(api: &Api<S>, reader: &Reader, cursor: Cursor, asked: &Asked) -> Result<Page, Problem> {
    let deadline = Instant::now() + asked.timeout;
    let mut stopping = api.stopping.clone();
    loop {
        // Whoever has waited may have been shut out meanwhile.
        reader.admitted()?;
        // A reader that hangs up must not cut a transaction in two, so each runs in a task of its own.
        let (journey, store, recipient) = (api.journey.in_force(), api.store.clone(), reader.recipient().clone());
        let limit = asked.limit;
        let page = tokio::spawn(async move { journey.page(&store, &recipient, cursor, limit).await });
        let page = page.await.map_err(|_| Problem::Failed)?.map_err(|fault| away(&fault))?;
        if !page.entries.is_empty() || Instant::now() >= deadline || *stopping.borrow() {
            return Ok(page);
        }
        tokio::select! {
            woken = api.waiting.for_news(reader.recipient(), cursor.position()) => {
                if woken == Woken::Away {
                    return Err(Problem::Away);
                }
            }
            () = tokio::time::sleep_until(deadline) => return Ok(page),
            // Told to stop, or nobody is left who could tell: either way this reader is answered now.
            _ = stopping.changed() => return Ok(page),
        }
    }
}
