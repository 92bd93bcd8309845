//! What the API says of itself: `/openapi.json`, and `/api-info` by DIGG's REST API profile (VER.06).

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::accept::choose;
use super::problem::Problem;
use crate::config::{FeedAbout, FeedLimits};

/// The API as it is described by hand. A test holds it against what the routes do.
const OPENAPI: &str = include_str!("../../docs/openapi.json");

/// Both documents, written once with what the configuration says of the one who serves.
#[derive(Debug, Clone)]
pub(super) struct Description {
    openapi: Bytes,
    info: Bytes,
}

impl Description {
    pub(super) fn new(about: &FeedAbout, limits: &FeedLimits) -> Self {
        let mut api: Value = serde_json::from_str(OPENAPI).unwrap_or_default();
        if let Some(url) = &about.public_url {
            put(&mut api, "/servers/0/url", json!(url));
        }
        for (place, text) in [
            ("/info/contact/name", &about.contact_name),
            ("/info/contact/url", &about.contact_url),
            ("/info/contact/email", &about.contact_email),
        ] {
            if let Some(text) = text {
                put(&mut api, place, json!(text));
            }
        }
        put(&mut api, "/components/parameters/limit/schema/maximum", json!(limits.max_limit));
        put(&mut api, "/components/parameters/limit/schema/default", json!(limits.default_limit));
        let longest = u64::try_from(limits.max_timeout.as_millis()).unwrap_or(u64::MAX);
        put(&mut api, "/components/parameters/timeout/schema/maximum", json!(longest));
        let at = |place: &str| api.pointer(place).cloned().unwrap_or_default();
        let info = json!({
            "apiName": at("/info/x-api-name"),
            "apiVersion": at("/info/version"),
            "apiReleased": at("/info/x-api-released"),
            "apiDocumentation": format!("{}/openapi.json", at("/servers/0/url").as_str().unwrap_or_default()),
            "apiStatus": at("/info/x-api-status"),
        });
        Self { openapi: Bytes::from(api.to_string()), info: Bytes::from(info.to_string()) }
    }

    pub(super) fn openapi(&self, headers: &HeaderMap) -> Result<Response, Problem> {
        answer(&self.openapi, headers)
    }

    pub(super) fn info(&self, headers: &HeaderMap) -> Result<Response, Problem> {
        answer(&self.info, headers)
    }
}

fn put(api: &mut Value, place: &str, value: Value) {
    if let Some(slot) = api.pointer_mut(place) {
        *slot = value;
    }
}

fn answer(document: &Bytes, headers: &HeaderMap) -> Result<Response, Problem> {
    let media = choose(headers, &["application/json"]).ok_or(Problem::NotAcceptable)?;
    let mut response = document.clone().into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}
