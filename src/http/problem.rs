//! Errors as problem documents (RFC 9457). What is told outside is a constant sentence; causes go to the log alone.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use uuid::Uuid;

/// A problem that a reader can meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Problem {
    /// A query parameter is not a number within its bounds.
    Number {
        /// The parameter.
        name: &'static str,
        /// The least that it may be.
        least: u64,
        /// The most that it may be.
        most: u64,
    },
    /// A query parameter is unknown or stands twice.
    Parameter,
    /// A request that carries nothing has a body.
    Body,
    /// A body is too large, or does not come whole in time.
    TooLarge,
    /// A body is not JSON by its media type.
    MediaType,
    /// A body is not a batch of receipts.
    Receipts,
    /// The address is too long.
    Long,
    /// The client's certificate is not, or no longer, good.
    Certificate,
    /// The certificate is good, and its holder is not one of the feed's clients.
    Client,
    /// None of the media types that the client takes can be given.
    NotAcceptable,
    /// Too many requests; how many seconds to wait.
    TooMany(u64),
    /// The `lastEventId` is not one of this feed in its present epoch.
    ForeignId,
    /// The store is away.
    Away,
    /// The program has failed on this request.
    Failed,
    /// There is nothing at this path.
    NotFound,
    /// The path takes other methods: these.
    Method(&'static str),
}

impl Problem {
    const fn parts(self) -> (StatusCode, &'static str, &'static str, &'static str) {
        match self {
            Self::Number { .. } => (StatusCode::BAD_REQUEST, "number", "A query parameter is out of bounds", ""),
            Self::Parameter => (
                StatusCode::BAD_REQUEST,
                "parameter",
                "A query parameter is unknown or repeated",
                "The feed knows lastEventId, limit and timeout, each at most once. A misspelt lastEventId would start over.",
            ),
            Self::Body => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "body",
                "The request has a body",
                "What is read here is read with GET and without a body.",
            ),
            Self::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "too-large",
                "The body is too large, or did not come whole",
                "A batch has at most 256 KiB and comes within ten seconds. Send fewer receipts at once.",
            ),
            Self::MediaType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "media-type",
                "The body is not JSON",
                "Receipts are sent as application/json.",
            ),
            Self::Receipts => (
                StatusCode::BAD_REQUEST,
                "receipts",
                "The body is not a batch of receipts",
                "Nothing of it was recorded. The form stands in /openapi.json; a batch has from 1 to 500 receipts.",
            ),
            Self::Long => (
                StatusCode::URI_TOO_LONG,
                "long",
                "The address is too long",
                "An address of this service has at most 2048 characters.",
            ),
            Self::Certificate => (
                StatusCode::FORBIDDEN,
                "certificate",
                "The client certificate is not accepted",
                "It has expired, is revoked, or its revocation cannot be told at the moment. Connect anew with a good one.",
            ),
            Self::Client => (
                StatusCode::FORBIDDEN,
                "client",
                "The client is not known",
                "The certificate is good, but its holder is not on this feed's list of clients.",
            ),
            Self::NotAcceptable => (
                StatusCode::NOT_ACCEPTABLE,
                "not-acceptable",
                "No media type that is accepted can be given",
                "The feed gives application/cloudevents-batch+json and application/json, everything else application/json.",
            ),
            Self::TooMany(_) => (
                StatusCode::TOO_MANY_REQUESTS,
                "too-many",
                "Too many requests",
                "Ask again after the time in Retry-After. Larger pages and long polling need fewer requests.",
            ),
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
            Self::Failed => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "failed",
                "The service has failed on this request",
                "Ask again. If it happens once more, tell the service's contact the instance of this problem.",
            ),
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found", "There is nothing here", "The feed is at /v1/feed."),
            Self::Method(_) => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method",
                "The method is not taken here",
                "The methods that are taken stand in Allow. The feed is read with GET, and receipts are sent with POST.",
            ),
        }
    }

    /// The problem as the answer to one request.
    pub(super) fn document(self, request: Uuid) -> Response {
        let (status, name, title, detail) = self.parts();
        let detail = match self {
            Self::Number { name, least, most } => format!("{name} is a number from {least} to {most}."),
            _ => detail.to_owned(),
        };
        let body = json!({
            "type": format!("urn:brygga:problem:{name}"),
            "title": title,
            "status": status.as_u16(),
            "detail": detail,
            "instance": format!("urn:uuid:{request}"),
        });
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match self {
            Self::Away => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
            }
            Self::TooMany(seconds) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            Self::Method(allowed) => {
                headers.insert(header::ALLOW, HeaderValue::from_static(allowed));
            }
            // Whoever is not let in does not keep the connection either.
            Self::Certificate | Self::Client => {
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
        // Kept, so that the outermost layer can write the document anew with the request's own id.
        response.extensions_mut().insert(self);
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.document(Uuid::now_v7())
    }
}
