//! A path of contract names, `absences[].reason`, compiled once and followed through a tree.

use serde_json::Value;

use super::place::Place;

/// A path; `[]` after a name says that a list stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldPath {
    text: String,
    steps: Vec<(String, bool)>,
}

impl FieldPath {
    /// Reads a path.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let steps = text
            .split('.')
            .map(|step| step.strip_suffix("[]").map_or_else(|| (step.to_owned(), false), |name| (name.to_owned(), true)))
            .collect();
        Self { text: text.to_owned(), steps }
    }

    /// The path as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The value where no list stands on the way.
    #[must_use]
    pub fn value<'a>(&self, tree: &'a Value) -> Option<&'a Value> {
        self.steps.iter().try_fold(tree, |node, (name, _)| node.get(name))
    }

    /// The text where no list stands on the way.
    #[must_use]
    pub fn text<'a>(&self, tree: &'a Value) -> Option<&'a str> {
        self.value(tree).and_then(Value::as_str)
    }

    /// Calls a function with each value that the path leads to, and its place.
    pub fn each<'a>(&self, tree: &'a Value, visit: &mut dyn FnMut(&dyn Fn() -> Place, &'a Value)) {
        walk(&self.steps, tree, &|| Place::root(), visit);
    }
}

/// Places are built only when somebody asks: a good document has none.
fn walk<'a>(
    steps: &[(String, bool)],
    node: &'a Value,
    place: &dyn Fn() -> Place,
    visit: &mut dyn FnMut(&dyn Fn() -> Place, &'a Value),
) {
    let Some(((name, list), rest)) = steps.split_first() else {
        return visit(place, node);
    };
    let Some(next) = node.get(name) else { return };
    if !list {
        return walk(rest, next, &|| place().field(name), visit);
    }
    for (index, item) in next.as_array().map_or(&[][..], Vec::as_slice).iter().enumerate() {
        walk(rest, item, &|| place().field(name).item(index), visit);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::FieldPath;

    #[test]
    fn a_path_leads_through_lists_and_knows_its_places() {
        let tree = json!({ "days": [{ "date": "a" }, {}, { "date": "b" }] });
        let mut seen = Vec::new();
        FieldPath::new("days[].date").each(&tree, &mut |place, value| seen.push((place().to_string(), value.clone())));
        assert_eq!(seen, [("days[0].date".to_owned(), json!("a")), ("days[2].date".to_owned(), json!("b"))]);
    }
}
