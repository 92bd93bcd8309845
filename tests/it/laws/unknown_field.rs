//! A field that the contract does not have, sent along in a report that is otherwise good, never changes any output.

use brygga::agreement::GateKind;
use brygga::domain::{Code, Party, Syntax};
use brygga::store::MessageState;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::message::{CONSENTABLE, Waiver, arrival};
use super::report::reports;
use super::world::{Home, World, af, fs, usual};
use super::write::{self, Style};
use super::{hold, run};

/// Names that no contract has, or that it has elsewhere or computes itself.
const NAMES: [&str; 8] =
    ["ZQKnew", "p199610042393", "totals", "plannedMinutes", "minutes", "Revision", "diagnosZQK", "personNummer"];

/// The objects of a document, by a path of names and indexes.
fn objects(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            found.push(at.to_owned());
            fields.iter().for_each(|(name, inner)| objects(inner, &format!("{at}/{name}"), found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| objects(item, &format!("{at}/{index}"), found));
        }
        _ => {}
    }
}

/// The document with one field more, before the field with that number in the object with that number.
fn with_field(tree: &Value, object: usize, before: usize, name: &str, value: &Value) -> Option<Value> {
    let mut pointers = Vec::new();
    objects(tree, "", &mut pointers);
    let mut changed = tree.clone();
    let fields = changed.pointer_mut(&pointers[object % pointers.len()])?.as_object_mut()?;
    if fields.contains_key(name) {
        return None;
    }
    let before = before % (fields.len() + 1);
    let mut written = Map::new();
    for (index, (known, inner)) in fields.iter().enumerate() {
        if index == before {
            written.insert(name.to_owned(), value.clone());
        }
        written.insert(known.clone(), inner.clone());
    }
    written.entry(name).or_insert_with(|| value.clone());
    *fields = written;
    Some(changed)
}

fn an_unknown_field_refuses_the_report_without_a_trace_of_itself<H: Home>() {
    let contents = prop_oneof![
        Just(json!("ZQV")),
        Just(json!(7)),
        Just(Value::Null),
        Just(json!({ "from": "ZQV", "ZQKinner": ["ZQV", {}] })),
        Just(json!([{ "date": "2026-02-02" }, "ZQV"])),
    ];
    let cases = (reports(), any::<(usize, usize, bool, u64)>(), prop::sample::select(NAMES.to_vec()), contents);
    hold(H::share(96), &cases, |(report, (object, before, is_xml, seed), name, contents)| {
        let set = usual(GateKind::NoSecrecyBoundary);
        let tree = report.tree();
        let Some(changed) = with_field(&tree, object, before, name, &contents) else { return };
        let mut style = Style::new(seed);
        let outline = set.catalogue.contract(&"activity-report.v1".parse().expect("a name")).expect("a contract").outline();
        let (syntax, text) = if is_xml {
            (Syntax::Xml, write::xml(outline, &changed, &mut style))
        } else {
            (Syntax::Json, write::json(&changed, &mut style))
        };
        let good = || arrival(3, "activity-report.v1", Syntax::Json, tree.to_string());
        let waiver = || Waiver::new(report.person, "W-1", Party::Arbetsformedlingen, &CONSENTABLE).arrival(1);
        run(async {
            let world = World::<H>::new(set.clone()).await;
            world.take_one(waiver()).await;
            let (number, state) = world.take_one(arrival(2, "activity-report.v1", syntax, text.clone())).await;
            assert_eq!(state, MessageState::Refused, "{text}");
            let stored = world.message(number).await;
            assert!(!stored.message.restricted && stored.message.person.is_some(), "{text}");
            assert!(!stored.message.violations.is_empty(), "{text}");
            for (code, place) in &stored.message.violations {
                assert_eq!(*code, Code::ContractUnknownField, "{place}: {text}");
                assert!(place.contains('?') && !place.contains(name) && !place.contains("ZQ"), "{place}: {text}");
            }
            world.census().await;
            let other = World::<H>::new(set.clone()).await;
            other.take_one(waiver()).await;
            for recipient in [af(), fs()] {
                assert_eq!(world.read(&recipient).await, [], "{text}");
            }
            assert_eq!(world.take_one(good()).await.1, MessageState::Journey);
            other.take_one(good()).await;
            for recipient in [af(), fs()] {
                assert_eq!(world.read(&recipient).await, other.read(&recipient).await, "{text}");
            }
        });
    });
}

on_both_engines! {
    an_unknown_field_refuses_the_report_without_a_trace_of_itself,
}
