//! Floor 3: the audit chain: every row of the audit log is bound to all before it, so that nobody can change, remove, insert
//! or reorder one unnoticed.
//!
//! The rows of one transaction are digested into one [`Batch`] before its commit, and joined to the chain by one [`Link`] whose
//! hash holds all links before it; the chain's head is the last row that a transaction locks. It is plain SHA-256: who verifies
//! needs no secret. Rows hold no content, but keyed digests of it that die with their key, so the chain stays verifiable after
//! erasure and retention. `docs/audit.md` describes every byte.

mod chain;
mod digest;
mod record;

pub(crate) use chain::LINK;
pub use chain::{Batch, Head, Link, MARK};
pub use digest::Digest;
pub use record::{BasisDigest, Record};
