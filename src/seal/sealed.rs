//! Sealed bytes as stores keep them, and what they are bound to.

use aws_lc_rs::aead::NONCE_LEN;
use aws_lc_rs::digest;
use uuid::Uuid;

use super::data_key::{KeyId, put};
use crate::domain::{Envelope, Login, RecipientId, Subject, Syntax};
use crate::translate::Heading;

/// Bytes that only their data key opens: version ‖ key id ‖ nonce ‖ ciphertext ‖ tag. Empty where nothing was kept.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct SealedBytes(Vec<u8>);

impl std::fmt::Debug for SealedBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealedBytes({})", self.0.len())
    }
}

impl SealedBytes {
    /// The version of the form.
    pub(super) const VERSION: u8 = 1;

    pub(super) fn assemble(key: KeyId, nonce: &[u8], body: &[u8]) -> Self {
        let mut whole = Vec::with_capacity(1 + KeyId::LENGTH + nonce.len() + body.len());
        whole.push(Self::VERSION);
        whole.extend_from_slice(key.as_bytes());
        whole.extend_from_slice(nonce);
        whole.extend_from_slice(body);
        Self(whole)
    }

    /// Takes what a store has kept. Bytes that were never sealed cannot be opened, so nothing is gained by giving others.
    #[must_use]
    pub const fn from_stored(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes, for a store.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether nothing was kept: what is too large to read, and a `DELETE`.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The key that opens them; `None` where they were not sealed here.
    #[must_use]
    pub fn key(&self) -> Option<KeyId> {
        self.parts().map(|(key, ..)| key)
    }

    /// A digest of them as they stand in the store.
    #[must_use]
    pub fn digest(&self) -> SealedDigest {
        let mut digest = [0; 32];
        digest.copy_from_slice(digest::digest(&digest::SHA256, &self.0).as_ref());
        SealedDigest(digest)
    }

    pub(super) fn parts(&self) -> Option<(KeyId, &[u8], &[u8])> {
        let (version, rest) = self.0.split_first()?;
        let (key, rest) = rest.split_at_checked(KeyId::LENGTH)?;
        let (nonce, body) = rest.split_at_checked(NONCE_LEN)?;
        (*version == Self::VERSION).then_some((KeyId::from_slice(key)?, nonce, body))
    }
}

/// Tells sealed bytes from all others (SHA-256).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SealedDigest([u8; 32]);

/// What sealed bytes are: authenticated with them, so that no row can stand in for another.
#[derive(Debug, Clone, Copy)]
pub enum Bound<'a> {
    /// A message as it came.
    Message {
        /// Who sent it.
        login: &'a Login,
        /// The sender's id of it.
        message_id: Uuid,
        /// The syntax that it claims.
        syntax: Syntax,
    },
    /// A document for a recipient.
    Document {
        /// Who receives it.
        recipient: &'a RecipientId,
        /// The subject.
        subject: &'a Subject,
        /// The outgoing contract, as written.
        contract: &'a str,
        /// Its syntax.
        syntax: Syntax,
    },
}

impl<'a> Bound<'a> {
    /// A message, by its envelope.
    #[must_use]
    pub const fn of_envelope(envelope: &'a Envelope) -> Self {
        Self::Message { login: &envelope.login, message_id: envelope.message_id, syntax: envelope.syntax }
    }

    pub(super) const fn of_heading(heading: &'a Heading, contract: &'a str) -> Self {
        Self::Document { recipient: &heading.recipient, subject: &heading.subject, contract, syntax: heading.syntax }
    }

    pub(super) fn put(&self, aad: &mut Vec<u8>) {
        match self {
            Self::Message { login, message_id, syntax } => {
                for part in
                    [b"message".as_slice(), login.as_str().as_bytes(), message_id.as_bytes(), syntax.as_str().as_bytes()]
                {
                    put(aad, part);
                }
            }
            Self::Document { recipient, subject, contract, syntax } => {
                let (recipient, syntax) = (recipient.as_str().as_bytes(), syntax.as_str().as_bytes());
                for part in [b"document".as_slice(), recipient, subject.as_bytes(), contract.as_bytes(), syntax] {
                    put(aad, part);
                }
            }
        }
    }
}

/// A document that may be published. Only [`DataKey::seal_rendition`](super::DataKey::seal_rendition) makes one.
#[derive(Debug)]
pub struct Sealed {
    heading: Heading,
    bytes: SealedBytes,
}

impl Sealed {
    pub(super) const fn new(heading: Heading, bytes: SealedBytes) -> Self {
        Self { heading, bytes }
    }

    /// What stands outside.
    #[must_use]
    pub const fn heading(&self) -> &Heading {
        &self.heading
    }

    /// The sealed bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.bytes.as_bytes()
    }
}
