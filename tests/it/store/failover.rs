//! Another server answers under a running service, with an older state: a replica that lagged behind, or a backup. Nothing is
//! taken and nothing shown until the right one answers again.

use brygga::feed::Cursor;
use brygga::store::{Store as _, StoreError, Survey as _};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

use super::desk::{Desk, PERSONS, af, consent, report};
use crate::servers::postgres::Server;

/// Puts one database in the place of another, as a failover puts one server in the place of another.
async fn swap(content: &str, away: &str, here: &str) {
    let mut admin = Server::shared().await.connect("postgres").await.expect("a connection");
    let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IN ('{content}', '{here}')");
    for statement in [
        format!("ALTER DATABASE {content} ALLOW_CONNECTIONS false"),
        end,
        format!("ALTER DATABASE {content} RENAME TO {away}"),
        format!("ALTER DATABASE {here} RENAME TO {content}"),
        format!("ALTER DATABASE {content} ALLOW_CONNECTIONS true"),
    ] {
        // A backend that has just been told to end may not have ended yet.
        let mut tries = 0;
        while let Err(error) = admin.execute(AssertSqlSafe(statement.clone())).await {
            tries += 1;
            assert!(tries < 200, "{statement}: {error}");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
    admin.close().await.expect("closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_state_that_comes_back_under_a_running_service_is_neither_written_to_nor_shown() {
    let desk = Desk::open().await;
    let name = desk.settings.database.clone();
    let (old, new) = (format!("{name}_old"), format!("{name}_new"));
    let Desk { journey, settings, bare, .. } = desk;
    bare.close().await.expect("closed");
    let store = brygga::store::postgres::PostgresStore::open(&settings, brygga::store::Clock::at(super::desk::noon()));
    let store = store.await.expect("the store opens");
    let journey = journey.guarded();
    journey.take(&store, vec![consent(PERSONS[0], false), report(PERSONS[0], "AR-1")]).await.expect("taken");
    store.close().await;
    let mut admin = Server::shared().await.connect("postgres").await.expect("a connection");
    admin.execute(AssertSqlSafe(format!("CREATE DATABASE {old} TEMPLATE {name}"))).await.expect("a copy");
    let store = brygga::store::postgres::PostgresStore::open(&settings, brygga::store::Clock::at(super::desk::noon()));
    let store = store.await.expect("the store opens");
    journey.take(&store, vec![report(PERSONS[0], "AR-2")]).await.expect("taken");
    let shown = journey.page(&store.feed(), &af(), Cursor::START, 100).await.expect("a page").entries.len();
    assert_eq!(shown, 4);

    swap(&name, &new, &old).await;
    // Connections that broke are told as such first, and then what answers is looked at.
    let is_behind = |result: Result<(), StoreError>| match result {
        Err(StoreError::Behind(_)) => true,
        Err(StoreError::Away(_)) => false,
        other => panic!("it was used: {other:?}"),
    };
    for round in 0..3 {
        let mut tries = 0;
        while !is_behind(journey.take(&store, vec![report(PERSONS[0], "AR-3")]).await.map(drop)) {
            tries += 1;
            assert!(tries < 20, "round {round}: the content is never looked at");
        }
        while !is_behind(journey.page(&store.feed(), &af(), Cursor::START, 100).await.map(drop)) {
            tries += 1;
            assert!(tries < 20, "round {round}: the content is never looked at");
        }
        assert!(is_behind(journey.trust(&store).await), "and it is told");
    }

    swap(&name, &old, &new).await;
    let mut tries = 0;
    while let Err(fault) = journey.take(&store, vec![report(PERSONS[0], "AR-4")]).await {
        tries += 1;
        assert!(tries < 20 && matches!(fault, StoreError::Away(_)), "the right one is used again: {fault}");
    }
    let shown = journey.page(&store.feed(), &af(), Cursor::START, 100).await.expect("a page").entries.len();
    assert_eq!(shown, 6, "AR-1, AR-2 and AR-4");
    let mut tx = store.begin("test").await.expect("a transaction");
    assert!(tx.census().await.expect("counted").adds_up());
}
