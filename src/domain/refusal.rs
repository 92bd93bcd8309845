//! A refusal: data for the sender and the operator, never a reason to try again by itself.
//!
//! A *fault* (the store is away, the disk is full) is another type on another floor, and the two never share an enum.

use super::code::Code;
use super::place::Place;

/// One rule that a document breaks, and where.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Violation {
    /// Which rule.
    pub code: Code,
    /// Where, in the contract's own names.
    pub place: Place,
}

impl Violation {
    /// A broken rule at a place.
    #[must_use]
    pub const fn new(code: Code, place: Place) -> Self {
        Self { code, place }
    }

    /// A broken rule of the document as a whole.
    #[must_use]
    pub const fn whole(code: Code) -> Self {
        Self { code, place: Place::root() }
    }
}

/// Why a message goes no further: at least one violation, the first naming the refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    first: Violation,
    rest: Vec<Violation>,
}

impl Refusal {
    /// A refusal for one reason.
    #[must_use]
    pub const fn of(violation: Violation) -> Self {
        Self { first: violation, rest: Vec::new() }
    }

    /// A refusal of the document as a whole.
    #[must_use]
    pub const fn whole(code: Code) -> Self {
        Self::of(Violation::whole(code))
    }

    /// A refusal for all violations that were found, or `None` where there is none.
    #[must_use]
    pub fn from_all(mut violations: Vec<Violation>) -> Option<Self> {
        if violations.is_empty() {
            return None;
        }
        let rest = violations.split_off(1);
        violations.pop().map(|first| Self { first, rest })
    }

    /// The code that names the refusal.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.first.code
    }

    /// Every violation.
    pub fn violations(&self) -> impl Iterator<Item = &Violation> {
        std::iter::once(&self.first).chain(&self.rest)
    }
}
