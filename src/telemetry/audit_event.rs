//! What happens to the audit chain.

use super::Event;

/// A signed checkpoint was written for keeping elsewhere.
#[derive(Debug)]
pub struct CheckpointWritten {
    /// The newest link that it confirms.
    pub number: i64,
}

impl Event for CheckpointWritten {
    fn emit(&self) {
        tracing::info!(audit.link = self.number, "checkpoint of the audit chain written; keep it elsewhere");
    }
}
