//! What falls due: reports to be settled, and answers to be given.

use jiff::Timestamp;

use crate::domain::{MessageNumber, PersonKey, RecipientId, ReportKey};

/// A report with a leg whose time has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueReport {
    /// The participant.
    pub person: PersonKey,
    /// The report.
    pub report: ReportKey,
}

/// That at the end of its hold period a report is to be looked at: if it was not forwarded, its sender is told so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueAnswer {
    /// The report's message.
    pub message: MessageNumber,
    /// The participant.
    pub person: PersonKey,
    /// The recipients whose gate is a waiver.
    pub recipients: Vec<RecipientId>,
    /// The end of the hold period.
    pub due_at: Timestamp,
    /// Whether its terms are an illustration that nobody has signed.
    pub illustrative: bool,
}
