//! Retention on both engines: what may be kept no longer goes, and what was decided still holds.

use std::sync::Arc;
use std::time::Duration;

use brygga::app::retention::look;
use brygga::config::RetentionConfig;
use brygga::domain::RecipientId;
use brygga::feed::{Cursor, event_id};
use brygga::journey::{Journey, Outcome, Retained, Served};
use brygga::receipt::{self, ReceiptFault};
use brygga::seal::{Holder, RetentionClass, ServiceKeys, Vault};
use brygga::store::postgres::PostgresStore;
use brygga::store::sqlite::SqliteStore;
use brygga::store::{Clock, KeptKind, Store, Survey as _, Tx as _};
use brygga::telemetry::{Health, Numbers};
use jiff::{SignedDuration, Timestamp};

use super::people::{consent, counts, first, message, noon, of_second, read, report, revocation, second};
use crate::harness::set;
use crate::servers::postgres::Server;

fn after(days: i64) -> Timestamp {
    noon().checked_add(SignedDuration::from_hours(24 * days)).expect("a time")
}

fn gone(all: &[Retained]) -> Vec<(KeptKind, usize)> {
    all.iter().filter(|one| one.gone > 0).map(|one| (one.kind, one.gone)).collect()
}

/// What Arbetsförmedlingen says of an entry, and what it is answered.
async fn say<S: Store>(journey: &Journey, store: &S, entry: &Served, kind: &str) -> Result<(), ReceiptFault> {
    let af = RecipientId::arbetsformedlingen();
    let id = event_id(journey.keys(), &af, 1, entry.position);
    let body = serde_json::json!({ "receipts": [{ "eventId": id, "kind": kind, "at": "2026-03-16T11:05:00Z" }] });
    let stated = receipt::read(body.to_string().as_bytes()).expect("a batch");
    journey.take_receipts(store, &af, &stated).await.expect("taken").remove(0)
}

/// The feed of försörjningsstöd, which rests on no waiver.
async fn support<S: Store>(journey: &Journey, store: &S) -> Vec<Served> {
    let recipient = RecipientId::from_stored("1863.forsorjningsstod".to_owned());
    journey.page(store, &recipient, Cursor::START, 1000).await.expect("a page").entries
}

/// `at` opens the same store at another time.
async fn what_may_be_kept_no_longer_goes_and_what_was_decided_holds<S: Store>(at: impl AsyncFn(Timestamp) -> S) {
    let journey = Journey::new(set(), Arc::new(ServiceKeys::derive(&[7; 32])), Vault::ephemeral().expect("keys"));
    let rules = RetentionConfig::default();
    let now = at(noon()).await;
    let broken = message("activity-report.v1", "{");
    let mut refused = report("AR-2");
    refused.bytes =
        String::from_utf8(refused.bytes).expect("UTF-8").replace("\"kind\":\"original\"", "\"kind\":\"nonsense\"").into();
    // The first has taken one of two waivers back, the second none.
    let mut arrivals =
        vec![consent("H-0102"), report("AR-1"), broken.clone(), refused, consent("H-0104"), revocation("H-0104")];
    arrivals.extend([of_second(consent("H-0103")), of_second(report("AR-9"))]);
    journey.take(&now, arrivals.iter().map(|one| one.arrival(noon())).collect::<Vec<_>>()).await.expect("taken");
    let shown = read(&journey, &now).await;
    assert_eq!(counts(&shown), (4, 0));
    assert_eq!(say(&journey, &now, &shown[0], "accepted").await, Ok(()));
    assert_eq!(gone(&journey.retain(&now, &rules, None, false).await.expect("run")), []);

    let later = at(after(200)).await;
    let dry = journey.retain(&later, &rules, Some("ada"), true).await.expect("a dry run");
    let wanted = [(KeptKind::DeadLetters, 1), (KeptKind::Unreadable, 1)];
    assert!(gone(&dry).iter().all(|one| wanted.contains(one)) && gone(&dry).len() == 2, "{dry:?}");
    assert_eq!(dry, journey.retain(&later, &rules, Some("ada"), true).await.expect("a dry run"), "it has changed nothing");
    let run = journey.retain(&later, &rules, None, false).await.expect("a run");
    assert_eq!(gone(&run), gone(&dry), "what was said has gone");
    let again = journey.take(&later, [broken.arrival(after(200))]).await.expect("taken");
    assert!(matches!(again[0], Outcome::Duplicate(_)), "its id is kept: {again:?}");
    let mut tx = later.begin("test").await.expect("a transaction");
    assert!(crate::harness::dead_letters(&mut tx).await.is_empty());
    drop(tx);

    // The documents go before the reports, and the place of each is kept.
    let later = at(after(800)).await;
    let run = journey.retain(&later, &rules, None, false).await.expect("a run");
    assert!(gone(&run).contains(&(KeptKind::Feed, 4)), "all that was fetched, and nothing else: {run:?}");
    let person = first(&journey);
    let holders = |person| RetentionClass::OF_PERSONS.map(|class| Holder::person(person, class));
    let of_both = [holders(&person), holders(&second(&journey))].concat();
    let keys = journey.vault().store();
    assert_eq!(keys.of_holders(&of_both).await.expect("read").len(), 4, "there are documents that nobody has fetched");
    assert_eq!(counts(&read(&journey, &later).await), (0, 0), "they are shown no more");
    // Both waivers of the first are over now, one of them because it was taken back: what was served gets its `DELETE`, although
    // nothing is left of it but its place. Of the second nothing is said: a date alone has passed.
    for _ in 0..3 {
        journey.sweep(&later).await.expect("swept");
    }
    let shown_now = read(&journey, &later).await;
    assert_eq!(counts(&shown_now), (0, 2), "nothing is published a second time");
    assert_eq!(say(&journey, &later, &shown[0], "accepted").await, Err(ReceiptFault::NotServed), "it is no longer kept");
    assert_eq!(say(&journey, &later, &shown_now[0], "withdrawal-acknowledged").await, Ok(()));

    let later = at(after(1500)).await;
    let run = journey.retain(&later, &rules, None, false).await.expect("a run");
    assert!(gone(&run).contains(&(KeptKind::Feed, 2)), "what could be shown to nobody any more goes unfetched: {run:?}");
    let (journal, consents) = (gone(&run).contains(&(KeptKind::Journal, 2)), gone(&run).contains(&(KeptKind::Consents, 4)));
    // The consents wait until no report is left: a run goes through the kinds in the order in which they rest on each other.
    assert!(journal && consents && gone(&run).contains(&(KeptKind::Receipts, 1)), "{run:?}");
    assert_eq!(keys.of_holders(&of_both).await.expect("read"), [], "nothing is left of the participants");
    assert_eq!(gone(&journey.retain(&later, &rules, None, false).await.expect("a run")), []);
    for _ in 0..3 {
        journey.sweep(&later).await.expect("swept");
    }
    assert_eq!(counts(&read(&journey, &later).await), (0, 2));
    assert_eq!(keys.of_holders(&of_both).await.expect("read"), [], "and nothing makes a key where nothing arrives");
    journey.give_back(&later).await.expect("the space is given back");
    // The second prolongs the waiver, and nothing follows; and takes it back, and what nobody can judge any more is taken back
    // too, but not what rests on no waiver.
    let mut longer = of_second(consent("H-0103"));
    let text = String::from_utf8(longer.bytes).expect("UTF-8");
    longer.bytes = text.replace("\"revision\": 1", "\"revision\": 2").replace("2026-12-31", "2031-12-31").into();
    journey.take(&later, [longer.arrival(after(1500))]).await.expect("taken");
    assert_eq!(counts(&read(&journey, &later).await), (0, 2));
    let mut late = of_second(revocation("H-0103"));
    late.bytes = String::from_utf8(late.bytes).expect("UTF-8").replace("\"revision\": 2", "\"revision\": 3").into();
    journey.take(&later, [late.arrival(after(1500))]).await.expect("taken");
    assert_eq!(counts(&read(&journey, &later).await), (0, 4));
    assert_eq!(counts(&support(&journey, &later).await), (0, 0));
    brygga::audit::verify(&later, []).await.expect("read").expect("the chain holds");

    // Ten years on the rows of the audit log go too. The chain is still verified, and what proves the removals stays.
    let later = at(after(5500)).await;
    let dry = journey.retain(&later, &rules, None, true).await.expect("a dry run");
    let run = journey.retain(&later, &rules, Some("ada"), false).await.expect("a run");
    assert_eq!(gone(&run), gone(&dry));
    let rows = gone(&run).iter().find(|(kind, _)| *kind == KeptKind::Audit).map(|one| one.1).expect("rows of the audit log");
    let verified = brygga::audit::verify(&later, []).await.expect("read").expect("the chain holds");
    assert_eq!(usize::try_from(verified.gone).expect("a count"), rows);
    assert!(verified.rows > 5, "a proof for each step of a run: {verified:?}");
    assert_eq!(gone(&journey.retain(&later, &rules, None, false).await.expect("a run")), []);
    journey.give_back(&later).await.expect("the space is given back");
    let mut tx = later.begin("test").await.expect("a transaction");
    let census = tx.census().await.expect("a census");
    assert!(census.adds_up(), "{census:?}");
    let feeds = tx.recipients().await.expect("read");
    assert!(feeds.contains(&RecipientId::arbetsformedlingen()), "positions stay");
    let kept = tx.kept_revocations(&person).await.expect("read");
    assert_eq!(kept.len(), 1, "a revocation works without its content");
}

/// What `/metrics` says of messages that nobody can read.
fn unreadable(numbers: &Numbers) -> Option<String> {
    let text = numbers.text(&Health::default());
    let line = text.lines().find(|line| line.starts_with("brygga_kept{") && line.contains("\"unreadable\""));
    line.and_then(|line| line.rsplit(' ').next()).map(str::to_owned)
}

async fn a_service_blanks_only_where_periods_were_decided_and_once_in_each<S: Store>(at: impl AsyncFn(Timestamp) -> S) {
    let journey = Journey::new(set(), Arc::new(ServiceKeys::derive(&[7; 32])), Vault::ephemeral().expect("keys"));
    let (undecided, numbers) = (RetentionConfig::default(), Numbers::default());
    let decided = RetentionConfig { every: Some(Duration::from_hours(24)), ..RetentionConfig::default() };
    let take = async || {
        let broken = message("activity-report.v1", "{").arrival(noon());
        journey.take(&at(noon()).await, [broken]).await.expect("taken");
    };
    take().await;
    let later = at(after(200)).await;
    look(&journey, &later, &undecided, &numbers).await.expect("looked");
    assert_eq!(unreadable(&numbers).as_deref(), Some("1"), "nobody has decided that anything goes");
    look(&journey, &later, &decided, &numbers).await.expect("looked");
    assert_eq!(unreadable(&numbers).as_deref(), Some("0"));
    take().await;
    look(&journey, &later, &decided, &numbers).await.expect("looked");
    assert_eq!(unreadable(&numbers).as_deref(), Some("1"), "whoever looks within the period counts alone");
    look(&journey, &at(after(202)).await, &decided, &numbers).await.expect("looked");
    assert_eq!(unreadable(&numbers).as_deref(), Some("0"));
}

#[tokio::test]
async fn retention_on_sqlite() {
    let store = SqliteStore::in_memory(Clock::at(noon())).await.expect("a store");
    what_may_be_kept_no_longer_goes_and_what_was_decided_holds(async |at| store.clone().with_clock(Clock::at(at))).await;
    let store = SqliteStore::in_memory(Clock::at(noon())).await.expect("a store");
    a_service_blanks_only_where_periods_were_decided_and_once_in_each(async |at| store.clone().with_clock(Clock::at(at))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn retention_on_postgres() {
    let settings = Server::shared().await.database().await;
    let open = async |at| PostgresStore::open(&settings, Clock::at(at)).await.expect("the store opens").console();
    what_may_be_kept_no_longer_goes_and_what_was_decided_holds(open).await;
    let settings = Server::shared().await.database().await;
    let open = async |at| PostgresStore::open(&settings, Clock::at(at)).await.expect("the store opens").console();
    a_service_blanks_only_where_periods_were_decided_and_once_in_each(open).await;
}
