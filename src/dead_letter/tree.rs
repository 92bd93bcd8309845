//! A masked document as a tree for people, with each place marked where a rule is broken.

use serde_json::Value;

use crate::domain::Code;
use crate::filter::MASK;

/// What stands at a place of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// Named fields, or the items of a list.
    Branches(Vec<Branch>),
    /// A value that whoever looks may read.
    Value(String),
    /// A value that is there and is not shown.
    Masked,
    /// Nothing: a rule asks for something here.
    Missing,
}

/// A place of the tree and what stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// Its name in its parent: a field of the contract, `?2` for one that the contract does not have, or `[0]` for an item.
    pub name: String,
    /// Its place in the document, as violations tell it; empty for the document itself.
    pub place: String,
    /// The rules that are broken here.
    pub broken: Vec<Code>,
    /// What stands there.
    pub node: Node,
}

impl Branch {
    /// Every branch below, depth first, with its depth.
    pub fn walk(&self, depth: usize, visit: &mut dyn FnMut(usize, &Self)) {
        visit(depth, self);
        if let Node::Branches(branches) = &self.node {
            for branch in branches {
                branch.walk(depth + 1, visit);
            }
        }
    }
}

/// Makes the tree of a masked document.
#[must_use]
pub(super) fn tree(masked: &Value, violations: &[(Code, String)]) -> Branch {
    let mut root = branch(String::new(), String::new(), masked);
    for (code, place) in violations {
        mark(&mut root, place, *code);
    }
    root
}

fn branch(name: String, place: String, value: &Value) -> Branch {
    let node = match value {
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| {
                let dot = if place.is_empty() { "" } else { "." };
                branch(name.clone(), format!("{place}{dot}{name}"), value)
            };
            Node::Branches(fields.iter().map(field).collect())
        }
        Value::Array(items) => {
            let item = |(index, value): (usize, &Value)| branch(format!("[{index}]"), format!("{place}[{index}]"), value);
            Node::Branches(items.iter().enumerate().map(item).collect())
        }
        Value::String(text) if text == MASK => Node::Masked,
        Value::String(text) => Node::Value(text.clone()),
        Value::Null => Node::Value(String::new()),
        value => Node::Value(value.to_string()),
    };
    Branch { name, place, broken: Vec::new(), node }
}

/// Marks a place. What is not there is added below the last of its parents that is.
fn mark(at: &mut Branch, place: &str, code: Code) {
    if at.place == place {
        at.broken.push(code);
        return;
    }
    let leads = |branch: &Branch| {
        let rest = place.strip_prefix(branch.place.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    let Node::Branches(branches) = &mut at.node else {
        at.broken.push(code);
        return;
    };
    if let Some(next) = branches.iter_mut().find(|branch| leads(branch)) {
        return mark(next, place, code);
    }
    let rest = place.strip_prefix(at.place.as_str()).unwrap_or(place).trim_start_matches('.');
    let is_a_place = place != "the document" && !rest.is_empty();
    if is_a_place {
        let (name, place) = (rest.to_owned(), place.to_owned());
        branches.push(Branch { name, place, broken: vec![code], node: Node::Missing });
    } else {
        at.broken.push(code);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Branch, Node, tree};
    use crate::domain::Code;

    fn told(root: &Branch) -> Vec<String> {
        let mut lines = Vec::new();
        root.walk(0, &mut |depth, branch| {
            let node = match &branch.node {
                Node::Branches(_) => String::new(),
                Node::Value(text) => format!("={text}"),
                Node::Masked => "=mask".to_owned(),
                Node::Missing => "=missing".to_owned(),
            };
            let mut line = vec![format!("{depth}{}{node}", branch.place)];
            line.extend(branch.broken.iter().map(|code| format!("!{code}")));
            lines.push(line.join(" "));
        });
        lines
    }

    #[test]
    fn every_broken_rule_is_marked_at_its_place_and_what_is_missing_stands_where_it_should_be() {
        let masked = json!({ "participant": { "personNumber": "•••", "?1": "•••" }, "days": [{ "date": "2026-03-02" }, { "full": true }] });
        let violations = [
            (Code::ContractUnknownField, "participant.?1"),
            (Code::ContractMissing, "days[1].date"),
            (Code::ContractDate, "days[0].date"),
            (Code::ContractMissing, "placement"),
            (Code::AgreementNone, "the document"),
        ];
        let violations = violations.map(|(code, place)| (code, place.to_owned()));
        assert_eq!(
            told(&tree(&masked, &violations)),
            [
                "0 !agreement.none",
                "1participant",
                "2participant.personNumber=mask",
                "2participant.?1=mask !contract.unknown-field",
                "1days",
                "2days[0]",
                "3days[0].date=2026-03-02 !contract.date",
                "2days[1]",
                "3days[1].full=true",
                "3days[1].date=missing !contract.missing",
                "1placement=missing !contract.missing",
            ]
        );
    }

    #[test]
    fn a_name_that_begins_like_another_is_not_taken_for_it() {
        let masked = json!({ "day": 1, "days": [1] });
        let root = tree(&masked, &[(Code::ContractType, "days[0]".to_owned()), (Code::ContractType, "day.x".to_owned())]);
        assert_eq!(told(&root), ["0", "1day=1 !contract.type", "1days", "2days[0]=1 !contract.type"]);
    }
}
