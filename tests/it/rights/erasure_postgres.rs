//! The same on PostgreSQL, with earlier copies of both databases.

use std::path::PathBuf;
use std::sync::Arc;

use brygga::app::WrappingFiles;
use brygga::app::erasure::erase;
use brygga::app::restore::{accept, check};
use brygga::config::Postgres;
use brygga::journey::{Journey, Outcome};
use brygga::seal::{ServiceKeys, Vault, WrappingKey, WrappingKeys, WrappingSource};
use brygga::store::postgres::PostgresStore;
use brygga::store::postgres::keys::PostgresKeyStore;
use brygga::store::{Clock, Store as _, Survey as _};
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::{AssertSqlSafe, Executor as _, Row as _};

use super::people::{can_be_opened, consent, counts, files, first, first_ones_values, leaks, noon, of_second, read, report};
use crate::harness::{folder_in_memory, set};
use crate::servers::postgres::Server;

/// Copies a database that nobody uses just now.
async fn copy(server: &Server, from: &Postgres) -> Postgres {
    let mut to = from.clone();
    to.database.push_str("_backup");
    let mut bare = server.connect("postgres").await.expect("the server is there");
    let sql = format!("CREATE DATABASE {} TEMPLATE {}", to.database, from.database);
    bare.execute(AssertSqlSafe(sql)).await.expect("backed up");
    to
}

async fn sealed(server: &Server, content: &Postgres, journey: &Journey) -> Vec<Vec<u8>> {
    let mut db = server.connect(&content.database).await.expect("the content is there");
    let sql = "SELECT sealed FROM messages WHERE person = $1 AND octet_length(sealed) > 0 \
        UNION ALL SELECT sealed FROM entries WHERE person = $1 AND octet_length(sealed) > 0";
    let query = sqlx::query(sql).bind(first(journey).as_bytes().to_vec());
    query.fetch_all(&mut db).await.expect("read").iter().map(|row| row.get(0)).collect()
}

async fn open(settings: &Postgres) -> PostgresStore {
    PostgresStore::open(settings, Clock::at(noon())).await.expect("the content opens")
}

fn way(keys: &PostgresKeyStore, file: PathBuf) -> Journey {
    let read = move || {
        let text = std::fs::read_to_string(&file).map_err(|_| brygga::seal::SealError::Form)?;
        WrappingKeys::read([&SecretString::from(text)])
    };
    let vault = Vault::new(Arc::new(keys.clone()), WrappingSource::new(read).expect("a source"));
    Journey::new(set(), Arc::new(ServiceKeys::derive(&[7; 32])), vault)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_erased_is_in_no_file_of_postgres_and_no_earlier_backup_brings_it_back() {
    let server = Server::own().await;
    let (content, keys) = (server.database().await, server.database().await);
    let folder = folder_in_memory();
    let file = folder.path().join("wrapping.key");
    std::fs::write(&file, WrappingKey::new_secret().expect("random numbers").expose_secret()).expect("written");
    let messages = [consent("H-0102"), report("AR-1"), of_second(consent("H-0103")), of_second(report("AR-2"))];
    let late = report("AR-3");

    let (store, key_store) = (open(&content).await, PostgresKeyStore::open(&keys).await.expect("the key store opens"));
    let journey = way(&key_store, file.clone());
    check(&store, journey.vault()).await.expect("both are new");
    journey.take(&store, messages.iter().map(|one| one.arrival(noon())).collect::<Vec<_>>()).await.expect("taken");
    assert_eq!(counts(&read(&journey, &store).await), (4, 0));
    store.close().await;
    key_store.close().await;
    let (content_then, keys_then) = (copy(&server, &content).await, copy(&server, &keys).await);

    let (store, key_store) = (open(&content).await, PostgresKeyStore::open(&keys).await.expect("the key store opens"));
    let journey = way(&key_store, file.clone());
    journey.take(&store, [late.arrival(noon())]).await.expect("taken");
    let running = way(&key_store, file.clone());
    let files_of_keys = WrappingFiles::new(vec![file.clone()]);
    let done = erase(&journey, &store.console(), &files_of_keys, &first(&journey), "ada", "begäran", false).await;
    let done = done.expect("erased").expect("something was held");
    assert_eq!((done.erased.messages, done.erased.withdrawn, done.erased.deletes), (3, 4, 2));
    assert!(done.destroyed);
    // Another process, which has the old wrapping key.
    assert_eq!(counts(&read(&running, &store).await), (2, 2));
    let again = running.take(&store, [messages[1].arrival(noon()), late.arrival(noon())]).await.expect("taken");
    assert!(again.iter().all(|one| matches!(one, Outcome::Duplicate(_))), "{again:?}");
    running.take(&store, [of_second(report("AR-4")).arrival(noon())]).await.expect("taken");
    assert_eq!(counts(&read(&running, &store).await), (4, 2));
    let mut tx = store.begin("test").await.expect("a transaction");
    assert!(tx.census().await.expect("a census").adds_up());
    drop(tx);
    brygga::audit::verify(&store, []).await.expect("read").expect("the chain holds");

    let old_keys = PostgresKeyStore::open(&keys_then).await.expect("the copy opens");
    let left = WrappingKeys::read([&SecretString::from(std::fs::read_to_string(&file).expect("keys"))]).expect("keys");
    assert!(sealed(&server, &content, &journey).await.is_empty());
    let contents = sealed(&server, &content_then, &journey).await;
    assert_eq!((contents.len(), can_be_opened(&contents, &[&key_store, &old_keys], &left).await), (5, 0));
    old_keys.close().await;
    store.close().await;

    let store = open(&content_then).await;
    let accepted = accept(&journey, &store, "ada").await.expect("replayed").expect("it was behind");
    assert_eq!(accepted.erasures, 2);
    check(&store, journey.vault()).await.expect("accepted");
    assert!(sealed(&server, &content_then, &journey).await.is_empty(), "blanked again");
    assert_eq!(counts(&read(&journey, &store).await), (2, 2), "and taken back once more");
    let again = journey.take(&store, [late.arrival(noon())]).await.expect("taken");
    assert!(matches!(again[0], Outcome::Duplicate(_)), "it came after the backup: {again:?}");
    store.close().await;
    key_store.close().await;
    let mut bare = server.connect("postgres").await.expect("the server is there");
    bare.execute("CHECKPOINT").await.expect("everything is on the disk");
    let mut all = files(&server.data());
    all.extend(files(folder.path()));
    assert!(all.iter().any(|file| file.to_string_lossy().contains("pg_wal")), "the logs are among them");
    assert_eq!(leaks(&all, &first_ones_values()), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_is_done_also_where_no_space_can_be_given_back() {
    let server = Server::own().await;
    let (mut content, keys) = (server.database().await, server.database().await);
    let folder = folder_in_memory();
    let file = folder.path().join("wrapping.key");
    std::fs::write(&file, WrappingKey::new_secret().expect("random numbers").expose_secret()).expect("written");
    content.lock_timeout = std::time::Duration::from_secs(2);
    let (store, key_store) = (open(&content).await, PostgresKeyStore::open(&keys).await.expect("the key store opens"));
    let journey = way(&key_store, file.clone());
    check(&store, journey.vault()).await.expect("both are new");
    let messages = [consent("H-0102"), report("AR-1")];
    journey.take(&store, messages.iter().map(|one| one.arrival(noon())).collect::<Vec<_>>()).await.expect("taken");
    // It lets rows be written, and no VACUUM begin.
    let mut other = server.connect(&content.database).await.expect("the content is there");
    let lock = "BEGIN; LOCK TABLE messages IN SHARE UPDATE EXCLUSIVE MODE";
    other.execute(lock).await.expect("locked");
    let files_of_keys = WrappingFiles::new(vec![file.clone()]);
    let done = erase(&journey, &store.console(), &files_of_keys, &first(&journey), "ada", "begäran", false).await;
    let done = done.expect("erased").expect("something was held");
    assert_eq!((done.erased.messages, done.destroyed), (2, true));
    assert!(matches!(&done.not_given_back[..], [one] if one.starts_with("the content store: ")), "{:?}", done.not_given_back);
    assert!(sealed(&server, &content, &journey).await.is_empty());
    store.close().await;
    key_store.close().await;
}
