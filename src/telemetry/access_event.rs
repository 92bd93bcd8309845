//! What is logged about people who sign in: that somebody could not, never who or from where. Who did is in the audit log.

use super::Event;

/// Somebody could not sign in.
#[derive(Debug)]
pub struct SignInRefused {
    /// Why, in words of a closed set.
    pub why: &'static str,
}

impl Event for SignInRefused {
    fn emit(&self) {
        tracing::warn!(why = self.why, "somebody could not sign in");
    }
}
