//! Law 2: no value outside the recipient's allow-list is in any output, whatever the report and whatever the terms.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;

use brygga::agreement::GateKind;
use brygga::domain::{Categories, Category, LeafKind, Object, Outline, Party, RecipientId, Shape};
use brygga::intake::read_xml;
use brygga::journey::ContractSet;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

use super::message::{CONSENTABLE, Waiver, report};
use super::report::{Report, reports};
use super::world::{Agreement, Event, Home, Recipient, World, af, fs};
use super::{hold, run};

/// What one recipient's terms say: a right for each category (0 never named, 1 never, 2 with consent, 3 always), a gate.
type Rights = (Vec<u8>, GateKind);
/// A consent: to whom, which categories, which of them are revoked, and what is wrong with it.
type Consent = (bool, Vec<bool>, Option<Vec<bool>>, u8);

/// Every gate that a recipient can have: secrecy stands between a kommun and AF.
const TO_AF: [GateKind; 2] = [GateKind::Waiver, GateKind::StatutoryDuty];
const TO_FS: [GateKind; 3] = [GateKind::Waiver, GateKind::StatutoryDuty, GateKind::NoSecrecyBoundary];

fn rights(gates: &'static [GateKind]) -> impl Strategy<Value = Rights> {
    let right = prop_oneof![1 => Just(0_u8), 1 => Just(1), 3 => Just(2), 5 => Just(3)];
    let gate = prop::sample::select(gates);
    (vec(right, CONSENTABLE.len()), gate)
}

fn consents() -> impl Strategy<Value = Vec<Consent>> {
    let named = || vec(prop::bool::weighted(0.7), CONSENTABLE.len());
    let wrong = prop_oneof![6 => Just(0_u8), 1 => 1_u8..6];
    vec((any::<bool>(), named(), prop::option::weighted(0.2, vec(prop::bool::weighted(0.2), CONSENTABLE.len())), wrong), 0..4)
}

fn pick(chosen: &[bool]) -> Vec<Category> {
    CONSENTABLE.into_iter().zip(chosen).filter(|(_, chosen)| **chosen).map(|(category, _)| category).collect()
}

fn granted(rights: &[u8], right: u8) -> Vec<Category> {
    CONSENTABLE.into_iter().zip(rights).filter(|(_, given)| **given == right).map(|(category, _)| category).collect()
}

/// Terms for a recipient: of its documents those that could ever be made, as loading demands.
fn terms(party: Party, (rights, gate): &Rights, set: &ContractSet) -> Recipient {
    let (mut always, with_consent) = (granted(rights, 3), granted(rights, 2));
    if always.is_empty() && with_consent.is_empty() {
        always.push(Category::Report);
    }
    let seen: Categories = always.iter().chain(&with_consent).copied().collect();
    let own = if party == Party::Arbetsformedlingen { "af." } else { "fs." };
    let possible = set.recipes.iter().filter(|recipe| recipe.to.name().starts_with(own) && seen.contains_all(recipe.required));
    let documents = possible.map(|recipe| recipe.to.to_string()).collect();
    Recipient { party, gate: *gate, documents, always, with_consent, never: granted(rights, 1) }
}

fn waiver(index: usize, person: &'static str, (to_af, named, revoked, wrong): &Consent) -> (Waiver, bool) {
    let party = if *to_af { Party::Arbetsformedlingen } else { Party::Forsorjningsstod };
    let mut categories = pick(named);
    if categories.is_empty() {
        categories.push(Category::Report);
    }
    let mut waiver = Waiver::new(person, &format!("W-{index}"), party, &categories);
    match wrong {
        1 => waiver.namnd = "Socialnämnden",
        2 => waiver.agreement = "hallefors-2026",
        3 => waiver.kind = "gdpr-consent",
        4 => waiver.from = "2026-03-03",
        5 => waiver.to = "2026-03-01",
        _ => {}
    }
    waiver.revoked = revoked.as_ref().map(|revoked| pick(revoked));
    let ended = waiver.revoked.clone().unwrap_or_default();
    let all_ended = waiver.revoked.as_ref().is_some_and(Vec::is_empty);
    let left = categories.iter().any(|category| !all_ended && !ended.contains(category));
    (waiver, *wrong == 0 && left)
}

/// The categories that a recipient may see by terms and consents; `None` where its gate is shut.
fn allowed(recipient: &Recipient, waivers: &[(Waiver, bool)]) -> Option<Categories> {
    let active: Vec<&Waiver> = waivers
        .iter()
        .filter(|(waiver, counts)| *counts && waiver.party == recipient.party)
        .map(|(waiver, _)| waiver)
        .collect();
    if recipient.gate == GateKind::Waiver && active.is_empty() {
        return None;
    }
    let names = |category: &Category| {
        let named = |waiver: &&Waiver| {
            let revoked = waiver.revoked.as_deref().unwrap_or_default();
            waiver.categories.contains(category) && !revoked.contains(category)
        };
        active.iter().any(named)
    };
    Some(recipient.always.iter().chain(recipient.with_consent.iter().filter(|category| names(category))).copied().collect())
}

/// Every value of a document with its category.
fn leaves(object: &Object, tree: &Value, found: &mut Vec<(Category, LeafKind, String)>) {
    fn walk(shape: &Shape, value: &Value, found: &mut Vec<(Category, LeafKind, String)>) {
        match shape {
            Shape::Object(object) => leaves(object, value, found),
            Shape::List(list) => value.as_array().into_iter().flatten().for_each(|item| walk(&list.item, item, found)),
            Shape::Leaf(leaf) => {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                found.push((leaf.category, leaf.kind.clone(), text));
            }
        }
    }
    for (name, value) in tree.as_object().into_iter().flatten() {
        let (_, field) = object.field(name).unwrap_or_else(|| panic!("the contract has no {name}"));
        walk(&field.shape, value, found);
    }
}

/// What would give a value away wherever it stood: its mark, its digits, its day. Words of closed lists and small numbers
/// cannot be told from others and are looked for by the place where they stand.
fn needles(outline: &Outline, tree: &Value, seen: Categories) -> BTreeSet<String> {
    let mut found = Vec::new();
    leaves(&outline.shape, tree, &mut found);
    let needle = |(_, kind, text): &(Category, LeafKind, String)| match (kind, text.find("ZQX")) {
        (LeafKind::Text { .. }, Some(start)) => {
            text.get(start..).and_then(|rest| rest.split_once("-Q")).map(|(mark, _)| format!("{mark}-Q"))
        }
        (LeafKind::Text { .. }, None) => Some(text.get(2..).filter(|_| text.len() == 12).unwrap_or(text).to_owned()),
        (LeafKind::Formatted(_), _) => text.get(..10).map(str::to_owned),
        _ => None,
    };
    let of = |inside: bool| -> BTreeSet<String> {
        found.iter().filter(|(category, ..)| seen.contains(*category) == inside).filter_map(needle).collect()
    };
    let mut hidden: BTreeSet<String> = of(false).difference(&of(true)).cloned().collect();
    if !seen.contains(Category::Placement) {
        hidden.insert("arbetstraning".to_owned());
    }
    hidden
}

fn check(set: &ContractSet, tree: &Value, recipient: &Recipient, seen: Option<Categories>, events: &[Event]) {
    let Some(seen) = seen else {
        assert_eq!(events, [], "the gate is shut");
        return;
    };
    let shared = set.catalogue.contract(&"activity-report.v1".parse().expect("a name")).expect("a contract").outline();
    let hidden = needles(shared, tree, seen);
    for event in events {
        assert!(recipient.documents.contains(&event.contract), "{} was not agreed", event.contract);
        for needle in &hidden {
            assert!(!event.document.contains(needle), "{needle} is in {}", event.document);
        }
        let outline = set.catalogue.contract(&event.contract.parse().expect("a name")).expect("a contract").outline();
        let document = serde_json::from_str(&event.document).ok().or_else(|| read_xml(&event.document, outline));
        let mut found = Vec::new();
        leaves(&outline.shape, &document.expect("well-formed"), &mut found);
        for (category, _, text) in found {
            assert!(seen.contains(category), "{text} is {category}, which this recipient may not see");
        }
    }
}

async fn publish<H: Home>(set: &Arc<ContractSet>, plan: &Report, waivers: &[(Waiver, bool)]) -> Vec<(RecipientId, Vec<Event>)> {
    let world = World::<H>::new(Arc::clone(set)).await;
    for (index, (waiver, _)) in waivers.iter().enumerate() {
        world.take(vec![waiver.arrival(10 + u128::try_from(index).unwrap_or(0))]).await;
    }
    let (number, _) = world.take_one(report(1, &plan.tree())).await;
    let words: Vec<String> = world.message(number).await.message.violations.into_iter().map(|(_, place)| place).collect();
    let bases: Vec<String> = world.legs(number).await.into_iter().map(|leg| leg.basis).collect();
    for text in words.iter().chain(&bases) {
        assert!(!text.contains("ZQX") && !text.contains(plan.person), "{text}");
    }
    let mut feeds = Vec::new();
    for recipient in [af(), fs()] {
        let events = world.read(&recipient).await;
        feeds.push((recipient, events));
    }
    world.census().await;
    feeds
}

fn nothing_outside_the_allow_list_is_in_any_feed<H: Home>() {
    let base = super::world::usual(GateKind::Waiver);
    let (published, partly) = (Cell::new(0), Cell::new(0));
    let cases = (reports(), rights(&TO_AF), rights(&TO_FS), consents(), any::<bool>());
    hold(H::share(96), &cases, |(plan, to_af, to_fs, consents, signed)| {
        let recipients = vec![terms(Party::Arbetsformedlingen, &to_af, &base), terms(Party::Forsorjningsstod, &to_fs, &base)];
        let agreement = Agreement { signed, recipients };
        let set = Arc::new(agreement.set());
        let waivers: Vec<_> = consents.iter().enumerate().map(|(index, consent)| waiver(index, plan.person, consent)).collect();
        for (id, events) in run(publish::<H>(&set, &plan, &waivers)) {
            let recipient =
                agreement.recipients.iter().find(|recipient| Some(recipient.party) == id.party()).expect("in the terms");
            let seen = allowed(recipient, &waivers);
            check(&set, &plan.tree(), recipient, seen, &events);
            published.set(published.get() + events.len());
            partly.set(partly.get() + usize::from(!events.is_empty() && seen.is_some_and(|seen| seen.iter().count() < 10)));
            assert!(events.iter().all(|event| event.illustrative != signed), "an illustration is marked as one");
        }
    });
    assert!(
        published.get() > H::share(40) / 2 && partly.get() > H::share(15) / 2,
        "{} published, {} partly",
        published.get(),
        partly.get()
    );
}

on_both_engines! {
    nothing_outside_the_allow_list_is_in_any_feed,
}
