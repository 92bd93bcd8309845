//! What carries an entry of a pushed feed to its recipient: the port that the spool, a broker and a web client stand behind.

use std::future::Future;
use std::time::Duration;

use uuid::Uuid;

use crate::domain::{RecipientId, Subject, Syntax};
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
    /// Not now: it stays first in its feed and is tried again.
    Later {
        /// Why, in words without values.
        why: String,
        /// How long the recipient asks to be left alone, where it does; bounded by the courier.
        after: Option<Duration>,
    },
    /// Never as it is: it becomes a dead letter, `relay.refused`, and the feed goes on. What the recipient said, in words
    /// without values.
    Refused(String),
}

impl Delivery {
    /// Not now, for a cause that says nothing of how long.
    #[must_use]
    pub fn later(why: impl Into<String>) -> Self {
        Self::Later { why: why.into(), after: None }
    }

    /// Its name in numbers: `arrived`, `later` or `refused`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Arrived => "arrived",
            Self::Later { .. } => "later",
            Self::Refused(_) => "refused",
        }
    }
}

/// How long an attempt may take in all, with every wait that it is made of: less than half of a relay's lease, in the second
/// half of which nothing is sent. In the build of the fault runs leases are short.
pub const ATTEMPT: Duration = Duration::from_millis(if cfg!(feature = "faults") { 2_700 } else { 27_000 });

/// Something that delivers.
pub trait Courier: Send + Sync + 'static {
    /// Attempts a delivery. Whoever calls it bounds its time ([`ATTEMPT`]) and drops what takes longer.
    fn deliver(&self, parcel: &Parcel) -> impl Future<Output = Delivery> + Send;

    /// An attempt took too long and was dropped: whatever of it is still on its way must not arrive after what another
    /// process sends, so a link that outlives its attempts is cut. In bounded time.
    fn cut(&self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}
