//! Dead letters as the operators' desk looks through them: grouped by cause, and listed in pages that end where the next begins.
//!
//! Whatever changes a message, a leg, an entry or a receipt changes its letter in the same transaction. Restricted letters and
//! diverted reports are not among them. Nothing of a content can be asked for, searched or sorted on.

use std::fmt;
use std::future::Future;
use std::str::FromStr;

use jiff::Timestamp;
use uuid::Uuid;

use super::Stored;
use crate::domain::{Code, Login, MessageNumber, Operator, Position, RecipientId, named};

named!(
    /// Whether a dead letter waits for somebody.
    LetterState {
        /// It waits.
        Open = "open",
        /// A person has set it aside.
        Discarded = "discarded",
    }
);

/// Which dead letter of a message: the message as a whole, or one leg, entry or receipt of it. A message can have several.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LetterPart(String);

impl LetterPart {
    /// Takes what a store holds.
    #[must_use]
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The message as a whole.
    #[must_use]
    pub const fn whole() -> Self {
        Self(String::new())
    }

    /// The text that a store writes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A dead letter's place in the order of the lists: by arrival, then by message, then by part. It never changes, so a page ends
/// at one and the next begins after it, whatever comes and goes meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LetterKey {
    /// When the message came.
    pub received_at: Timestamp,
    /// The message.
    pub message: MessageNumber,
    /// Which part of it.
    pub part: LetterPart,
}

impl fmt::Display for LetterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.received_at.as_microsecond(), self.message, self.part.0)
    }
}

impl FromStr for LetterKey {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.splitn(3, '.');
        let (Some(at), Some(message), Some(part)) = (parts.next(), parts.next(), parts.next()) else { return Err(()) };
        let received_at = at.parse().ok().and_then(|micros| Timestamp::from_microsecond(micros).ok()).ok_or(())?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-' | '_');
        if !part.chars().all(is_plain) {
            return Err(());
        }
        let message = MessageNumber(message.parse().map_err(|_| ())?);
        Ok(Self { received_at, message, part: LetterPart(part.to_owned()) })
    }
}

/// Why letters are dead: what a group of them has in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cause {
    /// Who sent them.
    pub login: Login,
    /// Why they went no further.
    pub code: Code,
    /// Their contract, as the sender named it. Anything may stand in a name that no contract has.
    pub contract: String,
    /// Where the first rule was broken, in the contract's names and without the order of list items; empty where there is no
    /// such place.
    pub place: String,
}

/// A dead letter as a list shows it: nothing of its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The message.
    pub message: MessageNumber,
    /// Which part of it.
    pub part: LetterPart,
    /// The recipient whose leg or entry it is; `None` for the message as a whole.
    pub recipient: Option<RecipientId>,
    /// The entry that it is about.
    pub position: Option<Position>,
    /// The sender's id of it.
    pub message_id: Uuid,
    /// The message that it belongs to, as the sender gave it.
    pub correlation: Option<Uuid>,
    /// Why it went no further.
    pub cause: Cause,
    /// The recipient's own code, where it has rejected something.
    pub said: Option<String>,
    /// When it came.
    pub received_at: Timestamp,
    /// Whether it waits.
    pub state: LetterState,
}

impl DeadLetter {
    /// Its place in the order of the lists.
    #[must_use]
    pub fn key(&self) -> LetterKey {
        LetterKey { received_at: self.received_at, message: self.message, part: self.part.clone() }
    }
}

/// The open dead letters of one cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LetterGroup {
    /// What they have in common.
    pub cause: Cause,
    /// How many.
    pub letters: i64,
    /// When the message of the oldest came.
    pub first: Timestamp,
    /// When the message of the newest came.
    pub last: Timestamp,
}

/// Which dead letters are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LetterChoice {
    /// All.
    All,
    /// Those of a sender.
    Sender(Login),
    /// Those of a code.
    Code(Code),
    /// Those of a sender and a code.
    SenderCode(Login, Code),
    /// Those of a cause.
    Cause(Cause),
    /// Those that belong to a message, as the sender gave it; of a sender and of a code, where these are named.
    Correlation(Uuid, Option<Login>, Option<Code>),
}

/// A page of dead letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LetterPage {
    /// Which.
    pub choice: LetterChoice,
    /// Whether they wait, or were set aside.
    pub state: LetterState,
    /// Those that came at this time or later.
    pub from: Option<Timestamp>,
    /// Those that came before this time.
    pub before: Option<Timestamp>,
    /// The newest first, instead of the oldest.
    pub newest_first: bool,
    /// Where the page before ended.
    pub after: Option<LetterKey>,
    /// The most letters.
    pub limit: i64,
}

impl LetterPage {
    /// The first page of the open ones, the oldest first.
    #[must_use]
    pub const fn open(choice: LetterChoice, limit: i64) -> Self {
        Self { choice, state: LetterState::Open, from: None, before: None, newest_first: false, after: None, limit }
    }

    /// The bounds of the page in the order of the keys: after the first and before the second, as the store compares them. No
    /// letter has a number below 1 or a part below nothing.
    pub(super) fn bounds(&self) -> ((i64, i64, &str), (i64, i64, &str)) {
        let at = |time: Option<Timestamp>, open: i64| (time.map_or(open, Timestamp::as_microsecond), 0, "");
        let (mut low, mut high) = (at(self.from, i64::MIN), at(self.before, i64::MAX));
        if let Some(after) = &self.after {
            let key = (after.received_at.as_microsecond(), after.message.0, after.part.as_str());
            if self.newest_first {
                high = high.min(key);
            } else {
                low = low.max(key);
            }
        }
        (low, high)
    }
}

/// A field that an operator sees unmasked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnmaskedField {
    /// Its place, in the contract's names.
    pub place: String,
    /// Until when.
    pub until: Timestamp,
}

/// The dead letters in a transaction.
pub trait DeadLetters: Send {
    /// The open dead letters by cause, the largest group first.
    fn letter_groups(&mut self) -> impl Future<Output = Stored<Vec<LetterGroup>>> + Send;

    /// One page of dead letters, in the order of their keys.
    fn dead_letters(&mut self, page: &LetterPage) -> impl Future<Output = Stored<Vec<DeadLetter>>> + Send;

    /// The fields of a letter that an operator sees unmasked now.
    fn unmasked_fields(
        &mut self,
        operator: &Operator,
        message: MessageNumber,
    ) -> impl Future<Output = Stored<Vec<UnmaskedField>>> + Send;

    /// Lets an operator see a field of a letter unmasked until a time.
    fn keep_unmasked_field(
        &mut self,
        operator: &Operator,
        message: MessageNumber,
        field: &UnmaskedField,
    ) -> impl Future<Output = Stored<()>> + Send;
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{LetterChoice, LetterKey, LetterPage, LetterPart};
    use crate::domain::MessageNumber;

    fn key(part: &str) -> LetterKey {
        LetterKey {
            received_at: Timestamp::from_microsecond(1_773_500_000_000_001).expect("a time"),
            message: MessageNumber(7),
            part: LetterPart::from_stored(part.to_owned()),
        }
    }

    #[test]
    fn a_key_reads_back_as_itself_and_nothing_else_reads() {
        for part in ["", "leg:arbetsformedlingen", "entry:1863.ame:17", "receipt:arbetsformedlingen:5"] {
            let key = key(part);
            assert_eq!(key.to_string().parse(), Ok(key));
        }
        for bad in ["", "1", "1.2", "x.2.", "1.x.", "1.2.a b", "1.2.'"] {
            assert!(bad.parse::<LetterKey>().is_err(), "{bad} was read");
        }
    }

    #[test]
    fn a_page_begins_after_the_one_before_and_never_leaves_its_times() {
        let mut page = LetterPage::open(LetterChoice::All, 10);
        assert_eq!(page.bounds(), ((i64::MIN, 0, ""), (i64::MAX, 0, "")));
        page.after = Some(key("leg:a"));
        assert_eq!(page.bounds(), ((1_773_500_000_000_001, 7, "leg:a"), (i64::MAX, 0, "")));
        page.newest_first = true;
        assert_eq!(page.bounds(), ((i64::MIN, 0, ""), (1_773_500_000_000_001, 7, "leg:a")));
        page.before = Some(Timestamp::UNIX_EPOCH);
        assert_eq!(page.bounds().1, (0, 0, ""), "a key outside the times moves no bound");
    }
}
