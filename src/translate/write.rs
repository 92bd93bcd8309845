//! Writes an outgoing document along its recipe, as JSON or as XML.

use std::borrow::Cow;

use jiff::tz::TimeZone;
use serde_json::Value;

use super::recipe::{Convert, Member, Node, Recipe, Source};
use crate::agreement::{Codes, Terms};
use crate::domain::{Code, STOCKHOLM, Syntax, activity_instant};
use crate::filter::Kept;

/// What a document is written from.
pub(super) struct Writer<'a> {
    pub(super) document: &'a Kept,
    pub(super) item: Option<&'a Kept>,
    pub(super) terms: &'a Terms,
    pub(super) codes: &'a Codes,
    pub(super) day: jiff::civil::Date,
}

/// A value as it will stand in the document.
enum Written<'a> {
    Text(Cow<'a, str>),
    Plain(String),
}

impl<'a> Writer<'a> {
    /// Writes the whole document.
    pub(super) fn write(&self, recipe: &Recipe) -> Result<Vec<u8>, Code> {
        let mut out = Vec::with_capacity(1024);
        let Node::Object(members) = &recipe.root else { return Err(Code::TranslateValue) };
        match recipe.syntax {
            Syntax::Json => {
                self.json_object(members, self.item, &mut out)?;
            }
            Syntax::Xml => {
                let root = &recipe.outline.root;
                out.extend_from_slice(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
                out.extend_from_slice(format!("<{root} xmlns=\"{}\">", recipe.outline.namespace).as_bytes());
                self.xml_members(members, self.item, &mut out)?;
                out.extend_from_slice(format!("</{root}>\n").as_bytes());
            }
        }
        Ok(out)
    }

    /// The value of a source, where the disclosure has it.
    pub(super) fn find(&self, source: &Source, item: Option<&'a Kept>) -> Option<&'a Kept> {
        let start = if source.from_item { item? } else { self.document };
        source.steps.iter().try_fold(start, |kept, place| kept.field(*place))
    }

    /// Writes an object; says whether anything stands in it.
    fn json_object(&self, members: &[Member], item: Option<&'a Kept>, out: &mut Vec<u8>) -> Result<bool, Code> {
        out.push(b'{');
        let mut any = false;
        for member in members {
            let start = out.len();
            if any {
                out.push(b',');
            }
            json_text(&member.name, out);
            out.push(b':');
            if self.json_node(&member.node, item, out)? {
                any = true;
            } else if member.required {
                return Err(Code::TranslateValue);
            } else {
                out.truncate(start);
            }
        }
        out.push(b'}');
        Ok(any)
    }

    fn json_node(&self, node: &Node, item: Option<&'a Kept>, out: &mut Vec<u8>) -> Result<bool, Code> {
        match node {
            Node::Object(members) => self.json_object(members, item, out),
            Node::List { source, item: inner, .. } => {
                let Some(items) = self.find(source, item).and_then(Kept::items) else { return Ok(false) };
                out.push(b'[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    self.json_node(inner, Some(item), out)?;
                }
                out.push(b']');
                Ok(true)
            }
            Node::Leaf { source, convert } => {
                let Some(value) = self.find(source, item).and_then(Kept::value) else { return Ok(false) };
                match self.convert(value, convert)? {
                    Written::Text(text) => json_text(&text, out),
                    Written::Plain(text) => out.extend_from_slice(text.as_bytes()),
                }
                Ok(true)
            }
        }
    }

    fn xml_members(&self, members: &[Member], item: Option<&'a Kept>, out: &mut Vec<u8>) -> Result<bool, Code> {
        let mut any = false;
        for member in members {
            let start = out.len();
            open(&member.name, out);
            if self.xml_node(&member.node, item, out)? {
                close(&member.name, out);
                any = true;
            } else if member.required {
                return Err(Code::TranslateValue);
            } else {
                out.truncate(start);
            }
        }
        Ok(any)
    }

    fn xml_node(&self, node: &Node, item: Option<&'a Kept>, out: &mut Vec<u8>) -> Result<bool, Code> {
        match node {
            Node::Object(members) => self.xml_members(members, item, out),
            Node::List { source, item_name, item: inner } => {
                let Some(items) = self.find(source, item).and_then(Kept::items) else { return Ok(false) };
                for item in items {
                    open(item_name, out);
                    self.xml_node(inner, Some(item), out)?;
                    close(item_name, out);
                }
                Ok(true)
            }
            Node::Leaf { source, convert } => {
                let Some(value) = self.find(source, item).and_then(Kept::value) else { return Ok(false) };
                match self.convert(value, convert)? {
                    Written::Text(text) => out.extend_from_slice(quick_xml::escape::escape(text.as_ref()).as_bytes()),
                    Written::Plain(text) => out.extend_from_slice(text.as_bytes()),
                }
                Ok(true)
            }
        }
    }

    fn convert(&self, value: &'a Value, convert: &Convert) -> Result<Written<'a>, Code> {
        let text = || value.as_str().ok_or(Code::TranslateValue);
        Ok(match convert {
            Convert::Copy => match value {
                Value::String(text) => Written::Text(Cow::Borrowed(text)),
                Value::Bool(_) | Value::Number(_) => Written::Plain(value.to_string()),
                _ => return Err(Code::TranslateValue),
            },
            Convert::Date => Written::Text(Cow::Borrowed(text()?.get(..10).ok_or(Code::TranslateValue)?)),
            Convert::Time => Written::Text(Cow::Owned(time_of_day(text()?)?)),
            Convert::Hours(digits) => {
                let minutes = value.as_i64().filter(|minutes| *minutes >= 0).ok_or(Code::TranslateValue)?;
                // Hundredths of an hour, rounded half up.
                let hundredths = (minutes * 100 + 30) / 60;
                let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
                if text.len() > digits + 3 {
                    return Err(Code::TranslateValue);
                }
                Written::Text(Cow::Owned(text))
            }
            Convert::Activity => {
                Written::Text(Cow::Owned(self.terms.activities.get(text()?).ok_or(Code::TranslateValue)?.clone()))
            }
            Convert::Reason(list) => {
                let shared = self.terms.reasons.get(text()?).ok_or(Code::TranslateReason)?;
                let listed = self.codes.list(list).and_then(|list| list.get(shared)).filter(|code| code.holds_on(self.day));
                let code = listed.and_then(|code| code.value.clone()).ok_or(Code::TranslateReason)?;
                Written::Text(Cow::Owned(code))
            }
        })
    }
}

/// `HH:MM` in Swedish time. A time written without offset is Swedish already, and its digits are taken as they stand.
fn time_of_day(text: &str) -> Result<String, Code> {
    let clock = text.get(11..16).ok_or(Code::TranslateValue)?;
    if !text.get(19..).is_some_and(|rest| rest.contains(['Z', '+', '-'])) {
        return Ok(clock.to_owned());
    }
    let instant = activity_instant(text).map_err(|_| Code::TranslateValue)?;
    let zone = TimeZone::get(STOCKHOLM).map_err(|_| Code::TranslateValue)?;
    let time = instant.to_zoned(zone).time();
    Ok(format!("{:02}:{:02}", time.hour(), time.minute()))
}

fn json_text(text: &str, out: &mut Vec<u8>) {
    // Writing a string to a vector cannot fail.
    if serde_json::to_writer(&mut *out, text).is_err() {
        out.extend_from_slice(b"\"\"");
    }
}

fn open(name: &str, out: &mut Vec<u8>) {
    out.push(b'<');
    out.extend_from_slice(name.as_bytes());
    out.push(b'>');
}

fn close(name: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"</");
    out.extend_from_slice(name.as_bytes());
    out.push(b'>');
}
