//! A process that starts while others work must not take their progress for a restored backup.

use std::sync::Arc;

use brygga::app::restore::check;
use brygga::domain::PersonKey;
use brygga::journey::{Arrival, Journey};
use brygga::seal::{
    Answer, Erasure, Holder, Kept, KeyId, KeyStore, LedgerNote, Marks, Revocation, TakenId, Vault, WrappedKey, WrappingId,
};
use brygga::store::Clock;
use brygga::store::sqlite::SqliteStore;
use jiff::Timestamp;

use crate::harness::{root, scenario, set};

/// A key store that another process moves on whenever its mark is asked for.
struct Busy {
    inner: Vault,
    journey: Journey,
    store: SqliteStore,
    arrival: Arrival,
}

impl KeyStore for Busy {
    fn epoch(&self) -> Answer<'_, Option<(u32, Marks)>> {
        Box::pin(async {
            self.journey.take(&self.store, std::slice::from_ref(&self.arrival)).await?;
            self.inner.store().epoch().await
        })
    }

    fn of_holders<'a>(&'a self, holders: &'a [Holder]) -> Answer<'a, Vec<WrappedKey>> {
        self.inner.store().of_holders(holders)
    }

    fn of_ids<'a>(&'a self, ids: &'a [KeyId]) -> Answer<'a, Vec<WrappedKey>> {
        self.inner.store().of_ids(ids)
    }

    fn keep<'a>(&'a self, keys: &'a [WrappedKey], at: Timestamp) -> Answer<'a, Kept> {
        self.inner.store().keep(keys, at)
    }

    fn wrapping(&self) -> Answer<'_, Option<WrappingId>> {
        self.inner.store().wrapping()
    }

    fn use_wrapping(&self, id: WrappingId, at: Timestamp) -> Answer<'_, ()> {
        self.inner.store().use_wrapping(id, at)
    }

    fn wrapped_by_others(&self, id: WrappingId, limit: i64) -> Answer<'_, Vec<WrappedKey>> {
        self.inner.store().wrapped_by_others(id, limit)
    }

    fn replace<'a>(&'a self, keys: &'a [(WrappingId, WrappedKey)]) -> Answer<'a, ()> {
        self.inner.store().replace(keys)
    }

    fn raise<'a>(&'a self, marks: &'a Marks) -> Answer<'a, ()> {
        self.inner.store().raise(marks)
    }

    fn begin_epoch<'a>(&'a self, epoch: u32, marks: &'a Marks, at: Timestamp) -> Answer<'a, ()> {
        self.inner.store().begin_epoch(epoch, marks, at)
    }

    fn note<'a>(&'a self, notes: &'a [LedgerNote]) -> Answer<'a, ()> {
        self.inner.store().note(notes)
    }

    fn revocations(&self) -> Answer<'_, Vec<Revocation>> {
        self.inner.store().revocations()
    }

    fn flags(&self) -> Answer<'_, Vec<PersonKey>> {
        self.inner.store().flags()
    }

    fn destroy<'a>(&'a self, holders: &'a [Holder]) -> Answer<'a, usize> {
        self.inner.store().destroy(holders)
    }

    fn erasures(&self) -> Answer<'_, Vec<Erasure>> {
        self.inner.store().erasures()
    }

    fn taken_ids(&self) -> Answer<'_, Vec<TakenId>> {
        self.inner.store().taken_ids()
    }

    fn give_back(&self) -> Answer<'_, ()> {
        self.inner.store().give_back()
    }
}

#[tokio::test]
async fn a_process_that_starts_while_others_work_does_not_take_it_for_a_restore() {
    let (demo, _) = scenario(&root().join("fixtures/demo"));
    let store = SqliteStore::in_memory(Clock::at(demo.instant)).await.expect("a store");
    let inner = Vault::ephemeral().expect("random numbers");
    let keys = Arc::new(brygga::seal::ServiceKeys::derive(&[7; 32]));
    let journey = Journey::new(set(), keys, inner.clone());
    check(&store, &inner).await.expect("a new content");
    let arrivals: Vec<Arrival> = demo.messages.iter().take(2).map(|message| message.arrival(demo.instant)).collect();
    journey.take(&store, &arrivals[..1]).await.expect("taken");
    let busy = Busy { inner: inner.clone(), journey, store: store.clone(), arrival: arrivals[1].clone() };
    check(&store, &Vault::new(Arc::new(busy), inner.wrapping().clone())).await.expect("nothing has come back");
}
