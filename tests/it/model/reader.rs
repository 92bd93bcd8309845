//! Readers of feeds, who let the last event of a subject win.

use std::collections::BTreeMap;

use brygga::domain::{Position, RecipientId, Subject};
use brygga::feed::{Cursor, Method};
use brygga::journey::{Journey, Served};
use brygga::store::Store;
use serde_json::Value;

use super::documents::{Fields, Name, To};

pub(super) fn recipient(to: To) -> RecipientId {
    match to {
        To::Af => RecipientId::arbetsformedlingen(),
        To::Fs => RecipientId::from_stored("1863.forsorjningsstod".to_owned()),
    }
}

/// What was read: a document, or that there is none any more.
pub(super) struct Event {
    pub(super) name: Option<Name>,
    pub(super) fields: Option<Fields>,
}

/// Which document each subject names: what a reader learns from the documents, the same for ever.
pub(super) type Subjects = BTreeMap<Subject, Name>;

/// One reader.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    pub(super) to: To,
    pub(super) cursor: Cursor,
    pub(super) held: BTreeMap<Name, Fields>,
    /// Whether its last page was not full: it has read everything.
    pub(super) is_at_head: bool,
}

impl Reader {
    pub(super) const fn new(to: To) -> Self {
        Self { to, cursor: Cursor::START, held: BTreeMap::new(), is_at_head: false }
    }

    /// Reads a page and folds it. Positions only go up.
    pub(super) async fn page<S: Store>(
        &mut self,
        journey: &Journey,
        store: &S,
        limit: usize,
        subjects: &mut Subjects,
    ) -> Result<Vec<Event>, String> {
        let page = journey.page(store, &recipient(self.to), self.cursor, limit).await.map_err(|fault| fault.to_string())?;
        let mut last: Position = self.cursor.position();
        let mut events = Vec::new();
        self.is_at_head = page.entries.len() < limit;
        for served in page.entries {
            if served.position <= last {
                return Err(format!("law 4: position {} after {}", served.position.0, last.0));
            }
            last = served.position;
            // What a system is told of its own messages has no content, and nobody's feed but its own.
            if served.contract.starts_with("af.") || served.contract.starts_with("fs.") {
                events.push(self.fold(&served, subjects)?);
            }
        }
        self.cursor = Cursor::at(last);
        Ok(events)
    }

    fn fold(&mut self, served: &Served, subjects: &mut Subjects) -> Result<Event, String> {
        if served.method == Method::Delete {
            let name = subjects.get(&served.subject).cloned();
            if let Some(name) = &name {
                self.held.remove(name);
            }
            return Ok(Event { name, fields: None });
        }
        let fields = read(&served.document);
        let name = name(&served.contract, &fields);
        let known = subjects.entry(served.subject).or_insert_with(|| name.clone());
        if *known != name {
            return Err("a subject names two documents".to_owned());
        }
        self.held.insert(name.clone(), fields.clone());
        Ok(Event { name: Some(name), fields: Some(fields) })
    }
}

fn name(contract: &str, fields: &Fields) -> Name {
    let field = |path: &str| fields.get(path).cloned().unwrap_or_default();
    let own = match contract {
        "fs.narvarosammanfattning.v1" => format!("{} {}", field("personnummer"), field("period.from")),
        _ => field("id"),
    };
    (contract.to_owned(), own)
}

/// A document's fields, whatever its syntax.
fn read(document: &[u8]) -> Fields {
    let text = String::from_utf8_lossy(document);
    let mut fields = Fields::new();
    match serde_json::from_str::<Value>(&text) {
        Ok(tree) => flatten("", &tree, &mut fields),
        Err(_) => elements(&text, &mut fields),
    }
    fields
}

fn flatten(path: &str, tree: &Value, fields: &mut Fields) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match tree {
        Value::Object(object) => object.iter().for_each(|(name, value)| flatten(&below(name), value, fields)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, value)| flatten(&below(&index.to_string()), value, fields));
        }
        Value::String(text) => drop(fields.insert(path.to_owned(), text.clone())),
        other => drop(fields.insert(path.to_owned(), other.to_string())),
    }
}

/// XML without attributes that matter: the path of each leaf below the root.
fn elements(text: &str, fields: &mut Fields) {
    let mut path: Vec<&str> = Vec::new();
    for part in text.split('<').skip(1) {
        let (tag, content) = part.split_once('>').unwrap_or((part, ""));
        if tag.starts_with(['?', '!']) {
            continue;
        }
        if tag.starts_with('/') {
            path.pop();
            continue;
        }
        path.push(tag.split([' ', '/']).next().unwrap_or(tag));
        if !content.trim().is_empty() {
            fields.insert(path.iter().skip(1).copied().collect::<Vec<_>>().join("."), content.to_owned());
        }
    }
}
