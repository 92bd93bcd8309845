//! Floor 2, second: whether the person behind a report is protected, asked before any rule that can refuse.
//!
//! `Decoded → Identified → Open | Diverted`. A report on a protected person (sekretessmarkering, skyddad folkbokföring)
//! never becomes an ordinary dead letter, whatever else is wrong with it. A message that does not say readably whom it is
//! about could be about a protected person, so it is restricted.

use std::sync::Arc;

use serde_json::Value;

use crate::domain::{Code, Document, Envelope, FieldPath, Keys, PersonError, PersonKey, PersonNumber, Place, Violation};
use crate::intake::Decoded;

/// A message whose person is known, and nothing else of it yet.
#[derive(Debug)]
pub struct Identified {
    decoded: Decoded,
    person: PersonNumber,
    key: PersonKey,
    flagged: bool,
}

/// A message that may be judged: its person is not protected, or it is no report.
#[derive(Debug)]
pub struct Open {
    decoded: Decoded,
    person: PersonNumber,
    key: PersonKey,
}

/// A report on a protected person. It goes no further; only its existence is counted.
#[derive(Debug)]
pub struct Diverted {
    key: PersonKey,
    by_itself: bool,
}

/// A message that does not say readably whom it is about.
#[derive(Debug)]
pub struct Unreadable {
    /// The message, so that everything else that is wrong can be told its sender.
    pub decoded: Decoded,
    /// Why nobody can be read out of it.
    pub violation: Violation,
}

/// Reads whom a message is about.
///
/// # Errors
/// [`Unreadable`] with an `identity.*` violation.
pub fn identify(decoded: Decoded, keys: &dyn Keys) -> Result<Identified, Box<Unreadable>> {
    let outline = Arc::clone(decoded.outline());
    let Some(roles) = &outline.roles else {
        return Err(unreadable(decoded, Code::IdentityUnreadable, Place::root()));
    };
    let place = || Place::fields(&roles.person);
    let Some(text) = decoded.document().text(&roles.person) else {
        return Err(unreadable(decoded, Code::IdentityUnreadable, place()));
    };
    match PersonNumber::parse(text, decoded.envelope().day()) {
        Ok(person) => {
            let key = keys.person(&person);
            let flagged = roles.protected.as_ref().is_some_and(|path| is_set(decoded.document(), path));
            Ok(Identified { decoded, person, key, flagged })
        }
        Err(PersonError::Form) => Err(unreadable(decoded, Code::IdentityPersonNumber, place())),
        Err(PersonError::CheckDigit) => Err(unreadable(decoded, Code::IdentityCheckDigit, place())),
    }
}

fn unreadable(decoded: Decoded, code: Code, place: Place) -> Box<Unreadable> {
    Box::new(Unreadable { decoded, violation: Violation::new(code, place) })
}

/// The flag is set by anything but a plain no: a flag that cannot be read must not open the door.
fn is_set(document: &Document, path: &str) -> bool {
    FieldPath::new(path).value(document.tree()).is_some_and(|flag| *flag != Value::Bool(false))
}

impl Identified {
    /// The person's keyed hash, to ask what is stored about protection.
    #[must_use]
    pub const fn person(&self) -> &PersonKey {
        &self.key
    }

    /// The contract that the message claims to follow.
    #[must_use]
    pub fn contract(&self) -> &crate::domain::ContractRef {
        &self.decoded.envelope().contract
    }

    /// Opens the message, or diverts it where the message itself or the store says that the person is protected.
    ///
    /// # Errors
    /// [`Diverted`] for a report on a protected person.
    pub fn screen(self, stored_flag: bool) -> Result<Open, Diverted> {
        if self.flagged || stored_flag {
            return Err(Diverted { key: self.key, by_itself: self.flagged });
        }
        Ok(Open { decoded: self.decoded, person: self.person, key: self.key })
    }

    /// Opens a consent, a revocation or a flag: those are recorded for everybody, since none may be lost.
    #[must_use]
    pub fn open_record(self) -> Open {
        Open { decoded: self.decoded, person: self.person, key: self.key }
    }
}

impl Diverted {
    /// The protected person's keyed hash.
    #[must_use]
    pub const fn person(&self) -> &PersonKey {
        &self.key
    }

    /// Whether the report itself carries the flag, which then holds for all reports of the person.
    #[must_use]
    pub const fn by_itself(&self) -> bool {
        self.by_itself
    }
}

impl Open {
    /// The envelope.
    #[must_use]
    pub const fn envelope(&self) -> &Envelope {
        self.decoded.envelope()
    }

    /// Gives the parts to the next stage.
    #[must_use]
    pub fn into_parts(self) -> (Decoded, PersonNumber, PersonKey) {
        (self.decoded, self.person, self.key)
    }
}
