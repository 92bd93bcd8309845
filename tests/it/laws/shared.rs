//! PostgreSQL as the laws' home: databases that are emptied between cases and lent again.

use std::sync::Mutex;

use brygga::store::Clock;
use brygga::store::postgres::PostgresStore;
use sqlx::PgConnection;

use super::world::{Home, start};
use crate::servers::postgres::{Server, empty};

static FREE: Mutex<Vec<Place>> = Mutex::new(Vec::new());

/// A database with connections.
struct Place {
    store: PostgresStore,
    clock: Clock,
    bare: PgConnection,
}

impl Place {
    async fn make() -> Self {
        let server = Server::shared().await;
        let settings = server.database().await;
        let clock = Clock::at(start());
        let store = PostgresStore::open(&settings, clock.clone()).await.expect("the store opens");
        Self { store, clock, bare: server.connect(&settings.database).await.expect("a connection") }
    }
}

/// A database that is lent for one case.
pub(super) struct Shared(Option<Place>);

impl Shared {
    fn place(&self) -> &Place {
        self.0.as_ref().expect("until it is dropped")
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // After a panic something of the case may still be under way.
        if !std::thread::panicking() {
            FREE.lock().expect("nobody panics here").extend(self.0.take());
        }
    }
}

impl Home for Shared {
    type Store = PostgresStore;

    async fn open() -> Self {
        let free = FREE.lock().expect("nobody panics here").pop();
        let mut place = match free {
            Some(place) => place,
            None => Place::make().await,
        };
        empty(&mut place.bare).await;
        place.clock.set(start());
        Self(Some(place))
    }

    fn store(&self) -> &PostgresStore {
        &self.place().store
    }

    fn clock(&self) -> &Clock {
        &self.place().clock
    }

    /// A case costs some ten times as much here.
    fn share(cases: usize) -> usize {
        cases.div_ceil(6)
    }
}
