//! The chain of a store, read link by link beside whoever writes to it.

use super::chain::Head;
use super::checkpoint::Checkpoint;
use super::export::{ExportFault, Exporter};
use super::verify::{Broken, Chained, Verified, Verifier};
use super::{Digest, NOTHING};
use crate::store::{Store, StoreError, Stored, Survey as _, Tx as _};

/// Links that are read in one transaction.
const STEP: i64 = 50;

/// Why a chain cannot be verified or exported.
#[derive(Debug, thiserror::Error)]
pub enum AuditFault {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The export.
    #[error(transparent)]
    Export(#[from] ExportFault),
}

/// Verifies the chain of a store to its end.
///
/// # Errors
/// A fault of the store; what is wrong with the chain is the answer.
pub async fn verify<S: Store>(
    store: &S,
    checkpoints: impl IntoIterator<Item = Checkpoint> + Send,
) -> Stored<Result<Verified, Broken>> {
    let mut verifier = Verifier::after(NOTHING, checkpoints);
    loop {
        let links = read(store, verifier.newest().number, STEP).await?;
        for link in &links {
            if let Err(broken) = verifier.follow(link) {
                return Ok(Err(broken));
            }
        }
        if !links.is_empty() {
            continue;
        }
        let mut tx = store.begin("audit-head").await?;
        let (head, strays) = (tx.audit_head().await?, tx.audit_strays().await?);
        tx.commit().await?;
        // Somebody may have written meanwhile.
        let newest = verifier.newest();
        let Some(head) = head else { return Ok(Err(Broken::Head(newest.number))) };
        if head.number > newest.number && !read(store, newest.number, 1).await?.is_empty() {
            continue;
        }
        if head.number > newest.number {
            return Ok(Err(Broken::LinkRemoved(newest.number.saturating_add(1))));
        }
        if head != newest {
            return Ok(Err(Broken::Head(newest.number)));
        }
        if strays > 0 {
            return Ok(Err(Broken::Strays(strays)));
        }
        return Ok(verifier.finish());
    }
}

/// Exports a range of links; gives how many links were written. The end of the range is the chain's where it is left out.
///
/// # Errors
/// A fault of the store, or of what is written to.
pub async fn export<S: Store, W: std::io::Write>(store: &S, from: i64, to: Option<i64>, out: W) -> Result<i64, AuditFault> {
    let end = head(store).await?;
    let to = to.unwrap_or(end.number).min(end.number);
    let before = match from {
        ..1 => return Err(ExportFault::Nothing.into()),
        1 => NOTHING,
        _ => {
            let found = read(store, from.saturating_sub(2), 1).await?;
            let link = found.into_iter().map(|one| one.link).find(|link| link.number == from - 1);
            let link = link.ok_or(ExportFault::Nothing)?;
            Head { number: link.number, hash: link.hash }
        }
    };
    let mut exporter = Exporter::begin(out, before, to)?;
    let mut last = before.number;
    while last < to {
        let links: Vec<Chained> = read(store, last, STEP.min(to - last)).await?;
        let Some(newest) = links.last().map(|one| one.link.number) else {
            return Err(ExportFault::from(Broken::LinkRemoved(last + 1)).into());
        };
        for link in links.iter().filter(|one| one.link.number <= to) {
            exporter.write(link)?;
        }
        last = newest;
    }
    exporter.end()?;
    Ok(to - before.number)
}

/// Where the chain of a store ends.
///
/// # Errors
/// A fault of the store.
pub async fn head<S: Store>(store: &S) -> Stored<Head> {
    let mut tx = store.begin("audit-head").await?;
    let head = tx.audit_head().await?;
    tx.commit().await?;
    head.ok_or(StoreError::Inconsistent { table: "audit_head", column: "number" })
}

async fn read<S: Store>(store: &S, after: i64, limit: i64) -> Stored<Vec<Chained>> {
    let mut tx = store.begin("audit-read").await?;
    let links = tx.audit_links(after, limit).await?;
    tx.commit().await?;
    Ok(links)
}

/// A digest as it was stored; one that cannot be right is one that fits nothing.
pub(crate) fn stored_digest(bytes: &[u8]) -> Digest {
    Digest::from_slice(bytes).unwrap_or(Digest::ZERO)
}
