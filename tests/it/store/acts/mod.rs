//! The store's port, act by act: what each must do, on either engine from the same source. The key store's port has its
//! own suite.

mod accounts;
mod answers;
mod audit;
mod counts;
mod due;
mod feeds;
mod letters;
mod locks;
mod messages;
mod rights;
mod tamper;
mod telling;
mod withdrawals;

use std::sync::Arc;

use brygga::domain::{Envelope, Fingerprint, LegId, Login, MessageNumber, PersonKey, RecipientId, ReportKey, Syntax, Trace};
use brygga::journey::{Arrival, Journey, Judged, KeyedTx, Opened, Verdict, judge, open, payload, walk};
use brygga::seal::{SealedBytes, ServiceKeys, Vault};
use brygga::store::{LegRow, LegState, MessageKind, MessageState, NewMessage, Store, StoredMessage};
use brygga::translate::Rendition;
use jiff::Timestamp;
use uuid::Uuid;

use super::desk::{af, consent, noon, report};
use super::engine::Engine;
use crate::harness::set;

/// An empty store, a process on it, and keys.
struct Hall<E: Engine> {
    engine: E,
    store: E::Store,
    journey: Journey,
}

impl<E: Engine> Hall<E> {
    async fn open() -> Self {
        let engine = E::open(noon()).await;
        let store = engine.process().await;
        let vault = Vault::ephemeral().expect("random numbers");
        Self { engine, store, journey: Journey::new(set(), Arc::new(ServiceKeys::derive(&[7; 32])), vault) }
    }

    /// A transaction, as the port gives it.
    async fn begin(&self) -> <E::Store as Store>::Tx {
        self.store.begin("test").await.expect("a transaction")
    }

    /// A transaction with the keys that publishing needs.
    async fn keyed(&self) -> KeyedTx<<E::Store as Store>::Tx> {
        self.journey.begin(&self.store, "test").await.expect("a transaction")
    }

    /// A report on a participant of the fixtures with all that may be published of it to Arbetsförmedlingen.
    fn made(&self, person: &str, id: u128) -> Made {
        let arrival = report(person, &format!("AR-{id}"));
        let (mut new, judged) = self.judged(&arrival, id);
        let Judged::Report(fanned) = judged else { panic!("a report: {judged:?}") };
        let Judged::Consent(waiver) = self.judged(&consent(person, false), id).1 else { panic!("a waiver") };
        new.report = Some(fanned.report);
        let leg = fanned.legs.iter().find(|leg| leg.recipient() == af()).expect("a leg");
        match walk(leg, &[*waiver], noon(), self.journey.set(), self.journey.keys()) {
            Verdict::Publish { renditions, until, .. } => Made { new, renditions, until },
            other => panic!("not to be published: {other:?}"),
        }
    }

    fn judged(&self, arrival: &Arrival, id: u128) -> (NewMessage, Judged) {
        let mut new = message(id);
        new.envelope.contract = arrival.contract.clone();
        let payload = payload(&new.envelope, &arrival.bytes).expect("small enough");
        let Opened::Known(identified) = open(payload, self.journey.set(), self.journey.keys()) else { panic!("unreadable") };
        new.person = Some(*identified.person());
        (new, judge(*identified, false, self.journey.set(), self.journey.keys()))
    }

    /// Publishes everything of a report in a transaction of its own.
    async fn publish(&self, made: &Made) -> StoredMessage {
        let mut tx = self.keyed().await;
        let stored = put(&mut tx, made).await;
        tx.commit().await.expect("committed");
        stored
    }
}

/// A report, and what may be published of it.
struct Made {
    new: NewMessage,
    renditions: Vec<Rendition>,
    until: Timestamp,
}

/// Stores a report and publishes everything of it.
async fn put<T: brygga::store::Tx>(tx: &mut KeyedTx<T>, made: &Made) -> StoredMessage {
    tx.lock_persons(&[made.new.person.expect("a person")]).await.expect("locked");
    let number = tx.insert_message(&made.new).await.expect("stored");
    let stored = StoredMessage { number, message: made.new.clone(), discarded_at: None };
    for (rendition, byte) in made.renditions.iter().zip(1..) {
        tx.publish(rendition, &stored, &[byte; 32], made.until).await.expect("published");
    }
    stored
}

fn person(number: u8) -> PersonKey {
    PersonKey::from_bytes([number; 32])
}

fn report_key(number: u8) -> ReportKey {
    ReportKey::from_slice(&[number; 32]).expect("as long as a digest")
}

fn fingerprint(number: u8) -> Fingerprint {
    Fingerprint::from_slice(&[number; 32]).expect("as long as a digest")
}

fn login() -> Login {
    "hallefors-ame".to_owned().try_into().expect("a login")
}

fn ame() -> RecipientId {
    RecipientId::from_stored("1863.ame".to_owned())
}

/// A message that nobody has judged, as a store is given it.
fn message(id: u128) -> NewMessage {
    let number = u8::try_from(id % 200).expect("small");
    NewMessage {
        envelope: Envelope {
            login: login(),
            message_id: Uuid::from_u128(id),
            contract: "activity-report.v1".parse().expect("a contract"),
            syntax: Syntax::Json,
            message_time: noon(),
            received_at: noon(),
            trace: Trace::default(),
        },
        fingerprint: fingerprint(number),
        kind: MessageKind::Report,
        state: MessageState::Journey,
        violations: Vec::new(),
        restricted: false,
        person: Some(person(number)),
        report: Some(report_key(number)),
        revision: Some(1),
        content: Some(fingerprint(number)),
        fan_out: 1,
        sealed: SealedBytes::from_stored(vec![number; 40]),
    }
}

/// A leg to Arbetsförmedlingen.
fn leg(message: MessageNumber, report: u8, state: LegState, due_at: Option<Timestamp>) -> LegRow {
    let id = LegId { message, recipient: af() };
    LegRow { id, report: report_key(report), state, code: None, due_at, documents: 1, basis: "{}".to_owned() }
}
