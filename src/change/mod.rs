//! Floor 3: what another contract set would change, in words, before it comes into force.
//!
//! Everything here is read from two sets and their files; what would become of the stored traffic is another question, asked
//! in `traffic`.

mod contracts;
mod terms;
mod traffic;
mod visible;

pub use contracts::{ContractChange, contracts};
pub use terms::{TermsChange, terms};
pub use traffic::{FieldDelta, Traffic, traffic};
pub use visible::{Seen, Visibility, visibility};

/// Whether documents that are valid now would no longer be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invalidates {
    /// None would.
    No,
    /// It depends on what a rule or a pattern lets through, which cannot be compared.
    CannotSay,
    /// Some would.
    Yes,
}

impl Invalidates {
    /// The word in outputs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::CannotSay => "cannot say",
            Self::Yes => "yes",
        }
    }
}
