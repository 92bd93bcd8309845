//! The vault: fetches data keys from the key store, making those that are missing, and the keyring of one transaction.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::{
    Bound, DataKey, EphemeralKeys, Holder, Kept, KeyId, KeyStore, SealError, SealedBytes, WrappedKey, WrappingKey,
    WrappingKeys, WrappingSource,
};
use crate::faults;
use crate::store::Stored;

/// How often keys are asked for again after somebody else has made some, or another wrapping key has come into use.
const TRIES: usize = 4;

/// The data keys of one transaction. Nothing of it outlives the transaction, so that an erasure is always seen.
#[derive(Debug, Default)]
pub struct Keyring {
    keys: HashMap<KeyId, DataKey>,
    of: HashMap<Holder, KeyId>,
    gone: HashSet<KeyId>,
}

impl Keyring {
    /// A holder's key, where it was fetched.
    #[must_use]
    pub fn of(&self, holder: &Holder) -> Option<&DataKey> {
        self.keys.get(self.of.get(holder)?)
    }

    /// The key that bytes were sealed under, where it is here.
    #[must_use]
    pub fn of_sealed(&self, sealed: &SealedBytes) -> Option<&DataKey> {
        self.keys.get(&sealed.key()?)
    }

    /// Opens bytes; `None` where their key is gone, and so are they.
    ///
    /// # Errors
    /// [`SealError::Foreign`] where they were changed or belong elsewhere, or their key was not asked for.
    pub fn open(&self, sealed: &SealedBytes, bound: &Bound<'_>) -> Result<Option<Vec<u8>>, SealError> {
        if sealed.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let id = sealed.key().ok_or(SealError::Foreign)?;
        match self.keys.get(&id) {
            Some(key) => key.open(sealed, bound).map(Some),
            None if self.gone.contains(&id) => Ok(None),
            None => Err(SealError::Foreign),
        }
    }

    /// Whether the key of bytes is here, so that they could be opened.
    #[must_use]
    pub fn holds(&self, sealed: &SealedBytes) -> bool {
        sealed.key().is_some_and(|id| self.keys.contains_key(&id))
    }

    fn take(&mut self, key: DataKey) {
        self.of.insert(*key.holder(), key.id());
        self.keys.insert(key.id(), key);
    }
}

/// The key store with the wrapping keys that open it. Clones share both.
#[derive(Clone)]
pub struct Vault {
    store: Arc<dyn KeyStore>,
    wrapping: WrappingSource,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(..)")
    }
}

impl Vault {
    /// A vault over a key store.
    #[must_use]
    pub fn new(store: Arc<dyn KeyStore>, wrapping: WrappingSource) -> Self {
        Self { store, wrapping }
    }

    /// A vault whose keys are gone when it is dropped, for dry runs.
    ///
    /// # Errors
    /// Where the system gives no random numbers.
    pub fn ephemeral() -> Result<Self, SealError> {
        let keys = WrappingKeys::read([&WrappingKey::new_secret()?])?;
        Ok(Self::new(Arc::new(EphemeralKeys::default()), WrappingSource::new(move || Ok(keys.clone()))?))
    }

    /// The key store.
    #[must_use]
    pub fn store(&self) -> &dyn KeyStore {
        &*self.store
    }

    /// Where the wrapping keys come from.
    #[must_use]
    pub const fn wrapping(&self) -> &WrappingSource {
        &self.wrapping
    }

    /// Puts the keys of holders on a ring, making those that are missing: one query where all are there.
    ///
    /// # Errors
    /// A fault of the key store, or a wrapping key that this process was not given.
    pub async fn ready(&self, ring: &mut Keyring, holders: &[Holder], now: Timestamp) -> Stored<()> {
        let mut wanted: Vec<Holder> = holders.iter().filter(|holder| ring.of(holder).is_none()).copied().collect();
        wanted.sort();
        wanted.dedup();
        for _ in 0..TRIES {
            if wanted.is_empty() {
                return Ok(());
            }
            for key in self.store.of_holders(&wanted).await? {
                ring.take(self.unwrap(&key)?);
            }
            wanted.retain(|holder| ring.of(holder).is_none());
            if wanted.is_empty() {
                return Ok(());
            }
            let wrapping = self.wrapping.keys();
            let newest = wrapping.newest()?;
            let made = wanted.iter().map(|holder| newest.make(*holder)).collect::<Result<Vec<_>, _>>()?;
            match self.store.keep(&made, now).await? {
                Kept::New(kept) => {
                    faults::point!("key-made-before-content");
                    for key in made.iter().filter(|key| kept.contains(&key.id)) {
                        ring.take(wrapping.unwrap(key)?);
                    }
                }
                // A rotation has begun: its new key is where ours came from, or this process has to wait for it.
                Kept::Outdated(in_use) if self.wrapping.again()?.newest()?.id() != in_use => {
                    return Err(SealError::Outdated(in_use).into());
                }
                Kept::Outdated(_) => {}
            }
            wanted.retain(|holder| ring.of(holder).is_none());
        }
        if wanted.is_empty() { Ok(()) } else { Err(SealError::Key.into()) }
    }

    /// Puts the keys of holders on a ring, those that there are, in one query.
    ///
    /// # Errors
    /// As [`Vault::ready`].
    pub async fn find(&self, ring: &mut Keyring, holders: &[Holder]) -> Stored<()> {
        let mut wanted: Vec<Holder> = holders.iter().filter(|holder| ring.of(holder).is_none()).copied().collect();
        wanted.sort();
        wanted.dedup();
        if wanted.is_empty() {
            return Ok(());
        }
        for key in self.store.of_holders(&wanted).await? {
            ring.take(self.unwrap(&key)?);
        }
        Ok(())
    }

    /// Puts the keys that opened bytes need on a ring, in one query; those that are no more are remembered as gone.
    ///
    /// # Errors
    /// As [`Vault::ready`].
    pub async fn fetch<'a>(&self, ring: &mut Keyring, sealed: impl IntoIterator<Item = &'a SealedBytes> + Send) -> Stored<()> {
        let mut wanted: Vec<KeyId> = sealed.into_iter().filter_map(SealedBytes::key).collect();
        wanted.retain(|id| !ring.keys.contains_key(id) && !ring.gone.contains(id));
        wanted.sort();
        wanted.dedup();
        if wanted.is_empty() {
            return Ok(());
        }
        for key in self.store.of_ids(&wanted).await? {
            ring.take(self.unwrap(&key)?);
        }
        ring.gone.extend(wanted.into_iter().filter(|id| !ring.keys.contains_key(id)));
        Ok(())
    }

    /// Unwraps with the keys at hand, and once more with what the source holds now.
    fn unwrap(&self, key: &WrappedKey) -> Result<DataKey, SealError> {
        match self.wrapping.keys().unwrap(key) {
            Err(SealError::Wrapping(_)) => self.wrapping.again()?.unwrap(key),
            unwrapped => unwrapped,
        }
    }
}
