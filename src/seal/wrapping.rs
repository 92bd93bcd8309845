//! Wrapping keys: what data keys are wrapped by in the key store, and where a process gets them from.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};

use super::SealError;
use super::data_key::{DataKey, Holder, KeyId, put, random};

/// Names a wrapping key; made of the key itself, so that nobody has to name them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WrappingId([u8; 8]);

impl WrappingId {
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

impl fmt::Display for WrappingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for WrappingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WrappingId({self})")
    }
}

/// A data key as the key store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedKey {
    /// Its id.
    pub id: KeyId,
    /// Whose it is.
    pub holder: Holder,
    /// What it is wrapped by.
    pub wrapping: WrappingId,
    /// Nonce ‖ wrapped key ‖ tag.
    pub wrapped: Vec<u8>,
}

impl WrappedKey {
    fn authenticated(id: KeyId, holder: &Holder, wrapping: WrappingId) -> Vec<u8> {
        let mut aad = Vec::new();
        for part in
            [b"data key".as_slice(), id.as_bytes(), holder.digest(), holder.class().as_str().as_bytes(), wrapping.as_bytes()]
        {
            put(&mut aad, part);
        }
        aad
    }
}

/// One wrapping key. `Debug` prints its id alone.
pub struct WrappingKey {
    id: WrappingId,
    key: RandomizedNonceKey,
}

impl fmt::Debug for WrappingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WrappingKey({})", self.id)
    }
}

impl WrappingKey {
    /// Takes a secret.
    ///
    /// # Errors
    /// Where the library refuses it.
    pub fn new(secret: &[u8; 32]) -> Result<Self, SealError> {
        let named = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), b"the id of a wrapping key");
        let id = named.as_ref().get(..8).and_then(WrappingId::from_slice).ok_or(SealError::Form)?;
        let key = RandomizedNonceKey::new(&AES_256_GCM, secret).map_err(|_| SealError::Form)?;
        Ok(Self { id, key })
    }

    /// A new secret, in base64 as a file holds it.
    ///
    /// # Errors
    /// Where the system gives no random numbers.
    pub fn new_secret() -> Result<SecretString, SealError> {
        Ok(SecretString::from(STANDARD.encode(random::<32>()?)))
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> WrappingId {
        self.id
    }

    /// Makes a new data key for a holder, wrapped.
    pub(super) fn make(&self, holder: Holder) -> Result<WrappedKey, SealError> {
        self.wrap(KeyId::new()?, holder, &random()?)
    }

    fn wrap(&self, id: KeyId, holder: Holder, secret: &[u8; 32]) -> Result<WrappedKey, SealError> {
        let mut body = secret.to_vec();
        let aad = Aad::from(WrappedKey::authenticated(id, &holder, self.id));
        let nonce = self.key.seal_in_place_append_tag(aad, &mut body).map_err(|_| SealError::Random)?;
        let wrapped = [nonce.as_ref().as_slice(), &body].concat();
        Ok(WrappedKey { id, holder, wrapping: self.id, wrapped })
    }

    fn secret(&self, key: &WrappedKey) -> Result<[u8; 32], SealError> {
        let (nonce, body) = key.wrapped.split_at_checked(NONCE_LEN).ok_or(SealError::Key)?;
        let nonce = Nonce::assume_unique_for_key(nonce.try_into().map_err(|_| SealError::Key)?);
        let aad = Aad::from(WrappedKey::authenticated(key.id, &key.holder, key.wrapping));
        let mut body = body.to_vec();
        let secret = self.key.open_in_place(nonce, aad, &mut body).map_err(|_| SealError::Key)?;
        (&*secret).try_into().map_err(|_| SealError::Key)
    }
}

/// The wrapping keys that a process has, the newest first. Data keys are made under the newest.
#[derive(Debug, Clone)]
pub struct WrappingKeys(Arc<Vec<WrappingKey>>);

impl WrappingKeys {
    /// Reads secrets as files hold them: one a line in base64, the newest first.
    ///
    /// # Errors
    /// [`SealError::Form`] where a line is no key, or there is none.
    pub fn read<'a>(texts: impl IntoIterator<Item = &'a SecretString>) -> Result<Self, SealError> {
        let mut keys = Vec::new();
        for text in texts {
            for line in text.expose_secret().lines().map(str::trim).filter(|line| !line.is_empty()) {
                let secret = STANDARD.decode(line).ok().and_then(|bytes| bytes.try_into().ok()).ok_or(SealError::Form)?;
                keys.push(WrappingKey::new(&secret)?);
            }
        }
        if keys.is_empty() { Err(SealError::Form) } else { Ok(Self(Arc::new(keys))) }
    }

    /// The newest.
    ///
    /// # Errors
    /// None in practice: a set without keys is never made.
    pub fn newest(&self) -> Result<&WrappingKey, SealError> {
        self.0.first().ok_or(SealError::Form)
    }

    /// One by its id.
    #[must_use]
    pub fn find(&self, id: WrappingId) -> Option<&WrappingKey> {
        self.0.iter().find(|key| key.id == id)
    }

    /// Unwraps a data key.
    ///
    /// # Errors
    /// Where the wrapping key is not here, or the data key was changed.
    pub fn unwrap(&self, key: &WrappedKey) -> Result<DataKey, SealError> {
        let secret = self.find(key.wrapping).ok_or(SealError::Wrapping(key.wrapping))?.secret(key)?;
        DataKey::new(key.id, key.holder, &secret)
    }

    /// Wraps a data key anew.
    ///
    /// # Errors
    /// As [`WrappingKeys::unwrap`].
    pub(super) fn rewrap(&self, key: &WrappedKey, under: &WrappingKey) -> Result<WrappedKey, SealError> {
        let secret = self.find(key.wrapping).ok_or(SealError::Wrapping(key.wrapping))?.secret(key)?;
        under.wrap(key.id, key.holder, &secret)
    }
}

/// Reads the wrapping keys anew, from where they are kept.
type Read = dyn Fn() -> Result<WrappingKeys, SealError> + Send + Sync;

/// Where a process gets its wrapping keys from: read at the start, and again when the key store uses one that is not known
/// yet, so that a rotation does not need a restart.
#[derive(Clone)]
pub struct WrappingSource {
    read: Arc<Read>,
    keys: Arc<RwLock<WrappingKeys>>,
}

impl fmt::Debug for WrappingSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WrappingSource(..)")
    }
}

impl WrappingSource {
    /// A source that can be read again.
    ///
    /// # Errors
    /// As the reading.
    pub fn new(read: impl Fn() -> Result<WrappingKeys, SealError> + Send + Sync + 'static) -> Result<Self, SealError> {
        let keys = read()?;
        Ok(Self { read: Arc::new(read), keys: Arc::new(RwLock::new(keys)) })
    }

    /// What was read last.
    #[must_use]
    pub fn keys(&self) -> WrappingKeys {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads again. What cannot be read keeps what was there.
    ///
    /// # Errors
    /// As the reading.
    pub fn again(&self) -> Result<WrappingKeys, SealError> {
        let keys = (self.read)()?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys.clone();
        Ok(keys)
    }
}
