//! Writes documents as suppliers do: each in its own way, all of them meaning the same.

use std::fmt::Write as _;

use brygga::domain::{LeafKind, Object, Outline, Shape};
use serde_json::Value;

/// Choices between ways of writing, the same for the same seed.
pub(super) struct Style(u64);

impl Style {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A choice among `count`.
    fn choose(&mut self, count: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed ^ (mixed >> 27)) % count
    }

    fn space(&mut self) -> &'static str {
        ["", "", " ", "\n", "\t ", "\r\n  "][usize::try_from(self.choose(6)).unwrap_or(0)]
    }
}

/// A document as JSON.
pub(super) fn json(tree: &Value, style: &mut Style) -> String {
    let mut out = String::from(style.space());
    json_value(tree, style, &mut out);
    out.push_str(style.space());
    out
}

fn json_value(value: &Value, style: &mut Style, out: &mut String) {
    match value {
        Value::Object(fields) => {
            out.push('{');
            for (index, (name, value)) in fields.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                out.push_str(style.space());
                json_text(name, style, out);
                out.push_str(style.space());
                out.push(':');
                out.push_str(style.space());
                json_value(value, style, out);
            }
            out.push_str(style.space());
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                out.push_str(style.space());
                json_value(item, style, out);
            }
            out.push(']');
        }
        Value::String(text) => json_text(text, style, out),
        plain => out.push_str(&plain.to_string()),
    }
}

fn json_text(text: &str, style: &mut Style, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        let mut units = [0; 2];
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '/' if style.choose(2) == 0 => out.push_str("\\/"),
            c if c < ' ' || style.choose(8) == 0 => {
                for unit in c.encode_utf16(&mut units) {
                    write!(out, "\\u{unit:04X}").expect("written");
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// A document as XML. Fields that the contract lacks are written too, as elements of their names.
pub(super) fn xml(outline: &Outline, tree: &Value, style: &mut Style) -> String {
    let prefix = if style.choose(2) == 0 { "" } else { "b:" };
    let binding = if prefix.is_empty() { "xmlns" } else { "xmlns:b" };
    let mut writer = Xml { prefix, style, out: String::new() };
    match writer.style.choose(3) {
        0 => writer.out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"),
        1 => writer.out.push_str("\u{feff}<?xml version='1.0' encoding='utf-8' standalone='yes'?>"),
        _ => {}
    }
    writer.between();
    write!(writer.out, "<{prefix}{} {binding}=\"{}\">", outline.root, outline.namespace).expect("written");
    writer.object(Some(&outline.shape), tree);
    writer.close(&outline.root);
    writer.between();
    writer.out
}

struct Xml<'a> {
    prefix: &'static str,
    style: &'a mut Style,
    out: String,
}

impl Xml<'_> {
    /// What may stand between elements.
    fn between(&mut self) {
        self.out.push_str(self.style.space());
        if self.style.choose(12) == 0 {
            self.out.push_str("<!-- <a> & b -->");
        }
    }

    fn close(&mut self, name: &str) {
        write!(self.out, "</{}{name}>", self.prefix).expect("written");
    }

    fn element(&mut self, name: &str, shape: Option<&Shape>, value: &Value) {
        self.between();
        if value == "" && self.style.choose(2) == 0 {
            write!(self.out, "<{}{name} />", self.prefix).expect("written");
            return;
        }
        write!(self.out, "<{}{name}>", self.prefix).expect("written");
        match (value, shape) {
            (Value::Object(_), Some(Shape::Object(object))) => self.object(Some(object), value),
            (Value::Object(_), _) => self.object(None, value),
            (Value::Array(items), Some(Shape::List(list))) => {
                for item in items {
                    self.element(&list.item_name, Some(&list.item), item);
                }
            }
            (Value::Array(items), _) => items.iter().for_each(|item| self.element("item", None, item)),
            (leaf, shape) => self.leaf(shape, leaf),
        }
        self.close(name);
    }

    fn object(&mut self, object: Option<&Object>, tree: &Value) {
        for (name, value) in tree.as_object().into_iter().flatten() {
            let shape = object.and_then(|object| object.field(name)).map(|(_, field)| &field.shape);
            self.element(name, shape, value);
        }
        self.between();
    }

    fn leaf(&mut self, shape: Option<&Shape>, value: &Value) {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let collapses =
            matches!(shape, Some(Shape::Leaf(leaf)) if !matches!(leaf.kind, LeafKind::Text { .. } | LeafKind::OneOf(_)));
        if collapses {
            self.between();
        }
        if !text.contains("]]>") && !text.contains('\r') && self.style.choose(4) == 0 {
            write!(self.out, "<![CDATA[{text}]]>").expect("written");
        } else {
            text.chars().for_each(|c| self.character(c));
        }
        if collapses {
            self.between();
        }
    }

    fn character(&mut self, c: char) {
        match c {
            '<' => self.out.push_str("&lt;"),
            '&' => self.out.push_str("&amp;"),
            '>' => self.out.push_str(["&gt;", "&#62;"][usize::from(self.style.choose(2) == 0)]),
            '"' | '\'' if self.style.choose(2) == 0 => self.out.push_str(if c == '"' { "&quot;" } else { "&apos;" }),
            '\r' => self.out.push_str("&#13;"),
            c => match self.style.choose(16) {
                0 => write!(self.out, "&#x{:x};", u32::from(c)).expect("written"),
                1 => write!(self.out, "&#{};", u32::from(c)).expect("written"),
                _ => self.out.push(c),
            },
        }
    }
}
