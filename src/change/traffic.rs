//! What another contract set would make of the stored traffic: how many reports would reach whom, with which fields more or
//! less. Each report is opened and walked by both sets in memory; nothing of it is kept, and no value is told.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::domain::{MessageNumber, RecipientId};
use crate::journey::Journey;
use crate::store::{AuditAct, AuditRow, MessageKind, MessageState, Store, Stored, StoredMessage, Telling as _, Tx as _};

/// Messages that are looked at in one transaction.
const STEP: i64 = 200;

/// How often a field would be seen more or less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FieldDelta {
    /// Reports in which the recipient would see it and does not now.
    pub more: usize,
    /// Reports in which the recipient sees it and would not.
    pub less: usize,
}

/// What would become of the stored reports.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Traffic {
    /// Reports that were looked at.
    pub reports: usize,
    /// Reports that could not be opened or judged by either set.
    pub unreadable: usize,
    /// Reports that a recipient gets something of now, and by the new set.
    pub reach: BTreeMap<RecipientId, (usize, usize)>,
    /// Fields by recipient, those alone that change.
    pub fields: BTreeMap<(RecipientId, String), FieldDelta>,
}

/// Looks through the reports that have come since an instant. It reads personal data, so it leaves one audit row before it
/// begins; protected persons' reports are left out, as nothing of them reaches anybody.
///
/// # Errors
/// A fault of the store.
pub async fn traffic<S: Store>(old: &Journey, new: &Journey, store: &S, since: Timestamp, operator: &str) -> Stored<Traffic> {
    let mut tx = store.begin("change-begins").await?;
    let detail = format!("{{\"compared\":[\"{}\",\"{}\"],\"since\":\"{since}\"}}", old.set().digest(), new.set().digest());
    tx.audit(&AuditRow::by(AuditAct::Reading, operator).with(detail)).await?;
    tx.commit().await?;
    let mut found = Traffic::default();
    let mut before = None;
    loop {
        let mut tx = store.begin("change-look").await?;
        let messages = tx.latest_messages(before, STEP).await?;
        tx.commit().await?;
        // Numbers follow the arrival but for a batch or two, so a whole step of older ones is the end.
        let is_over = messages.iter().all(|stored| stored.message.envelope.received_at < since);
        before = messages.last().map(|stored| stored.number);
        for stored in messages.iter().filter(|stored| stored.message.envelope.received_at >= since) {
            if stored.message.kind == MessageKind::Report && is_looked_at(stored) {
                look(old, new, store, stored, &mut found).await?;
            }
        }
        if is_over || before.is_none_or(|number| number <= MessageNumber(1)) {
            return Ok(found);
        }
    }
}

/// A report that another set could make something else of.
fn is_looked_at(stored: &StoredMessage) -> bool {
    let message = &stored.message;
    matches!(message.state, MessageState::Journey | MessageState::Refused) && !message.restricted && message.person.is_some()
}

async fn look<S: Store>(old: &Journey, new: &Journey, store: &S, stored: &StoredMessage, found: &mut Traffic) -> Stored<()> {
    let (Some(before), Some(after)) = (old.disclosed(store, stored).await?, new.disclosed(store, stored).await?) else {
        found.unreadable += 1;
        return Ok(());
    };
    found.reports += 1;
    let recipients: BTreeSet<&RecipientId> = before.keys().chain(after.keys()).collect();
    let none = BTreeSet::new();
    for recipient in recipients {
        let (was, is) = (before.get(recipient).unwrap_or(&none), after.get(recipient).unwrap_or(&none));
        let reach = found.reach.entry(recipient.clone()).or_default();
        reach.0 += usize::from(!was.is_empty());
        reach.1 += usize::from(!is.is_empty());
        for field in is.difference(was) {
            found.fields.entry((recipient.clone(), field.clone())).or_default().more += 1;
        }
        for field in was.difference(is) {
            found.fields.entry((recipient.clone(), field.clone())).or_default().less += 1;
        }
    }
    Ok(())
}
