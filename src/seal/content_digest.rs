//! Digests of content that die with its key.

use std::fmt;

use aws_lc_rs::digest::{Context, SHA256};

/// HMAC-SHA-256 of a content under a key that is derived from its data key. Who has the key can show that a content is the one
/// that was meant; once the key is destroyed, it says nothing about anything, and cannot be tried against guesses.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContentDigest([u8; Self::LENGTH]);

impl fmt::Debug for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContentDigest(..)")
    }
}

impl ContentDigest {
    /// Bytes of a digest.
    pub const LENGTH: usize = 32;

    pub(super) const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    /// Of a page: SHA-256 over each position with its document's digest, where it has one. It dies with each of their keys.
    #[must_use]
    pub fn of_page(entries: &[(i64, Option<Self>)]) -> Self {
        let mut context = Context::new(&SHA256);
        for (position, document) in entries {
            context.update(&position.to_be_bytes());
            context.update(&[u8::from(document.is_some())]);
            context.update(document.as_ref().map_or(&[], Self::as_bytes));
        }
        let mut digest = [0; Self::LENGTH];
        digest.copy_from_slice(context.finish().as_ref());
        Self(digest)
    }

    /// Takes stored bytes; `None` where the length is wrong.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes, for a store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}
