//! Retention of what holds no content of a participant: receipts of recipients, and rows of the audit log.
//!
//! Both go whole, in bounded transactions. Of the audit log the links stay, and the rows that prove what is gone, so that the chain
//! is verified as before (`docs/audit.md`). Neither needs a lock: nobody changes what is old.

use jiff::Timestamp;
use serde_json::json;

use super::retain::Run;
use crate::audit::ROWS_GONE_THROUGH;
use crate::store::{Rights as _, Store, Stored};

/// Receipts of one transaction.
const RECEIPTS: i64 = 500;

/// Links whose rows one transaction removes.
const LINKS: i64 = 1000;

impl<S: Store> Run<'_, S> {
    /// Removes receipts whose period is over, and not before the document that they are about: it could be said again.
    pub(super) async fn receipts(&self) -> Stored<(usize, Option<Timestamp>)> {
        let mut tx = self.store.begin("retention-look").await?;
        let (old, oldest) = tx.old_receipts(self.before).await?;
        drop(tx);
        if self.dry || old == 0 {
            return Ok((counted(old), oldest));
        }
        let mut gone = 0_usize;
        loop {
            let mut tx = self.journey.begin(self.store, "retention").await?;
            let some = tx.drop_receipts(self.before, RECEIPTS).await?;
            if some == 0 {
                return Ok((gone, oldest));
            }
            self.note(&mut tx, counted(some), json!({})).await?;
            tx.commit().await?;
            gone = gone.saturating_add(counted(some));
        }
    }

    /// Removes rows of the audit log whose period is over, in whole transactions and from the beginning of the chain on.
    pub(super) async fn audit_log(&self) -> Stored<(usize, Option<Timestamp>)> {
        let mut tx = self.store.begin("retention-look").await?;
        let old = tx.old_audit(self.before).await?;
        drop(tx);
        let Some(old) = old else { return Ok((0, None)) };
        if self.dry {
            return Ok((counted(old.rows), Some(old.oldest)));
        }
        let (mut first, mut gone) = (old.first, 0_usize);
        loop {
            let last = first.saturating_add(LINKS - 1).min(old.through);
            let mut tx = self.journey.begin(self.store, "retention").await?;
            let rows = tx.cut_audit(first, last, self.before).await?;
            if rows > 0 {
                self.note(&mut tx, counted(rows), json!({ "first": first, ROWS_GONE_THROUGH: last })).await?;
                tx.commit().await?;
                gone = gone.saturating_add(counted(rows));
            }
            first = last.saturating_add(1);
            if first > old.through {
                return Ok((gone, Some(old.oldest)));
            }
        }
    }
}

fn counted(rows: i64) -> usize {
    usize::try_from(rows).unwrap_or(0)
}
