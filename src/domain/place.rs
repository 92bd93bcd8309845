//! Where in a document something is, told without telling anything of the document.
//!
//! A place is built only of names that a contract has; any other name is `?` with its index, because an unknown key may
//! be a personnummer.

use std::fmt;

/// One step into a document.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// A field of the contract.
    Field(String),
    /// A field that the contract does not have, by its order in its object from 0.
    Unknown(usize),
    /// An item of a list, from 0.
    Item(usize),
}

/// A place in a document: `absences[1].reason`, or `participant.?0` for an unknown field.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Place(Vec<Step>);

impl Place {
    /// The document as a whole.
    #[must_use]
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// Reads a dotted path of contract names, such as `days[].date` without any index.
    #[must_use]
    pub fn fields(path: &str) -> Self {
        Self(path.split('.').map(|name| Step::Field(name.trim_end_matches("[]").to_owned())).collect())
    }

    /// The place one step further in.
    #[must_use]
    pub fn then(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    /// The place of a known field under this one.
    #[must_use]
    pub fn field(&self, name: &str) -> Self {
        self.then(Step::Field(name.to_owned()))
    }

    /// The place of an item under this one.
    #[must_use]
    pub fn item(&self, index: usize) -> Self {
        self.then(Step::Item(index))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("the document");
        }
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Field(name) if at == 0 => f.write_str(name)?,
                Step::Field(name) => write!(f, ".{name}")?,
                Step::Unknown(index) if at == 0 => write!(f, "?{index}")?,
                Step::Unknown(index) => write!(f, ".?{index}")?,
                Step::Item(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, Step};

    #[test]
    fn a_place_reads_as_a_path_and_hides_unknown_names() {
        let place = Place::fields("absences[]").item(1).field("reason");
        assert_eq!(place.to_string(), "absences[1].reason");
        assert_eq!(Place::fields("participant").then(Step::Unknown(0)).to_string(), "participant.?0");
        assert_eq!(Place::root().to_string(), "the document");
    }
}
