//! What must change in one recipient's feed so that it says what one report comes to now. Pure: entries in, acts out.
//!
//! Decisions are a function of what is recorded and of the clock, never of the order in which it came; this is where that
//! becomes acts. A subject needs a `DELETE` when its recipient may hold a document of it: one was served, whatever newer
//! entries were replaced or withdrawn unseen, and no `DELETE` stands. That a `DELETE` was served and then replaced by a document
//! does not count: a recipient has more than one reader, and one that reads on from further back never sees it.

use std::collections::BTreeSet;

use crate::domain::{Position, Subject};
use crate::feed::Method;
use crate::store::{EntryRow, EntryState};

/// What the report comes to in this feed.
#[derive(Debug)]
pub(super) enum Desired<'a> {
    /// These documents, by subject and fingerprint of their content.
    Documents(&'a [(Subject, Vec<u8>)]),
    /// None, and what was served is taken back.
    Retract,
    /// Nothing of these subjects, and what was served of them is taken back; the others are left as they are.
    RetractOf(&'a [Subject]),
    /// None any more, because a date has passed: what was served stays served, unless something newer was to replace it.
    Lapse,
}

/// One act on a feed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Publish the document with this index.
    Publish(usize),
    /// The entry already says the same; it belongs to the present revision from now on.
    Keep(Position),
    /// Nobody has fetched the entry: it never appears.
    Withdraw(Position, Subject),
    /// A date has ended what was shown in time: nobody else is shown it, and who has it keeps it.
    Lapse(Position, Subject),
    /// The recipient holds the document: say that nobody stands behind it any more. The position is the entry taken back.
    Delete(Position, Subject),
}

/// The acts that turn the entries of one report in one feed into what is desired.
#[must_use]
pub(super) fn reconcile(entries: &[EntryRow], desired: &Desired<'_>) -> Vec<Act> {
    let wanted = match desired {
        Desired::Documents(documents) => *documents,
        Desired::Retract | Desired::RetractOf(_) | Desired::Lapse => &[],
    };
    let mut acts = Vec::new();
    for (index, (subject, fingerprint)) in wanted.iter().enumerate() {
        let live = live(entries, subject).filter(|entry| entry.method == Method::Put && entry.fingerprint == *fingerprint);
        if live.is_none() && has_expired(entries, subject, fingerprint) {
            continue;
        }
        acts.push(live.map_or(Act::Publish(index), |entry| Act::Keep(entry.position)));
    }
    let subjects: BTreeSet<Subject> = entries.iter().map(|entry| entry.subject).collect();
    for subject in subjects {
        if wanted.iter().any(|(wanted, _)| *wanted == subject) {
            continue;
        }
        if matches!(desired, Desired::RetractOf(subjects) if !subjects.contains(&subject)) {
            continue;
        }
        let live = live(entries, &subject);
        let unserved = live.filter(|entry| entry.method == Method::Put && !entry.served);
        let deleted = live.is_some_and(|entry| entry.method == Method::Delete);
        let held = recipient_holds(entries, &subject);
        match (desired, held) {
            (_, Some(_)) if deleted => {}
            // What was published once more with the same content is nothing newer: whoever has the one has the other.
            (Desired::Lapse, Some(served)) if is_newest(entries, served) => {
                acts.extend(live.filter(|entry| entry.served).map(|entry| Act::Lapse(entry.position, subject)));
                acts.extend(unserved.map(|entry| Act::Withdraw(entry.position, subject)));
            }
            (_, Some(served)) => acts.push(Act::Delete(served.position, subject)),
            (_, None) => acts.extend(unserved.map(|entry| Act::Withdraw(entry.position, subject))),
        }
    }
    acts
}

/// The document that a subject's recipient holds while its `DELETE` stands unfetched in the feed, and that `DELETE`: a newer
/// document takes the place of both.
pub(super) fn unfetched_delete(entries: &[EntryRow], subject: &Subject) -> Option<(Position, Position)> {
    let delete = live(entries, subject).filter(|entry| entry.method == Method::Delete && !entry.served)?;
    recipient_holds(entries, subject).map(|held| (held.position, delete.position))
}

/// The live document of a subject that nobody has fetched.
pub(super) fn unseen(entries: &[EntryRow], subject: &Subject) -> Option<Position> {
    live(entries, subject).filter(|entry| entry.method == Method::Put && !entry.served).map(|entry| entry.position)
}

fn live<'a>(entries: &'a [EntryRow], subject: &Subject) -> Option<&'a EntryRow> {
    entries.iter().find(|entry| entry.state == EntryState::Live && entry.subject == *subject)
}

/// Whether the newest entry of a subject says just this, and may be kept no longer: it is not published a second time.
fn has_expired(entries: &[EntryRow], subject: &Subject, fingerprint: &[u8]) -> bool {
    let newest = entries.iter().filter(|entry| entry.subject == *subject).max_by_key(|entry| entry.position);
    newest.is_some_and(|entry| entry.state == EntryState::Expired && entry.fingerprint == fingerprint)
}

/// Whether an entry is a document that a date leaves with its recipient: the newest of its subject, of a content that was
/// served, and not deleted.
pub(super) fn stays(entries: &[EntryRow], entry: &EntryRow) -> bool {
    let of_subject = entries.iter().filter(|other| other.subject == entry.subject);
    let is_last = of_subject.map(|other| other.position).max() == Some(entry.position);
    is_last && recipient_holds(entries, &entry.subject).is_some_and(|served| is_newest(entries, served))
}

/// Whether nothing but the same content followed a served document.
fn is_newest(entries: &[EntryRow], served: &EntryRow) -> bool {
    let later = entries.iter().filter(|entry| entry.subject == served.subject && entry.position > served.position);
    later.fold(true, |same, entry| same && entry.method == Method::Put && entry.fingerprint == served.fingerprint)
}

/// The last served document of a subject.
fn recipient_holds<'a>(entries: &'a [EntryRow], subject: &Subject) -> Option<&'a EntryRow> {
    let documents = entries.iter().filter(|entry| entry.subject == *subject && entry.served && entry.method == Method::Put);
    documents.max_by_key(|entry| entry.position)
}

#[cfg(test)]
mod tests {
    use super::{Act, Desired, reconcile, stays, unfetched_delete, unseen};
    use crate::domain::{MessageNumber, Position, Subject};
    use crate::feed::Method;
    use crate::store::{EntryRow, EntryState};

    fn subject() -> Subject {
        Subject::from_slice(&[1; 16]).expect("16 bytes")
    }

    fn entry(position: i64, method: Method, state: EntryState, served: bool) -> EntryRow {
        let fingerprint = vec![u8::try_from(position).unwrap_or(0)];
        EntryRow {
            position: Position(position),
            subject: subject(),
            method,
            state,
            served,
            message: MessageNumber(1),
            fingerprint,
        }
    }

    #[test]
    fn what_nobody_fetched_is_withdrawn_and_what_somebody_did_gets_a_delete() {
        let unserved = [entry(1, Method::Put, EntryState::Live, false)];
        assert_eq!(reconcile(&unserved, &Desired::Retract), [Act::Withdraw(Position(1), subject())]);
        let served = [entry(1, Method::Put, EntryState::Live, true)];
        assert_eq!(reconcile(&served, &Desired::Retract), [Act::Delete(Position(1), subject())]);
        assert_eq!(reconcile(&served, &Desired::Lapse), [Act::Lapse(Position(1), subject())]);
    }

    #[test]
    fn a_served_version_behind_an_unseen_newer_one_still_gets_its_delete() {
        let entries = [entry(1, Method::Put, EntryState::Replaced, true), entry(2, Method::Put, EntryState::Live, false)];
        assert_eq!(reconcile(&entries, &Desired::Retract), [Act::Delete(Position(1), subject())]);
    }

    #[test]
    fn a_delete_that_was_served_and_then_replaced_is_said_again() {
        let entries = [
            entry(1, Method::Put, EntryState::Replaced, true),
            entry(2, Method::Delete, EntryState::Replaced, true),
            entry(3, Method::Put, EntryState::Live, false),
        ];
        assert_eq!(reconcile(&entries, &Desired::Retract), [Act::Delete(Position(1), subject())]);
    }

    #[test]
    fn the_same_content_once_more_leaves_a_date_nothing_to_take_back() {
        let served = entry(1, Method::Put, EntryState::Withdrawn, true);
        let again = EntryRow { fingerprint: served.fingerprint.clone(), ..entry(2, Method::Put, EntryState::Live, false) };
        let entries = [served, again.clone()];
        assert_eq!(reconcile(&entries, &Desired::Lapse), [Act::Withdraw(Position(2), subject())]);
        assert!(stays(&entries, &again));
    }

    #[test]
    fn a_date_takes_back_only_what_something_newer_was_to_replace() {
        let served = entry(1, Method::Put, EntryState::Live, true);
        assert_eq!(reconcile(std::slice::from_ref(&served), &Desired::Lapse), [Act::Lapse(Position(1), subject())]);
        let lapsed = [EntryRow { state: EntryState::Withdrawn, ..served.clone() }];
        assert_eq!(reconcile(&lapsed, &Desired::Lapse), []);
        assert!(stays(std::slice::from_ref(&served), &served));
        for state in [EntryState::Live, EntryState::Withdrawn] {
            let old = entry(1, Method::Put, EntryState::Replaced, true);
            let entries = [old.clone(), entry(2, Method::Put, state, false)];
            assert_eq!(reconcile(&entries, &Desired::Lapse), [Act::Delete(Position(1), subject())]);
            assert!(!stays(&entries, &old));
        }
    }

    #[test]
    fn a_delete_is_published_once_and_a_new_document_can_follow_it() {
        let deleted = [entry(1, Method::Put, EntryState::Replaced, true), entry(2, Method::Delete, EntryState::Live, false)];
        assert_eq!(reconcile(&deleted, &Desired::Retract), []);
        let again = [(subject(), vec![9])];
        assert_eq!(reconcile(&deleted, &Desired::Documents(&again)), [Act::Publish(0)]);
    }

    #[test]
    fn what_may_be_kept_no_longer_is_not_published_again_and_can_still_be_taken_back() {
        let expired = [entry(1, Method::Put, EntryState::Expired, true)];
        assert_eq!(reconcile(&expired, &Desired::Documents(&[(subject(), vec![1])])), []);
        assert_eq!(reconcile(&expired, &Desired::Documents(&[(subject(), vec![9])])), [Act::Publish(0)]);
        assert_eq!(reconcile(&expired, &Desired::Retract), [Act::Delete(Position(1), subject())]);
        assert_eq!(reconcile(&[entry(1, Method::Put, EntryState::Expired, false)], &Desired::Retract), []);
    }

    #[test]
    fn a_delete_that_nobody_fetched_belongs_to_what_its_recipient_holds() {
        let old = entry(1, Method::Put, EntryState::Replaced, true);
        let entries = [old.clone(), entry(2, Method::Delete, EntryState::Live, false)];
        assert_eq!(unfetched_delete(&entries, &subject()), Some((Position(1), Position(2))));
        let fetched = [old.clone(), entry(2, Method::Delete, EntryState::Live, true)];
        assert_eq!(unfetched_delete(&fetched, &subject()), None);
        let newer = [old, entry(2, Method::Put, EntryState::Live, false)];
        assert_eq!((unfetched_delete(&newer, &subject()), unseen(&newer, &subject())), (None, Some(Position(2))));
    }

    #[test]
    fn the_same_content_is_not_published_again() {
        let live = [entry(1, Method::Put, EntryState::Live, true)];
        assert_eq!(reconcile(&live, &Desired::Documents(&[(subject(), vec![1])])), [Act::Keep(Position(1))]);
    }
}
