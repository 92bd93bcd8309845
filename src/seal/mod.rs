//! Floor 3: the last stage before a store: stores only ever see sealed bytes.
//!
//! Contents are sealed with AES-256-GCM under a data key of their own for each participant and [`RetentionClass`]. Data keys
//! are random, wrapped by a [`WrappingKey`] and kept in a [`KeyStore`] apart from the content, so that destroying a data key
//! destroys what it sealed, in every backup of the content too. What the bytes are is authenticated with them: a row that
//! was changed, or put in another's place, cannot be opened.
//!
//! A rendition can be sealed with a data key, and nothing else becomes a [`Sealed`]:
//!
//! ```
//! use brygga::{domain::Keys, seal::{DataKey, Sealed, SealError}, translate::Rendition};
//! fn publishable(document: &Rendition, key: &DataKey) -> Result<Sealed, SealError> {
//!     key.seal_rendition(document)
//! }
//! ```
//! A disclosure that was not translated cannot:
//! ```compile_fail
//! use brygga::{filter::Disclosure, seal::{DataKey, Sealed, SealError}};
//! fn publishable(document: &Disclosure, key: &DataKey) -> Result<Sealed, SealError> {
//!     key.seal_rendition(document)
//! }
//! ```
//! And nobody can make one without a key:
//! ```compile_fail
//! use brygga::{seal::{Sealed, SealedBytes}, translate::Rendition};
//! fn publishable(document: &Rendition) -> Sealed {
//!     Sealed { heading: document.heading().clone(), bytes: SealedBytes::from_stored(document.bytes().to_vec()) }
//! }
//! ```

mod content_digest;
mod data_key;
mod ephemeral;
mod erasure;
mod key_store;
mod keys;
mod rotate;
mod sealed;
mod vault;
mod wrapping;

pub use content_digest::ContentDigest;
pub use data_key::{DataKey, Holder, KeyId, RetentionClass};
pub use ephemeral::EphemeralKeys;
pub use erasure::{Erasure, TakenId};
pub use key_store::{Answer, FeedMark, Kept, KeyStore, LedgerNote, Marks, Revocation, categories, categories_text};
pub use keys::{ServiceKeys, digest_of};
pub use rotate::{Rotated, rotate};
pub use sealed::{Bound, Sealed, SealedBytes, SealedDigest};
pub use vault::{Keyring, Vault};
pub use wrapping::{WrappedKey, WrappingId, WrappingKey, WrappingKeys, WrappingSource};

/// Why something could not be sealed or opened. It names no content and nobody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The bytes are not what was sealed here: changed, cut, or another row's.
    #[error("sealed bytes cannot be opened: they were changed, or stand in another's place")]
    Foreign,
    /// A wrapped data key is not what was wrapped.
    #[error("a data key cannot be unwrapped: it was changed, or stands in another's place")]
    Key,
    /// A data key is wrapped by a wrapping key that this process was not given.
    #[error("a data key is wrapped by the wrapping key {0}, which is not among those configured")]
    Wrapping(WrappingId),
    /// The key store says that another wrapping key is in use, and this process was not given it.
    #[error("the wrapping key in use is {0}, which is not among those configured")]
    Outdated(WrappingId),
    /// A wrapping key is 32 bytes in base64.
    #[error("a wrapping key is 32 bytes in base64; several stand on lines of their own, the newest first")]
    Form,
    /// The file of wrapping keys cannot be read.
    #[error("the wrapping keys cannot be read: {0}")]
    Source(String),
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    Random,
}
