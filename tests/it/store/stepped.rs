//! A store that stops before a named transaction until it is let go: the step between what a process has seen and what it
//! does about it.

use std::sync::Arc;
use std::time::Duration;

use brygga::domain::{Position, RecipientId};
use brygga::store::{Store, Stored};
use jiff::Timestamp;
use tokio::sync::{Semaphore, watch};

/// How long somebody is waited for who has to come.
const PATIENCE: Duration = Duration::from_secs(40);

/// A process that stops before each transaction of one name.
#[derive(Clone)]
pub(super) struct Stepped<S> {
    store: S,
    before: &'static str,
    /// How many stand before it, or have gone on.
    come: Arc<watch::Sender<usize>>,
    may_go: Arc<Semaphore>,
}

impl<S: Store> Stepped<S> {
    pub(super) fn new(store: S, before: &'static str) -> Self {
        Self { store, before, come: Arc::new(watch::Sender::new(0)), may_go: Arc::new(Semaphore::new(0)) }
    }

    /// Waits until so many have come to the step.
    pub(super) async fn wait_for(&self, come: usize) {
        let mut seen = self.come.subscribe();
        let reached = tokio::time::timeout(PATIENCE, seen.wait_for(|now| *now >= come)).await;
        reached.expect("somebody comes to the step").expect("the store is there");
    }

    /// Lets everybody go on, now and from now on.
    pub(super) fn let_go(&self) {
        self.may_go.add_permits(10_000);
    }
}

impl<S: Store> Store for Stepped<S> {
    type Tx = S::Tx;

    async fn begin(&self, name: &'static str) -> Stored<S::Tx> {
        if name == self.before {
            self.come.send_modify(|come| *come += 1);
            self.may_go.acquire().await.expect("it is never closed").forget();
        }
        self.store.begin(name).await
    }

    async fn epoch(&self) -> Stored<u32> {
        self.store.epoch().await
    }

    async fn has_after(&self, recipient: &RecipientId, position: Position) -> Stored<bool> {
        self.store.has_after(recipient, position).await
    }

    async fn has_work(&self) -> Stored<bool> {
        self.store.has_work().await
    }

    async fn has_unconfirmed(&self, recipient: &RecipientId) -> Stored<bool> {
        self.store.has_unconfirmed(recipient).await
    }

    async fn take_lease(&self, recipient: &RecipientId, owner: &str, lasts: Duration) -> Stored<bool> {
        self.store.take_lease(recipient, owner, lasts).await
    }

    async fn ping(&self) -> Stored<()> {
        self.store.ping().await
    }

    async fn give_back(&self) -> Stored<()> {
        self.store.give_back().await
    }

    fn now(&self) -> Timestamp {
        self.store.now()
    }

    fn connections(&self) -> u64 {
        self.store.connections()
    }
}
