//! What happens between Brygga and the message broker.

use super::event::Event;

/// A connection to the broker does not work. It is told once for each cause, and tried again without end.
#[derive(Debug)]
pub struct BrokerAway<'a> {
    /// The part that waits for it: `amqp.in`, `amqp.dead` or `amqp.out`.
    pub part: &'static str,
    /// Why, in words without values.
    pub cause: &'a str,
}

impl Event for BrokerAway<'_> {
    fn emit(&self) {
        tracing::error!(part = self.part, cause = self.cause, "the message broker cannot be used; trying again");
    }
}

/// A connection to the broker works, for the first time or again.
#[derive(Debug)]
pub struct BrokerReached {
    /// The part.
    pub part: &'static str,
}

impl Event for BrokerReached {
    fn emit(&self) {
        tracing::info!(part = self.part, "the message broker is reached");
    }
}

/// A batch was committed, but its acknowledgement did not reach the broker: the messages come again as duplicates.
#[derive(Debug)]
pub struct NotAcknowledged {
    /// How many messages.
    pub messages: usize,
}

impl Event for NotAcknowledged {
    fn emit(&self) {
        tracing::warn!(messages = self.messages, "committed and not acknowledged; they come again and are duplicates");
    }
}

/// The program failed on a batch; its messages are run one by one, so that one does no harm to the others.
#[derive(Debug)]
pub struct RunAlone {
    /// How many messages.
    pub messages: usize,
}

impl Event for RunAlone {
    fn emit(&self) {
        tracing::error!(messages = self.messages, "the program failed on a batch; its messages are run one by one");
    }
}

/// A message's envelope is not taken; it is stored as a dead letter.
#[derive(Debug)]
pub struct EnvelopeRefused<'a> {
    /// The code.
    pub code: &'a str,
    /// Who sent it, as far as it could be told.
    pub login: &'a str,
}

impl Event for EnvelopeRefused<'_> {
    fn emit(&self) {
        tracing::warn!(code = self.code, sender.login = self.login, "an envelope is not taken");
    }
}
