//! Floor 2, first: bytes become a neutral document.
//!
//! `Payload → Decoded`. Nothing is trusted here and nothing is expanded: sizes, depths and numbers of parts are capped
//! before anything is kept, DOCTYPE and processing instructions are never taken, and one character set is (UTF-8).

mod at;
mod json;
mod markup;
mod text;
mod xml;

use std::sync::Arc;

use crate::domain::{Code, Document, Envelope, Outline, Refusal, Syntax, Violation};

/// The largest message in bytes that is taken: 1 MiB, two hundred times a full month's report.
pub const MAX_BYTES: usize = 1024 * 1024;

/// The deepest nesting of objects, lists and elements; no contract needs more than a handful.
const MAX_DEPTH: usize = 32;

/// The greatest number of values or elements in one document.
const MAX_NODES: usize = 20_000;

/// A message as it came: bytes that nobody has looked into, with their envelope.
#[derive(Debug)]
pub struct Payload {
    envelope: Envelope,
    bytes: Vec<u8>,
}

impl Payload {
    /// Takes bytes of bounded size.
    ///
    /// # Errors
    /// `transport.oversize` for more than [`MAX_BYTES`].
    pub fn new(envelope: Envelope, bytes: Vec<u8>) -> Result<Self, Refusal> {
        if bytes.len() > MAX_BYTES {
            return Err(Refusal::whole(Code::TransportOversize));
        }
        Ok(Self { envelope, bytes })
    }

    /// The envelope.
    #[must_use]
    pub const fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// The bytes, to be sealed and kept.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// A message whose bytes are a well-formed document. What stands in it is still unchecked.
#[derive(Debug)]
pub struct Decoded {
    envelope: Envelope,
    outline: Arc<Outline>,
    document: Document,
}

impl Decoded {
    /// The envelope.
    #[must_use]
    pub const fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// The outline of the contract that it claims to follow.
    #[must_use]
    pub fn outline(&self) -> &Arc<Outline> {
        &self.outline
    }

    /// The unchecked document.
    #[must_use]
    pub const fn document(&self) -> &Document {
        &self.document
    }

    /// Gives the parts to the next stage.
    #[must_use]
    pub fn into_parts(self) -> (Envelope, Arc<Outline>, Document) {
        (self.envelope, self.outline, self.document)
    }
}

/// Decodes a payload along the outline of its contract.
///
/// # Errors
/// A `decode.*` refusal: the first thing that is wrong, since nothing after it can be trusted.
pub fn decode(payload: Payload, outline: &Arc<Outline>) -> Result<Decoded, Refusal> {
    let text = text::utf8(&payload.bytes, payload.envelope.syntax).map_err(Refusal::whole)?;
    let tree = match payload.envelope.syntax {
        Syntax::Json => json::tree(text, &outline.shape),
        Syntax::Xml => xml::tree(text, outline),
    };
    match tree {
        Ok(tree) => Ok(Decoded { envelope: payload.envelope, outline: Arc::clone(outline), document: Document::new(tree) }),
        Err(violation) => Err(Refusal::of(violation)),
    }
}

/// Reads a document that Brygga itself wrote, to hold it against its contract; `None` where it is not well-formed.
#[must_use]
pub fn read_xml(text: &str, outline: &Outline) -> Option<serde_json::Value> {
    xml::tree(text, outline).ok()
}

/// A decoder's finding: what is wrong and where.
type Found<T> = Result<T, Violation>;
