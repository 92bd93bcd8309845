//! Recipes: `translations/*.toml` compiled against both contracts into a tree that follows the outgoing shape.
//!
//! At load it is checked that every required field of the outgoing contract is filled, that every source exists, and
//! that no value changes its category on the way: what the matrix says of a category holds for the outgoing field too.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use super::fit::{always_fits, hour_digits};
use crate::agreement::Codes;
use crate::contract::{Catalogue, Direction};
use crate::domain::{Categories, ContractRef, Files, Flaws, Leaf, Object, Outline, Shape, Syntax};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    from: Spanned<String>,
    to: Spanned<String>,
    #[serde(default)]
    per: Option<Spanned<String>>,
    #[serde(default)]
    id: Option<Spanned<String>>,
    #[serde(default)]
    more_than: Option<WrittenMoreThan>,
    fields: BTreeMap<Spanned<String>, WrittenField>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenMoreThan {
    path: Spanned<String>,
    value: i64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenField {
    from: Spanned<String>,
    #[serde(default, rename = "as")]
    convert: Option<Spanned<String>>,
    #[serde(default)]
    codes: Option<Spanned<String>>,
}

/// What is done to a value on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Convert {
    /// Nothing.
    Copy,
    /// A date without its zone.
    Date,
    /// The Swedish time of day, `HH:MM`.
    Time,
    /// Minutes as hours with two decimals, and at most so many digits before them.
    Hours(usize),
    /// The municipality's word for an activity to the shared code.
    Activity,
    /// The municipality's word for a reason to the shared code, and that to the recipient's by a code list.
    Reason(String),
}

/// Where a value comes from: the places of the fields on the way, from the document or from the item that is being written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) from_item: bool,
    pub(super) steps: Vec<usize>,
}

/// A node of the outgoing document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    Object(Vec<Member>),
    List { source: Source, item_name: String, item: Box<Node> },
    Leaf { source: Source, convert: Convert },
}

/// A field of the outgoing document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) required: bool,
    pub(super) node: Node,
}

/// For which items of a list documents are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Per {
    pub(super) list: Source,
    pub(super) id: Source,
    pub(super) more_than: Option<(Source, i64)>,
}

/// How one outgoing document is made of one shared document.
#[derive(Debug)]
pub struct Recipe {
    /// The shared contract.
    pub from: ContractRef,
    /// The outgoing contract.
    pub to: ContractRef,
    /// The categories without which the document is not made.
    pub required: Categories,
    /// The shared fields that the document is made of, by path.
    pub sources: BTreeSet<String>,
    pub(super) syntax: Syntax,
    pub(super) outline: Arc<Outline>,
    pub(super) root: Node,
    pub(super) per: Option<Per>,
}

/// All recipes, by shared and outgoing contract.
#[derive(Debug, Default)]
pub struct Recipes(BTreeMap<(ContractRef, ContractRef), Recipe>);

impl Recipes {
    /// Loads `translations/`.
    pub fn load(files: &Files, catalogue: &Catalogue, codes: &Codes, flaws: &mut Flaws) -> Self {
        let mut recipes = BTreeMap::new();
        for (path, text) in files.below("translations/", ".toml") {
            let written: Written = match toml::from_str(text) {
                Ok(written) => written,
                Err(error) => {
                    flaws.add_at(path, text, error.span().map_or(0, |span| span.start), error.message());
                    continue;
                }
            };
            let mut compiler = Compiler { path, text, codes, flaws };
            if let Some(recipe) = compiler.recipe(&written, catalogue) {
                recipes.insert((recipe.from.clone(), recipe.to.clone()), recipe);
            }
        }
        Self(recipes)
    }

    /// The recipe from one contract to another.
    #[must_use]
    pub fn get(&self, from: &ContractRef, to: &ContractRef) -> Option<&Recipe> {
        self.0.get(&(from.clone(), to.clone()))
    }

    /// All recipes.
    pub fn iter(&self) -> impl Iterator<Item = &Recipe> {
        self.0.values()
    }
}

struct Compiler<'a> {
    path: &'a str,
    text: &'a str,
    codes: &'a Codes,
    flaws: &'a mut Flaws,
}

/// What stands around the node that is compiled: the shared list whose items are walked, written `days[]`.
#[derive(Clone, Copy)]
struct Around<'a> {
    list: Option<&'a str>,
}

impl Compiler<'_> {
    fn flaw(&mut self, offset: usize, words: impl Into<String>) {
        self.flaws.add_at(self.path, self.text, offset, words);
    }

    fn recipe(&mut self, written: &Written, catalogue: &Catalogue) -> Option<Recipe> {
        let contract =
            |name: &Spanned<String>| name.get_ref().parse().ok().and_then(|reference| catalogue.contract(&reference));
        let (Some(from), Some(to)) = (contract(&written.from), contract(&written.to)) else {
            self.flaw(written.from.span().start, "`from` and `to` must be contracts of this set");
            return None;
        };
        let Direction::Out(syntax) = to.direction() else {
            self.flaw(written.to.span().start, "`to` must be an outgoing contract");
            return None;
        };
        let (from, to) = (from.outline(), to.outline());
        let fields: BTreeMap<&str, &WrittenField> =
            written.fields.iter().map(|(path, field)| (path.get_ref().as_str(), field)).collect();
        for path in written.fields.keys() {
            if to.leaf(path.get_ref()).is_none() {
                self.flaw(path.span().start, format!("the outgoing contract has no `{}`", path.get_ref()));
            }
        }
        let per_list = written.per.as_ref().map(|per| per.get_ref().as_str());
        let mut required = Categories::NONE;
        let root = self.object(&to.shape, "", &fields, from, Around { list: per_list }, true, &mut required);
        let per = match (&written.per, &written.id) {
            (None, None) => None,
            (Some(per), Some(id)) => {
                let more_than = written
                    .more_than
                    .as_ref()
                    .and_then(|limit| Some((source(limit.path.get_ref(), per_list, from)?, limit.value)));
                for path in [Some(id), written.more_than.as_ref().map(|limit| &limit.path)].into_iter().flatten() {
                    match from.leaf(path.get_ref()) {
                        Some(leaf) => required = required.with(leaf.category),
                        None => self.flaw(path.span().start, "the shared contract has no such field"),
                    }
                }
                let list = source(per.get_ref().trim_end_matches("[]"), None, from);
                let id = source(id.get_ref(), per_list, from);
                if let (Some(list), Some(id)) = (list, id) {
                    Some(Per { list, id, more_than })
                } else {
                    self.flaw(per.span().start, "`per` must be a list of the shared contract, and `id` a field of its items");
                    None
                }
            }
            _ => {
                self.flaw(0, "`per` and `id` stand together: each document of a list needs an id of its own");
                None
            }
        };
        let root = Node::Object(root);
        let sources = written.fields.values().map(|field| field.from.get_ref().clone()).collect();
        Some(Recipe {
            from: from.reference.clone(),
            to: to.reference.clone(),
            required,
            sources,
            syntax,
            outline: Arc::clone(to),
            root,
            per,
        })
    }

    #[expect(clippy::too_many_arguments, reason = "one recursive walk over two contracts at once")]
    fn object(
        &mut self,
        object: &Object,
        prefix: &str,
        fields: &BTreeMap<&str, &WrittenField>,
        from: &Outline,
        around: Around<'_>,
        needed: bool,
        required: &mut Categories,
    ) -> Vec<Member> {
        let mut members = Vec::new();
        for field in &object.fields {
            let path = if prefix.is_empty() { field.name.clone() } else { format!("{prefix}.{}", field.name) };
            let needed = needed && field.required;
            let node = match &field.shape {
                Shape::Leaf(leaf) => self.leaf(leaf, &path, fields, from, around, needed, required),
                Shape::Object(inner) => {
                    let inner = self.object(inner, &path, fields, from, around, needed, required);
                    (!inner.is_empty()).then_some(Node::Object(inner))
                }
                Shape::List(list) => {
                    let item_path = format!("{path}[]");
                    let Shape::Object(item) = list.item.as_ref() else {
                        self.flaw(0, format!("`{path}`: only lists of objects can be filled"));
                        continue;
                    };
                    let shared =
                        fields.iter().find(|(path, _)| path.starts_with(&item_path)).map(|(_, field)| field.from.get_ref());
                    let shared =
                        shared.and_then(|from| from.rfind("[].").map(|end| from.get(..end + 2).unwrap_or_default().to_owned()));
                    shared.and_then(|shared| {
                        let around = Around { list: Some(&shared) };
                        let members = self.object(item, &item_path, fields, from, around, needed, required);
                        let source = source(shared.trim_end_matches("[]"), None, from)?;
                        Some(Node::List { source, item_name: list.item_name.clone(), item: Box::new(Node::Object(members)) })
                    })
                }
            };
            match node {
                Some(node) => members.push(Member { name: field.name.clone(), required: field.required, node }),
                None if needed => self.flaw(0, format!("the required `{path}` is not filled")),
                None => {}
            }
        }
        members
    }

    #[expect(clippy::too_many_arguments, reason = "one recursive walk over two contracts at once")]
    fn leaf(
        &mut self,
        leaf: &Leaf,
        path: &str,
        fields: &BTreeMap<&str, &WrittenField>,
        from: &Outline,
        around: Around<'_>,
        needed: bool,
        required: &mut Categories,
    ) -> Option<Node> {
        let written = fields.get(path)?;
        let at = written.from.span().start;
        let Some(shared) = from.leaf(written.from.get_ref()) else {
            self.flaw(at, format!("the shared contract has no `{}`", written.from.get_ref()));
            return None;
        };
        if shared.category != leaf.category {
            let words =
                format!("`{path}` is {}, but its source is {}: a value keeps its category", leaf.category, shared.category);
            self.flaw(at, words);
        }
        if leaf.sensitivity < shared.sensitivity {
            self.flaw(at, format!("`{path}` is annotated as less protected than its source"));
        }
        if needed {
            *required = required.with(shared.category);
        }
        let convert = self.convert(written, leaf);
        if !always_fits(shared, leaf, &convert, from, self.codes) {
            self.flaw(at, format!("not every value of `{}` fits `{path}` of the outgoing contract", shared.path));
        }
        let Some(source) = source(written.from.get_ref(), around.list, from) else {
            self.flaw(at, "the source is in a list that is not walked here");
            return None;
        };
        Some(Node::Leaf { source, convert })
    }

    fn convert(&mut self, written: &WrittenField, target: &Leaf) -> Convert {
        let Some(convert) = &written.convert else { return Convert::Copy };
        match (convert.get_ref().as_str(), &written.codes) {
            ("date", None) => Convert::Date,
            ("time", None) => Convert::Time,
            ("hours", None) => Convert::Hours(hour_digits(target).unwrap_or(0)),
            ("activity", None) => Convert::Activity,
            ("reason", Some(codes)) => {
                if self.codes.list(codes.get_ref()).is_none() {
                    self.flaw(codes.span().start, "no such code list");
                }
                Convert::Reason(codes.get_ref().clone())
            }
            _ => {
                self.flaw(convert.span().start, "a conversion is date, time, hours, activity, or reason with codes");
                Convert::Copy
            }
        }
    }
}

/// A source below the walked list is read from its item, any other from the document. `None` where another list stands on
/// the way, or no such field.
fn source(path: &str, list: Option<&str>, from: &Outline) -> Option<Source> {
    let Some((list, rest)) = list.and_then(|list| Some((list, path.strip_prefix(list)?.strip_prefix('.')?))) else {
        return Some(Source { from_item: false, steps: places(&from.shape, path)?.0 });
    };
    let (_, Shape::List(walked)) = places(&from.shape, list.trim_end_matches("[]"))? else { return None };
    let Shape::Object(item) = walked.item.as_ref() else { return None };
    Some(Source { from_item: true, steps: places(item, rest)?.0 })
}

/// The places of the fields that a path without lists leads through, and what it leads to.
fn places<'a>(object: &'a Object, path: &str) -> Option<(Vec<usize>, &'a Shape)> {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let (place, field) = object.field(name)?;
    match (rest, &field.shape) {
        (None, shape) => Some((vec![place], shape)),
        (Some(rest), Shape::Object(inner)) => {
            let (inner, shape) = places(inner, rest)?;
            Some((std::iter::once(place).chain(inner).collect(), shape))
        }
        _ => None,
    }
}
