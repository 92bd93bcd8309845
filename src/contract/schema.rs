//! A JSON Schema in Brygga's closed subset becomes a [`Shape`]; whatever is outside the subset is a flaw.
//!
//! The subset is what can be said alike in JSON Schema 2020-12 and in XSD 1.0, so that both syntaxes meet the same
//! rules: objects without further properties, lists, texts, integers, booleans; no references, no alternatives.

use serde_json::Value;

use super::lines::Lines;
use crate::domain::{Category, Field, Flaws, Format, Leaf, LeafKind, List, Object, Sensitivity, Shape};

const FORMATS: [(&str, Format); 2] = [("calendar-date", Format::CalendarDate), ("local-date-time", Format::LocalDateTime)];

/// The registered name of a format.
pub(super) fn format_name(format: Format) -> &'static str {
    FORMATS.iter().find(|(_, known)| *known == format).map_or("", |(name, _)| name)
}

/// Compiles the fields of a schema's root object.
pub(super) fn compile(file: &str, text: &str, schema: &Value, flaws: &mut Flaws) -> Object {
    let lines = Lines::of(text);
    for line in &lines.twice {
        flaws.add(file, *line, "the same key stands twice in one object");
    }
    let mut compiler = Compiler { file, lines, flaws };
    let allowed = ["$schema", "$id", "title", "description", "x-direction", "x-root", "x-syntax"];
    if schema.get("$schema").and_then(Value::as_str) != Some("https://json-schema.org/draft/2020-12/schema") {
        compiler.flaw("", "$schema must be JSON Schema 2020-12");
    }
    match compiler.object(schema, "", "", &allowed) {
        Shape::Object(object) => object,
        _ => Object::default(),
    }
}

struct Compiler<'a> {
    file: &'a str,
    lines: Lines,
    flaws: &'a mut Flaws,
}

impl Compiler<'_> {
    fn flaw(&mut self, pointer: &str, words: impl Into<String>) {
        self.flaws.add(self.file, self.lines.line(pointer), words);
    }

    fn shape(&mut self, schema: &Value, pointer: &str, path: &str) -> Shape {
        match schema.get("type").and_then(Value::as_str) {
            Some("object") => self.object(schema, pointer, path, &["description"]),
            Some("array") => self.list(schema, pointer, path),
            _ => Shape::Leaf(Box::new(self.leaf(schema, pointer, path))),
        }
    }

    fn only(&mut self, schema: &Value, pointer: &str, allowed: &[&str]) {
        for key in schema.as_object().into_iter().flat_map(serde_json::Map::keys) {
            if !allowed.contains(&key.as_str()) {
                self.flaw(&format!("{pointer}/{key}"), format!("`{key}` is outside the subset of schemas that Brygga takes"));
            }
        }
    }

    fn object(&mut self, schema: &Value, pointer: &str, path: &str, also: &[&str]) -> Shape {
        let mut allowed = vec!["type", "additionalProperties", "required", "properties"];
        allowed.extend(also);
        self.only(schema, pointer, &allowed);
        if schema.get("type").and_then(Value::as_str) != Some("object") {
            self.flaw(pointer, "an object must say `\"type\": \"object\"`");
        }
        if schema.get("additionalProperties") != Some(&Value::Bool(false)) {
            self.flaw(pointer, "an object must say `\"additionalProperties\": false`");
        }
        let required: Vec<&str> =
            schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let empty = serde_json::Map::new();
        let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
        for name in &required {
            if !properties.contains_key(*name) {
                self.flaw(&format!("{pointer}/required"), format!("required `{name}` is no property"));
            }
        }
        let mut fields = Vec::new();
        for (name, property) in properties {
            let inner = format!("{pointer}/properties/{name}");
            if !is_name(name) {
                self.flaw(&inner, format!("`{name}` cannot be an XML name: a letter, then letters, digits, `_`"));
            }
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let shape = self.shape(property, &inner, &path);
            fields.push(Field { name: name.clone(), required: required.contains(&name.as_str()), derived: false, shape });
        }
        if fields.is_empty() {
            self.flaw(pointer, "an object must have properties");
        }
        Shape::Object(Object { fields })
    }

    fn list(&mut self, schema: &Value, pointer: &str, path: &str) -> Shape {
        self.only(schema, pointer, &["type", "description", "items", "minItems", "maxItems", "x-item"]);
        let item_name = schema.get("x-item").and_then(Value::as_str).unwrap_or_default().to_owned();
        if !is_name(&item_name) {
            self.flaw(pointer, "a list must name the XML element of its items in `x-item`");
        }
        let bound = |name: &str| schema.get(name).and_then(Value::as_u64);
        let (min, max) = (bound("minItems").unwrap_or(0), bound("maxItems"));
        if max.is_none_or(|max| max < min || max > 1000) {
            self.flaw(pointer, "a list must have `maxItems`, at most 1000 and not below `minItems`");
        }
        let null = Value::Null;
        let items = schema.get("items").unwrap_or(&null);
        let item = self.shape(items, &format!("{pointer}/items"), &format!("{path}[]"));
        if matches!(item, Shape::List(_)) {
            self.flaw(pointer, "a list of lists is outside the subset");
        }
        Shape::List(List { item_name, item: Box::new(item), min, max: max.unwrap_or(0) })
    }

    fn leaf(&mut self, schema: &Value, pointer: &str, path: &str) -> Leaf {
        let category = schema.get("x-category").and_then(Value::as_str).and_then(|text| text.parse::<Category>().ok());
        let sensitivity = schema.get("x-sensitivity").and_then(Value::as_str).and_then(|text| text.parse::<Sensitivity>().ok());
        if category.is_none() {
            self.flaw(pointer, format!("`{path}` has no known `x-category`: what has none does not load"));
        }
        if sensitivity.is_none() {
            self.flaw(pointer, format!("`{path}` has no known `x-sensitivity`"));
        }
        let kind = self.leaf_kind(schema, pointer);
        Leaf {
            path: path.into(),
            kind,
            category: category.unwrap_or(Category::FreeText),
            sensitivity: sensitivity.unwrap_or(Sensitivity::Sensitive),
        }
    }

    fn leaf_kind(&mut self, schema: &Value, pointer: &str) -> LeafKind {
        let annotations = ["type", "description", "x-category", "x-sensitivity"];
        let with = |more: &[&'static str]| [&annotations[..], more].concat();
        match schema.get("type").and_then(Value::as_str) {
            Some("boolean") => {
                self.only(schema, pointer, &annotations);
                LeafKind::Boolean
            }
            Some("integer") => {
                self.only(schema, pointer, &with(&["minimum", "maximum"]));
                let bound = |name: &str| schema.get(name).and_then(Value::as_i64);
                let (Some(min), Some(max)) = (bound("minimum"), bound("maximum")) else {
                    self.flaw(pointer, "an integer must have `minimum` and `maximum`");
                    return LeafKind::Integer { min: 0, max: 0 };
                };
                LeafKind::Integer { min, max }
            }
            Some("string") if schema.get("format").is_some() => {
                self.only(schema, pointer, &with(&["format"]));
                let name = schema.get("format").and_then(Value::as_str).unwrap_or_default();
                let known = FORMATS.iter().find(|(known, _)| *known == name);
                if known.is_none() {
                    self.flaw(pointer, format!("`{name}` is no format that Brygga knows"));
                }
                LeafKind::Formatted(known.map_or(Format::CalendarDate, |(_, format)| *format))
            }
            Some("string") if schema.get("enum").is_some() => {
                self.only(schema, pointer, &with(&["enum"]));
                let values = schema.get("enum").and_then(Value::as_array).into_iter().flatten();
                let texts: Vec<String> = values.filter_map(Value::as_str).map(str::to_owned).collect();
                if texts.is_empty() {
                    self.flaw(pointer, "`enum` must list texts");
                }
                LeafKind::OneOf(texts)
            }
            Some("string") => {
                self.only(schema, pointer, &with(&["minLength", "maxLength", "pattern"]));
                let bound = |name: &str| schema.get(name).and_then(Value::as_u64);
                let max = bound("maxLength").unwrap_or_else(|| {
                    self.flaw(pointer, "a text must have `maxLength`");
                    0
                });
                let pattern = schema.get("pattern").and_then(Value::as_str).map(str::to_owned);
                if let Some(pattern) = &pattern
                    && !is_common_pattern(pattern)
                {
                    self.flaw(pointer, "a pattern must be anchored with ^ and $ and use only what XSD and JSON Schema share");
                }
                LeafKind::Text { min: bound("minLength").unwrap_or(0), max, pattern }
            }
            _ => {
                self.flaw(pointer, "a leaf is a string, an integer or a boolean");
                LeafKind::Boolean
            }
        }
    }
}

/// A name that both syntaxes can carry and no path can mistake.
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A pattern that means the same to XSD and to JSON Schema: anchored, literals, classes, groups, counts; of the
/// escapes only those of single marks.
fn is_common_pattern(pattern: &str) -> bool {
    let Some(inner) = pattern.strip_prefix('^').and_then(|rest| rest.strip_suffix('$')) else { return false };
    let mut escaped = false;
    for c in inner.chars() {
        let fits = if escaped {
            matches!(c, '.' | '-' | '+' | '*' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '|' | '\\')
        } else {
            c == '\\' || (c.is_ascii() && !matches!(c, '^' | '$' | '&' | '~' | '#'))
        };
        if !fits {
            return false;
        }
        escaped = !escaped && c == '\\';
    }
    !escaped && !inner.contains("(?")
}
