//! `[[relay]]`: by which courier what goes back to a system leaves.

use super::section::Section;
use crate::domain::RecipientId;

/// How a relay's entries leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// To the exchange `brygga.out`, by the connection of `[amqp]`.
    Amqp,
    /// As files in `outbox/<recipient>/`, in the folder of `[spool]`.
    Spool,
}

/// One relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relay {
    /// Whose feed: `1863.ame`.
    pub recipient: RecipientId,
    /// How it leaves.
    pub via: Via,
}

impl Relay {
    /// Reads one table.
    pub fn read(section: &mut Section<'_>) -> Option<Self> {
        let line = section.line();
        let name: Option<String> = section.required("recipient");
        let kind: Option<String> = section.required("kind");
        let via = match kind.as_deref() {
            Some("amqp") => Some(Via::Amqp),
            Some("spool") => Some(Via::Spool),
            Some(_) => {
                section.fault("kind", line, "`amqp` or `spool`");
                None
            }
            None => None,
        };
        let recipient = name.map(RecipientId::from_stored);
        if recipient.as_ref().is_some_and(|recipient| !recipient.is_a_systems()) {
            section.fault("recipient", line, "a system's feed, as in 1863.ame or 1863.forsorjningsstod");
            return None;
        }
        Some(Self { recipient: recipient?, via: via? })
    }
}
