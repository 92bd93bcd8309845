//! Floor 3: the last stage before a store: stores only ever see sealed bytes.
//!
//! Encryption follows with the key store; the type is what everything after it relies on already. A rendition can be
//! sealed, and nothing else can:
//!
//! ```
//! fn publishable(document: brygga::translate::Rendition) -> brygga::seal::Sealed {
//!     brygga::seal::seal(document)
//! }
//! ```
//! ```compile_fail
//! fn publishable(document: brygga::filter::Disclosure) -> brygga::seal::Sealed {
//!     brygga::seal::seal(document)
//! }
//! ```

mod keys;

pub use keys::ServiceKeys;

use crate::domain::{ContractRef, Fingerprint, Keys, RecipientId, Subject, Syntax};
use crate::translate::Rendition;

/// A document that may be published. Only [`seal`] makes one.
#[derive(Debug)]
pub struct Sealed {
    recipient: RecipientId,
    subject: Subject,
    contract: ContractRef,
    syntax: Syntax,
    illustrative: bool,
    bytes: Vec<u8>,
}

/// Seals a rendition.
#[must_use]
pub fn seal(rendition: Rendition) -> Sealed {
    let (syntax, illustrative) = (rendition.syntax(), rendition.illustrative());
    let (recipient, subject, contract, bytes) = rendition.into_parts();
    Sealed { recipient, subject, contract, syntax, illustrative, bytes }
}

impl Sealed {
    /// Who receives it.
    #[must_use]
    pub const fn recipient(&self) -> &RecipientId {
        &self.recipient
    }

    /// Names the document over all revisions of the report.
    #[must_use]
    pub const fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The outgoing contract.
    #[must_use]
    pub const fn contract(&self) -> &ContractRef {
        &self.contract
    }

    /// The syntax of what is sealed.
    #[must_use]
    pub const fn syntax(&self) -> Syntax {
        self.syntax
    }

    /// Whether it rests on an illustration that nobody has signed.
    #[must_use]
    pub const fn illustrative(&self) -> bool {
        self.illustrative
    }

    /// The sealed bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The fingerprint of the content: equal content need not be published again.
    #[must_use]
    pub fn fingerprint(&self, keys: &dyn Keys) -> Fingerprint {
        keys.fingerprint(&self.bytes)
    }
}
