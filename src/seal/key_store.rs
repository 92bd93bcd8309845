//! The key store's port: wrapped data keys, the restore mark, and the ledgers that outlive a restored backup.
//!
//! It is a database or file of its own and never part of a backup of the content. All in it are wrapped keys, keyed digests,
//! ids, counters and times. What a call has changed is durable when it returns. Its faults are the store's
//! ([`StoreError::Away`](crate::store::StoreError::Away) says to wait).

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use jiff::Timestamp;

use super::{Erasure, Holder, KeyId, TakenId, WrappedKey, WrappingId};
use crate::domain::{Categories, Category, PersonKey, RecipientId, ReportKey};
use crate::store::Stored;

/// What a key store answers with.
pub type Answer<'a, T> = BoxFuture<'a, Stored<T>>;

/// What became of keys that were to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// These were kept; holders that are not among them have got a key from somebody else meanwhile.
    New(Vec<KeyId>),
    /// None was kept: another wrapping key is in use.
    Outdated(WrappingId),
}

/// How far one recipient's feed has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FeedMark {
    /// The highest position: of the content, that was published; of the mark, that was shown.
    pub head: i64,
    /// How many pages and hand-overs were committed to be shown, and batches of receipts to be answered.
    pub pages: i64,
}

/// How far the content has come: what it must not fall behind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Marks {
    /// The highest number of a message.
    pub messages: i64,
    /// Each recipient's feed.
    pub feeds: BTreeMap<RecipientId, FeedMark>,
}

impl Marks {
    /// Whether nothing has moved.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.messages == 0 && self.feeds.is_empty()
    }

    /// Takes over what is higher.
    pub fn raise(&mut self, other: &Self) {
        self.messages = self.messages.max(other.messages);
        for (recipient, feed) in &other.feeds {
            self.raise_feed(recipient, *feed);
        }
    }

    /// Takes over what is higher of one feed.
    pub fn raise_feed(&mut self, recipient: &RecipientId, feed: FeedMark) {
        let known = self.feeds.entry(recipient.clone()).or_default();
        known.head = known.head.max(feed.head);
        known.pages = known.pages.max(feed.pages);
    }

    /// What of this is behind the other's, in words with counters alone.
    #[must_use]
    pub fn behind(&self, mark: &Self) -> Vec<String> {
        let mut behind = Vec::new();
        let mut compare = |what: String, here: i64, there: i64| {
            if here < there {
                behind.push(format!("{what}: {here} of {there}"));
            }
        };
        compare("messages".to_owned(), self.messages, mark.messages);
        for (recipient, feed) in &mark.feeds {
            let here = self.feeds.get(recipient).copied().unwrap_or_default();
            compare(format!("positions of {recipient}"), here.head, feed.head);
            compare(format!("pages of {recipient}"), here.pages, feed.pages);
        }
        behind
    }
}

/// A revocation in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revocation {
    /// The consent.
    pub consent: ReportKey,
    /// The participant.
    pub person: PersonKey,
    /// When it was revoked.
    pub revoked_at: Timestamp,
    /// The categories that it ends; all where none is named.
    pub categories: Option<Categories>,
}

/// Categories as stores keep them, parted by spaces; empty where none is named.
#[must_use]
pub fn categories_text(categories: Option<Categories>) -> String {
    categories.map_or_else(String::new, |set| set.iter().map(Category::as_str).collect::<Vec<_>>().join(" "))
}

/// Reads [`categories_text`]. A name that is not known ends everything, as one that is not named: never less.
#[must_use]
pub fn categories(text: &str) -> Option<Categories> {
    if text.is_empty() { None } else { text.split(' ').map(|name| name.parse::<Category>().ok()).collect() }
}

/// What is written into a ledger: before the content commits, but for what takes protection away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LedgerNote {
    /// A consent was revoked.
    Revocation(Revocation),
    /// A protection flag was set, at this time.
    Flag(PersonKey, Timestamp),
    /// All contents of a class that a holder had until then were erased.
    Erasure(Erasure),
    /// The id of an erased message.
    Taken(TakenId),
    /// A protection flag was lifted at this time, and the content has committed it: a restore does not set again what was set
    /// until then.
    Lift(PersonKey, Timestamp),
}

/// A key store.
pub trait KeyStore: Send + Sync + 'static {
    /// The keys of holders, those that there are.
    fn of_holders<'a>(&'a self, holders: &'a [Holder]) -> Answer<'a, Vec<WrappedKey>>;

    /// The keys with these ids, those that there are.
    fn of_ids<'a>(&'a self, ids: &'a [KeyId]) -> Answer<'a, Vec<WrappedKey>>;

    /// Keeps new keys, all under one wrapping key, for holders that have none. Refuses all where that wrapping key is not
    /// the one in use; where none is in use yet, it becomes so.
    fn keep<'a>(&'a self, keys: &'a [WrappedKey], at: Timestamp) -> Answer<'a, Kept>;

    /// The wrapping key in use.
    fn wrapping(&self) -> Answer<'_, Option<WrappingId>>;

    /// Makes a wrapping key the one in use. From here on no key is kept under another.
    fn use_wrapping(&self, id: WrappingId, at: Timestamp) -> Answer<'_, ()>;

    /// Up to a number of keys that are wrapped by another than this one.
    fn wrapped_by_others(&self, id: WrappingId, limit: i64) -> Answer<'_, Vec<WrappedKey>>;

    /// Puts keys, wrapped anew, in the place of the same keys, each where it is still wrapped by the wrapping key beside it.
    fn replace<'a>(&'a self, keys: &'a [(WrappingId, WrappedKey)]) -> Answer<'a, ()>;

    /// Destroys the keys of holders, and with them all that they sealed; says how many there were.
    fn destroy<'a>(&'a self, holders: &'a [Holder]) -> Answer<'a, usize>;

    /// The epoch that is current, with its marks; `None` before the first.
    fn epoch(&self) -> Answer<'_, Option<(u32, Marks)>>;

    /// Moves the marks of the current epoch forward, never back.
    fn raise<'a>(&'a self, marks: &'a Marks) -> Answer<'a, ()>;

    /// Begins an epoch with its first marks.
    fn begin_epoch<'a>(&'a self, epoch: u32, marks: &'a Marks, at: Timestamp) -> Answer<'a, ()>;

    /// Writes into the ledgers; what stands there stays, but for a flag that is lifted.
    fn note<'a>(&'a self, notes: &'a [LedgerNote]) -> Answer<'a, ()>;

    /// All revocations.
    fn revocations(&self) -> Answer<'_, Vec<Revocation>>;

    /// All persons whose protection flag was set.
    fn flags(&self) -> Answer<'_, Vec<PersonKey>>;

    /// All erasures.
    fn erasures(&self) -> Answer<'_, Vec<Erasure>>;

    /// The ids of all erased messages.
    fn taken_ids(&self) -> Answer<'_, Vec<TakenId>>;

    /// Gives what was deleted back to the file system, as far as the store leaves it anywhere.
    fn give_back(&self) -> Answer<'_, ()>;
}

#[cfg(test)]
mod tests {
    use super::{categories, categories_text};
    use crate::domain::{Categories, Category};

    #[test]
    fn categories_read_back_as_themselves_and_what_is_unknown_ends_everything() {
        let some = Categories::NONE.with(Category::AbsenceReason).with(Category::FreeText);
        for set in [None, Some(some)] {
            assert_eq!(categories(&categories_text(set)), set);
        }
        assert_eq!(categories("absence-reason a-word-of-tomorrow"), None);
    }
}
