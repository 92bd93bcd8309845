//! Where a decoder stands: a chain of steps on the stack, made into a place only when something is wrong there.

use crate::domain::{Code, Place, Step, Violation};

/// A place that costs nothing until it is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) enum At<'p> {
    /// The document as a whole.
    Root,
    /// A field of the contract.
    Field(&'p At<'p>, &'p str),
    /// A field that the contract does not have, by its order in its object.
    Unknown(&'p At<'p>, usize),
    /// An item of a list.
    Item(&'p At<'p>, usize),
}

impl At<'_> {
    /// The place.
    fn place(&self) -> Place {
        match self {
            Self::Root => Place::root(),
            Self::Field(outer, name) => outer.place().field(name),
            Self::Unknown(outer, index) => outer.place().then(Step::Unknown(*index)),
            Self::Item(outer, index) => outer.place().item(*index),
        }
    }

    /// What is wrong here.
    pub(super) fn refuse(&self, code: Code) -> Violation {
        Violation::new(code, self.place())
    }
}
