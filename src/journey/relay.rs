//! Relaying: the entries of a pushed feed go to their recipient in the order of their positions, one process at a time.
//!
//! An entry is handed over (it counts as served, and its gate is asked), then sent, then confirmed. What was handed over and
//! never confirmed is sent again with the same id, its gate asked again; where the gate has closed meanwhile its `DELETE`
//! goes instead. What its recipient does not take becomes a dead letter, and the feed goes on. A lease keeps other processes
//! away. It runs out when its holder dies, and nothing is sent in the second half of it, so two processes do not send at once.

use std::time::{Duration, Instant};

use super::courier::{Courier, Delivery, Parcel};
use super::serve::Served;
use super::{Attempts, Journey, KeyedTx};
use crate::domain::{Code, MessageNumber, Position, RecipientId, Subject};
use crate::faults;
use crate::feed::Method;
use crate::store::{AuditAct, AuditRow, FeedEntry, Feeds as _, Store, StoreError, Stored, Tx, WithdrawalRow, WithdrawalStep};
use crate::telemetry::{EntryDelivered, EntryRefused, Event as _};
use uuid::Uuid;

/// How long a lease runs. A courier's attempt takes less than half of it ([`super::ATTEMPT`]). In the build of the fault runs it
/// is short, since each of their deaths would be waited for.
const LEASE: Duration = Duration::from_secs(if cfg!(feature = "faults") { 6 } else { 60 });

/// Entries in one turn; between turns a relay can be stopped.
const TURN: usize = 100;

/// Why a relay waits.
#[derive(Debug, thiserror::Error)]
pub enum RelayFault {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The recipient cannot be reached, or does not take the entry now.
    #[error("{why}")]
    Recipient {
        /// Why, in words without values.
        why: String,
        /// How long the recipient asks to be left alone, where it does.
        after: Option<Duration>,
    },
}

impl RelayFault {
    /// How long the relay has to wait at least.
    #[must_use]
    pub fn at_least(&self) -> Duration {
        match self {
            Self::Recipient { after: Some(after), .. } => *after,
            Self::Recipient { .. } | Self::Store(_) => Duration::ZERO,
        }
    }
}

/// What there was to hand over.
enum Next {
    /// Nothing.
    Nothing,
    /// An entry, and the message that it was made of or answers.
    Entry(Box<Served>, MessageNumber, Option<Uuid>),
}

/// What became of an entry, to be recorded.
#[derive(Clone)]
enum Settled {
    /// It has arrived, document or `DELETE`.
    Arrived(Position, Method),
    /// Its recipient does not take it; what it said.
    Refused(Position, MessageNumber, String),
}

impl Journey {
    /// Relays what waits in one pushed feed, up to a bounded number of entries; says whether there was anything. `owner` is
    /// the process that would hold the lease.
    ///
    /// # Errors
    /// [`RelayFault`]: the entry stays first in its feed and is tried again with the same id.
    pub async fn relay<S: Store, C: Courier>(
        &self,
        store: &S,
        courier: &C,
        recipient: &RecipientId,
        owner: &str,
    ) -> Result<bool, RelayFault> {
        self.relay_until(store, courier, recipient, owner, || false).await
    }

    /// As [`Journey::relay`], and ends between two entries once `stop` says so.
    ///
    /// # Errors
    /// As [`Journey::relay`].
    pub async fn relay_until<S: Store, C: Courier>(
        &self,
        store: &S,
        courier: &C,
        recipient: &RecipientId,
        owner: &str,
        stop: impl Fn() -> bool + Send + Sync,
    ) -> Result<bool, RelayFault> {
        if !store.has_unconfirmed(recipient).await? {
            return Ok(false);
        }
        let epoch = store.epoch().await?;
        let mut settled = None;
        for _ in 0..TURN {
            if stop() {
                break;
            }
            let begun = Instant::now();
            if !store.take_lease(recipient, owner, LEASE).await? {
                // That it has arrived is true whoever holds the lease. What was refused is the other process's to find out.
                self.record(store, recipient, settled.filter(|settled| matches!(settled, Settled::Arrived(..)))).await?;
                return Ok(false);
            }
            let (served, message, message_id) = match self.next(store, recipient, settled.take()).await? {
                Next::Nothing => return Ok(true),
                Next::Entry(served, message, message_id) => (served, message, message_id),
            };
            if begun.elapsed() > LEASE / 2 {
                // Another process may hold the lease by now; the entry is handed over again.
                continue;
            }
            let (position, method) = (served.position, served.method);
            let parcel = self.parcel(recipient, *served, epoch, message_id);
            settled = match courier.deliver(&parcel).await {
                Delivery::Arrived => {
                    EntryDelivered { recipient: recipient.as_str(), position: position.0 }.emit();
                    Some(Settled::Arrived(position, method))
                }
                Delivery::Refused(said) => {
                    EntryRefused { recipient: recipient.as_str(), position: position.0, said: &said }.emit();
                    Some(Settled::Refused(position, message, said))
                }
                Delivery::Later { why, after } => return Err(RelayFault::Recipient { why, after }),
            };
            faults::point!("sent-before-confirming");
        }
        self.record(store, recipient, settled).await?;
        Ok(true)
    }

    /// Gives the lease of a feed back, so that whoever comes next goes on at once.
    ///
    /// # Errors
    /// A fault of the store; the lease runs out by itself then.
    pub async fn end_lease<S: Store>(&self, store: &S, recipient: &RecipientId, owner: &str) -> Stored<()> {
        store.take_lease(recipient, owner, Duration::ZERO).await.map(drop)
    }

    async fn record<S: Store>(&self, store: &S, recipient: &RecipientId, settled: Option<Settled>) -> Stored<()> {
        let Some(settled) = settled else { return Ok(()) };
        let mut attempts = Attempts::default();
        loop {
            match self.record_once(store, recipient, settled.clone()).await {
                Err(StoreError::Contended) if attempts.again() => {}
                result => return result,
            }
        }
    }

    async fn record_once<S: Store>(&self, store: &S, recipient: &RecipientId, settled: Settled) -> Stored<()> {
        let mut tx = self.begin(store, "relay-confirm").await?;
        settled.write(&mut tx, recipient).await?;
        tx.commit().await
    }

    /// Records what became of the entry before and hands over what is next, in one transaction.
    async fn next<S: Store>(&self, store: &S, recipient: &RecipientId, mut settled: Option<Settled>) -> Stored<Next> {
        let mut attempts = Attempts::default();
        loop {
            match self.next_once(store, recipient, settled.clone()).await {
                Err(StoreError::Contended) if attempts.again() => {}
                next => {
                    if let Some(next) = next? {
                        return Ok(next);
                    }
                    (settled, attempts) = (None, Attempts::default());
                }
            }
        }
    }

    /// As [`Journey::next`], in one transaction; `None` where what was next may not be shown any more.
    async fn next_once<S: Store>(&self, store: &S, recipient: &RecipientId, settled: Option<Settled>) -> Stored<Option<Next>> {
        let mut tx = self.begin(store, "relay").await?;
        tx.lock_deliveries(std::slice::from_ref(recipient)).await?;
        if let Some(settled) = settled {
            settled.write(&mut tx, recipient).await?;
        }
        let mut entries = tx.unconfirmed(recipient, 1).await?;
        let Some(entry) = entries.pop() else {
            tx.commit().await?;
            return Ok(Some(Next::Nothing));
        };
        let shuts = Shuts::of(&entry);
        let number = entry.message;
        let message = tx.message(number).await?;
        let good = self.serve(&mut tx, recipient, vec![entry]).await?;
        if good.is_empty() {
            shuts.after_handing_over(&mut tx, recipient).await?;
        }
        faults::point!("handing-over-before-commit");
        tx.commit().await?;
        faults::point!("handed-over-before-sending");
        let message_id = message.map(|stored| stored.message.envelope.message_id);
        Ok(good.into_iter().next().map(|served| Next::Entry(Box::new(served), number, message_id)))
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

impl Settled {
    async fn write<T: Tx>(self, tx: &mut KeyedTx<T>, recipient: &RecipientId) -> Stored<()> {
        match self {
            Self::Arrived(position, method) => {
                if method == Method::Delete {
                    // Its system has taken it. A system that is delivered to has no other way to say so.
                    tx.note_delete_acknowledged(recipient, position).await?;
                }
                tx.confirm(recipient, position).await
            }
            Self::Refused(position, message, said) => {
                tx.refuse_entry(recipient, position, &said).await?;
                let row = AuditRow::of_program(AuditAct::DeliveryRefused).on(message).to(recipient).at(position);
                tx.audit(&row.under(Code::RelayRefused).with(said)).await
            }
        }
    }
}

/// An entry whose gate may turn out to have shut.
struct Shuts {
    was_handed_over: bool,
    message: MessageNumber,
    position: Position,
    subject: Subject,
}

impl Shuts {
    fn of(entry: &FeedEntry) -> Self {
        let was_handed_over = entry.served && entry.method == Method::Put && entry.report.is_some();
        Self { was_handed_over, message: entry.message, position: entry.position, subject: entry.subject }
    }

    /// Its gate has shut by a date after it was handed over, and nobody knows whether it arrived: its `DELETE` goes instead.
    async fn after_handing_over<T: Tx>(self, tx: &mut KeyedTx<T>, recipient: &RecipientId) -> Stored<()> {
        if !self.was_handed_over {
            return Ok(());
        }
        let Some(stored) = tx.message(self.message).await? else { return Ok(()) };
        let Some(report) = stored.message.report else { return Ok(()) };
        let delete = Some(tx.publish_delete(recipient, &self.subject, &stored).await?);
        let (recipient, position, subject) = (recipient.clone(), self.position, self.subject);
        let (code, step, cause) = (Code::JourneyLapsed, WithdrawalStep::DeletePublished, None);
        let row = WithdrawalRow { recipient, position, subject, report, code, step, delete, cause };
        tx.note_withdrawal(&row, stored.number).await
    }
}
