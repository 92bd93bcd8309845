//! Every statement is prepared on its engine, and none stands outside the lists.

use brygga::store::Clock;
use brygga::store::postgres::keys::PostgresKeyStore;
use brygga::store::sqlite::SqliteStore;
use brygga::store::sqlite::keys::SqliteKeyStore;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Executor as _, SqlSafeStr as _};

use crate::harness::{folder_in_memory, root};
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

#[tokio::test]
async fn every_statement_is_prepared_on_sqlite() {
    let folder = folder_in_memory();
    let (content, keys) = (folder.path().join("brygga.db"), folder.path().join("keys.db"));
    SqliteStore::open(&content, Clock::System).await.expect("the store opens").close().await;
    SqliteKeyStore::open(&keys).await.expect("the key store opens").close().await;
    let lists = [(content, brygga::store::sqlite::STATEMENTS), (keys, brygga::store::sqlite::keys::STATEMENTS)];
    for (path, statements) in lists {
        let mut bare = SqliteConnectOptions::new().filename(path).connect().await.expect("a connection");
        assert!(!statements.is_empty());
        for statement in statements {
            let prepared = bare.prepare((*statement).into_sql_str()).await;
            assert!(prepared.is_ok(), "{statement}\n{:?}", prepared.err());
        }
    }
}

#[test]
fn no_statement_stands_outside_the_lists() {
    let folders = ["src/store/postgres", "src/store/postgres/keys", "src/store/sqlite", "src/store/sqlite/keys"];
    for entry in folders.into_iter().flat_map(|folder| std::fs::read_dir(root().join(folder)).expect("the adapter")) {
        let path = entry.expect("a file").path();
        if path.is_dir() {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a source");
        for (number, line) in text.lines().enumerate() {
            let calls = ["query(", "query_scalar(", "query_as(", "raw_sql(", "begin_with("];
            for (at, call) in calls.iter().flat_map(|call| line.match_indices(call)) {
                let is_named = line[at + call.len()..].starts_with("sql::");
                assert!(is_named, "{}:{}: a statement outside sql.rs", path.display(), number + 1);
            }
            assert!(!line.contains("execute(\""), "{}:{}: a statement outside sql.rs", path.display(), number + 1);
        }
    }
}
