//! JSON text becomes a tree (RFC 8259), with what the RFC leaves open decided: no duplicate keys, integers only.

use std::cell::{Cell, RefCell};
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::text::is_allowed;
use super::{Found, MAX_DEPTH, MAX_NODES};
use crate::domain::{Code, Object, Place, Shape, Step, Violation};

/// Reads one JSON document. The shape serves to name places; it does not judge.
pub(super) fn tree(text: &str, shape: &Object) -> Found<Value> {
    let walk = Walk { path: RefCell::new(Vec::with_capacity(MAX_DEPTH)), found: RefCell::new(None), nodes: Cell::new(0) };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let node = Node { walk: &walk, shape: Guide::Object(shape) };
    let tree = node.deserialize(&mut deserializer).map_err(|error| walk.violation(&error))?;
    match deserializer.end() {
        Ok(()) => Ok(tree),
        Err(_) => Err(Violation::whole(Code::DecodeTrailing)),
    }
}

/// What is known while a document is read: where we are, and the first thing that is wrong.
struct Walk<'a> {
    path: RefCell<Vec<Light<'a>>>,
    found: RefCell<Option<Violation>>,
    nodes: Cell<usize>,
}

/// A step that borrows the contract's name, so that walking costs no copy.
#[derive(Clone, Copy)]
enum Light<'a> {
    Field(&'a str),
    Unknown(usize),
    Item(usize),
}

impl<'a> Walk<'a> {
    fn place(&self) -> Place {
        self.path.borrow().iter().fold(Place::root(), |place, step| match step {
            Light::Field(name) => place.field(name),
            Light::Unknown(index) => place.then(Step::Unknown(*index)),
            Light::Item(index) => place.item(*index),
        })
    }

    /// Notes what is wrong here, and gives the parser an error that says nothing.
    fn refuse<E: serde::de::Error>(&self, code: Code) -> E {
        *self.found.borrow_mut() = Some(Violation::new(code, self.place()));
        E::custom("refused")
    }

    fn violation(&self, error: &serde_json::Error) -> Violation {
        if let Some(found) = self.found.borrow_mut().take() {
            return found;
        }
        // The library says "number out of range" only in words; its text holds no value of the document.
        let code = match error.classify() {
            serde_json::error::Category::Eof => Code::DecodeTruncated,
            _ if error.to_string().starts_with("number out of range") => Code::DecodeNumber,
            _ => Code::DecodeSyntax,
        };
        Violation::new(code, self.place())
    }

    fn enter<E: serde::de::Error>(&self, step: Light<'a>) -> Result<(), E> {
        let depth = {
            let mut path = self.path.borrow_mut();
            path.push(step);
            path.len()
        };
        if depth > MAX_DEPTH {
            return Err(self.refuse(Code::DecodeDepth));
        }
        self.nodes.set(self.nodes.get() + 1);
        if self.nodes.get() > MAX_NODES {
            return Err(self.refuse(Code::DecodeTooManyNodes));
        }
        Ok(())
    }

    fn leave(&self) {
        self.path.borrow_mut().pop();
    }
}

/// The part of the contract that names what comes next; `Nothing` below unknown fields.
#[derive(Clone, Copy)]
enum Guide<'a> {
    Object(&'a Object),
    Shape(&'a Shape),
    Nothing,
}

impl<'a> Guide<'a> {
    /// The contract's own name of a field and what it holds; `None` for a field that it does not have.
    fn field(self, name: &str) -> Option<(&'a str, Self)> {
        let field = self.object()?.field(name).map(|(_, field)| field)?;
        Some((&field.name, Guide::Shape(&field.shape)))
    }

    fn object(self) -> Option<&'a Object> {
        let (Guide::Object(object) | Guide::Shape(Shape::Object(object))) = self else { return None };
        Some(object)
    }

    fn item(self) -> Self {
        match self {
            Guide::Shape(Shape::List(list)) => Guide::Shape(&list.item),
            _ => Guide::Nothing,
        }
    }
}

struct Node<'a> {
    walk: &'a Walk<'a>,
    shape: Guide<'a>,
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        i64::try_from(value).map(Value::from).map_err(|_| self.walk.refuse(Code::DecodeNumber))
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Value, E> {
        Err(self.walk.refuse(Code::DecodeNumber))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        if is_allowed(value) { Ok(Value::String(value.to_owned())) } else { Err(self.walk.refuse(Code::DecodeNul)) }
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let shape = self.shape.item();
        let mut items = Vec::new();
        self.walk.enter(Light::Item(0))?;
        while let Some(item) = access.next_element_seed(Node { walk: self.walk, shape })? {
            items.push(item);
            self.walk.leave();
            self.walk.enter(Light::Item(items.len()))?;
        }
        self.walk.leave();
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut fields = Map::with_capacity(self.shape.object().map_or(0, |object| object.fields.len()));
        while let Some(name) = access.next_key::<String>()? {
            let known = self.shape.field(&name);
            self.walk.enter(known.map_or(Light::Unknown(fields.len()), |(name, _)| Light::Field(name)))?;
            let shape = known.map_or(Guide::Nothing, |(_, shape)| shape);
            let value = access.next_value_seed(Node { walk: self.walk, shape })?;
            if fields.insert(name, value).is_some() {
                return Err(self.walk.refuse(Code::DecodeDuplicateKey));
            }
            self.walk.leave();
        }
        Ok(Value::Object(fields))
    }
}
