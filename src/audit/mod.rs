//! Floor 3: the audit chain: every row of the audit log is bound to all before it, so that nobody can change, remove, insert
//! or reorder one unnoticed.
//!
//! The rows of one transaction are digested into one [`Batch`] before its commit, and joined to the chain by one [`Link`] whose
//! hash holds all links before it; the chain's head is the last row that a transaction locks. It is plain SHA-256: who verifies
//! needs no secret. Rows hold no content, but keyed digests of it that die with their key, so the chain stays verifiable after
//! erasure and retention. `docs/audit.md` describes every byte.

mod chain;
mod checkpoint;
mod digest;
mod export;
mod live;
mod offline;
mod record;
mod verify;

pub(crate) use chain::LINK;
pub use chain::{Batch, Head, Link, MARK};
pub use checkpoint::{Checkpoint, CheckpointFault, PublicKey, SigningKey};
pub use digest::Digest;
pub use export::{ExportFault, ExportReader, Exporter};
pub(crate) use live::stored_digest;
pub use live::{AuditFault, export, head, verify};
pub use offline::verify_exports;
pub use record::{BasisDigest, Record};
pub use verify::{Broken, Chained, Explained, NOTHING, Verified, Verifier};

/// The key under which a row of a retention says, as JSON in its detail, up to which link it has removed rows. Whole
/// transactions alone may go, and no rows of retentions, erasures and restores; their links stay.
pub const ROWS_GONE_THROUGH: &str = "auditRowsGoneThrough";
