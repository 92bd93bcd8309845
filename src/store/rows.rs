//! What passes through the store's port: plain values, and enums whose names are what a store writes.

use jiff::Timestamp;
use uuid::Uuid;

use crate::domain::{
    Code, Envelope, Fingerprint, LegId, Login, MessageNumber, PersonKey, Position, RecipientId, ReportKey, Subject, Syntax,
    TraceParent, named,
};
use crate::feed::Method;

named!(
    /// What a message is about, as far as it could be told.
    MessageKind {
        /// An activity report.
        Report = "report",
        /// A consent or a revocation.
        Consent = "consent",
        /// A protection flag.
        Protection = "protection",
        /// It could not be told.
        Unknown = "unknown",
    }
);

named!(
    /// The one state that a message is in now (law 6).
    MessageState {
        /// The same report, revision and content came before under another message id.
        Duplicate = "duplicate",
        /// It broke a rule and is a dead letter, discarded or not.
        Refused = "refused",
        /// It concerns a protected person.
        Diverted = "diverted",
        /// It is a consent, a revocation or a flag.
        Recorded = "recorded",
        /// It is a report with a leg for each recipient.
        Journey = "journey",
    }
);

named!(
    /// The one state that a leg is in now (law 6).
    LegState {
        /// What may be disclosed is in the feed, or was served.
        Published = "published",
        /// It waits for an instant or for a waiver.
        Held = "held",
        /// It is over.
        Refused = "refused",
        /// A higher revision took its place.
        Superseded = "superseded",
        /// It was taken back.
        Withdrawn = "withdrawn",
    }
);

named!(
    /// The state of an entry in a feed.
    EntryState {
        /// It is what its subject says now.
        Live = "live",
        /// A newer entry of its subject took its place.
        Replaced = "replaced",
        /// It was taken out for good.
        Withdrawn = "withdrawn",
        /// It is what its subject says now, but the period is over for which its content may be kept: it is shown no more.
        Expired = "expired",
    }
);

named!(
    /// How far the taking back of an entry has come.
    WithdrawalStep {
        /// Nobody had fetched it.
        BeforeServing = "withdrawn-before-serving",
        /// It had been served, and its `DELETE` stands in the feed.
        DeletePublished = "delete-published",
        /// Its `DELETE` was served, or handed over.
        DeleteServed = "delete-served",
        /// Its recipient has said that it has the `DELETE`. What it did with what it holds is not claimed.
        Acknowledged = "acknowledged",
        /// A newer document took the place of its `DELETE` before anybody had fetched that one.
        DeleteSuperseded = "delete-superseded",
        /// It had been served lawfully, and its time has passed: it is shown no more, and nobody takes it back.
        LapsedAfterServing = "lapsed-after-serving",
    }
);

/// That a message came before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// The store's number of the message.
    pub number: MessageNumber,
    /// The fingerprint of its bytes; `None` after erasure or retention, when any bytes are a duplicate.
    pub fingerprint: Option<Fingerprint>,
}

/// A message to be stored.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// Who sent it, its id, contract and times.
    pub envelope: Envelope,
    /// The fingerprint of its bytes.
    pub fingerprint: Fingerprint,
    /// What it is about.
    pub kind: MessageKind,
    /// What became of it.
    pub state: MessageState,
    /// Why it was refused: codes and places, without values.
    pub violations: Vec<(Code, String)>,
    /// Whether nobody may look at it, because it cannot be told whom it is about.
    pub restricted: bool,
    /// Whom it is about.
    pub person: Option<PersonKey>,
    /// Which report it is a revision of.
    pub report: Option<ReportKey>,
    /// The revision.
    pub revision: Option<i64>,
    /// The fingerprint of the report's content.
    pub content: Option<Fingerprint>,
    /// How many recipients the agreement gave a journey.
    pub fan_out: i64,
    /// The sealed message.
    pub sealed: crate::seal::SealedBytes,
}

/// A stored message.
#[derive(Debug, Clone)]
pub struct StoredMessage {
    /// The store's number.
    pub number: MessageNumber,
    /// The message.
    pub message: NewMessage,
    /// When it was discarded by a person.
    pub discarded_at: Option<Timestamp>,
}

/// A leg.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegRow {
    /// Which message to which recipient.
    pub id: LegId,
    /// The report it belongs to.
    pub report: ReportKey,
    /// Its state.
    pub state: LegState,
    /// Why, where the state has a reason.
    pub code: Option<Code>,
    /// When to look at it again.
    pub due_at: Option<Timestamp>,
    /// How many documents it has made.
    pub documents: i64,
    /// What decided it, as JSON without personal data: agreement, version, gate, rule, consents, withheld fields.
    pub basis: String,
}

/// An entry without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryRow {
    /// Its position.
    pub position: Position,
    /// Its subject.
    pub subject: Subject,
    /// What it says.
    pub method: Method,
    /// Its state.
    pub state: EntryState,
    /// Whether it was ever served.
    pub served: bool,
    /// The message it was made of.
    pub message: MessageNumber,
    /// The fingerprint of its content; empty for a `DELETE`.
    pub fingerprint: Vec<u8>,
}

/// A live entry with its content and what decides whether it may be served.
#[derive(Debug)]
pub struct FeedEntry {
    /// Its position.
    pub position: Position,
    /// Its subject.
    pub subject: Subject,
    /// The outgoing contract.
    pub contract: String,
    /// The syntax of the content.
    pub syntax: Syntax,
    /// What it says.
    pub method: Method,
    /// The sealed content; empty for a `DELETE`.
    pub sealed: crate::seal::SealedBytes,
    /// When it was published.
    pub published_at: Timestamp,
    /// The first instant at which its gate is shut by date; a `DELETE` has none.
    pub until: Option<Timestamp>,
    /// The trace of the message that it was made of.
    pub traceparent: Option<TraceParent>,
    /// Whether it rests on an illustration that nobody has signed.
    pub illustrative: bool,
    /// Whether its person is protected now.
    pub flagged: bool,
    /// Whether it was ever served.
    pub served: bool,
    /// The report; none for an answer, which is not sealed and has no gate.
    pub report: Option<ReportKey>,
    /// The message that it was made of, or answers.
    pub message: MessageNumber,
    /// The digest of the terms that its leg was decided under, where it was recorded.
    pub terms: Option<String>,
}

/// An entry that its system did not take, or that its recipient has rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedEntry {
    /// Whose feed.
    pub recipient: RecipientId,
    /// The entry.
    pub position: Position,
    /// Why it is a dead letter: its system did not take it, or its recipient has rejected it.
    pub code: Code,
    /// What the system said, in words without values; or the recipient's own code.
    pub said: String,
}

/// The counts of law 6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Census {
    /// Every message that came, redeliveries included.
    pub received: i64,
    /// Redeliveries and repeated revisions.
    pub duplicates: i64,
    /// Refused messages.
    pub refused: i64,
    /// Diverted reports.
    pub diverted: i64,
    /// Consents, revocations and flags.
    pub recorded: i64,
    /// Reports with legs.
    pub journeys: i64,
    /// Refused messages that nobody may look at.
    pub restricted: i64,
    /// Recipients over all journeys, counted by the agreements' fan-out.
    pub fan_out: i64,
    /// Legs that are published.
    pub published: i64,
    /// Legs that wait.
    pub held: i64,
    /// Legs that are refused.
    pub legs_refused: i64,
    /// Legs that are superseded.
    pub superseded: i64,
    /// Legs that are withdrawn.
    pub withdrawn: i64,
}

impl Census {
    /// Law 6: every message is in exactly one state, and so is every leg.
    #[must_use]
    pub const fn adds_up(&self) -> bool {
        self.received == self.duplicates + self.refused + self.diverted + self.recorded + self.journeys
            && self.fan_out == self.published + self.held + self.legs_refused + self.superseded + self.withdrawn
    }
}

/// A held leg as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldLeg {
    /// The message.
    pub message: MessageNumber,
    /// The recipient.
    pub recipient: RecipientId,
    /// Who sent it.
    pub login: Login,
    /// The sender's id of it.
    pub message_id: Uuid,
    /// What it waits for.
    pub code: Code,
    /// When it came.
    pub received_at: Timestamp,
    /// Until when it waits.
    pub due_at: Option<Timestamp>,
}

/// How one feed stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedStanding {
    /// Whose feed.
    pub recipient: RecipientId,
    /// The newest position.
    pub head: Position,
    /// Live entries that nobody has fetched.
    pub waiting: i64,
    /// When the oldest of them was published.
    pub oldest_waiting: Option<Timestamp>,
    /// Entries that the recipient's system did not take, and nobody has sent again or set aside.
    pub refused: i64,
}

/// What waits for somebody, for the operators' numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// Since when the oldest dead letter has been one that nobody has discarded: a message's arrival, an entry's refusal.
    pub oldest_dead_letter: Option<Timestamp>,
    /// Since when the leg has been due that has been due longest.
    pub oldest_due: Option<Timestamp>,
    /// Every feed.
    pub feeds: Vec<FeedStanding>,
}
