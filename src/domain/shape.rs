//! The shape of a contract's documents: the tree of its fields with the annotation of every leaf.
//!
//! It is compiled once from a schema. The XML decoder is guided by it, the filter and the masking walk along it, and
//! the XSD is written from it.

use std::sync::Arc;

use super::category::{Category, Sensitivity};
use super::envelope::ContractRef;

/// A node of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// Named fields, in any order, each at most once.
    Object(Object),
    /// Items of one shape.
    List(List),
    /// A value.
    Leaf(Box<Leaf>),
}

/// Named fields.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Object {
    /// The fields, in the schema's order.
    pub fields: Vec<Field>,
}

impl Object {
    /// The field of a name, with its place in the schema's order.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<(usize, &Field)> {
        self.fields.iter().enumerate().find(|(_, field)| field.name == name)
    }
}

/// A field of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The name, the same in JSON and XML.
    pub name: String,
    /// Whether a document must have it.
    pub required: bool,
    /// Whether it is computed when a document conforms, and so never read from one.
    pub derived: bool,
    /// What it holds.
    pub shape: Shape,
}

/// Items of one shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// The name of an item's element in XML; JSON has none.
    pub item_name: String,
    /// What an item holds.
    pub item: Box<Shape>,
    /// The least number of items.
    pub min: u64,
    /// The greatest number of items.
    pub max: u64,
}

/// A value with its annotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// The leaf's path with `[]` after lists: `absences[].reason`. Shared, so that naming a leaf costs no copy.
    pub path: Arc<str>,
    /// What values it takes.
    pub kind: LeafKind,
    /// The category of data.
    pub category: Category,
    /// How much it is protected.
    pub sensitivity: Sensitivity,
}

/// What values a leaf takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeafKind {
    /// `true` or `false`.
    Boolean,
    /// A whole number in 64 bits, between two bounds.
    Integer {
        /// The least value.
        min: i64,
        /// The greatest value.
        max: i64,
    },
    /// A text with a format of its own.
    Formatted(Format),
    /// One of a list of texts.
    OneOf(Vec<String>),
    /// A text by length in characters and pattern.
    Text {
        /// The least length.
        min: u64,
        /// The greatest length.
        max: u64,
        /// A pattern over the whole text, anchored with `^` and `$`.
        pattern: Option<String>,
    },
}

/// A format with rules that a pattern cannot say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A day: see [`calendar_date`](super::calendar_date).
    CalendarDate,
    /// A time with or without offset: see [`activity_instant`](super::activity_instant).
    LocalDateTime,
}

/// Where the way finds what it must know before it may judge the rest of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roles {
    /// The personnummer or samordningsnummer.
    pub person: String,
    /// The sender's own flag for a protected identity, where the contract has one.
    pub protected: Option<String>,
    /// The sender's organisation number.
    pub organisation: String,
    /// The disclosing nämnd.
    pub namnd: String,
}

/// A contract as far as the stages before the contract itself need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// Name and version.
    pub reference: ContractRef,
    /// The XML root element.
    pub root: String,
    /// The XML namespace.
    pub namespace: String,
    /// The shape, derived fields included.
    pub shape: Object,
    /// Where to find whom it is about; outgoing contracts have none.
    pub roles: Option<Roles>,
}

impl Outline {
    /// Every leaf, depth first.
    #[must_use]
    pub fn leaves(&self) -> Vec<&Leaf> {
        fn collect<'a>(shape: &'a Shape, into: &mut Vec<&'a Leaf>) {
            match shape {
                Shape::Leaf(leaf) => into.push(leaf),
                Shape::List(list) => collect(&list.item, into),
                Shape::Object(object) => object.fields.iter().for_each(|field| collect(&field.shape, into)),
            }
        }
        let mut leaves = Vec::new();
        self.shape.fields.iter().for_each(|field| collect(&field.shape, &mut leaves));
        leaves
    }

    /// The leaf at a path with `[]` after lists.
    #[must_use]
    pub fn leaf(&self, path: &str) -> Option<&Leaf> {
        self.leaves().into_iter().find(|leaf| *leaf.path == *path)
    }
}
