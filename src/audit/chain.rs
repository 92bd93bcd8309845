//! One link of the chain for each transaction that has rows.
//!
//! A link is made in two steps. Its [`Batch`] needs nothing but the transaction's own rows and is made before any lock; only
//! the hash that joins it to the link before it needs the chain's head, and is so little that a database can do it itself.

use jiff::Timestamp;

use super::digest::{Digest, sha256};
use super::record::Record;

/// What stands before the digest over the rows of a link.
const ROWS: &[u8] = b"brygga.audit.rows.v1";

/// What stands before what is hashed into a link.
pub(crate) const LINK: &[u8] = b"brygga.audit.link.v1";

/// Bytes of a mark.
pub const MARK: usize = 4;

/// The rows of one transaction, as they go into a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// How many rows.
    pub size: i64,
    /// SHA-256 over their number and their digests, in order.
    pub digest: Digest,
    /// The first [`MARK`] bytes of each row's digest, in order: they tell which row it is that does not fit, and prove nothing.
    pub marks: Vec<u8>,
}

impl Batch {
    /// Of these rows, in this order.
    #[must_use]
    pub fn of<'a>(rows: impl IntoIterator<Item = &'a Record>) -> Self {
        let digests: Vec<Digest> = rows.into_iter().map(Record::digest).collect();
        let size = i64::try_from(digests.len()).unwrap_or(i64::MAX);
        let number = size.to_be_bytes();
        let mut parts: Vec<&[u8]> = vec![ROWS, &number];
        parts.extend(digests.iter().map(Digest::as_bytes));
        let marks = digests.iter().flat_map(|digest| digest.as_bytes().iter().take(MARK).copied()).collect();
        Self { size, digest: sha256(&parts), marks }
    }
}

/// A link of the chain, with its rows where they are at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its place in the chain, from 1 and without gaps.
    pub number: i64,
    /// The store's number of its transaction; it says nothing about the order.
    pub tx: i64,
    /// The time of its transaction, in microseconds since 1970.
    pub at: i64,
    /// Its rows, as they were digested.
    pub batch: Batch,
    /// Its hash, which holds all links before it.
    pub hash: Digest,
}

impl Link {
    /// The hash of a link after another.
    #[must_use]
    pub fn hash_after(before: &Digest, number: i64, tx: i64, at: i64, batch: &Batch) -> Digest {
        sha256(&[
            LINK,
            before.as_bytes(),
            &number.to_be_bytes(),
            &tx.to_be_bytes(),
            &at.to_be_bytes(),
            &batch.size.to_be_bytes(),
            batch.digest.as_bytes(),
            &batch.marks,
        ])
    }

    /// Whether its hash is what follows from the link before it.
    #[must_use]
    pub fn follows(&self, before: &Digest) -> bool {
        self.hash == Self::hash_after(before, self.number, self.tx, self.at, &self.batch)
    }

    /// When its transaction was, where that is a time at all.
    #[must_use]
    pub fn time(&self) -> Option<Timestamp> {
        Timestamp::from_microsecond(self.at).ok()
    }
}

/// Where the chain ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The number of the newest link; 0 where there is none.
    pub number: i64,
    /// Its hash.
    pub hash: Digest,
}
