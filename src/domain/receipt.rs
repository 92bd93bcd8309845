//! What a recipient says of one event that it was served.

use std::str::FromStr;

/// What a recipient says. Nothing of it claims what it does with what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ReceiptKind {
    /// It has the event.
    Received,
    /// It has taken the document into its own system.
    Accepted,
    /// It does not take the document; a code of its list says why.
    Rejected,
    /// It has the `DELETE`.
    WithdrawalAcknowledged,
}

impl ReceiptKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Received, Self::Accepted, Self::Rejected, Self::WithdrawalAcknowledged];

    /// The name in stores and messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::WithdrawalAcknowledged => "withdrawal-acknowledged",
        }
    }
}

impl FromStr for ReceiptKind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(())
    }
}
