//! What happens between Brygga and the municipality's systems.

use super::Event;

/// An entry of a pushed feed has arrived.
#[derive(Debug)]
pub struct EntryDelivered<'a> {
    /// Whose feed.
    pub recipient: &'a str,
    /// Its position.
    pub position: i64,
}

impl Event for EntryDelivered<'_> {
    fn emit(&self) {
        tracing::info!(recipient.name = self.recipient, entry.position = self.position, "entry delivered");
    }
}

/// An entry of a pushed feed was refused by its system; it is a dead letter now.
#[derive(Debug)]
pub struct EntryRefused<'a> {
    /// Whose feed.
    pub recipient: &'a str,
    /// Its position.
    pub position: i64,
    /// What the system said, in words without values.
    pub said: &'a str,
}

impl Event for EntryRefused<'_> {
    fn emit(&self) {
        tracing::warn!(
            recipient.name = self.recipient,
            entry.position = self.position,
            said = self.said,
            "entry refused by its system; it is a dead letter now"
        );
    }
}

/// New certificates for a system are in use.
#[derive(Debug)]
pub struct SystemFilesRenewed<'a> {
    /// Whose feed.
    pub recipient: &'a str,
}

impl Event for SystemFilesRenewed<'_> {
    fn emit(&self) {
        tracing::info!(recipient.name = self.recipient, "new certificates for a system are in use");
    }
}

/// The files of certificates for a system have changed and cannot be used; the ones from before stay in use.
#[derive(Debug)]
pub struct SystemFilesKept<'a> {
    /// Whose feed.
    pub recipient: &'a str,
    /// What is wrong.
    pub cause: &'a dyn std::error::Error,
}

impl Event for SystemFilesKept<'_> {
    fn emit(&self) {
        tracing::error!(
            recipient.name = self.recipient,
            cause = %self.cause,
            "new certificates for a system cannot be used; the ones from before stay"
        );
    }
}
