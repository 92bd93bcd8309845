//! What a date has ended: what was shown in time stays with its recipient, and what the participant takes back of it does not.

use jiff::Timestamp;

use super::combine::Consent;
use super::{Permitted, Shut};
use crate::agreement::Covered;
use crate::domain::{Categories, Code};

/// What a leg comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fate {
    /// Why it is not open.
    pub code: Code,
    /// When to look again, where it waits; otherwise it is over.
    pub until: Option<Timestamp>,
}

/// A leg that a date has ended.
#[derive(Debug)]
pub struct Lapsed {
    /// What it comes to where it was open until then.
    pub opened: Fate,
    /// What it comes to where it never was.
    pub unopened: Fate,
    /// What the participant has taken back of what it showed, where that is some categories alone.
    pub narrowed: Option<Narrowed>,
}

/// The same report before and after some categories of it were taken back. Both are permitted until an instant before all others:
/// they are there to be compared, and no page would ever show them.
#[derive(Debug)]
pub struct Narrowed {
    /// With what was taken back.
    pub before: Permitted,
    /// Without it.
    pub after: Permitted,
}

impl Lapsed {
    /// A leg that is over.
    pub(super) fn over(code: Code) -> Shut {
        let fate = Fate { code, until: None };
        Self::of(fate, fate)
    }

    pub(super) fn of(opened: Fate, unopened: Fate) -> Shut {
        Shut::Lapsed(Box::new(Self { opened, unopened, narrowed: None }))
    }
}

impl Shut {
    /// With what revocations of some categories take back of what was shown. It does not matter whether a waiver that still names
    /// a category is in force: what it ended with was shown in time.
    pub(super) fn narrowed_by(mut self, waivers: &[Consent], covered: &Covered) -> Self {
        if let Self::Lapsed(lapsed) = &mut self {
            lapsed.narrowed = narrowed(waivers, covered);
        }
        self
    }
}

fn narrowed(waivers: &[Consent], covered: &Covered) -> Option<Narrowed> {
    let matrix = &covered.recipient_terms()?.matrix;
    let left = waivers.iter().fold(Categories::NONE, |all, waiver| all.union(waiver.categories));
    let ended = waivers.iter().fold(Categories::NONE, |all, waiver| all.union(waiver.ended));
    let ended = ended.minus(left).minus(matrix.always).intersection(matrix.with_consent);
    let after = matrix.always.union(matrix.with_consent.intersection(left));
    let permitted = |categories| Permitted {
        covered: covered.clone(),
        categories,
        consents: Vec::new(),
        transitions: Vec::new(),
        until: Timestamp::MIN,
        wakes_at: Timestamp::MIN,
    };
    (!ended.is_empty()).then(|| Narrowed { before: permitted(after.union(ended)), after: permitted(after) })
}
