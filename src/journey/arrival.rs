//! What goes into the way and what comes out: arrivals, and what became of them when they were stored.

use jiff::Timestamp;
use uuid::Uuid;

use crate::domain::{Code, ContractRef, Login, MessageNumber, Syntax, Trace};
use crate::store::MessageState;

/// A message as a transport hands it over: its sender verified, its envelope read, its bytes untouched.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// Who the transport says has sent it.
    pub login: Login,
    /// The sender's id of it.
    pub message_id: Uuid,
    /// The contract it claims.
    pub contract: ContractRef,
    /// The syntax it claims.
    pub syntax: Syntax,
    /// When the sender made it.
    pub message_time: Timestamp,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// What ties it to others.
    pub trace: Trace,
    /// Why its envelope is not taken; the parts that could not be read are stand-ins then. It is stored and never opened.
    pub defect: Option<Defect>,
}

impl Arrival {
    /// The same as one that is stored without being looked into, because the program or the store fails on it: nobody can
    /// tell whom it is about.
    #[must_use]
    pub fn unopened(self) -> Self {
        let failed = Defect { code: Code::TransportDeliveryLimit, restricted: true };
        Self { defect: Some(self.defect.unwrap_or(failed)), ..self }
    }
}

/// Why an envelope is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defect {
    /// The rule that it breaks.
    pub code: Code,
    /// Whether nobody may look at the message, because it cannot be told whose it is.
    pub restricted: bool,
}

impl Defect {
    /// Whether the program or the store has failed on it, and nothing is wrong with its envelope.
    pub(super) fn is_of_the_program(&self) -> bool {
        self.code == Code::TransportDeliveryLimit
    }
}

/// What became of an arrival when it was stored. What its legs come to stands in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It came before.
    Duplicate(MessageNumber),
    /// It is stored in this state.
    Stored(MessageNumber, MessageState),
}

impl Outcome {
    /// The stored message.
    #[must_use]
    pub const fn number(&self) -> MessageNumber {
        match self {
            Self::Duplicate(number) | Self::Stored(number, _) => *number,
        }
    }

    /// What became of it, in a word.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Duplicate(_) => MessageState::Duplicate.as_str(),
            Self::Stored(_, state) => state.as_str(),
        }
    }
}
