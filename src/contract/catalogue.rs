//! The catalogue of message contracts: loaded and compiled once, with every flaw at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::derive::{self, Compute};
use super::parties::Parties;
use super::rules::{self, Rule};
use super::schema;
use super::validate::Judge;
use crate::domain::{ContractRef, Files, Flaws, Outline, Roles, Syntax};

/// Which way a contract's messages go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the municipality's systems to Brygga.
    In,
    /// From Brygga to a recipient, in one syntax.
    Out(Syntax),
}

/// One version of one message contract, compiled.
pub struct Contract {
    pub(super) outline: Arc<Outline>,
    pub(super) judge: Judge,
    pub(super) rules: Vec<Rule>,
    pub(super) computes: Vec<Compute>,
    direction: Direction,
    title: String,
    folder: String,
}

impl std::fmt::Debug for Contract {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Contract({})", self.outline.reference)
    }
}

impl Contract {
    /// Name, root, shape and roles.
    #[must_use]
    pub const fn outline(&self) -> &Arc<Outline> {
        &self.outline
    }

    /// Which way its messages go.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        self.direction
    }

    /// The schema's title.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The contract's folder below the set's root.
    #[must_use]
    pub fn folder(&self) -> &str {
        &self.folder
    }

    /// Whether a tree has the contract's shape: what the published schemas say, without rules across fields.
    #[must_use]
    pub fn fits(&self, tree: &Value) -> bool {
        self.judge.fits(tree)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRules {
    roles: Option<WrittenRoles>,
    #[serde(default)]
    rule: Vec<rules::Written>,
    #[serde(default)]
    derived: Vec<derive::Written>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRoles {
    person: String,
    protected: Option<String>,
    organisation: String,
    namnd: String,
}

/// All contracts and all parties.
#[derive(Debug)]
pub struct Catalogue {
    contracts: BTreeMap<ContractRef, Arc<Contract>>,
    parties: Parties,
}

impl Catalogue {
    /// Loads `messages/` and `parties.toml`; whatever is wrong is added to the flaws.
    pub fn load(files: &Files, flaws: &mut Flaws) -> Self {
        let mut contracts = BTreeMap::new();
        for (path, text) in files.below("messages/", "/schema.json") {
            let Some(reference) = reference_of(path) else {
                flaws.add(path, 1, "a contract lies in messages/<name>/v<N>/");
                continue;
            };
            if let Some(contract) = load_one(files, path, text, reference.clone(), flaws) {
                contracts.insert(reference, Arc::new(contract));
            }
        }
        if contracts.is_empty() {
            flaws.add("messages", 1, "the set has no message contract");
        }
        let incoming = contracts.values().filter(|contract: &&Arc<Contract>| contract.direction == Direction::In);
        let known = incoming.map(|contract| contract.outline.reference.name().to_owned()).collect();
        Self { parties: Parties::load(files, &known, flaws), contracts }
    }

    /// A contract by name and version.
    #[must_use]
    pub fn contract(&self, reference: &ContractRef) -> Option<&Arc<Contract>> {
        self.contracts.get(reference)
    }

    /// All contracts, by name and version.
    pub fn contracts(&self) -> impl Iterator<Item = &Arc<Contract>> {
        self.contracts.values()
    }

    /// Who may send.
    #[must_use]
    pub const fn parties(&self) -> &Parties {
        &self.parties
    }
}

/// `messages/activity-report/v1/schema.json` is `activity-report.v1`.
fn reference_of(path: &str) -> Option<ContractRef> {
    let inner = path.strip_prefix("messages/")?.strip_suffix("/schema.json")?;
    let (name, version) = inner.split_once('/')?;
    format!("{name}.{version}").parse().ok()
}

fn load_one(files: &Files, path: &str, text: &str, reference: ContractRef, flaws: &mut Flaws) -> Option<Contract> {
    let schema: Value = match serde_json::from_str(text) {
        Ok(schema) => schema,
        Err(error) => {
            flaws.add(path, error.line(), "the schema is not JSON");
            return None;
        }
    };
    let namespace = reference.namespace();
    if schema.get("$id").and_then(Value::as_str) != Some(&namespace) {
        flaws.add(path, 1, format!("$id must be `{namespace}`"));
    }
    let root = schema.get("x-root").and_then(Value::as_str).unwrap_or_default().to_owned();
    if root.is_empty() {
        flaws.add(path, 1, "x-root must name the XML root element");
    }
    let direction = direction_of(&schema).unwrap_or_else(|| {
        flaws.add(path, 1, "x-direction must be `in`, or `out` with an x-syntax of `json` or `xml`");
        Direction::In
    });
    let mut shape = schema::compile(path, text, &schema, flaws);
    let folder = path.strip_suffix("/schema.json").unwrap_or(path).to_owned();
    let rules_path = format!("{folder}/rules.toml");
    let rules_text = files.get(&rules_path);
    let written: WrittenRules = match rules_text.map(toml::from_str).transpose() {
        Ok(written) => written.unwrap_or_default(),
        Err(error) => {
            let offset = error.span().map_or(0, |span| span.start);
            flaws.add_at(&rules_path, rules_text.unwrap_or_default(), offset, error.message());
            WrittenRules::default()
        }
    };
    let rules_text = rules_text.unwrap_or_default();
    let computes = derive::compile(&written.derived, &mut shape, &rules_path, rules_text, flaws);
    let roles = written.roles.map(|roles| Roles {
        person: roles.person,
        protected: roles.protected,
        organisation: roles.organisation,
        namnd: roles.namnd,
    });
    if direction == Direction::In && roles.is_none() {
        flaws.add(&rules_path, 1, "an incoming contract must name its roles: person, organisation, namnd");
    }
    let outline = Outline { reference, root, namespace, shape, roles };
    check_roles(&outline, &rules_path, flaws);
    let compiled =
        written.rule.iter().filter_map(|rule| Rule::compile(rule, &outline, &rules_path, rules_text, flaws)).collect();
    match Judge::compile(&schema) {
        Ok(judge) => Some(Contract {
            outline: Arc::new(outline),
            judge,
            rules: compiled,
            computes,
            direction,
            title: schema.get("title").and_then(Value::as_str).unwrap_or_default().to_owned(),
            folder,
        }),
        Err(words) => {
            flaws.add(path, 1, format!("the schema does not compile: {words}"));
            None
        }
    }
}

fn direction_of(schema: &Value) -> Option<Direction> {
    let text = |name| schema.get(name).and_then(Value::as_str);
    match (text("x-direction")?, text("x-syntax")) {
        ("in", None) => Some(Direction::In),
        ("out", Some(syntax)) => syntax.parse().ok().map(Direction::Out),
        _ => None,
    }
}

fn check_roles(outline: &Outline, file: &str, flaws: &mut Flaws) {
    let Some(roles) = &outline.roles else { return };
    for path in
        [Some(&roles.person), roles.protected.as_ref(), Some(&roles.organisation), Some(&roles.namnd)].into_iter().flatten()
    {
        if outline.leaf(path).is_none() {
            flaws.add(file, 1, format!("the role's `{path}` is no leaf of the contract"));
        }
    }
}
