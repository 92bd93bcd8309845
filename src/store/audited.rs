//! What the audit log keeps: who did what to which message, decided by which rule. No values of messages.

use jiff::Timestamp;

use crate::domain::{Code, MessageNumber, Position, RecipientId, named};
use crate::seal::ContentDigest;

named!(
    /// What was done.
    AuditAct {
        /// It was decided what a message, or a leg of it, comes to.
        Decision = "decision",
        /// Documents were published for a recipient, or taken back by the sender's word.
        Disclosure = "disclosure",
        /// Entries of a feed were shown to their recipient, or handed over to a system.
        PageServed = "page-served",
        /// A system did not take what was handed over to it.
        DeliveryRefused = "delivery-refused",
        /// A recipient said what it did with an entry.
        Receipt = "receipt",
        /// An entry was taken back, or how far that has come.
        Withdrawal = "withdrawal",
        /// A person did something.
        Operator = "operator",
        /// A person read something about a participant.
        Reading = "reading",
        /// Keys of a participant were destroyed at the participant's request.
        Erasure = "erasure",
        /// What had been kept for its period was removed.
        Retention = "retention",
        /// A content that came back from a backup was taken into use.
        Restore = "restore",
        /// Another set of contracts and agreements came into use.
        Contracts = "contracts",
        /// Somebody signed in or out, or an account was changed.
        Access = "access",
    }
);

/// Who acts where no person does.
const PROGRAM: &str = "brygga";

/// A row of the audit log. It is written with the transaction that it is about, and is never changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// What was done.
    pub act: AuditAct,
    /// Who did it: `brygga`, or an operator's name.
    pub actor: String,
    /// Which message.
    pub message: Option<MessageNumber>,
    /// For or to whom.
    pub recipient: Option<RecipientId>,
    /// Which entry of the recipient's feed; it may be one of this transaction.
    pub position: Option<Position>,
    /// The code that decided.
    pub code: Option<Code>,
    /// Why, in a person's own words, as given. Nothing of a participant may stand in it; it is told here and never logged.
    pub reason: Option<String>,
    /// More, as words or JSON without values and without personal data.
    pub detail: String,
    /// What a disclosure rests on: the whole record, as JSON without personal data.
    pub basis: Option<String>,
    /// A digest of the content, which says nothing once its key is gone.
    pub content: Option<ContentDigest>,
}

impl AuditRow {
    /// An act of the program itself.
    #[must_use]
    pub fn of_program(act: AuditAct) -> Self {
        Self::by(act, PROGRAM)
    }

    /// An act of a person.
    #[must_use]
    pub fn by(act: AuditAct, actor: &str) -> Self {
        Self {
            act,
            actor: actor.to_owned(),
            message: None,
            recipient: None,
            position: None,
            code: None,
            reason: None,
            detail: String::new(),
            basis: None,
            content: None,
        }
    }

    /// On a message.
    #[must_use]
    pub const fn on(mut self, message: MessageNumber) -> Self {
        self.message = Some(message);
        self
    }

    /// For or to a recipient.
    #[must_use]
    pub fn to(mut self, recipient: &RecipientId) -> Self {
        self.recipient = Some(recipient.clone());
        self
    }

    /// About an entry of the recipient's feed.
    #[must_use]
    pub const fn at(mut self, position: Position) -> Self {
        self.position = Some(position);
        self
    }

    /// Decided by a code, where there is one.
    #[must_use]
    pub fn under(mut self, code: impl Into<Option<Code>>) -> Self {
        self.code = code.into();
        self
    }

    /// For a reason, in the person's own words.
    #[must_use]
    pub fn because(mut self, reason: &str) -> Self {
        self.reason = Some(reason.to_owned());
        self
    }

    /// With more about it, without values.
    #[must_use]
    pub fn with(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Resting on this.
    #[must_use]
    pub fn resting_on(mut self, basis: &str) -> Self {
        self.basis = Some(basis.to_owned());
        self
    }

    /// With the digest of its content.
    #[must_use]
    pub fn of_content(mut self, content: impl Into<Option<ContentDigest>>) -> Self {
        self.content = content.into();
        self
    }
}

/// A row of the audit log as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditedAct {
    /// When it was done.
    pub at: Timestamp,
    /// What was done.
    pub row: AuditRow,
}
