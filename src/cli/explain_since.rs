//! What has happened to an entry since it was published: served, receipted, replaced, taken back, and how far its recipient has
//! followed.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::journey::LegStory;
use crate::store::{EntryState, EntryStory, ReceiptStory, Withdrawal, WithdrawalStep};

fn receipts<'a>(entry: &'a EntryStory, leg: &'a LegStory) -> impl Iterator<Item = &'a ReceiptStory> {
    leg.receipts.iter().filter(|one| one.position == entry.position)
}

fn withdrawal<'a>(entry: &EntryStory, leg: &'a LegStory) -> Option<&'a Withdrawal> {
    leg.withdrawals.iter().find(|one| one.position == entry.position)
}

/// In words, in the order in which it can happen.
pub(super) fn since(entry: &EntryStory, leg: &LegStory) -> Vec<String> {
    let at = |words: &str, when: Option<Timestamp>| when.map(|when| format!("{words} {when}"));
    let mut told: Vec<String> =
        [at("served", entry.served_at), at("confirmed", entry.confirmed_at), at("refused by its system", entry.refused_at)]
            .into_iter()
            .flatten()
            .collect();
    for one in receipts(entry, leg) {
        let code = one.code.as_ref().map_or_else(String::new, |code| format!(" with {code}"));
        told.push(format!("receipt {}{code} {}", one.kind.as_str(), one.received_at));
    }
    match withdrawal(entry, leg) {
        Some(row) => told.extend(taken_back(row)),
        None => told.extend(match entry.state {
            EntryState::Live => None,
            EntryState::Replaced => Some("replaced by a newer one".to_owned()),
            EntryState::Withdrawn => Some("withdrawn".to_owned()),
            EntryState::Expired => Some("its period is over".to_owned()),
        }),
    }
    if told.is_empty() { vec!["nobody has fetched it".to_owned()] } else { told }
}

fn taken_back(row: &Withdrawal) -> Vec<String> {
    let first = match row.step {
        WithdrawalStep::BeforeServing => format!("withdrawn before it was served {} ({})", row.at, row.code),
        WithdrawalStep::LapsedAfterServing => format!("shown to nobody else since {} ({})", row.at, row.code),
        _ => {
            let delete = row.delete.map_or_else(String::new, |delete| format!(" at {}", delete.0));
            format!("DELETE published{delete} {} ({})", row.at, row.code)
        }
    };
    let at = |words: &str, when: Option<Timestamp>| when.map(|when| format!("{words} {when}"));
    let rest = [
        at("DELETE served", row.served_at),
        at("DELETE acknowledged", row.acknowledged_at),
        at("DELETE replaced by a newer document", row.superseded_at),
    ];
    std::iter::once(first).chain(rest.into_iter().flatten()).collect()
}

/// For machines.
pub(super) fn entry_json(entry: &EntryStory, leg: &LegStory) -> Value {
    let at = |when: Option<Timestamp>| when.map(|when| when.to_string());
    let receipts: Vec<Value> = receipts(entry, leg)
        .map(|one| {
            json!({
                "kind": one.kind.as_str(), "code": one.code, "statedAt": one.stated_at.to_string(),
                "receivedAt": one.received_at.to_string(),
            })
        })
        .collect();
    let withdrawal = withdrawal(entry, leg).map(|row| {
        json!({
            "state": row.step.as_str(), "code": row.code.as_str(), "at": row.at.to_string(),
            "delete": row.delete.map(|delete| delete.0), "lapsedAt": at(row.lapsed_at), "servedAt": at(row.served_at),
            "acknowledgedAt": at(row.acknowledged_at), "supersededAt": at(row.superseded_at),
        })
    });
    json!({
        "position": entry.position.0, "subject": entry.subject.to_hex(), "contract": entry.contract,
        "method": entry.method.as_str(), "state": entry.state.as_str(), "publishedAt": entry.published_at.to_string(),
        "until": at(entry.until), "servedAt": at(entry.served_at), "confirmedAt": at(entry.confirmed_at),
        "refusedAt": at(entry.refused_at), "receipts": receipts, "withdrawal": withdrawal,
    })
}
