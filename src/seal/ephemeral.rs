//! A key store in memory, for dry runs: its keys are gone when it is dropped, and so is all that they sealed.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use jiff::Timestamp;

use super::{Answer, Erasure, Holder, Kept, KeyId, KeyStore, LedgerNote, Marks, Revocation, TakenId, WrappedKey, WrappingId};
use crate::domain::PersonKey;
use crate::store::Stored;

#[derive(Debug, Default)]
struct Kepts {
    keys: BTreeMap<Holder, WrappedKey>,
    wrapping: Option<WrappingId>,
    epoch: Option<(u32, Marks)>,
    revocations: Vec<Revocation>,
    flags: BTreeMap<PersonKey, Timestamp>,
    erasures: Vec<Erasure>,
    taken: Vec<TakenId>,
}

/// Keys that live as long as the process.
#[derive(Debug, Default)]
pub struct EphemeralKeys(Mutex<Kepts>);

impl EphemeralKeys {
    fn kept(&self) -> MutexGuard<'_, Kepts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ready<'a, T: Send + 'a>(value: T) -> Answer<'a, T> {
    let answer: Stored<T> = Ok(value);
    std::future::ready(answer).boxed()
}

impl KeyStore for EphemeralKeys {
    fn of_holders<'a>(&'a self, holders: &'a [Holder]) -> Answer<'a, Vec<WrappedKey>> {
        let kept = self.kept();
        ready(holders.iter().filter_map(|holder| kept.keys.get(holder).cloned()).collect())
    }

    fn of_ids<'a>(&'a self, ids: &'a [KeyId]) -> Answer<'a, Vec<WrappedKey>> {
        ready(self.kept().keys.values().filter(|key| ids.contains(&key.id)).cloned().collect())
    }

    fn keep<'a>(&'a self, keys: &'a [WrappedKey], _: Timestamp) -> Answer<'a, Kept> {
        let mut kept = self.kept();
        let mut new = Vec::new();
        for key in keys {
            let in_use = *kept.wrapping.get_or_insert(key.wrapping);
            if in_use != key.wrapping {
                return ready(Kept::Outdated(in_use));
            }
            if let Entry::Vacant(place) = kept.keys.entry(key.holder) {
                place.insert(key.clone());
                new.push(key.id);
            }
        }
        ready(Kept::New(new))
    }

    fn wrapping(&self) -> Answer<'_, Option<WrappingId>> {
        ready(self.kept().wrapping)
    }

    fn use_wrapping(&self, id: WrappingId, _: Timestamp) -> Answer<'_, ()> {
        self.kept().wrapping = Some(id);
        ready(())
    }

    fn wrapped_by_others(&self, id: WrappingId, limit: i64) -> Answer<'_, Vec<WrappedKey>> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        ready(self.kept().keys.values().filter(|key| key.wrapping != id).take(limit).cloned().collect())
    }

    fn replace<'a>(&'a self, keys: &'a [(WrappingId, WrappedKey)]) -> Answer<'a, ()> {
        let mut kept = self.kept();
        for (before, key) in keys {
            let known = kept.keys.get_mut(&key.holder);
            if let Some(known) = known.filter(|known| known.id == key.id && known.wrapping == *before) {
                *known = key.clone();
            }
        }
        ready(())
    }

    fn destroy<'a>(&'a self, holders: &'a [Holder]) -> Answer<'a, usize> {
        let mut kept = self.kept();
        ready(holders.iter().filter(|holder| kept.keys.remove(holder).is_some()).count())
    }

    fn epoch(&self) -> Answer<'_, Option<(u32, Marks)>> {
        ready(self.kept().epoch.clone())
    }

    fn raise<'a>(&'a self, marks: &'a Marks) -> Answer<'a, ()> {
        self.kept().epoch.get_or_insert_with(|| (1, Marks::default())).1.raise(marks);
        ready(())
    }

    fn begin_epoch<'a>(&'a self, epoch: u32, marks: &'a Marks, _: Timestamp) -> Answer<'a, ()> {
        self.kept().epoch = Some((epoch, marks.clone()));
        ready(())
    }

    fn note<'a>(&'a self, notes: &'a [LedgerNote]) -> Answer<'a, ()> {
        let mut kept = self.kept();
        for note in notes {
            match note {
                LedgerNote::Revocation(revocation) if kept.revocations.contains(revocation) => {}
                LedgerNote::Revocation(revocation) => kept.revocations.push(*revocation),
                LedgerNote::Flag(person, at) => {
                    let known = kept.flags.entry(*person).or_insert(*at);
                    *known = (*known).max(*at);
                }
                LedgerNote::Erasure(erasure) if kept.erasures.contains(erasure) => {}
                LedgerNote::Erasure(erasure) => kept.erasures.push(erasure.clone()),
                LedgerNote::Taken(id) => {
                    let known = kept.taken.iter().any(|one| (&one.login, one.message_id) == (&id.login, id.message_id));
                    if !known {
                        kept.taken.push(id.clone());
                    }
                }
                LedgerNote::Lift(person, at) => kept.flags.retain(|known, set_at| known != person || *set_at > *at),
            }
        }
        ready(())
    }

    fn revocations(&self) -> Answer<'_, Vec<Revocation>> {
        ready(self.kept().revocations.clone())
    }

    fn flags(&self) -> Answer<'_, Vec<PersonKey>> {
        ready(self.kept().flags.keys().copied().collect())
    }

    fn erasures(&self) -> Answer<'_, Vec<Erasure>> {
        ready(self.kept().erasures.clone())
    }

    fn taken_ids(&self) -> Answer<'_, Vec<TakenId>> {
        ready(self.kept().taken.clone())
    }

    fn give_back(&self) -> Answer<'_, ()> {
        ready(())
    }
}
