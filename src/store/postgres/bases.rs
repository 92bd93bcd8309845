//! What legs and disclosures rest on, each text once, however many rest on it.

use std::collections::{BTreeMap, HashSet};

use sqlx::postgres::PgBindIterExt as _;

use super::fault::away;
use super::line::Line;
use super::sql;
use crate::audit::BasisDigest;
use crate::store::Stored;

/// The texts that a transaction has written already.
#[derive(Debug, Default)]
pub(super) struct Bases(HashSet<BasisDigest>);

impl Bases {
    /// Keeps texts under their digests, in the order of these: who writes the same text waits for the other's commit, and so
    /// all take them in one order. They come before what refers to them.
    pub(super) async fn keep<'a>(
        &mut self,
        line: &mut Line,
        texts: impl Iterator<Item = (BasisDigest, &'a str)> + Send,
    ) -> Stored<()> {
        let new: BTreeMap<BasisDigest, &str> = texts.filter(|(digest, _)| !self.0.contains(digest)).collect();
        if new.is_empty() {
            return Ok(());
        }
        let query = sqlx::query(sql::KEEP_BASES)
            .bind(new.keys().map(BasisDigest::as_bytes).bind_iter())
            .bind(new.values().copied().bind_iter());
        query.execute(line).await.map_err(away)?;
        self.0.extend(new.into_keys());
        Ok(())
    }
}
