//! Entries that their systems did not take: sent again, or set aside for good. The delivery rows are locked first, so that
//! no relay, correction or revocation changes the entries meanwhile.

use crate::domain::{Code, MessageNumber, RecipientId};
use crate::store::{AuditAct, AuditRow, Feeds as _, Receipts as _, RefusedEntry, Store, Stored, Tx};

/// Lets everything of a message that systems did not take go out again. Says how many entries.
pub(super) async fn release<S: Store>(store: &S, number: MessageNumber, operator: &str) -> Stored<usize> {
    let Some((mut tx, entries)) = locked(store, "entries-release", number).await? else { return Ok(0) };
    for entry in entries.iter().filter(|entry| entry.code == Code::RelayRefused) {
        tx.release_entry(&entry.recipient, entry.position).await?;
        tx.audit(&row(operator, number, entry, "send again")).await?;
    }
    tx.commit().await?;
    Ok(entries.iter().filter(|entry| entry.code == Code::RelayRefused).count())
}

/// Sets everything of a message that systems did not take, or recipients have rejected, aside for good. Says how many entries.
pub(super) async fn discard<S: Store>(store: &S, number: MessageNumber, operator: &str, reason: &str) -> Stored<usize> {
    let Some((mut tx, entries)) = locked(store, "entries-discard", number).await? else { return Ok(0) };
    for entry in &entries {
        if entry.code == Code::RecipientRejected {
            tx.settle_rejection(&entry.recipient, entry.position).await?;
        } else {
            tx.discard_entry(&entry.recipient, entry.position).await?;
        }
        tx.audit(&row(operator, number, entry, "discard").because(reason)).await?;
    }
    tx.commit().await?;
    Ok(entries.len())
}

/// The refused entries of a message, under the locks of their feeds.
async fn locked<S: Store>(store: &S, name: &'static str, number: MessageNumber) -> Stored<Option<(S::Tx, Vec<RefusedEntry>)>> {
    let mut tx = store.begin(name).await?;
    let mut feeds: Vec<RecipientId> = tx.refused_entries(number).await?.into_iter().map(|entry| entry.recipient).collect();
    feeds.sort();
    feeds.dedup();
    if feeds.is_empty() {
        return Ok(None);
    }
    tx.lock_deliveries(&feeds).await?;
    // What was seen before the locks may have moved.
    let mut entries = tx.refused_entries(number).await?;
    entries.retain(|entry| feeds.contains(&entry.recipient));
    Ok(Some((tx, entries)))
}

fn row(operator: &str, number: MessageNumber, entry: &RefusedEntry, what: &str) -> AuditRow {
    AuditRow::by(AuditAct::Operator, operator).on(number).to(&entry.recipient).at(entry.position).with(what)
}
