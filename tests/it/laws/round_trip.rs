//! What is written is what is read: any document of any contract, in both syntaxes, however it is written.

use std::sync::Arc;

use brygga::agreement::GateKind;
use brygga::domain::{ContractRef, Envelope, Format, LeafKind, Login, Object, Outline, Shape, Syntax};
use brygga::intake::{Payload, decode};
use brygga::store::MessageState;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::string::string_regex;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::message::arrival;
use super::report::{awkward, reports};
use super::world::{Memory, World, start, usual};
use super::write::{self, Style};
use super::{hold, run};

/// Documents of a shape, whatever the rules across fields say of them.
fn objects(object: &Object) -> BoxedStrategy<Value> {
    let mut all = Just(Map::new()).boxed();
    for field in object.fields.iter().filter(|field| !field.derived) {
        let value = values(&field.shape);
        let value = if field.required { value.prop_map(Some).boxed() } else { option::of(value).boxed() };
        let name = field.name.clone();
        all = (all, value)
            .prop_map(move |(mut fields, value)| {
                fields.extend(value.map(|value| (name.clone(), value)));
                fields
            })
            .boxed();
    }
    all.prop_map(Value::Object).boxed()
}

fn values(shape: &Shape) -> BoxedStrategy<Value> {
    let leaf = match shape {
        Shape::Object(object) => return objects(object),
        Shape::List(list) => {
            let range = usize::try_from(list.min).unwrap_or(0)..=usize::try_from(list.max.min(3)).unwrap_or(3);
            return vec(values(&list.item), range).prop_map(Value::Array).boxed();
        }
        Shape::Leaf(leaf) => leaf,
    };
    match &leaf.kind {
        LeafKind::Boolean => any::<bool>().prop_map(Value::from).boxed(),
        LeafKind::Integer { min, max } => (*min..=*max).prop_map(Value::from).boxed(),
        LeafKind::OneOf(words) => prop::sample::select(words.clone()).prop_map(Value::from).boxed(),
        LeafKind::Formatted(Format::CalendarDate) => {
            let zone = prop::sample::select(vec!["", "Z", "-14:00", "+01:00"]);
            (1_u32..=9999, 1_u32..=12, 1_u32..=28, zone)
                .prop_map(|(year, month, day, zone)| json!(format!("{year:04}-{month:02}-{day:02}{zone}")))
                .boxed()
        }
        LeafKind::Formatted(Format::LocalDateTime) => {
            let end = prop::sample::select(vec!["", "Z", "+05:30", ".5", ".000000001-11:00"]);
            (1900_u32..=2100, 1_u32..=12, 1_u32..=28, 0_u32..24, 0_u32..60, end)
                .prop_map(|(year, month, day, hour, minute, end)| {
                    json!(format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:59{end}"))
                })
                .boxed()
        }
        LeafKind::Text { pattern: Some(pattern), .. } => {
            string_regex(pattern.trim_matches(['^', '$'])).expect("a pattern").prop_map(Value::from).boxed()
        }
        LeafKind::Text { min, max, .. } => {
            let (min, max) = (usize::try_from(*min).unwrap_or(0), usize::try_from(*max).unwrap_or(0));
            let fit = move |text: String| text.chars().chain("x".repeat(min).chars()).take(max).collect::<String>();
            (awkward(), prop_oneof![3 => Just(""), 1 => Just("\r\n")])
                .prop_map(move |(text, end)| json!(fit(text + end)))
                .boxed()
        }
    }
}

fn decoded(outline: &Arc<Outline>, syntax: Syntax, text: &str) -> Value {
    let envelope = Envelope {
        login: Login::try_from("hallefors-ame".to_owned()).expect("a login"),
        message_id: Uuid::from_u128(1),
        contract: outline.reference.clone(),
        syntax,
        message_time: start(),
        received_at: start(),
        trace: brygga::domain::Trace::default(),
    };
    let payload = Payload::new(envelope, text.as_bytes().to_vec()).expect("small enough");
    match decode(payload, outline) {
        Ok(decoded) => decoded.document().tree().clone(),
        Err(refusal) => panic!("refused with {refusal:?}: {text}"),
    }
}

#[test]
fn every_document_of_every_contract_reads_back_as_itself_in_both_syntaxes() {
    let set = usual(GateKind::Waiver);
    let references: Vec<ContractRef> = set.catalogue.contracts().map(|contract| contract.outline().reference.clone()).collect();
    assert!(references.len() >= 6, "all contracts are here");
    for reference in references {
        let contract = set.catalogue.contract(&reference).expect("a contract");
        let outline = contract.outline();
        hold(48, &(objects(&outline.shape), any::<u64>()), |(tree, seed)| {
            assert!(contract.fits(&tree), "the document has the contract's shape");
            let mut style = Style::new(seed);
            let json = write::json(&tree, &mut style);
            assert_eq!(decoded(outline, Syntax::Json, &json), tree, "{json}");
            let xml = write::xml(outline, &tree, &mut style);
            assert_eq!(decoded(outline, Syntax::Xml, &xml), tree, "{xml}");
        });
    }
}

#[test]
fn the_same_report_in_the_other_syntax_is_the_same_report() {
    let set = usual(GateKind::Waiver);
    let outline = set.catalogue.contract(&"activity-report.v1".parse().expect("a name")).expect("a contract").outline();
    hold(24, &(reports(), any::<u64>()), |(report, seed)| {
        let (tree, mut style) = (report.tree(), Style::new(seed));
        let json = arrival(1, "activity-report.v1", Syntax::Json, write::json(&tree, &mut style));
        let xml = arrival(2, "activity-report.v1", Syntax::Xml, write::xml(outline, &tree, &mut style));
        let states = run(async {
            let world = World::<Memory>::new(usual(GateKind::Waiver)).await;
            (world.take_one(json).await.1, world.take_one(xml).await.1)
        });
        assert_eq!(states, (MessageState::Journey, MessageState::Duplicate), "{tree}");
    });
}
