//! Data keys: one for each participant and retention class, and what is sealed with them.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac::{self, HMAC_SHA256};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};

use super::sealed::{Bound, Sealed, SealedBytes};
use super::{ContentDigest, SealError};
use crate::domain::PersonKey;
use crate::translate::Rendition;

/// How long something is kept, and so which of a participant's keys it is sealed under: an erasure or the end of a period
/// destroys the key of a class and spares the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RetentionClass {
    /// Messages as they came.
    Journal,
    /// Documents that were made for a recipient.
    Feed,
    /// Messages of which nobody can tell whom they are about: a key each, and the shortest period.
    Unreadable,
}

impl RetentionClass {
    /// All classes.
    pub const ALL: [Self; 3] = [Self::Journal, Self::Feed, Self::Unreadable];

    /// Those of which a participant has keys.
    pub const OF_PERSONS: [Self; 2] = [Self::Journal, Self::Feed];

    /// The name in key stores.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Journal => "journal",
            Self::Feed => "feed",
            Self::Unreadable => "unreadable",
        }
    }

    /// Reads a stored name.
    #[must_use]
    pub fn from_stored(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == text)
    }
}

/// Whose key it is, and of which class: keyed digests alone.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Holder {
    digest: [u8; 32],
    class: RetentionClass,
}

impl std::fmt::Debug for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Holder({}, ..)", self.class.as_str())
    }
}

impl Holder {
    /// A participant's key of a class.
    #[must_use]
    pub const fn person(person: &PersonKey, class: RetentionClass) -> Self {
        Self { digest: *person.as_bytes(), class }
    }

    /// The key of one message of which nobody can tell whom it is about, by the keyed digest of its login and id.
    #[must_use]
    pub const fn unreadable(digest: [u8; 32]) -> Self {
        Self { digest, class: RetentionClass::Unreadable }
    }

    /// Takes stored values; `None` where they cannot be right.
    #[must_use]
    pub fn from_stored(digest: &[u8], class: &str) -> Option<Self> {
        Some(Self { digest: digest.try_into().ok()?, class: RetentionClass::from_stored(class)? })
    }

    /// The keyed digest, for a key store.
    #[must_use]
    pub const fn digest(&self) -> &[u8] {
        &self.digest
    }

    /// The class.
    #[must_use]
    pub const fn class(&self) -> RetentionClass {
        self.class
    }
}

/// Names a data key in what it has sealed. Random: a new key of the same holder has another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId([u8; Self::LENGTH]);

impl KeyId {
    /// Bytes of an id.
    pub const LENGTH: usize = 16;

    /// A new id.
    ///
    /// # Errors
    /// Where the system gives no random numbers.
    pub(super) fn new() -> Result<Self, SealError> {
        random().map(Self)
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

/// What the key of content digests is derived for.
const DIGESTS: &[u8] = b"brygga.content-digest.v1";

/// Random bytes.
pub(super) fn random<const N: usize>() -> Result<[u8; N], SealError> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| SealError::Random)?;
    Ok(bytes)
}

/// A key that seals and opens contents. It lives as long as a transaction, so that an erasure is always seen.
pub struct DataKey {
    id: KeyId,
    holder: Holder,
    key: RandomizedNonceKey,
    /// Derived from the same secret, and gone with it.
    digests: hmac::Key,
}

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DataKey({:?})", self.holder)
    }
}

impl DataKey {
    pub(super) fn new(id: KeyId, holder: Holder, secret: &[u8; 32]) -> Result<Self, SealError> {
        let key = RandomizedNonceKey::new(&AES_256_GCM, secret).map_err(|_| SealError::Key)?;
        let derived = hmac::sign(&hmac::Key::new(HMAC_SHA256, secret), DIGESTS);
        Ok(Self { id, holder, key, digests: hmac::Key::new(HMAC_SHA256, derived.as_ref()) })
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// Whose it is.
    #[must_use]
    pub const fn holder(&self) -> &Holder {
        &self.holder
    }

    /// A digest of content, part by part, that says nothing once this key is gone.
    #[must_use]
    pub fn digest<'a>(&self, parts: impl IntoIterator<Item = &'a [u8]>) -> ContentDigest {
        let mut context = hmac::Context::with_key(&self.digests);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut digest = [0; ContentDigest::LENGTH];
        digest.copy_from_slice(context.sign().as_ref());
        ContentDigest::from_bytes(digest)
    }

    /// Seals the bytes of a message as it came.
    ///
    /// # Errors
    /// Where the system gives no random numbers.
    pub fn seal(&self, plain: &[u8], bound: &Bound<'_>) -> Result<SealedBytes, SealError> {
        let mut body = Vec::with_capacity(plain.len() + AES_256_GCM.tag_len());
        body.extend_from_slice(plain);
        let aad = Aad::from(self.authenticated(bound));
        let nonce = self.key.seal_in_place_append_tag(aad, &mut body).map_err(|_| SealError::Random)?;
        Ok(SealedBytes::assemble(self.id, nonce.as_ref(), &body))
    }

    /// Seals a rendition: the one way to something that may be published.
    ///
    /// # Errors
    /// Where the system gives no random numbers.
    pub fn seal_rendition(&self, rendition: &Rendition) -> Result<Sealed, SealError> {
        let heading = rendition.heading();
        let bytes = self.seal(rendition.bytes(), &Bound::of_heading(heading, &heading.contract.to_string()))?;
        Ok(Sealed::new(heading.clone(), bytes))
    }

    /// Opens what was sealed under this key and bound to the same.
    ///
    /// # Errors
    /// [`SealError::Foreign`] where the bytes were changed or belong elsewhere.
    pub fn open(&self, sealed: &SealedBytes, bound: &Bound<'_>) -> Result<Vec<u8>, SealError> {
        let (id, nonce, body) = sealed.parts().ok_or(SealError::Foreign)?;
        if id != self.id {
            return Err(SealError::Foreign);
        }
        let nonce: [u8; NONCE_LEN] = nonce.try_into().map_err(|_| SealError::Foreign)?;
        let aad = Aad::from(self.authenticated(bound));
        let mut body = body.to_vec();
        let nonce = Nonce::assume_unique_for_key(nonce);
        let length = self.key.open_in_place(nonce, aad, &mut body).map_err(|_| SealError::Foreign)?.len();
        body.truncate(length);
        Ok(body)
    }

    /// What is authenticated with the bytes: the format, the key, whose it is, its class, and what the bytes are.
    fn authenticated(&self, bound: &Bound<'_>) -> Vec<u8> {
        let mut aad = vec![SealedBytes::VERSION];
        for part in [self.id.as_bytes(), self.holder.digest(), self.holder.class().as_str().as_bytes()] {
            put(&mut aad, part);
        }
        bound.put(&mut aad);
        aad
    }
}

/// A part with its length before it, so that no two lists of parts look alike.
pub(super) fn put(into: &mut Vec<u8>, part: &[u8]) {
    into.extend((part.len() as u64).to_be_bytes());
    into.extend_from_slice(part);
}
