//! What carries an entry of a pushed feed to its recipient: the port that the spool, a broker and a web client stand behind.

use std::future::Future;

use uuid::Uuid;

use crate::domain::{Code, RecipientId, Subject, Syntax};
use crate::feed::Method;

/// One entry to be delivered. Its event id is the same at every attempt, so that a recipient can tell a repetition.
#[derive(Debug, Clone)]
pub struct Parcel {
    /// To whom.
    pub recipient: RecipientId,
    /// The entry's id.
    pub event_id: String,
    /// The document's subject.
    pub subject: Subject,
    /// The outgoing contract: `accepted.v1`.
    pub contract: String,
    /// What it says of its subject.
    pub method: Method,
    /// The syntax of the document.
    pub syntax: Syntax,
    /// Whether it rests on an illustration that nobody has signed.
    pub illustrative: bool,
    /// The message that it answers or was made of.
    pub correlation_id: Option<Uuid>,
    /// The document; empty for a `DELETE`.
    pub document: Vec<u8>,
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// It has arrived, and the recipient has said so.
    Arrived,
    /// Not now: it stays first in its feed and is tried again. Why, in words without values.
    Later(String),
    /// Never as it is: an operator has to look.
    Refused(Code),
}

/// Something that delivers.
pub trait Courier: Send + Sync + 'static {
    /// Attempts a delivery. It returns in bounded time.
    fn deliver(&self, parcel: &Parcel) -> impl Future<Output = Delivery> + Send;
}
