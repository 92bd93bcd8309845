//! `brygga migrate` brings both stores of a configuration up to date, once or again, and refuses what it does not know.

#![cfg(test)]

use std::path::Path;

use brygga::store::sqlite::SqliteStore;
use brygga::store::sqlite::keys::SqliteKeyStore;

use crate::harness::{brygga, root};
use crate::servers::postgres::Server;

/// Runs it; a command brings a runtime of its own.
async fn migrate(folder: &Path, store: &str) -> (u8, String) {
    let contracts = root().join("contracts");
    let text = format!("[contracts]\nfolder = \"{}\"\n[management]\nlisten = \"127.0.0.1:0\"\n{store}", contracts.display());
    let config = folder.join("brygga.toml");
    std::fs::write(&config, text).expect("written");
    let config = config.to_str().expect("UTF-8").to_owned();
    let run = move || brygga(&["migrate", "--config", &config, "--json"]);
    tokio::task::spawn_blocking(run).await.expect("it ends")
}

#[tokio::test(flavor = "multi_thread")]
async fn migrating_makes_both_schemas_once_and_refuses_a_newer_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let embedded = format!("[store]\nkind = \"embedded\"\ndata = \"{}\"\n", data.display());
    let good = (0, format!("{{\"content\":{},\"keys\":{}}}\n", SqliteStore::SCHEMA, SqliteKeyStore::SCHEMA));
    for _ in 0..2 {
        assert_eq!(migrate(folder.path(), &embedded).await, good);
    }
    let server = Server::shared().await;
    let (content, keys) = (server.database().await, server.database().await);
    let secret = folder.path().join("secret");
    std::fs::write(&secret, format!("{}Bwc=\n", "BwcH".repeat(10))).expect("written");
    let at = |name: &str| format!("url = \"postgres://postgres@127.0.0.1:{}/{name}\"\ntls = \"off\"\n", content.port);
    let shared = format!(
        "[store]\nkind = \"postgres\"\n{}[keys]\nservice_key_file = \"{secret}\"\nwrapping_key_files = [\"{secret}\"]\n\
        store = \"postgres\"\n{}",
        at(&content.database),
        at(&keys.database),
        secret = secret.display(),
    );
    for _ in 0..2 {
        assert_eq!(migrate(folder.path(), &shared).await, good);
    }
    let mut bare = server.connect(&content.database).await.expect("a connection");
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
        VALUES (9999, 'of tomorrow', true, 'x', 0)";
    sqlx::query(newer).execute(&mut bare).await.expect("inserted");
    let (code, told) = migrate(folder.path(), &shared).await;
    assert!(code == 2 && told.contains("9999"), "{told}");
}
