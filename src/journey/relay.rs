//! Relaying: the entries of a pushed feed go to their recipient in the order of their positions, one process at a time.
//!
//! An entry is handed over (it counts as served, and its gate is asked), then sent, then confirmed. What was handed over and
//! never confirmed is sent again with the same id, its gate asked again; where the gate has closed meanwhile its `DELETE`
//! goes instead. A lease keeps other processes away. It runs out when its holder dies, and nothing is sent in the second
//! half of it, so two processes do not send at once.

use std::time::{Duration, Instant};

use jiff::SignedDuration;

use super::courier::{Courier, Delivery, Parcel};
use super::serve::Served;
use super::{Journey, KeyedTx};
use crate::domain::{Position, RecipientId};
use crate::faults;
use crate::feed::Method;
use crate::store::{FeedEntry, Store, StoreError, Stored, Tx};
use crate::telemetry::{EntryDelivered, Event as _};
use uuid::Uuid;

/// How long a lease runs. A courier's attempt takes less than half of it.
const LEASE: Duration = Duration::from_mins(1);

/// Entries in one turn; between turns a relay can be stopped.
const TURN: usize = 100;

/// Why a relay waits.
#[derive(Debug, thiserror::Error)]
pub enum RelayFault {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The recipient cannot be reached, or does not take the entry now. Why, in words without values.
    #[error("{0}")]
    Recipient(String),
}

/// What there was to hand over.
enum Next {
    /// Nothing.
    Nothing,
    /// An entry, and the message that it was made of or answers.
    Entry(Box<Served>, Option<Uuid>),
}

impl Journey {
    /// Relays what waits in one pushed feed, up to a bounded number of entries; says whether there was anything. `owner` is
    /// the process that would hold the lease.
    ///
    /// # Errors
    /// [`RelayFault`]: the entry stays first in its feed and is tried again.
    pub async fn relay<S: Store, C: Courier>(
        &self,
        store: &S,
        courier: &C,
        recipient: &RecipientId,
        owner: &str,
    ) -> Result<bool, RelayFault> {
        if !store.has_unconfirmed(recipient).await? {
            return Ok(false);
        }
        let epoch = store.epoch().await?;
        let mut arrived = None;
        for _ in 0..TURN {
            let begun = Instant::now();
            let lease = SignedDuration::try_from(LEASE).unwrap_or(SignedDuration::ZERO);
            let until = store.now().saturating_add(lease).unwrap_or_else(|_| store.now());
            if !store.take_lease(recipient, owner, until).await? {
                self.confirm_arrived(store, recipient, arrived).await?;
                return Ok(false);
            }
            let (served, message_id) = match self.next(store, recipient, arrived.take()).await? {
                Next::Nothing => return Ok(true),
                Next::Entry(served, message_id) => (served, message_id),
            };
            if begun.elapsed() > LEASE / 2 {
                // Another process may hold the lease by now; the entry is handed over again.
                continue;
            }
            let position = served.position;
            let parcel = self.parcel(recipient, *served, epoch, message_id);
            match courier.deliver(&parcel).await {
                Delivery::Arrived => {
                    EntryDelivered { recipient: recipient.as_str(), position: position.0 }.emit();
                    arrived = Some(position);
                }
                Delivery::Later(why) => return Err(RelayFault::Recipient(why)),
                Delivery::Refused(code) => return Err(RelayFault::Recipient(code.words().to_owned())),
            }
            faults::point!("sent-before-confirming");
        }
        self.confirm_arrived(store, recipient, arrived).await?;
        Ok(true)
    }

    async fn confirm_arrived<S: Store>(&self, store: &S, recipient: &RecipientId, arrived: Option<Position>) -> Stored<()> {
        let Some(position) = arrived else { return Ok(()) };
        let mut tx = self.begin(store, "relay-confirm").await?;
        tx.confirm(recipient, position).await?;
        tx.commit().await
    }

    /// Confirms what has arrived and hands over what is next, in one transaction.
    async fn next<S: Store>(&self, store: &S, recipient: &RecipientId, mut arrived: Option<Position>) -> Stored<Next> {
        loop {
            let mut tx = self.begin(store, "relay").await?;
            tx.lock_deliveries(std::slice::from_ref(recipient)).await?;
            if let Some(position) = arrived.take() {
                tx.confirm(recipient, position).await?;
            }
            let mut entries = tx.unconfirmed(recipient, 1).await?;
            let Some(entry) = entries.pop() else {
                tx.commit().await?;
                return Ok(Next::Nothing);
            };
            let shuts = Shuts::of(&entry);
            let message = tx.message(entry.message).await?;
            let good = self.serve(&mut tx, recipient, vec![entry]).await?;
            if good.is_empty() {
                shuts.after_handing_over(&mut tx, recipient).await?;
            }
            faults::point!("handing-over-before-commit");
            tx.commit().await?;
            faults::point!("handed-over-before-sending");
            if let Some(served) = good.into_iter().next() {
                return Ok(Next::Entry(Box::new(served), message.map(|stored| stored.message.envelope.message_id)));
            }
        }
    }

    /// An entry as its courier carries it.
    fn parcel(&self, recipient: &RecipientId, served: Served, epoch: u32, message_id: Option<Uuid>) -> Parcel {
        let event_id = served.event(self.keys(), recipient, epoch).id;
        Parcel {
            recipient: recipient.clone(),
            event_id,
            subject: served.subject,
            contract: served.contract,
            method: served.method,
            syntax: served.syntax,
            illustrative: served.illustrative,
            correlation_id: message_id,
            document: served.document,
        }
    }
}

/// An entry whose gate may turn out to have shut.
struct Shuts {
    was_handed_over: bool,
    message: crate::domain::MessageNumber,
    subject: crate::domain::Subject,
}

impl Shuts {
    fn of(entry: &FeedEntry) -> Self {
        let was_handed_over = entry.served && entry.method == Method::Put && entry.report.is_some();
        Self { was_handed_over, message: entry.message, subject: entry.subject }
    }

    /// Its gate has shut by a date after it was handed over, and nobody knows whether it arrived: its `DELETE` goes instead.
    async fn after_handing_over<T: Tx>(self, tx: &mut KeyedTx<T>, recipient: &RecipientId) -> Stored<()> {
        if !self.was_handed_over {
            return Ok(());
        }
        match tx.message(self.message).await? {
            Some(stored) => tx.publish_delete(recipient, &self.subject, &stored).await,
            None => Ok(()),
        }
    }
}
