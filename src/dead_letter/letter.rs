//! One dead letter through the mask: what is wrong, where it stands in the document, what was done, and how many are like it.

use serde_json::Value;

use super::is_open;
use super::list::{Sight, id_of, shown_contract};
use super::tree::{Branch, tree};
use super::unmask::{may_be_unmasked, reveal};
use crate::domain::{Code, MessageNumber, Operator, Right};
use crate::filter::mask;
use crate::intake::decode;
use crate::journey::{Journey, payload, standing_of};
use crate::store::{
    AuditAct, AuditRow, AuditedAct, Cause, DeadLetters as _, Feeds as _, LegRow, LegState, MessageState, RefusedEntry, Store,
    Stored, StoredMessage, Survey as _, Tx, UnmaskedField,
};

/// A dead letter through the mask.
#[derive(Debug)]
pub struct Letter {
    /// Who sent it, its id, and what became of it.
    pub stored: StoredMessage,
    /// Its contract; `?` where no contract has the name.
    pub contract: String,
    /// How it stands: an act on it that is given this does nothing where the letter has changed since.
    pub standing: String,
    /// The document with everything masked that an operator may not read; `None` where it could not be decoded.
    pub document: Option<Value>,
    /// The same as a tree, with each place marked where a rule is broken, and with what whoever looks has unmasked.
    pub tree: Option<Branch>,
    /// Its legs.
    pub legs: Vec<LegRow>,
    /// What was made of it, or answers it, and a system did not take.
    pub undelivered: Vec<RefusedEntry>,
    /// What was decided and done with it, the oldest first.
    pub history: Vec<AuditedAct>,
    /// The id of its group, and how many open letters that has.
    pub group: Option<(String, i64)>,
    /// The fields that whoever looks has unmasked, and until when.
    pub unmasked: Vec<UnmaskedField>,
}

/// What looking for a letter found.
#[derive(Debug)]
pub enum Look {
    /// The letter.
    Letter(Box<Letter>),
    /// The message is no dead letter that may be looked at, but a system did not take what was made of it or answers it.
    /// Whether it is published, restricted or diverted is not told: only its envelope may be shown.
    Undelivered(Box<StoredMessage>, Vec<RefusedEntry>),
    /// Nothing that whoever looks may see; the same answer for what is not there, what is kept apart and what is others'.
    Nothing,
}

/// Opens a letter through the mask. The reading leaves an audit row.
///
/// # Errors
/// A fault of the store.
pub async fn look<S: Store>(journey: &Journey, store: &S, operator: &Operator, number: MessageNumber) -> Stored<Look> {
    let mut tx = journey.begin(store, "dead-letter-show").await?;
    let Some(stored) = tx.message(number).await? else { return Ok(Look::Nothing) };
    if !operator.may(Right::Look) || !Sight::of(journey, operator).has(&stored.message.envelope.login) {
        return Ok(Look::Nothing);
    }
    let undelivered = tx.refused_entries(number).await?;
    if !is_open(&mut *tx, &stored).await? {
        if undelivered.is_empty() {
            return Ok(Look::Nothing);
        }
        tx.audit(&AuditRow::by(AuditAct::Reading, &operator.name).on(number).with("envelope")).await?;
        tx.commit().await?;
        return Ok(Look::Undelivered(Box::new(stored), undelivered));
    }
    let standing = standing_of(&mut *tx, journey.keys(), &stored).await?;
    let (legs, bytes) = (tx.legs(number).await?, tx.open(&stored.message).await?);
    let mut history = tx.audited(number).await?;
    history.retain(|act| matches!(act.row.act, AuditAct::Decision | AuditAct::Operator) && !tells_of_protection(&act.row));
    let causes = causes(&stored, &legs);
    let groups = tx.letter_groups().await?;
    let group = groups.iter().find(|group| causes.contains(&group.cause));
    let group = group.map(|group| (id_of(journey, &group.cause), group.letters));
    let may_unmask = operator.may(Right::Unmask) && may_be_unmasked(&mut *tx, &stored).await?;
    let unmasked = if may_unmask { tx.unmasked_fields(operator, number).await? } else { Vec::new() };
    tx.audit(&AuditRow::by(AuditAct::Reading, &operator.name).on(number).with(reading(&unmasked))).await?;
    tx.commit().await?;
    let (document, tree) = bytes
        .and_then(|bytes| opened(journey, &stored, &bytes))
        .map(|(masked, raw)| {
            let mut tree = tree(&masked, &stored.message.violations);
            reveal(&mut tree, &masked, &raw, &unmasked);
            (masked, tree)
        })
        .unzip();
    let contract = shown_contract(journey, &stored.message.envelope.contract.to_string());
    let letter = Letter { stored, contract, standing, document, tree, legs, undelivered, history, group, unmasked };
    Ok(Look::Letter(Box::new(letter)))
}

/// What was read: values that are unmasked are read anew each time.
fn reading(unmasked: &[UnmaskedField]) -> String {
    let places: Vec<&str> = unmasked.iter().map(|field| field.place.as_str()).collect();
    if places.is_empty() { "masked".to_owned() } else { format!("masked, unmasked: {}", places.join(" ")) }
}

/// Whether a row says that the report was diverted once. Its flag is lifted, and that there was one is nobody's to know here.
fn tells_of_protection(row: &AuditRow) -> bool {
    row.detail.starts_with("diverted")
}

/// A letter that somebody may look at as a whole.
pub(super) async fn in_sight<T: Tx>(
    journey: &Journey,
    tx: &mut T,
    operator: &Operator,
    number: MessageNumber,
) -> Stored<Option<StoredMessage>> {
    let Some(stored) = tx.message(number).await? else { return Ok(None) };
    let is_mine = Sight::of(journey, operator).has(&stored.message.envelope.login);
    Ok((is_mine && is_open(tx, &stored).await?).then_some(stored))
}

/// The document through the mask, and as it is; `None` where it cannot be decoded.
pub(super) fn opened(journey: &Journey, stored: &StoredMessage, bytes: &[u8]) -> Option<(Value, Value)> {
    let payload = payload(&stored.message.envelope, bytes).ok()?;
    let set = journey.set();
    let contract = set.catalogue.contract(&stored.message.envelope.contract)?;
    let decoded = decode(payload, contract.outline()).ok()?;
    let tree = decoded.document().tree();
    Some((mask(&contract.outline().shape, tree), tree.clone()))
}

/// Why it is dead, as its groups have it: as a whole, or for its legs.
fn causes(stored: &StoredMessage, legs: &[LegRow]) -> Vec<Cause> {
    let envelope = &stored.message.envelope;
    let cause = |code: Code, place: String| Cause {
        login: envelope.login.clone(),
        code,
        contract: envelope.contract.to_string(),
        place,
    };
    if stored.message.state == MessageState::Refused {
        let first = stored.message.violations.first();
        return first.map(|(code, place)| cause(*code, without_order(place))).into_iter().collect();
    }
    let dead = legs.iter().filter(|leg| leg.state == LegState::Refused);
    dead.map(|leg| cause(leg.code.unwrap_or(Code::JourneyFailed), String::new())).collect()
}

/// A place without the order of list items: `absences[1].reason` is `absences[].reason`.
fn without_order(place: &str) -> String {
    let mut parts = place.split('[');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push('[');
        text.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::without_order;

    #[test]
    fn a_place_loses_the_order_of_items_and_nothing_else() {
        for (place, wanted) in [
            ("absences[17].times[2].from", "absences[].times[].from"),
            ("consent.wordingSha256", "consent.wordingSha256"),
            ("participant.?3", "participant.?3"),
            ("the document", "the document"),
            ("", ""),
        ] {
            assert_eq!(without_order(place), wanted);
        }
    }
}
