//! Floor 3: answers to the systems that send: that a message was accepted, why it was refused, or that a report was not
//! forwarded.
//!
//! An answer is made of ids, codes, places and one instant, and of nothing else. No document can become part of one:
//!
//! ```compile_fail
//! fn tell(to: brygga::answer::Letterhead<'_>, document: &brygga::domain::Document) -> brygga::answer::Answer {
//!     to.rejection(document)
//! }
//! ```
//!
//! It also says nothing of the participant: unknown, without a waiver and protected give the same bytes (`docs/answers.md`).

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::contract::Catalogue;
use crate::domain::{Code, Keys, MessageNumber, ReceiptKind, RecipientId, Refusal, Subject, Syntax, Violation};
use crate::store::StoredMessage;

/// The stages whose refusals a sender is told. What comes after them depends on the participant or is our own fault.
const TOLD: [&str; 5] = ["transport", "decode", "identity", "contract", "agreement"];

/// The greatest number of violations in one rejection; the first ones are told.
const VIOLATIONS: usize = 100;

/// What kind of answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The message is recorded, or is a report that contract and agreement let through.
    Accepted,
    /// The message breaks rules.
    Rejection,
    /// At the end of its hold period a report has not been given to everybody whose gate is a waiver.
    NotForwarded,
    /// What a recipient says of a document that was made of the message.
    Receipt,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Accepted, Self::Rejection, Self::NotForwarded, Self::Receipt];

    /// The outgoing contract.
    #[must_use]
    pub const fn contract(self) -> &'static str {
        match self {
            Self::Accepted => "accepted.v1",
            Self::Rejection => "rejection.v1",
            Self::NotForwarded => "not-forwarded.v1",
            Self::Receipt => "receipt.v1",
        }
    }

    /// The kind that an outgoing contract is of, where it is of an answer.
    #[must_use]
    pub fn of_contract(contract: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.contract() == contract)
    }

    /// The one syntax of all answers.
    pub const SYNTAX: Syntax = Syntax::Json;
}

/// To whom an answer goes and which message it names.
pub struct Letterhead<'a> {
    to: RecipientId,
    stored: &'a StoredMessage,
    keys: &'a dyn Keys,
    head: Map<String, Value>,
}

impl std::fmt::Debug for Letterhead<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Letterhead").field("to", &self.to).finish_non_exhaustive()
    }
}

/// An answer. Only a [`Letterhead`] makes one.
#[derive(Debug)]
pub struct Answer {
    to: RecipientId,
    message: MessageNumber,
    subject: Subject,
    kind: Kind,
    illustrative: bool,
    document: Vec<u8>,
}

/// Which document a receipt is about: nothing of what stands in it.
#[derive(Debug, Clone, Copy)]
pub struct OfDocument<'a> {
    /// The outgoing contract.
    pub contract: &'a str,
    /// Names the document over all revisions.
    pub subject: &'a Subject,
    /// Whether it rests on an illustration that nobody has signed.
    pub illustrative: bool,
}

impl<'a> Letterhead<'a> {
    /// Addresses the system whose login sent a message; `None` for a login that is nobody's.
    #[must_use]
    pub fn of(stored: &'a StoredMessage, catalogue: &Catalogue, keys: &'a dyn Keys) -> Option<Self> {
        let envelope = &stored.message.envelope;
        let sender = catalogue.parties().sender(&envelope.login)?;
        let to = sender.system.recipient(&sender.kommun.code);
        let mut head = Map::new();
        head.insert("messageId".to_owned(), json!(envelope.message_id.to_string()));
        if let Some(correlation) = envelope.trace.correlation_id {
            head.insert("correlationId".to_owned(), json!(correlation.to_string()));
        }
        // A name that no contract has is the sender's own words, and anything may stand in them.
        let is_known = catalogue.contract(&envelope.contract).is_some();
        let contract = if is_known { envelope.contract.to_string() } else { "?".to_owned() };
        head.insert("contract".to_owned(), json!(contract));
        Some(Self { to, stored, keys, head })
    }

    /// Says that the message was accepted, and until when a report waits for a waiver where one is needed.
    #[must_use]
    pub fn accepted(self, held_until: Option<Timestamp>, illustrative: bool) -> Answer {
        let mut body = Map::new();
        if let Some(instant) = held_until {
            body.insert("heldUntil".to_owned(), json!(instant.to_string()));
        }
        self.write(Kind::Accepted, illustrative, body)
    }

    /// Says which rules the message breaks and where. `None` for a refusal that no sender is told.
    #[must_use]
    pub fn rejection(self, refusal: &Refusal) -> Option<Answer> {
        if !refusal.violations().all(|violation| is_told(violation.code)) {
            return None;
        }
        let told = |Violation { code, place }: &Violation| json!({ "code": code.as_str(), "place": place.to_string(), "rule": code.words() });
        let violations: Vec<Value> = refusal.violations().take(VIOLATIONS).map(told).collect();
        let mut body = Map::new();
        body.insert("violations".to_owned(), Value::Array(violations));
        Some(self.write(Kind::Rejection, false, body))
    }

    /// Says that a report was not forwarded to everybody, and nothing of whom or why.
    #[must_use]
    pub fn not_forwarded(self, illustrative: bool) -> Answer {
        self.write(Kind::NotForwarded, illustrative, Map::new())
    }

    /// Says what a recipient says of one document. Its code is one of a closed list.
    #[must_use]
    pub fn receipt(self, of: OfDocument<'_>, kind: ReceiptKind, code: Option<&str>, at: Timestamp) -> Answer {
        let mut body = Map::new();
        body.insert("document".to_owned(), json!(of.contract));
        body.insert("subject".to_owned(), json!(of.subject.to_hex()));
        body.insert("kind".to_owned(), json!(kind.as_str()));
        if let Some(code) = code {
            body.insert("code".to_owned(), json!(code));
        }
        body.insert("at".to_owned(), json!(at.to_string()));
        self.write(Kind::Receipt, of.illustrative, body)
    }

    fn write(self, kind: Kind, illustrative: bool, body: Map<String, Value>) -> Answer {
        let mut whole = self.head;
        whole.extend(body);
        let document = Value::Object(whole).to_string().into_bytes();
        // By what identifies the message (login, id and bytes), so that it does not depend on the order of arrival; and by the
        // kind, as two kinds can say the same.
        let message = &self.stored.message;
        let (login, id) = (message.envelope.login.as_str().as_bytes(), message.envelope.message_id.as_bytes());
        let said = [kind.contract().as_bytes(), document.as_slice()].concat();
        let parts = [self.to.as_str().as_bytes(), login, id, message.fingerprint.as_bytes(), said.as_slice()];
        let subject = self.keys.answer_subject(parts);
        Answer { to: self.to, message: self.stored.number, subject, kind, illustrative, document }
    }
}

/// Whether a sender is told this code.
#[must_use]
pub fn is_told(code: Code) -> bool {
    code.as_str().split_once('.').is_some_and(|(stage, _)| TOLD.contains(&stage))
}

impl Answer {
    /// Whose feed it goes into.
    #[must_use]
    pub const fn to(&self) -> &RecipientId {
        &self.to
    }

    /// The message that it answers.
    #[must_use]
    pub const fn message(&self) -> MessageNumber {
        self.message
    }

    /// Its subject.
    #[must_use]
    pub const fn subject(&self) -> &Subject {
        &self.subject
    }

    /// What kind of answer it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether it rests on an illustration that nobody has signed.
    #[must_use]
    pub const fn illustrative(&self) -> bool {
        self.illustrative
    }

    /// The document, in [`Kind::SYNTAX`].
    #[must_use]
    pub fn document(&self) -> &[u8] {
        &self.document
    }
}

#[cfg(test)]
mod tests {
    use super::is_told;
    use crate::domain::Code;

    #[test]
    fn nothing_that_depends_on_the_participant_is_told() {
        for code in Code::ALL {
            let untold = ["consent.", "translate.", "journey.", "relay.", "recipient."]
                .iter()
                .any(|stage| code.as_str().starts_with(stage));
            assert_eq!(is_told(*code), !untold, "{code}");
        }
    }
}
