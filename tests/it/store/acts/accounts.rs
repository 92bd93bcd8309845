//! What accounts and sessions ask of a store.

use brygga::account::{Account, AccountName, PasswordHash, Session, SessionDigest, read_scope};
use brygga::domain::{Role, Scope};
use brygga::store::{Accounts as _, Tx as _};
use jiff::{SignedDuration, Timestamp};

use super::super::engine::{Engine, on_both_engines};
use super::Hall;
use crate::store::desk::noon;

fn name(text: &str) -> AccountName {
    text.parse().expect("a name")
}

fn at(seconds: i64) -> Timestamp {
    noon().checked_add(SignedDuration::from_secs(seconds)).expect("a time")
}

fn account(text: &str) -> Account {
    Account {
        name: name(text),
        role: Role::Privacy,
        scope: read_scope(["1863:Socialnämnden", "1273"]).expect("a scope"),
        password: PasswordHash::from_stored(format!("$argon2id${text}")),
        created_at: noon(),
        password_at: noon(),
        disabled_at: None,
    }
}

fn session(number: u8, of: &str, created: i64, seen: i64) -> Session {
    let digest = SessionDigest::from_slice(&[number; 32]).expect("as long as a digest");
    Session { digest, account: name(of), created_at: at(created), seen_at: at(seen) }
}

async fn an_account_is_read_back_as_it_was_written_and_a_name_is_taken_once<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let (first, mut second) = (account("a"), account("b"));
    second.scope = Scope::Everything;
    let mut tx = hall.begin().await;
    assert!(tx.add_account(&second).await.expect("stored") && tx.add_account(&first).await.expect("stored"));
    tx.commit().await.expect("committed");
    let mut other = account("a");
    other.password = PasswordHash::from_stored("another".to_owned());
    let mut tx = hall.begin().await;
    assert!(!tx.add_account(&other).await.expect("asked"), "the name is taken");
    tx.commit().await.expect("committed");
    let mut tx = hall.begin().await;
    assert_eq!(tx.account(&name("a")).await.expect("read"), Some(first.clone()));
    assert_eq!(tx.account(&name("c")).await.expect("read"), None);
    assert_eq!(tx.accounts().await.expect("read"), [first, second.clone()]);
    second.role = Role::Viewer;
    second.scope = read_scope(["1863"]).expect("a scope");
    (second.password_at, second.disabled_at) = (at(5), Some(at(7)));
    tx.change_account(&second).await.expect("changed");
    assert_eq!(tx.account(&name("b")).await.expect("read"), Some(second));
}

async fn a_session_is_found_by_its_digest_until_it_is_ended<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let mut tx = hall.begin().await;
    for one in ["a", "b"] {
        assert!(tx.add_account(&account(one)).await.expect("stored"));
    }
    let (first, second, other) = (session(1, "a", 0, 0), session(2, "a", 0, 0), session(3, "b", 0, 0));
    for one in [&first, &second, &other] {
        tx.open_session(one).await.expect("stored");
    }
    tx.commit().await.expect("committed");
    let mut tx = hall.begin().await;
    assert_eq!(tx.session(&first.digest).await.expect("read"), Some(first.clone()));
    tx.touch_session(&first.digest, at(60)).await.expect("changed");
    assert_eq!(tx.session(&first.digest).await.expect("read").map(|one| (one.created_at, one.seen_at)), Some((at(0), at(60))));
    assert!(tx.end_session(&first.digest).await.expect("ended"));
    assert!(!tx.end_session(&first.digest).await.expect("ended"), "once");
    assert_eq!(tx.session(&first.digest).await.expect("read"), None);
    assert_eq!(tx.end_sessions_of(&name("a")).await.expect("ended"), 1);
    assert_eq!(tx.session(&second.digest).await.expect("read"), None);
    assert_eq!(tx.session(&other.digest).await.expect("read"), Some(other.clone()), "another's session stays");
    tx.end_sessions().await.expect("ended");
    assert_eq!(tx.session(&other.digest).await.expect("read"), None);
}

async fn sessions_whose_time_is_over_are_swept_and_no_others<E: Engine>() {
    let hall = Hall::<E>::open().await;
    let mut tx = hall.begin().await;
    assert!(tx.add_account(&account("a")).await.expect("stored"));
    for (number, created, seen) in [(1, 0, 30), (2, 11, 20), (3, 11, 21)] {
        tx.open_session(&session(number, "a", created, seen)).await.expect("stored");
    }
    tx.sweep_sessions(at(10), at(20)).await.expect("swept");
    let mut left = Vec::new();
    for number in 1..=3 {
        let digest = SessionDigest::from_slice(&[number; 32]).expect("a digest");
        left.push(tx.session(&digest).await.expect("read").is_some());
    }
    assert_eq!(left, [false, false, true], "opened too long ago; not used for too long; good");
}

on_both_engines! {
    an_account_is_read_back_as_it_was_written_and_a_name_is_taken_once,
    a_session_is_found_by_its_digest_until_it_is_ended,
    sessions_whose_time_is_over_are_swept_and_no_others,
}
