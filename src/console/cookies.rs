//! The console's two cookies: whose session it is, and in which language its person reads.
//!
//! Over TLS the session's has the prefix `__Host-`, so that no other host and no plain connection can set or read it. Without
//! TLS, on loopback, browsers take no such cookie; it has another name there, which is not looked for over TLS.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::account::SessionToken;

const LANGUAGE: &str = "brygga-language";

const fn session_name(is_secure: bool) -> &'static str {
    if is_secure { "__Host-brygga-session" } else { "brygga-session" }
}

fn flags(is_secure: bool) -> &'static str {
    if is_secure { "Path=/; HttpOnly; SameSite=Strict; Secure" } else { "Path=/; HttpOnly; SameSite=Strict" }
}

/// A cookie that stands once. One that stands twice was put there by somebody else, too.
fn value<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let texts = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut found = pairs.filter(|(known, _)| *known == name).map(|(_, value)| value);
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

pub(super) fn session(headers: &HeaderMap, is_secure: bool) -> Option<SessionToken> {
    value(headers, session_name(is_secure)).and_then(SessionToken::read)
}

/// Whether the person has chosen English; Swedish is what everybody else gets.
pub(super) fn wants_english(headers: &HeaderMap) -> bool {
    value(headers, LANGUAGE) == Some("en")
}

/// The cookie of a session. It goes when the browser is closed; when the session ends is not for the browser to say.
pub(super) fn set_session(token: &SessionToken, is_secure: bool) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("{}={}; {}", session_name(is_secure), token.text(), flags(is_secure))).ok()
}

pub(super) fn clear_session(is_secure: bool) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("{}=; {}; Max-Age=0", session_name(is_secure), flags(is_secure))).ok()
}

pub(super) fn set_language(is_english: bool, is_secure: bool) -> Option<HeaderValue> {
    let language = if is_english { "en" } else { "sv" };
    HeaderValue::from_str(&format!("{LANGUAGE}={language}; {}; Max-Age=31536000", flags(is_secure))).ok()
}
