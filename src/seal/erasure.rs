//! What the ledger says of erasures: keyed hashes, ids and times, so that no restored backup brings anybody back.

use jiff::Timestamp;
use uuid::Uuid;

use super::Holder;
use crate::domain::{ContractRef, Login};

/// That everything of a class that a holder had until an instant is gone, by an erasure or at the end of its period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// Whose, and of which class.
    pub holder: Holder,
    /// When.
    pub at: Timestamp,
}

/// The id of a message whose content was erased. Where a restored backup is older than the message, its sender sends it
/// again, and then this says that it has come before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenId {
    /// Who sent it.
    pub login: Login,
    /// The sender's id of it.
    pub message_id: Uuid,
    /// What it was a message of.
    pub contract: ContractRef,
    /// When it was erased.
    pub at: Timestamp,
}
