//! The key store's port: one suite on every engine.

use std::sync::Arc;

use brygga::domain::{Categories, Category, Keys, PersonKey, RecipientId, ReportKey};
use brygga::seal::{
    EphemeralKeys, Erasure, FeedMark, Holder, Kept, KeyStore, Keyring, LedgerNote, Marks, RetentionClass, Revocation,
    SealError, ServiceKeys, TakenId, Vault, WrappingKey, WrappingKeys, WrappingSource, rotate,
};
use brygga::store::StoreError;
use brygga::store::postgres::keys::PostgresKeyStore;
use brygga::store::sqlite::keys::SqliteKeyStore;
use jiff::Timestamp;
use secrecy::SecretString;

use crate::harness::folder_in_memory;
use crate::servers::postgres::Server;

fn now() -> Timestamp {
    "2026-03-16T11:00:00Z".parse().expect("an instant")
}

fn person(number: u8) -> PersonKey {
    PersonKey::from_bytes([number; 32])
}

fn holder(number: u8) -> Holder {
    Holder::person(&person(number), RetentionClass::Journal)
}

fn consent(number: u8) -> ReportKey {
    let organisation = "2120001942".parse().expect("an organisation");
    ServiceKeys::derive(&[1; 32]).report("consent", organisation, &person(number), "c")
}

fn secret() -> SecretString {
    WrappingKey::new_secret().expect("random numbers")
}

fn source(secrets: &[SecretString]) -> WrappingSource {
    let keys = WrappingKeys::read(secrets).expect("keys");
    WrappingSource::new(move || Ok(keys.clone())).expect("a source")
}

/// The same key comes to whoever asks, many at once among them; another holder and another class have another.
async fn keys_are_made_once(store: &Arc<dyn KeyStore>, vault: &Vault) {
    let holders: Vec<Holder> = (0..40).map(holder).collect();
    let mut tasks = Vec::new();
    for _ in 0..8 {
        let (vault, holders) = (vault.clone(), holders.clone());
        tasks.push(tokio::spawn(async move {
            let mut ring = Keyring::default();
            vault.ready(&mut ring, &holders, now()).await.expect("keys");
            holders.iter().map(|holder| ring.of(holder).expect("a key").id()).collect::<Vec<_>>()
        }));
    }
    let mut seen = Vec::new();
    for task in tasks {
        seen.push(task.await.expect("no panic"));
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "everybody has the same keys");
    let mut each = seen.remove(0);
    assert_eq!(store.of_ids(&each).await.expect("read").len(), 40);
    each.sort();
    each.dedup();
    assert_eq!(each.len(), 40);
    let feed = Holder::person(&person(0), RetentionClass::Feed);
    assert_eq!(store.of_holders(&[feed]).await.expect("read"), []);
    assert_eq!(store.of_holders(&holders).await.expect("read").len(), 40);
}

/// After a rotation has begun nobody keeps a key under the old wrapping key, and in the end nothing is wrapped by it.
async fn a_rotation_leaves_nothing_behind(store: &Arc<dyn KeyStore>, old: &SecretString) {
    let new = secret();
    let late = Vault::new(Arc::clone(store), source(std::slice::from_ref(old)));
    let both = Vault::new(Arc::clone(store), source(&[new.clone(), old.clone()]));
    let of_another = store.of_holders(&[holder(1)]).await.expect("read");
    let rotated = rotate(&both, now()).await.expect("rotated");
    assert_eq!(rotated.keys, 40);
    // A step of another rotation that comes late finds the keys wrapped anew, and changes none.
    let late_step: Vec<_> = of_another.into_iter().map(|key| (key.wrapping, key)).collect();
    assert_eq!(late_step.len(), 1);
    store.replace(&late_step).await.expect("it passes them over");
    assert_eq!(store.wrapping().await.expect("read"), Some(rotated.wrapping));
    let again = rotate(&both, now()).await.expect("rotated");
    assert_eq!((again.keys, again.before), (0, None), "there is nothing left to do");
    let only_new = Vault::new(Arc::clone(store), source(std::slice::from_ref(&new)));
    let mut ring = Keyring::default();
    let holders: Vec<Holder> = (0..41).map(holder).collect();
    only_new.ready(&mut ring, &holders, now()).await.expect("the old one is not needed");
    let refused = late.ready(&mut Keyring::default(), &[holder(50)], now()).await;
    assert!(matches!(refused, Err(StoreError::Seal(SealError::Outdated(_)))), "{refused:?}");
    let refused = late.ready(&mut Keyring::default(), &[holder(0)], now()).await;
    assert!(matches!(refused, Err(StoreError::Seal(SealError::Wrapping(_)))), "{refused:?}");
    let foreign = WrappingKeys::read([&secret()]).expect("a key");
    assert!(foreign.find(rotated.wrapping).is_none());
    let wrapped = store.of_holders(&[holder(0)]).await.expect("read");
    assert!(matches!(store.keep(&[], now()).await, Ok(Kept::New(kept)) if kept.is_empty()));
    assert!(wrapped.iter().all(|key| key.wrapping == rotated.wrapping));
}

async fn marks_only_move_forward(store: &Arc<dyn KeyStore>) {
    let af = RecipientId::arbetsformedlingen();
    let marks = |messages, head, pages| Marks { messages, feeds: [(af.clone(), FeedMark { head, pages })].into() };
    assert_eq!(store.epoch().await.expect("read"), None);
    store.raise(&Marks::default()).await.expect("raised");
    assert_eq!(store.epoch().await.expect("read"), Some((1, Marks::default())));
    for (raised, stands) in [
        (marks(5, 3, 1), marks(5, 3, 1)),
        (marks(4, 9, 0), marks(5, 9, 1)),
        (Marks { messages: 7, ..Marks::default() }, marks(7, 9, 1)),
        (marks(0, 0, 2), marks(7, 9, 2)),
    ] {
        store.raise(&raised).await.expect("raised");
        assert_eq!(store.epoch().await.expect("read"), Some((1, stands)));
    }
    store.begin_epoch(2, &marks(3, 2, 1), now()).await.expect("begun");
    assert_eq!(store.epoch().await.expect("read"), Some((2, marks(3, 2, 1))), "a new epoch begins where the content stands");
    store.raise(&marks(4, 2, 1)).await.expect("raised");
    assert_eq!(store.epoch().await.expect("read"), Some((2, marks(4, 2, 1))));
}

async fn ledgers_keep_each_note_once(store: &Arc<dyn KeyStore>) {
    let some = Categories::NONE.with(Category::Attendance).with(Category::AbsenceReason);
    let note =
        |number, categories| Revocation { consent: consent(number), person: person(number), revoked_at: now(), categories };
    let (whole, part) = (note(1, None), note(2, Some(some)));
    let notes = [
        LedgerNote::Revocation(whole),
        LedgerNote::Flag(person(9), now()),
        LedgerNote::Revocation(part),
        LedgerNote::Revocation(whole),
        LedgerNote::Flag(person(9), now()),
    ];
    for _ in 0..2 {
        store.note(&notes).await.expect("noted");
    }
    assert_eq!(store.revocations().await.expect("read"), [whole, part]);
    assert_eq!(store.flags().await.expect("read"), [person(9)]);
    // A flag goes with a lift that came after it, and only with that.
    let later = |seconds| now() + jiff::SignedDuration::from_secs(seconds);
    store.note(&[LedgerNote::Flag(person(9), later(2)), LedgerNote::Flag(person(8), now())]).await.expect("noted");
    store.note(&[LedgerNote::Flag(person(9), later(1)), LedgerNote::Lift(person(9), later(1))]).await.expect("noted");
    assert_eq!(store.flags().await.expect("read"), [person(8), person(9)], "the newest flag is from after the lift");
    store.note(&[LedgerNote::Lift(person(9), later(2)), LedgerNote::Lift(person(7), later(2))]).await.expect("noted");
    assert_eq!(store.flags().await.expect("read"), [person(8)]);
}

async fn what_is_destroyed_opens_nothing_and_erasures_are_kept(store: &Arc<dyn KeyStore>) {
    let (gone, stays) = (holder(2), holder(3));
    assert_eq!(store.destroy(&[gone, holder(200)]).await.expect("destroyed"), 1);
    assert_eq!(store.of_holders(&[gone]).await.expect("read"), []);
    assert_eq!(store.of_holders(&[stays]).await.expect("read").len(), 1);
    let erasure = Erasure { holder: gone, at: now() };
    let taken = TakenId {
        login: "a-login".to_owned().try_into().expect("a login"),
        message_id: uuid::Uuid::from_u128(7),
        contract: "consent.v1".parse().expect("a contract"),
        at: now(),
    };
    for _ in 0..2 {
        store.note(&[LedgerNote::Erasure(erasure.clone()), LedgerNote::Taken(taken.clone())]).await.expect("noted");
    }
    assert_eq!(store.erasures().await.expect("read"), [erasure]);
    assert_eq!(store.taken_ids().await.expect("read"), [taken]);
    store.give_back().await.expect("given back");
}

async fn suite(store: Arc<dyn KeyStore>) {
    let old = secret();
    keys_are_made_once(&store, &Vault::new(Arc::clone(&store), source(std::slice::from_ref(&old)))).await;
    a_rotation_leaves_nothing_behind(&store, &old).await;
    marks_only_move_forward(&store).await;
    ledgers_keep_each_note_once(&store).await;
    what_is_destroyed_opens_nothing_and_erasures_are_kept(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_store_in_memory_holds_the_port() {
    suite(Arc::new(EphemeralKeys::default())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_store_in_sqlite_holds_the_port() {
    let folder = folder_in_memory();
    let path = folder.path().join("keys.db");
    let store = SqliteKeyStore::open(&path).await.expect("a key store");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&path).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "only the service's own user reads it");
    }
    suite(Arc::new(store.clone())).await;
    store.close().await;
    let again = SqliteKeyStore::open(&path).await.expect("it opens again");
    assert_eq!(again.revocations().await.expect("read").len(), 2, "and everything is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_store_in_postgres_holds_the_port() {
    let settings = Server::shared().await.database().await;
    let store = PostgresKeyStore::open(&settings).await.expect("a key store");
    suite(Arc::new(store.clone())).await;
    store.close().await;
    let again = PostgresKeyStore::open(&settings).await.expect("it opens again");
    assert_eq!(again.revocations().await.expect("read").len(), 2, "and everything is there");
}
