//! The neutral document: one tree for JSON and XML.
//!
//! It has no `Serialize` and its `Debug` prints nothing of its content, so that it cannot slip into a log or an answer.
//! Only `filter` makes what may leave, and `translate` writes it.

use std::fmt;

use serde_json::Value;

/// A decoded document. Opaque to everything that must not look inside.
#[derive(Clone, PartialEq)]
pub struct Document(Value);

impl Document {
    /// Wraps a tree. Where the tree came from decides what may be done with it, so stages wrap this type again.
    #[must_use]
    pub const fn new(tree: Value) -> Self {
        Self(tree)
    }

    /// The tree itself, for the floors that judge it.
    #[must_use]
    pub const fn tree(&self) -> &Value {
        &self.0
    }

    /// The tree itself, to add derived fields to.
    pub const fn tree_mut(&mut self) -> &mut Value {
        &mut self.0
    }

    /// The text at a dotted path without lists, or `None` where there is no text.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&str> {
        self.value(path).and_then(Value::as_str)
    }

    /// The value at a dotted path without lists.
    #[must_use]
    pub fn value(&self, path: &str) -> Option<&Value> {
        path.split('.').try_fold(&self.0, |node, name| node.get(name))
    }

    /// The items of the list at a dotted path; empty where there is none.
    #[must_use]
    pub fn items(&self, path: &str) -> &[Value] {
        self.value(path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Document(..)")
    }
}
