//! How one consent stands now, for whoever looks after consents.

use jiff::Timestamp;

use super::combine::combine;
use crate::domain::{Categories, ConsentRevision};

/// How a consent stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsentStanding {
    /// It may be relied on.
    InForce,
    /// It begins later.
    NotYet,
    /// Its last day is past.
    Ended,
    /// It was taken back, and nothing of it is left.
    Revoked,
}

impl ConsentStanding {
    /// The name in outputs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InForce => "in-force",
            Self::NotYet => "not-yet",
            Self::Ended => "ended",
            Self::Revoked => "revoked",
        }
    }
}

/// How the revisions of one consent stand together, and which categories are left. `None` where there is none.
#[must_use]
pub fn standing(revisions: &[ConsentRevision], now: Timestamp) -> Option<(ConsentStanding, Categories)> {
    let consent = combine(revisions).into_iter().next()?;
    let standing = if consent.is_revoked() || consent.categories.is_empty() {
        ConsentStanding::Revoked
    } else if consent.is_active(now) {
        ConsentStanding::InForce
    } else if consent.begins_after(now) {
        ConsentStanding::NotYet
    } else {
        ConsentStanding::Ended
    };
    Some((standing, consent.categories))
}
