//! Whether the content is still the one that it was: asked again whenever a connection has been opened, since behind the same
//! address another server may answer then, one that has come back from a backup or lags behind.
//!
//! A service that asked at its start alone would go on over such a content: it would give numbers and positions twice, and show
//! what was revoked. So nothing is begun on a connection that was opened since, before what it leads to has been held against
//! the restore mark (ADR 0018). Where it is behind, nothing is taken and nothing shown until it is mended.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{Journey, KeyedTx};
use crate::faults;
use crate::seal::Marks;
use crate::store::{Store, StoreError, Stored, Tx};

/// How many connections had been opened when the content was last held against the mark.
#[derive(Debug)]
pub(super) struct Guard(AtomicU64);

impl Default for Guard {
    fn default() -> Self {
        Self(AtomicU64::new(u64::MAX))
    }
}

impl Guard {
    fn has_seen(&self, connections: u64) -> bool {
        self.0.load(Ordering::Acquire) == connections
    }

    fn saw(&self, connections: u64) {
        self.0.store(connections, Ordering::Release);
    }
}

impl Journey {
    /// The same way, which begins nothing on a content that is behind the restore mark: for whatever takes and shows.
    #[must_use]
    pub fn guarded(mut self) -> Self {
        if faults::planted!("sequence-instead-of-counter") {
            // A sequence leaves no head that could be held against the mark: every content would be behind it.
            return self;
        }
        self.guard = Some(std::sync::Arc::default());
        self
    }

    /// Holds the content against the mark where connections were opened since that was last done. It asks nothing otherwise.
    ///
    /// # Errors
    /// [`StoreError::Behind`], or a fault of either store.
    pub async fn trust<S: Store>(&self, store: &S) -> Stored<()> {
        let is_trusted = self.guard.as_ref().is_none_or(|guard| guard.has_seen(store.connections()));
        if is_trusted { Ok(()) } else { self.begin(store, "trust").await.map(drop) }
    }

    /// Looks at a content through a transaction that has just begun.
    pub(super) async fn trusted<S: Store>(&self, store: &S, tx: KeyedTx<S::Tx>) -> Stored<KeyedTx<S::Tx>> {
        let Some(guard) = &self.guard else { return Ok(tx) };
        // What is opened while this is asked is asked about again.
        let connections = store.connections();
        if guard.has_seen(connections) {
            return Ok(tx);
        }
        let mut tx = tx;
        // The mark first: other processes move it meanwhile, and never before the content has come as far.
        let known = self.vault().store().epoch().await?;
        if let Some((keys, mark)) = known {
            let (content, marks) = (tx.epoch().await?, tx.marks().await?);
            hold(keys, &mark, content, &marks)?;
        }
        guard.saw(connections);
        Ok(tx)
    }
}

fn hold(keys: u32, mark: &Marks, content: u32, marks: &Marks) -> Stored<()> {
    if content != keys {
        return Err(StoreError::Behind(format!("the content is of epoch {content}, the key store of epoch {keys}")));
    }
    let behind = marks.behind(mark);
    if behind.is_empty() { Ok(()) } else { Err(StoreError::Behind(behind.join("; "))) }
}
