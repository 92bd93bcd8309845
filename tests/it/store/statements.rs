//! Every statement is prepared on its engine, and none stands outside the lists.

use brygga::store::Clock;
use brygga::store::postgres::keys::PostgresKeyStore;
use sqlx::{Executor as _, SqlSafeStr as _};

use crate::harness::root;
use crate::servers::postgres::Server;

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_is_prepared_on_postgres() {
    let server = Server::shared().await;
    let settings = server.database().await;
    let clock = Clock::at(jiff::Timestamp::UNIX_EPOCH);
    let store = brygga::store::postgres::PostgresStore::open(&settings, clock).await.expect("the store opens");
    let mut bare = server.connect(&settings.database).await.expect("a connection");
    for statement in brygga::store::postgres::STATEMENTS {
        let prepared = bare.prepare((*statement).into_sql_str()).await;
        assert!(prepared.is_ok(), "{statement}\n{:?}", prepared.err());
    }
    store.close().await;
    let settings = server.database().await;
    let store = PostgresKeyStore::open(&settings).await.expect("the key store opens");
    let mut bare = server.connect(&settings.database).await.expect("a connection");
    for statement in brygga::store::postgres::keys::STATEMENTS {
        let prepared = bare.prepare((*statement).into_sql_str()).await;
        assert!(prepared.is_ok(), "{statement}\n{:?}", prepared.err());
    }
    store.close().await;
}

#[test]
fn no_statement_of_postgres_stands_outside_the_list() {
    let folders = ["src/store/postgres", "src/store/postgres/keys"];
    for entry in folders.into_iter().flat_map(|folder| std::fs::read_dir(root().join(folder)).expect("the adapter")) {
        let path = entry.expect("a file").path();
        if path.is_dir() {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a source");
        for (number, line) in text.lines().enumerate() {
            for call in ["query(", "query_scalar(", "query_as(", "execute(", "raw_sql("] {
                for (at, _) in line.match_indices(call) {
                    let argument = &line[at + call.len()..];
                    assert!(!argument.starts_with('"'), "{}:{}: a statement outside sql.rs", path.display(), number + 1);
                }
            }
        }
    }
}
