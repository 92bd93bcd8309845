//! The ids that Brygga itself makes: keyed digests and positions. Random numbers and keys are arguments, never globals.

use std::fmt;

use super::party::{OrganisationNumber, RecipientId};
use super::person::{PersonKey, PersonNumber};

/// A position in one recipient's feed: from 1, without gaps, in commit order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position(pub i64);

/// The store's own number of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageNumber(pub i64);

impl fmt::Display for MessageNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! digest {
    ($(#[$doc:meta])* $name:ident, $bytes:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// Takes stored bytes; `None` where the length is wrong.
            #[must_use]
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }

            /// The bytes, for a store.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8] {
                &self.0
            }

            /// The digest in hexadecimal.
            #[must_use]
            pub fn to_hex(&self) -> String {
                let digits = self.0.iter().flat_map(|byte| [byte >> 4, byte & 15]);
                digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    };
}

digest!(
    /// HMAC of a message's bytes, or of a document's canonical content.
    Fingerprint, 32
);
digest!(
    /// Keyed digest of (sender, participant, report id), or of (sender, participant, consent id).
    ReportKey, 32
);
digest!(
    /// Keyed digest that names one outgoing document to its recipient; the same over all revisions.
    Subject, 16
);

/// A leg: one message to one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LegId {
    /// The message.
    pub message: MessageNumber,
    /// The recipient.
    pub recipient: RecipientId,
}

/// Makes every keyed digest. What it does with which key is the keeper's affair; this floor only names the digests.
pub trait Keys: Send + Sync {
    /// HMAC-SHA-256 of the parts under the key for a purpose; parts are told apart by their lengths.
    fn digest(&self, purpose: &'static str, parts: &[&[u8]]) -> [u8; 32];

    /// The keyed hash of a person.
    fn person(&self, number: &PersonNumber) -> PersonKey {
        PersonKey::from_bytes(self.digest("person", &[number.digits().as_bytes()]))
    }

    /// The keyed digest of a report or a consent.
    fn report(&self, kind: &str, sender: OrganisationNumber, person: &PersonKey, id: &str) -> ReportKey {
        ReportKey(self.digest("report", &[kind.as_bytes(), sender.as_str().as_bytes(), person.as_bytes(), id.as_bytes()]))
    }

    /// The fingerprint of bytes.
    fn fingerprint(&self, bytes: &[u8]) -> Fingerprint {
        Fingerprint(self.digest("fingerprint", &[bytes]))
    }

    /// The subject of one outgoing document.
    fn subject(&self, recipient: &str, report: &ReportKey, document: &str, part: &str) -> Subject {
        let parts = [recipient.as_bytes(), report.as_bytes(), document.as_bytes(), part.as_bytes()];
        Subject(short(self.digest("subject", &parts)))
    }

    /// The subject of an answer to a message, by what identifies the message.
    fn answer_subject(&self, parts: [&[u8]; 5]) -> Subject {
        // Its five parts can never be the four of a document.
        Subject(short(self.digest("subject", &parts)))
    }
}

/// The first half of a digest: enough to tell one feed's documents apart.
fn short(whole: [u8; 32]) -> [u8; 16] {
    let mut short = [0; 16];
    for (slot, byte) in short.iter_mut().zip(whole) {
        *slot = byte;
    }
    short
}
