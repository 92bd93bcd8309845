//! What PostgreSQL does not take, and a password that is changed: faults of one row or of the login, told as what they are.

use std::time::Duration;

use brygga::config::{Machine, Section, Store as Configured};
use brygga::store::postgres::PostgresStore;
use brygga::store::{Clock, Store as _, StoreError};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

use super::desk::{Desk, PERSONS, noon, report};
use crate::servers::postgres::Server;

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_postgresql_does_not_take_is_a_fault_of_that_row_alone() {
    let mut desk = Desk::open().await;
    let store = desk.process().await;
    let (good, bad) = (report(PERSONS[0], "AR-1"), report(PERSONS[1], "AR-2"));
    let planted =
        format!("ALTER TABLE messages ADD CONSTRAINT planted CHECK (message_id <> '{}' OR state = 'refused')", bad.message_id);
    desk.bare.execute(AssertSqlSafe(planted)).await.expect("planted");
    let both = desk.journey.take(&store, vec![good.clone(), bad.clone()]).await;
    let Err(fault) = both else { panic!("it was taken") };
    assert!(matches!(&fault, StoreError::Refused(code) if code == "SQLSTATE 23514") && fault.is_of_one_row(), "{fault}");
    desk.journey.take(&store, [good]).await.expect("it is well by itself");
    assert!(desk.journey.take(&store, [bad.clone()]).await.is_err_and(|fault| fault.is_of_one_row()));
    desk.journey.take(&store, [bad.unopened()]).await.expect("a dead letter can be made of it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_is_changed_in_its_file_is_used_for_the_next_connection() {
    let server = Server::shared().await;
    let database = server.database().await;
    let mut admin = server.connect("postgres").await.expect("a connection");
    let hba: String = sqlx::query_scalar("SHOW hba_file").fetch_one(&mut admin).await.expect("a path");
    let rules = std::fs::read_to_string(&hba).expect("rules");
    std::fs::write(&hba, format!("host all changing 127.0.0.1/32 scram-sha-256\n{rules}")).expect("written");
    let name = &database.database;
    for statement in [
        "CREATE ROLE changing LOGIN PASSWORD 'the-first-one'".to_owned(),
        format!("ALTER DATABASE {name} OWNER TO changing"),
        format!("GRANT ALL ON DATABASE {name} TO changing"),
        "SELECT pg_reload_conf()".to_owned(),
    ] {
        admin.execute(AssertSqlSafe(statement)).await.expect("done");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("password");
    let put = |text: &str| std::fs::write(&file, text).expect("written");
    put("the-first-one\n");
    let text = format!(
        "[store]\nkind = \"postgres\"\nurl = \"postgres://changing@127.0.0.1:{}/{name}\"\ntls = \"off\"\npassword_file = \"{}\"\n",
        server.port,
        file.display()
    );
    let mut whole = Section::of_text(&text, &Machine).expect("TOML");
    let read = Configured::read(&mut whole.section("store").expect("the table"));
    let Some(Configured::Postgres(settings)) = read else { panic!("{read:?}") };
    let begun = std::time::Instant::now();
    let store = loop {
        // The rules are read again in the server's own time.
        match PostgresStore::open(&settings, Clock::at(noon())).await {
            Ok(store) => break store,
            Err(fault) => assert!(begun.elapsed() < Duration::from_secs(30), "{fault}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    admin.execute("ALTER ROLE changing PASSWORD 'the-second-one'").await.expect("changed");
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'changing'";
    admin.execute(cut).await.expect("cut");
    let begun = std::time::Instant::now();
    loop {
        match store.ping().await {
            Err(StoreError::Away(words)) if words.contains("the login was refused") => break,
            // Connections are still breaking.
            last => assert!(begun.elapsed() < Duration::from_secs(30), "{last:?}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    put("the-second-one\n");
    store.ping().await.expect("the new password is used");
    store.begin("test").await.expect("and so it is for a transaction");
    admin.close().await.expect("closed");
}
