//! XML text becomes the same tree as JSON (XML 1.0, Namespaces in XML 1.0), guided by the contract's shape.
//!
//! The event reader checks neither that there is one root nor that nothing follows it, so this walk does. Entities are
//! never expanded: the five predefined and character references are read, any other is refused.

use std::borrow::Cow;

use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Namespace, PrefixDeclaration, ResolveResult};
use quick_xml::reader::NsReader;
use serde_json::{Map, Value};

use super::at::At;
use super::markup::{attribute_value, check_declaration, is_blank, is_namespace, is_prefix, is_spaced, reference_text};
use super::{Found, MAX_DEPTH, MAX_NODES};
use crate::domain::{Code, Leaf, LeafKind, List, Object, Outline, Shape, Violation};

const XML: &str = "http://www.w3.org/XML/1998/namespace";
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";
const XML_SCHEMA_INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Reads one XML document whose root is the contract's.
pub(super) fn tree(text: &str, outline: &Outline) -> Found<Value> {
    // The reader would take a byte order mark of its own, and the document's has been taken.
    if text.starts_with('\u{feff}') {
        return Err(Violation::whole(Code::DecodeSyntax));
    }
    let mut reader = NsReader::from_str(text);
    reader.config_mut().check_comments = true;
    let mut walk = Walk { reader, namespace: &outline.namespace, nodes: 0 };
    let empty = walk.open_root(&outline.root, text)?;
    let tree = walk.object(&outline.shape, empty, &At::Root, 1)?;
    walk.close_document()?;
    Ok(tree)
}

struct Walk<'a> {
    reader: NsReader<&'a [u8]>,
    namespace: &'a str,
    nodes: usize,
}

/// What stands where an element's content is read.
enum Content<'a> {
    /// A child element; whether it is empty (`<a/>`).
    Child(BytesStart<'a>, bool),
    /// Text, with references resolved.
    Text(Cow<'a, str>),
    /// A CDATA section, which even when blank may not stand between elements (XML 1.0, section 3).
    CData(Cow<'a, str>),
    /// The element's end.
    End,
}

impl<'a> Walk<'a> {
    fn event(&mut self, at: &At<'_>) -> Found<Event<'a>> {
        match self.reader.read_event() {
            Ok(Event::DocType(_)) => Err(at.refuse(Code::DecodeDoctype)),
            Ok(Event::PI(_)) => Err(at.refuse(Code::DecodeInstruction)),
            Ok(event) => Ok(event),
            Err(error) => Err(at.refuse(code_of(&error))),
        }
    }

    /// Reads up to the root's start; gives whether the root is empty.
    fn open_root(&mut self, name: &str, text: &str) -> Found<bool> {
        let at = &At::Root;
        let mut first = true;
        loop {
            let event = self.event(at)?;
            match event {
                Event::Decl(declaration) if first && text.starts_with("<?xml") => {
                    check_declaration(&declaration).map_err(Violation::whole)?;
                }
                Event::Comment(_) => {}
                Event::Text(text) if is_blank(&text) => {}
                Event::Start(start) => return self.check_root(&start, name).map(|()| false),
                Event::Empty(start) => return self.check_root(&start, name).map(|()| true),
                Event::Eof => return Err(Violation::whole(Code::DecodeTruncated)),
                _ => return Err(Violation::whole(Code::DecodeSyntax)),
            }
            first = false;
        }
    }

    fn check_root(&mut self, start: &BytesStart<'_>, name: &str) -> Found<()> {
        let at = &At::Root;
        self.check_attributes(start, at)?;
        if start.local_name().as_ref() != name {
            return Err(Violation::whole(Code::DecodeRoot));
        }
        if !self.is_ours(start) {
            return Err(Violation::whole(Code::DecodeNamespace));
        }
        Ok(())
    }

    fn is_ours(&self, start: &BytesStart<'_>) -> bool {
        let (resolved, _) = self.reader.resolver().resolve_element(start.name());
        is_bound(&resolved, self.namespace)
    }

    /// Takes namespace declarations and hints where a schema lies; the contract itself has no attributes.
    fn check_attributes(&self, start: &BytesStart<'_>, at: &At<'_>) -> Found<()> {
        if is_blank(start.attributes_raw()) {
            return Ok(());
        }
        if !is_spaced(start.attributes_raw()) {
            return Err(at.refuse(Code::DecodeSyntax));
        }
        let mut hints = Vec::new();
        for (count, attribute) in start.attributes().enumerate() {
            if count >= MAX_DEPTH {
                return Err(at.refuse(Code::DecodeTooManyNodes));
            }
            let attribute = attribute.map_err(|_| at.refuse(Code::DecodeSyntax))?;
            let value = attribute_value(&attribute.value).map_err(|code| at.refuse(code))?;
            if let Some(declared) = attribute.key.as_namespace_binding() {
                if may_be_bound(&declared, &value) {
                    continue;
                }
                return Err(at.refuse(Code::DecodeNamespace));
            }
            let (resolved, local) = self.reader.resolver().resolve_attribute(attribute.key);
            let is_hint = matches!(local.as_ref(), "schemaLocation" | "noNamespaceSchemaLocation");
            match resolved {
                ResolveResult::Unknown(_) => return Err(at.refuse(Code::DecodeNamespace)),
                _ if is_hint && !hints.contains(&local) && is_bound(&resolved, XML_SCHEMA_INSTANCE) => hints.push(local),
                _ => return Err(at.refuse(Code::DecodeAttribute)),
            }
        }
        Ok(())
    }

    /// Reads on to the next thing that matters in an element: a child, some text, or the end.
    fn content(&mut self, at: &At<'_>) -> Found<Content<'a>> {
        loop {
            let event = self.event(at)?;
            return match event {
                Event::Start(start) => self.child(start, false, at),
                Event::Empty(start) => self.child(start, true, at),
                Event::End(_) => Ok(Content::End),
                Event::Text(text) => {
                    let text = text.xml10_content();
                    // Most texts have no bracket at all, and looking for one is cheaper than looking for three marks.
                    let ends_cdata = text.as_bytes().contains(&b']') && text.contains("]]>");
                    if ends_cdata { Err(at.refuse(Code::DecodeSyntax)) } else { Ok(Content::Text(text)) }
                }
                Event::CData(data) => Ok(Content::CData(data.xml10_content())),
                Event::GeneralRef(reference) => {
                    reference_text(&reference).map(|text| Content::Text(text.into())).map_err(|code| at.refuse(code))
                }
                Event::Comment(_) => continue,
                Event::Eof => Err(at.refuse(Code::DecodeTruncated)),
                Event::Decl(_) | Event::PI(_) | Event::DocType(_) => Err(at.refuse(Code::DecodeInstruction)),
            };
        }
    }

    fn child(&mut self, start: BytesStart<'a>, empty: bool, at: &At<'_>) -> Found<Content<'a>> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(at.refuse(Code::DecodeTooManyNodes));
        }
        self.check_attributes(&start, at)?;
        if !self.is_ours(&start) {
            return Err(at.refuse(Code::DecodeNamespace));
        }
        Ok(Content::Child(start, empty))
    }

    fn value(&mut self, shape: &Shape, empty: bool, at: &At<'_>, depth: usize) -> Found<Value> {
        match shape {
            Shape::Object(object) => self.object(object, empty, at, depth),
            Shape::List(list) => self.list(list, empty, at, depth),
            Shape::Leaf(leaf) => self.leaf(leaf, empty, at),
        }
    }

    fn object(&mut self, object: &Object, empty: bool, at: &At<'_>, depth: usize) -> Found<Value> {
        let mut fields = Map::with_capacity(object.fields.len());
        if empty {
            return Ok(Value::Object(fields));
        }
        loop {
            match self.content(at)? {
                Content::End => return Ok(Value::Object(fields)),
                Content::Text(text) if is_blank(&text) => {}
                Content::Text(_) | Content::CData(_) => return Err(at.refuse(Code::DecodeMixedContent)),
                Content::Child(start, empty) => {
                    let name = start.local_name().into_inner();
                    let known = object.field(name).map(|(_, field)| field).filter(|field| !field.derived);
                    let inner = known.map_or(At::Unknown(at, fields.len()), |field| At::Field(at, &field.name));
                    let value = match known {
                        Some(field) => self.value(&field.shape, empty, &inner, depth + 1)?,
                        None => self.skip(empty, &inner, depth + 1)?,
                    };
                    if fields.insert(name.to_owned(), value).is_some() {
                        return Err(inner.refuse(Code::DecodeDuplicateKey));
                    }
                }
            }
        }
    }

    fn list(&mut self, list: &List, empty: bool, at: &At<'_>, depth: usize) -> Found<Value> {
        let mut items = Vec::new();
        if empty {
            return Ok(Value::Array(items));
        }
        loop {
            match self.content(at)? {
                Content::End => return Ok(Value::Array(items)),
                Content::Text(text) if is_blank(&text) => {}
                Content::Text(_) | Content::CData(_) => return Err(at.refuse(Code::DecodeMixedContent)),
                Content::Child(start, empty) => {
                    let inner = At::Item(at, items.len());
                    // An item by another name is passed over as nothing, which no item may be: the contract refuses it
                    // together with all else that is wrong, after it has been asked whose report this is.
                    let value = if start.local_name().into_inner() == list.item_name {
                        self.value(&list.item, empty, &inner, depth + 1)?
                    } else {
                        self.skip(empty, &inner, depth + 1)?
                    };
                    items.push(value);
                }
            }
        }
    }

    fn leaf(&mut self, leaf: &Leaf, empty: bool, at: &At<'_>) -> Found<Value> {
        let mut whole = Cow::Borrowed("");
        if empty {
            return Ok(typed(leaf, whole));
        }
        loop {
            match self.content(at)? {
                Content::End => return Ok(typed(leaf, whole)),
                Content::Text(text) | Content::CData(text) if whole.is_empty() => whole = text,
                Content::Text(text) | Content::CData(text) => whole.to_mut().push_str(&text),
                Content::Child(..) => return Err(at.refuse(Code::DecodeMixedContent)),
            }
        }
    }

    /// Passes over an unknown element, so that the contract can refuse it together with all else that is wrong.
    fn skip(&mut self, empty: bool, at: &At<'_>, depth: usize) -> Found<Value> {
        let mut open = usize::from(!empty);
        while open > 0 {
            match self.content(at)? {
                Content::Child(_, empty) => open += usize::from(!empty),
                Content::Text(_) | Content::CData(_) => {}
                Content::End => open -= 1,
            }
            if depth + open > MAX_DEPTH {
                return Err(at.refuse(Code::DecodeDepth));
            }
        }
        Ok(Value::Null)
    }

    fn close_document(&mut self) -> Found<()> {
        let at = &At::Root;
        loop {
            match self.event(at)? {
                Event::Eof => return Ok(()),
                Event::Comment(_) => {}
                Event::Text(text) if is_blank(&text) => {}
                Event::Start(_) | Event::Empty(_) => return Err(Violation::whole(Code::DecodeSeveralRoots)),
                _ => return Err(Violation::whole(Code::DecodeTrailing)),
            }
        }
    }
}

/// Whether Namespaces in XML 1.0 (section 3) allows a declaration; the reader has looked at the prefix `xml`.
fn may_be_bound(declared: &PrefixDeclaration<'_>, namespace: &str) -> bool {
    let is_free = !matches!(namespace, XML | XMLNS);
    match declared {
        PrefixDeclaration::Default => is_free,
        PrefixDeclaration::Named("xml") => true,
        PrefixDeclaration::Named(prefix) => is_free && !namespace.is_empty() && is_prefix(prefix),
    }
}

fn is_bound(resolved: &ResolveResult<'_>, namespace: &str) -> bool {
    matches!(resolved, ResolveResult::Bound(Namespace(raw)) if is_namespace(raw, namespace))
}

/// A leaf's text as the value that JSON would have. Where it is none, the text stays and the contract refuses it.
fn typed(leaf: &Leaf, text: Cow<'_, str>) -> Value {
    // XML Schema collapses white space around all simple types but strings.
    let trimmed = || text.trim_matches([' ', '\t', '\r', '\n']);
    match &leaf.kind {
        LeafKind::Boolean if trimmed() == "true" => Value::Bool(true),
        LeafKind::Boolean if trimmed() == "false" => Value::Bool(false),
        LeafKind::Integer { .. } => {
            plain_integer(trimmed()).map_or_else(|| Value::String(text.clone().into_owned()), Value::from)
        }
        LeafKind::Formatted(_) => Value::String(trimmed().to_owned()),
        _ => Value::String(text.into_owned()),
    }
}

/// An integer as JSON writes it: no `+`, no leading zeros, no `-0`.
fn plain_integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty()
        && digits.len() <= 18
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (text == "0" || !digits.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

fn code_of(error: &quick_xml::Error) -> Code {
    use quick_xml::errors::{IllFormedError, SyntaxError};
    match error {
        quick_xml::Error::Syntax(
            SyntaxError::UnclosedTag
            | SyntaxError::UnclosedComment
            | SyntaxError::UnclosedCData
            | SyntaxError::UnclosedDoctype
            | SyntaxError::UnclosedPI
            | SyntaxError::UnclosedXmlDecl,
        )
        | quick_xml::Error::IllFormed(IllFormedError::MissingEndTag(_)) => Code::DecodeTruncated,
        quick_xml::Error::Namespace(_) => Code::DecodeNamespace,
        _ => Code::DecodeSyntax,
    }
}
