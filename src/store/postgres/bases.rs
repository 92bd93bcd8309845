//! What legs and disclosures rest on, each text once, however many rest on it.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use sqlx::postgres::PgBindIterExt as _;

use super::fault::away;
use super::line::Line;
use super::sql;
use crate::audit::BasisDigest;
use crate::store::Stored;

/// So many are remembered at the most; then it begins anew. A participant's consents are part of a text, so there are a few for
/// each participant.
const MOST: usize = 50_000;

/// Texts that are known to be in the database, by their digests: they are kept for ever, so what has committed once need not be
/// sent again. It is known of the connections that were open then: behind one that was opened since, there may be a content
/// that has come back from a backup.
#[derive(Debug, Default)]
struct Known {
    connections: u64,
    digests: HashSet<BasisDigest>,
}

/// What a store remembers of its texts. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct KnownBases(Arc<Mutex<Known>>);

impl KnownBases {
    /// For a transaction on a connection that is one of so many that were ever opened.
    pub(super) fn of_transaction(&self, connections: u64) -> Bases {
        Bases { known: self.clone(), connections, written: HashSet::new() }
    }

    fn has(&self, connections: u64, digest: &BasisDigest) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.connections == connections && known.digests.contains(digest)
    }

    fn learn(&self, connections: u64, digests: HashSet<BasisDigest>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.connections > connections {
            return;
        }
        if known.connections < connections || known.digests.len() >= MOST {
            known.digests.clear();
        }
        known.connections = connections;
        known.digests.extend(digests);
    }
}

/// The texts of a transaction.
#[derive(Debug)]
pub(super) struct Bases {
    known: KnownBases,
    connections: u64,
    written: HashSet<BasisDigest>,
}

impl Bases {
    /// Keeps texts under their digests, in the order of these: who writes the same text waits for the other's commit, and so
    /// all take them in one order. They come before what refers to them.
    pub(super) async fn keep<'a>(
        &mut self,
        line: &mut Line,
        texts: impl Iterator<Item = (BasisDigest, &'a str)> + Send,
    ) -> Stored<()> {
        let is_new = |digest: &BasisDigest| !self.written.contains(digest) && !self.known.has(self.connections, digest);
        let new: BTreeMap<BasisDigest, &str> = texts.filter(|(digest, _)| is_new(digest)).collect();
        if new.is_empty() {
            return Ok(());
        }
        let query = sqlx::query(sql::KEEP_BASES)
            .bind(new.keys().map(BasisDigest::as_bytes).bind_iter())
            .bind(new.values().copied().bind_iter());
        query.execute(line).await.map_err(away)?;
        self.written.extend(new.into_keys());
        Ok(())
    }

    /// Remembers what the transaction has written; it has committed.
    pub(super) fn committed(self) {
        if !self.written.is_empty() {
            self.known.learn(self.connections, self.written);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{BasisDigest, KnownBases, MOST};

    #[test]
    fn what_is_known_is_known_of_the_connections_that_were_open_then() {
        let (known, one, other) = (KnownBases::default(), BasisDigest::of("one"), BasisDigest::of("other"));
        assert!(!known.has(0, &one));
        known.learn(3, HashSet::from([one]));
        assert!(known.has(3, &one) && !known.has(3, &other));
        assert!(!known.has(4, &one), "another server may answer behind the fourth");
        known.learn(4, HashSet::from([other]));
        assert!(known.has(4, &other) && !known.has(4, &one));
        known.learn(3, HashSet::from([one]));
        assert!(known.has(4, &other) && !known.has(4, &one), "what began before says nothing any more");
    }

    #[test]
    fn only_so_many_are_remembered() {
        let known = KnownBases::default();
        let many = (0..MOST).map(|number| BasisDigest::of(&number.to_string()));
        known.learn(1, many.collect());
        known.learn(1, HashSet::from([BasisDigest::of("one more")]));
        assert!(known.has(1, &BasisDigest::of("one more")) && !known.has(1, &BasisDigest::of("0")));
    }
}
