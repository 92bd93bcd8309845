//! Unmasking: one field of one letter, for a reason that the audit log keeps, for ten minutes.

use jiff::SignedDuration;
use serde_json::Value;

use super::acts::Act;
use super::letter::{in_sight, opened};
use super::tree::{Branch, Node};
use crate::domain::{MessageNumber, Operator, Right};
use crate::filter::MASK;
use crate::journey::Journey;
use crate::store::{AuditAct, AuditRow, DeadLetters as _, MessageKind, Store, Stored, StoredMessage, Tx, UnmaskedField};

/// How long a field stays unmasked for whoever has unmasked it.
pub const UNMASKED: SignedDuration = SignedDuration::from_mins(10);

/// The value at a place as the tree tells places. A field that the contract does not have is told with its name, which may be
/// what is wrong with it. Only what is masked, and is one value, can be told.
fn masked_value(masked: &Value, raw: &Value, at: &str, place: &str) -> Option<String> {
    match (masked, raw) {
        (Value::Object(shown), Value::Object(fields)) => {
            shown.iter().zip(fields).find_map(|((shown_name, shown), (name, value))| {
                let dot = if at.is_empty() { "" } else { "." };
                let found = masked_value(shown, value, &format!("{at}{dot}{shown_name}"), place)?;
                Some(if shown_name.starts_with('?') { format!("{name}: {found}") } else { found })
            })
        }
        (Value::Array(shown), Value::Array(items)) => shown
            .iter()
            .zip(items)
            .enumerate()
            .find_map(|(index, (shown, value))| masked_value(shown, value, &format!("{at}[{index}]"), place)),
        (Value::String(mask), value) if mask == MASK && at == place => match value {
            Value::String(text) => Some(text.clone()),
            Value::Object(_) | Value::Array(_) => None,
            value => Some(value.to_string()),
        },
        _ => None,
    }
}

/// Writes into a tree what whoever looks has unmasked.
pub(super) fn reveal(branch: &mut Branch, masked: &Value, raw: &Value, fields: &[UnmaskedField]) {
    if matches!(branch.node, Node::Masked)
        && fields.iter().any(|field| field.place == branch.place)
        && let Some(value) = masked_value(masked, raw, "", &branch.place)
    {
        branch.node = Node::Value(value);
    }
    if let Node::Branches(branches) = &mut branch.node {
        for branch in branches {
            reveal(branch, masked, raw, fields);
        }
    }
}

/// Whether values of a letter may be told to anybody here. It was asked of its participant whether they are protected, and they
/// are not: neither then nor now. What was refused before anybody asked whom it is about stays masked, and so does whatever says
/// who is protected.
pub(super) async fn may_be_unmasked<T: Tx>(tx: &mut T, stored: &StoredMessage) -> Stored<bool> {
    match &stored.message.person {
        Some(person) if stored.message.kind != MessageKind::Protection => Ok(!tx.is_flagged(person).await?),
        _ => Ok(false),
    }
}

/// Unmasks one field of a letter for whoever asks, and for nobody else. It is audited with its reason before the value is
/// told.
///
/// # Errors
/// A fault of the store.
pub async fn unmask<S: Store>(
    journey: &Journey,
    store: &S,
    operator: &Operator,
    number: MessageNumber,
    place: &str,
    reason: &str,
) -> Stored<Act<String>> {
    if !operator.may(Right::Unmask) {
        return Ok(Act::NotAllowed);
    }
    if reason.trim().is_empty() {
        return Ok(Act::NoReason);
    }
    let mut tx = journey.begin(store, "dead-letter-unmask").await?;
    let Some(stored) = in_sight(journey, &mut *tx, operator, number).await? else { return Ok(Act::Nothing) };
    if !may_be_unmasked(&mut *tx, &stored).await? {
        return Ok(Act::Nothing);
    }
    let Some(bytes) = tx.open(&stored.message).await? else { return Ok(Act::Nothing) };
    let Some((masked, raw)) = opened(journey, &stored, &bytes) else { return Ok(Act::Nothing) };
    let Some(value) = masked_value(&masked, &raw, "", place) else { return Ok(Act::Nothing) };
    let until = tx.now().checked_add(UNMASKED).unwrap_or(jiff::Timestamp::MAX);
    tx.keep_unmasked_field(operator, number, &UnmaskedField { place: place.to_owned(), until }).await?;
    // The place is told in the contract's own names: the tree knows no others.
    let row = AuditRow::by(AuditAct::Reading, &operator.name).on(number).with(format!("unmasked {place}"));
    tx.audit(&row.because(reason)).await?;
    tx.commit().await?;
    Ok(Act::Done(value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::masked_value;

    #[test]
    fn only_one_masked_value_is_told_and_an_unknown_field_with_its_name() {
        let raw =
            json!({ "a": { "secret": "x", "plain": 1, "odd": true }, "list": [{ "secret": 5 }, { "secret": { "deep": 1 } }] });
        let masked = json!({
            "a": { "secret": "•••", "plain": 1, "?2": "•••" }, "list": [{ "secret": "•••" }, { "secret": "•••" }]
        });
        let told = |place| masked_value(&masked, &raw, "", place);
        assert_eq!(told("a.secret").as_deref(), Some("x"));
        assert_eq!(told("a.?2").as_deref(), Some("odd: true"));
        assert_eq!(told("list[0].secret").as_deref(), Some("5"));
        for nothing in ["a.plain", "a.odd", "a", "list[1].secret", "list[2].secret", "", "secret"] {
            assert_eq!(told(nothing), None, "{nothing}");
        }
    }
}
