//! Errors as problem documents (RFC 9457). What is told outside is a constant sentence; causes go to the log alone.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// A problem that a reader can meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Problem {
    /// A query parameter is not what it should be.
    Parameter(&'static str),
    /// The `lastEventId` is not one of this feed in its present epoch.
    ForeignId,
    /// The store is away.
    Away,
    /// There is nothing at this path.
    NotFound,
    /// The path takes another method.
    Method,
}

impl Problem {
    const fn parts(self) -> (StatusCode, &'static str, &'static str, &'static str) {
        match self {
            Self::Parameter(detail) => (StatusCode::BAD_REQUEST, "parameter", "A query parameter is wrong", detail),
            Self::ForeignId => (
                StatusCode::GONE,
                "foreign-id",
                "The id is not one of this feed",
                "The feed never gave this lastEventId, or gave it before it was restored. Start again without lastEventId.",
            ),
            Self::Away => (
                StatusCode::SERVICE_UNAVAILABLE,
                "away",
                "The feed cannot be read at the moment",
                "Ask again after the time in Retry-After. Nothing is lost.",
            ),
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found", "There is nothing here", "The feed is at /v1/feed."),
            Self::Method => {
                (StatusCode::METHOD_NOT_ALLOWED, "method", "The method is not taken here", "The feed is read with GET.")
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, name, title, detail) = self.parts();
        let body = json!({
            "type": format!("urn:brygga:problem:{name}"),
            "title": title,
            "status": status.as_u16(),
            "detail": detail,
            "instance": format!("urn:uuid:{}", uuid::Uuid::now_v7()),
        });
        let mut response = (status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self == Self::Away {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}
