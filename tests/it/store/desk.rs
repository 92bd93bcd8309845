//! A service on PostgreSQL in miniature: one way, as many processes as are wanted, messages from the benchmarks' forms.

use std::sync::Arc;
use std::time::{Duration, Instant};

use brygga::config::Postgres;
use brygga::domain::{RecipientId, Syntax, Trace};
use brygga::journey::{Arrival, Journey, Outcome};
use brygga::seal::{ServiceKeys, Vault};
use brygga::store::postgres::PostgresStore;
use brygga::store::{Clock, LegState, Store as _, Tx as _};
use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::harness::{root, set};
use crate::servers::postgres::Server;

/// Participants of the fixtures.
pub(super) const PERSONS: [&str; 4] = ["199907232392", "200101072395", "198712132391", "199306142390"];

pub(super) struct Desk {
    pub(super) journey: Journey,
    pub(super) settings: Postgres,
    pub(super) bare: PgConnection,
}

pub(super) fn noon() -> Timestamp {
    "2026-03-16T11:00:00Z".parse().expect("an instant")
}

pub(super) fn af() -> RecipientId {
    RecipientId::arbetsformedlingen()
}

impl Desk {
    pub(super) async fn open() -> Self {
        let server = Server::shared().await;
        let settings = server.database().await;
        let vault = Vault::ephemeral().expect("random numbers");
        let journey = Journey::new(set(), Arc::new(ServiceKeys::derive(&[7; 32])), vault);
        let bare = server.connect(&settings.database).await.expect("a connection");
        Self { journey, settings, bare }
    }

    /// A process: connections of its own.
    pub(super) async fn process(&self) -> PostgresStore {
        PostgresStore::open(&self.settings, Clock::at(noon())).await.expect("the store opens")
    }

    /// Waits until so many statements of this database wait for a lock.
    pub(super) async fn wait_for_waiting(&mut self, wanted: i64) {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
        let begun = Instant::now();
        loop {
            let waiting: i64 = sqlx::query_scalar(sql).fetch_one(&mut self.bare).await.expect("counted");
            if waiting >= wanted {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "{waiting} of {wanted} wait");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Keeps everybody from the participants' rows until the connection is closed.
    pub(super) async fn gate(&self) -> PgConnection {
        let mut gate = Server::shared().await.connect(&self.settings.database).await.expect("a connection");
        sqlx::raw_sql("BEGIN; LOCK TABLE persons IN EXCLUSIVE MODE").execute(&mut gate).await.expect("locked");
        gate
    }
}

pub(super) fn arrival(contract: &str, text: String) -> Arrival {
    Arrival {
        login: "hallefors-ame".to_owned().try_into().expect("a login"),
        message_id: Uuid::now_v7(),
        contract: contract.parse().expect("a contract"),
        syntax: Syntax::Json,
        message_time: noon(),
        bytes: text.into_bytes(),
        trace: Trace::default(),
        defect: None,
    }
}

fn form(name: &str) -> String {
    std::fs::read_to_string(root().join("benches").join(name)).expect("a form")
}

/// A report on a participant.
pub(super) fn report(person: &str, id: &str) -> Arrival {
    arrival("activity-report.v1", form("report.json").replace("19990723-2392", person).replace("AR-2602-09", id))
}

/// A waiver of a participant, or a revocation of it.
pub(super) fn consent(person: &str, revoked: bool) -> Arrival {
    let text = form("consent.json").replace("199907232392", person).replace("H-0102", &format!("H-{person}"));
    let revocation = "\"revision\": 2,\n \"revokedAt\": \"2026-03-16T10:00:00\"";
    arrival("consent.v1", if revoked { text.replace("\"revision\": 1", revocation) } else { text })
}

/// The state of a report's leg to AF.
pub(super) async fn leg(store: &PostgresStore, outcome: &Outcome) -> LegState {
    let mut tx = store.begin("test").await.expect("a transaction");
    let legs = tx.legs(outcome.number()).await.expect("read");
    legs.iter().find(|leg| leg.id.recipient == af()).expect("a leg").state
}
