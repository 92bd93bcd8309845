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

use crate::domain::{Fingerprint, Keys};
use crate::translate::{Heading, Rendition};

/// A document that may be published. Only [`seal`] makes one.
#[derive(Debug)]
pub struct Sealed {
    heading: Heading,
    bytes: Vec<u8>,
}

/// Seals a rendition.
#[must_use]
pub fn seal(rendition: Rendition) -> Sealed {
    let (heading, bytes) = rendition.into_parts();
    Sealed { heading, bytes }
}

impl Sealed {
    /// What stands outside.
    #[must_use]
    pub const fn heading(&self) -> &Heading {
        &self.heading
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
