//! Happenings of the feed over mutual TLS. Who a client is stands in none of them: a refused one may be anybody.

use super::Event;

/// Certificates, revocation lists and clients were loaded anew.
#[derive(Debug)]
pub struct TrustRenewed {
    /// How many clients.
    pub clients: usize,
    /// How many revocation lists.
    pub lists: usize,
}

impl Event for TrustRenewed {
    fn emit(&self) {
        tracing::info!(feed.clients = self.clients, feed.lists = self.lists, "certificates, lists and clients loaded");
    }
}

/// They could not be loaded; those in use are kept.
#[derive(Debug)]
pub struct TrustKept<'a> {
    /// Every fault, with files and lines and no content.
    pub why: &'a str,
}

impl Event for TrustKept<'_> {
    fn emit(&self) {
        tracing::error!(feed.faults = self.why, "certificates, lists or clients cannot be loaded; those in use are kept");
    }
}

/// No revocation list is configured. Told once, at the start.
#[derive(Debug)]
pub struct RevocationUnchecked;

impl Event for RevocationUnchecked {
    fn emit(&self) {
        tracing::warn!("no revocation list is configured: a revoked certificate is let in until its client is removed");
    }
}

/// A connection could not be accepted.
#[derive(Debug)]
pub struct AcceptFailed<'a> {
    /// Why.
    pub cause: &'a std::io::Error,
}

impl Event for AcceptFailed<'_> {
    fn emit(&self) {
        tracing::error!(cause = %self.cause, "a connection to the feed cannot be accepted");
    }
}

/// A handshake came to nothing.
#[derive(Debug)]
pub struct HandshakeFailed<'a> {
    /// Why, in the library's words, which hold nothing of a certificate.
    pub why: &'a str,
}

impl Event for HandshakeFailed<'_> {
    fn emit(&self) {
        tracing::info!(cause = self.why, "a handshake with the feed came to nothing");
    }
}

/// A request was refused for who made it.
#[derive(Debug)]
pub struct ClientRefused {
    /// What was wrong: `certificate` or `client`.
    pub why: &'static str,
}

impl Event for ClientRefused {
    fn emit(&self) {
        tracing::warn!(feed.refused = self.why, "a client of the feed was refused");
    }
}
