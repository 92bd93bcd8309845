//! One batch: collected, taken in a task of its own, and where the program fails on it, message by message.

use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

use tokio::task::JoinHandle;

use super::Broken;
use super::receipt::{Receipt, Receipts};
use crate::journey::{Arrival, Journey, Outcome};
use crate::store::{MessageState, Store, StoreError, Stored};
use crate::telemetry::{EnvelopeRefused, Event as _, MessageTaken, RunAlone};

/// At so many bytes a batch is full, however few its messages are: they lie in memory, sealed and unsealed, until it has
/// committed.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// A batch that is being collected.
#[derive(Default)]
pub(super) struct Batch {
    /// The way by the set that was in force when its first message came: envelopes and contents are judged by one.
    journey: Option<Journey>,
    pub(super) arrivals: Vec<Arrival>,
    pub(super) receipts: Receipts,
    /// When its first message came.
    pub(super) since: Option<Instant>,
    /// The bytes of its messages.
    bytes: usize,
}

impl Batch {
    /// Whether it is to be taken as it is, with so many messages at the most.
    pub(super) const fn is_full(&self, messages: usize) -> bool {
        self.arrivals.len() >= messages || self.bytes >= MOST_BYTES
    }

    /// The way that this batch takes.
    pub(super) fn journey(&mut self, newest: &Journey) -> &Journey {
        self.journey.get_or_insert_with(|| newest.in_force())
    }

    pub(super) fn push(&mut self, arrival: Arrival, receipt: Receipt) {
        self.since.get_or_insert_with(Instant::now);
        self.bytes = self.bytes.saturating_add(arrival.bytes.len());
        self.arrivals.push(arrival);
        self.receipts.push(receipt);
    }
}

/// A batch whose transaction runs. The task is never cut: it ends by itself, also where nobody waits for it any more.
pub(super) struct InFlight {
    pub(super) task: JoinHandle<Stored<Vec<Outcome>>>,
    pub(super) journey: Journey,
    pub(super) arrivals: Arc<[Arrival]>,
    pub(super) receipts: Receipts,
    pub(super) since: Instant,
}

/// How a taking ended.
pub(super) enum Taken {
    /// It is durable.
    Durable(Vec<Outcome>),
    /// The store is away: a reason to wait.
    Away(StoreError),
    /// The program failed on it.
    Failed,
}

/// What became of a batch whose messages were run one by one.
pub(super) enum Alone {
    /// Each is durable, or was set aside; these receipts are left to acknowledge.
    Done(Receipts),
    /// The store went away meanwhile; these are left.
    Away(StoreError, Arc<[Arrival]>),
    /// The channel has gone, and so many durable messages are not acknowledged.
    Broken(Broken, usize),
    /// A message can be neither run nor stored, and there is nothing to set it aside to.
    CannotBeStored,
}

/// The way that batches take, on one store.
#[derive(Debug, Clone)]
pub(super) struct Taking<S> {
    pub(super) journey: Journey,
    pub(super) store: S,
    /// Whether messages come from the dead queue: each is alone, and for the last time.
    pub(super) last: bool,
}

impl<S: Store> Taking<S> {
    /// Starts a batch's transaction.
    pub(super) fn start(&self, mut batch: Batch) -> InFlight {
        let journey = batch.journey(&self.journey).clone();
        let arrivals: Arc<[Arrival]> = batch.arrivals.into();
        let since = batch.since.unwrap_or_else(Instant::now);
        InFlight { task: self.spawn(&journey, Arc::clone(&arrivals)), journey, arrivals, receipts: batch.receipts, since }
    }

    fn spawn(&self, journey: &Journey, arrivals: Arc<[Arrival]>) -> JoinHandle<Stored<Vec<Outcome>>> {
        let (journey, store, last) = (journey.clone(), self.store.clone(), self.last);
        tokio::spawn(async move {
            match &*arrivals {
                [only] if last => journey.take_last(&store, only).await,
                _ => journey.take(&store, arrivals).await,
            }
        })
    }

    /// Tries a batch that the store was away for. That it commits is the one sure sign that the store is back.
    pub(super) async fn again(&self, journey: &Journey, arrivals: &Arc<[Arrival]>) -> Taken {
        ended(self.spawn(journey, Arc::clone(arrivals))).await
    }

    /// Runs messages one by one, so that the one that the program fails on harms none of the others. That one is stored
    /// unopened as a dead letter; where not even that can be done, it is set aside.
    pub(super) async fn alone(&self, journey: &Journey, arrivals: &[Arrival], receipts: Receipts) -> Alone {
        RunAlone { messages: arrivals.len() }.emit();
        let mut left = Receipts::default();
        for ((index, arrival), receipt) in arrivals.iter().enumerate().zip(receipts.into_each()) {
            let taken = match ended(self.spawn(journey, [arrival.clone()].into())).await {
                Taken::Failed => ended(self.spawn(journey, [arrival.clone().unopened()].into())).await,
                taken => taken,
            };
            match taken {
                Taken::Durable(outcomes) => {
                    tell(&outcomes);
                    left.push(receipt);
                }
                Taken::Away(fault) => return Alone::Away(fault, arrivals.iter().skip(index).cloned().collect()),
                Taken::Failed if self.last => return Alone::CannotBeStored,
                // Where it cannot be set aside, the next acknowledgement must not cover it: the lane ends, and it comes again.
                Taken::Failed => {
                    if let Err(broken) = receipt.set_aside().await {
                        return Alone::Broken(broken, left.len());
                    }
                }
            }
        }
        Alone::Done(left)
    }
}

/// Waits for a taking, and tells what it came to.
pub(super) async fn ended(task: impl Future<Output = Result<Stored<Vec<Outcome>>, tokio::task::JoinError>>) -> Taken {
    match task.await {
        Ok(Ok(outcomes)) => Taken::Durable(outcomes),
        Err(_) => Taken::Failed,
        // It is about one message or its participant; it must not hold up the others.
        Ok(Err(fault)) if fault.is_of_one_row() => Taken::Failed,
        // All else is about the store or the keys as a whole, and no fault of a message.
        Ok(Err(fault)) => Taken::Away(fault),
    }
}

/// Says what became of each message.
pub(super) fn tell(outcomes: &[Outcome]) {
    for outcome in outcomes {
        let (number, state) = match outcome {
            Outcome::Duplicate(number) => (number, MessageState::Duplicate),
            Outcome::Stored(number, state) => (number, *state),
        };
        MessageTaken { number: number.0, state: state.as_str() }.emit();
    }
}

/// Says that an envelope is not taken.
pub(super) fn tell_defect(arrival: &Arrival) {
    if let Some(defect) = &arrival.defect {
        EnvelopeRefused { code: defect.code.as_str(), login: arrival.login.as_str() }.emit();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;
    use lapin::message::Delivery;
    use uuid::Uuid;

    use super::{Batch, MOST_BYTES, Receipt};
    use crate::agreement::Illustrations;
    use crate::domain::{Files, Login, Syntax, Trace};
    use crate::journey::{Arrival, ContractSet, Journey};
    use crate::seal::{ServiceKeys, Vault};

    #[test]
    fn a_batch_keeps_the_set_that_was_in_force_when_it_began() {
        let vault = Vault::ephemeral().expect("random numbers");
        let newest = Journey::new(Arc::new(set("a")), Arc::new(ServiceKeys::derive(&[7; 32])), vault);
        let mut batch = Batch::default();
        let begun = batch.journey(&newest).set().digest().to_owned();
        newest.put_in_force(Arc::new(set("b")));
        assert_ne!(newest.in_force().set().digest(), begun);
        assert_eq!(batch.journey(&newest).set().digest(), begun, "what comes later is judged as what came first");
        assert_ne!(Batch::default().journey(&newest).set().digest(), begun, "and the next batch by the newest");
    }

    /// The repository's set, with a file more.
    fn set(more: &str) -> ContractSet {
        let mut files = Files::default();
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("contracts");
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("the folder can be read") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(&root).expect("below the root").to_string_lossy().into_owned();
                    files.insert(name, std::fs::read_to_string(&path).expect("text"));
                }
            }
        }
        files.insert("more.txt", more);
        ContractSet::load(&files, Illustrations::All).expect("the set loads")
    }

    fn arrival(bytes: usize) -> Arrival {
        Arrival {
            login: Login::unknown(),
            message_id: Uuid::nil(),
            contract: "activity-report.v1".parse().expect("a contract"),
            syntax: Syntax::Json,
            message_time: Timestamp::UNIX_EPOCH,
            bytes: vec![b' '; bytes],
            trace: Trace::default(),
            defect: None,
        }
    }

    #[test]
    fn a_batch_is_full_by_messages_or_by_bytes_whichever_comes_first() {
        let delivery = Delivery::mock(1, "".into(), "".into(), false, Vec::new());
        let mut batch = Batch::default();
        assert!(!batch.is_full(2) && batch.since.is_none());
        batch.push(arrival(10), Receipt::of(&delivery));
        assert!(!batch.is_full(2) && batch.since.is_some());
        batch.push(arrival(10), Receipt::of(&delivery));
        assert!(batch.is_full(2) && !batch.is_full(3));
        let mut large = Batch::default();
        for _ in 0..15 {
            large.push(arrival(MOST_BYTES / 16), Receipt::of(&delivery));
            assert!(!large.is_full(5_000));
        }
        large.push(arrival(MOST_BYTES / 16), Receipt::of(&delivery));
        assert!(large.is_full(5_000), "sixteen sixteenths");
    }
}
