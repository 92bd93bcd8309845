//! Answers: pages, ways to another page, and what holds for each of them.

use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::cookies;
use super::pages::{self, Frame};
use super::text::{Texts, in_language};

/// The most bytes of an address.
const LONGEST_ADDRESS: usize = 2048;

/// How long a request may take in all: nobody waits longer for a page.
const LONGEST_REQUEST: Duration = Duration::from_mins(1);

/// What a page may do: show this console's stylesheet and send forms to it. Nothing runs, nothing is loaded from elsewhere,
/// nobody shows it in a frame.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// What every answer carries, whatever it is.
const HEADERS: [(HeaderName, &str); 8] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    // Not `no-referrer`: with it a browser says of its own form that it comes from nowhere.
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
];

/// Writes the headers that every answer carries, over whatever was there.
pub(super) async fn harden(State(is_secure): State<bool>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    if is_secure {
        let lasting = HeaderValue::from_static("max-age=31536000");
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, lasting);
    }
    response
}

/// Keeps a request within bounds before anybody looks at it.
pub(super) async fn bound(request: Request, next: Next) -> Response {
    let texts = texts(request.headers());
    let address = request.uri().path_and_query().map_or(0, |address| address.as_str().len());
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if address > LONGEST_ADDRESS {
        return error(StatusCode::URI_TOO_LONG, texts);
    }
    if reads && !request.body().is_end_stream() {
        return error(StatusCode::BAD_REQUEST, texts);
    }
    match tokio::time::timeout(LONGEST_REQUEST, next.run(request)).await {
        Ok(response) => response,
        Err(_) => error(StatusCode::SERVICE_UNAVAILABLE, texts),
    }
}

pub(super) fn texts(headers: &HeaderMap) -> &'static Texts {
    in_language(cookies::wants_english(headers))
}

/// A page.
pub(super) fn page(status: StatusCode, html: String) -> Response {
    typed(status, "text/html; charset=utf-8", html)
}

pub(super) fn typed(status: StatusCode, media_type: &'static str, body: String) -> Response {
    let mut response = (status, body).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// Leads to another page of the console, which is read anew; with a cookie where there is one to set.
pub(super) fn lead(to: &'static str, cookie: Option<HeaderValue>) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    response.headers_mut().insert(header::LOCATION, HeaderValue::from_static(to));
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// A page that says what is wrong and what to do, and nothing of what was asked.
pub(super) fn error(status: StatusCode, texts: &'static Texts) -> Response {
    let (title, words) = match status {
        StatusCode::FORBIDDEN => (texts.forbidden, texts.forbidden_words),
        StatusCode::NOT_FOUND => (texts.missing, texts.missing_words),
        StatusCode::METHOD_NOT_ALLOWED => (texts.missing, texts.method_words),
        StatusCode::SERVICE_UNAVAILABLE => (texts.away, texts.away_words),
        StatusCode::INTERNAL_SERVER_ERROR => (texts.failed, texts.failed_words),
        _ => (texts.refused, texts.refused_words),
    };
    match pages::error(&Frame::open(texts, ""), title, words) {
        Ok(html) => page(status, html),
        Err(_) => (status, Body::empty()).into_response(),
    }
}

pub(super) fn missing(request: &Request) -> Response {
    error(StatusCode::NOT_FOUND, texts(request.headers()))
}

pub(super) fn method(request: &Request) -> Response {
    error(StatusCode::METHOD_NOT_ALLOWED, texts(request.headers()))
}

pub(super) fn failed() -> Response {
    error(StatusCode::INTERNAL_SERVER_ERROR, in_language(false))
}
