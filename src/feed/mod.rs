//! Floor 2, last: how an entry of a feed looks to its reader, and the opaque ids by which a reader moves along.
//!
//! The feed follows HTTP Feeds (http-feeds.org) with CloudEvents 1.0 as an aggregate feed. An id carries the feed's epoch
//! and position and is authenticated, so that a forged or foreign one is told from a place that merely has nothing after it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::domain::{Keys, Position, RecipientId, Subject, Syntax, TraceParent};

/// Bytes of an id's authentication.
const TAG: usize = 16;

/// Makes the id of an entry. The same entry always has the same id.
#[must_use]
pub fn event_id(keys: &dyn Keys, recipient: &RecipientId, epoch: u32, position: Position) -> String {
    let place = place_bytes(epoch, position);
    let tag = keys.digest("event-id", &[recipient.as_str().as_bytes(), &place]);
    let mut whole = place.to_vec();
    whole.extend(tag.iter().take(TAG));
    URL_SAFE_NO_PAD.encode(whole)
}

fn place_bytes(epoch: u32, position: Position) -> [u8; 12] {
    let mut place = [0; 12];
    let bytes = epoch.to_be_bytes().into_iter().chain(position.0.to_be_bytes());
    for (slot, byte) in place.iter_mut().zip(bytes) {
        *slot = byte;
    }
    place
}

/// Where a reader stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor(i64);

/// An id that this recipient's feed, in its present epoch, never gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id of this feed")]
pub struct ForeignId;

impl Cursor {
    /// Before the first entry.
    pub const START: Self = Self(0);

    /// Reads a reader's `lastEventId`; none, an empty one or `null` is the start.
    ///
    /// # Errors
    /// [`ForeignId`] for a forged id, one of another recipient, or one of an earlier epoch.
    pub fn read(text: Option<&str>, keys: &dyn Keys, recipient: &RecipientId, epoch: u32) -> Result<Self, ForeignId> {
        let Some(text) = text.filter(|text| !text.is_empty() && *text != "null") else { return Ok(Self::START) };
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| ForeignId)?;
        let (place, _) = bytes.split_at_checked(12).ok_or(ForeignId)?;
        let position = place.get(4..).and_then(|part| part.try_into().ok()).map(i64::from_be_bytes).ok_or(ForeignId)?;
        // Only an id that we ourselves would make for this place, recipient and epoch is one of ours.
        if position < 1 || event_id(keys, recipient, epoch, Position(position)) != text {
            return Err(ForeignId);
        }
        Ok(Self(position))
    }

    /// The position after which reading goes on.
    #[must_use]
    pub const fn position(self) -> Position {
        Position(self.0)
    }

    /// The place of an entry.
    #[must_use]
    pub const fn at(position: Position) -> Self {
        Self(position.0)
    }
}

/// What an event says of its subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// This is the document now.
    Put,
    /// The sender no longer stands behind the document. Carries no reason, so that all reasons look alike.
    Delete,
}

impl Method {
    /// How a store names it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// An opened entry, to be shown to its reader.
#[derive(Debug)]
pub struct Event<'a> {
    /// The entry's id.
    pub id: String,
    /// The outgoing contract: the event's type.
    pub contract: &'a str,
    /// The document's subject.
    pub subject: &'a Subject,
    /// When the entry was published.
    pub time: Timestamp,
    /// What it says.
    pub method: Method,
    /// The document's syntax.
    pub syntax: Syntax,
    /// Whether it rests on an illustration that nobody has signed.
    pub illustrative: bool,
    /// The trace of the message that it was made of.
    pub traceparent: Option<&'a TraceParent>,
    /// The document; empty for a `DELETE`.
    pub data: &'a [u8],
}

impl Event<'_> {
    /// The event as CloudEvents 1.0 structured JSON. A `DELETE` has `"method": "DELETE"` and no data (HTTP Feeds).
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut event = Map::new();
        event.insert("specversion".to_owned(), json!("1.0"));
        event.insert("id".to_owned(), json!(self.id));
        event.insert("type".to_owned(), json!(self.contract));
        event.insert("source".to_owned(), json!("urn:brygga"));
        event.insert("time".to_owned(), json!(self.time.to_string()));
        event.insert("subject".to_owned(), json!(self.subject.to_hex()));
        if self.illustrative {
            // An extension attribute: nobody may take an illustration for an agreement.
            event.insert("illustrative".to_owned(), json!(true));
        }
        if let Some(parent) = self.traceparent {
            // The extension attribute of CloudEvents' distributed tracing.
            event.insert("traceparent".to_owned(), json!(parent.as_str()));
        }
        match self.method {
            Method::Delete => {
                event.insert("method".to_owned(), json!("DELETE"));
            }
            Method::Put => {
                event.insert("datacontenttype".to_owned(), json!(self.syntax.media_type()));
                let text = String::from_utf8_lossy(self.data);
                let data = match self.syntax {
                    Syntax::Json => serde_json::from_str(&text).unwrap_or(Value::Null),
                    Syntax::Xml => json!(text),
                };
                event.insert("data".to_owned(), data);
            }
        }
        Value::Object(event)
    }
}

#[cfg(test)]
mod tests {
    use super::{Cursor, ForeignId, event_id};
    use crate::domain::{Keys, Position, RecipientId};

    struct Mixed(u8);

    impl Keys for Mixed {
        fn digest(&self, purpose: &'static str, parts: &[&[u8]]) -> [u8; 32] {
            let mut out = [self.0; 32];
            for (index, byte) in purpose.bytes().chain(parts.concat()).enumerate() {
                out[index % 32] = out[index % 32].wrapping_mul(31).wrapping_add(byte);
            }
            out
        }
    }

    #[test]
    fn an_id_is_a_place_only_for_its_own_feed_and_epoch() {
        let af = RecipientId::arbetsformedlingen();
        let other = RecipientId::from_stored("1863.forsorjningsstod".to_owned());
        let id = event_id(&Mixed(1), &af, 1, Position(7));
        assert_eq!(Cursor::read(Some(&id), &Mixed(1), &af, 1), Ok(Cursor::at(Position(7))));
        assert_eq!(Cursor::read(Some(&id), &Mixed(1), &other, 1), Err(ForeignId));
        assert_eq!(Cursor::read(Some(&id), &Mixed(1), &af, 2), Err(ForeignId));
        assert_eq!(Cursor::read(Some(&id), &Mixed(2), &af, 1), Err(ForeignId));
        for start in [None, Some(""), Some("null")] {
            assert_eq!(Cursor::read(start, &Mixed(1), &af, 1), Ok(Cursor::START));
        }
        for forged in ["x", "AAAA", id.trim_start_matches('A')] {
            assert_eq!(Cursor::read(Some(forged), &Mixed(1), &af, 1), Err(ForeignId));
        }
    }
}
