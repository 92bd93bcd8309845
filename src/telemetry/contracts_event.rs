//! What happens to the contracts of a running service.

use super::Event;

/// Another contract set came into force.
#[derive(Debug)]
pub struct ContractsRenewed<'a> {
    /// Its digest.
    pub digest: &'a str,
}

impl Event for ContractsRenewed<'_> {
    fn emit(&self) {
        tracing::info!(contracts.digest = self.digest, "other contracts are in force");
    }
}

/// The folder's contracts cannot be used; those before them stay in force.
#[derive(Debug)]
pub struct ContractsKept<'a> {
    /// Why, in words of files and lines.
    pub why: &'a str,
}

impl Event for ContractsKept<'_> {
    fn emit(&self) {
        tracing::error!(contracts.why = self.why, "the folder's contracts cannot be used; those before them stay in force");
    }
}
