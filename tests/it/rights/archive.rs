//! An erasure where a rule keeps the reports of which a document was served: they stay, nothing comes of them, and they go when
//! their period ends. All else goes as without the rule.

use brygga::app::Scenario;
use brygga::app::erasure::erase;
use brygga::config::RetentionConfig;
use brygga::journey::Outcome;
use brygga::seal::{Holder, RetentionClass};
use brygga::store::{Clock, KeptKind, Rights as _, Store as _, Survey as _};
use jiff::SignedDuration;

use super::people::{consent, counts, first, message, noon, read, report};
use crate::harness::Desk;

#[tokio::test]
async fn what_was_served_stays_by_the_archive_rule_and_is_shown_to_nobody_and_goes_in_its_time() {
    let run = |messages| Scenario { title: "made here".to_owned(), instant: noon(), messages };
    let desk = Desk::open(&run(Vec::new())).await;
    let served = report("AR-1");
    desk.run(&run(vec![consent("H-0102"), served.clone()])).await;
    assert_eq!(counts(&read(&desk.journey, &desk.store).await), (2, 0));
    desk.run(&run(vec![report("AR-2")])).await;
    let (person, files) = (first(&desk.journey), desk.data.wrapping_files());
    let done = erase(&desk.journey, &desk.store, &files, &person, "ada", "begäran", true).await.expect("erased").expect("held");
    assert_eq!((done.erased.archived, done.erased.messages, done.erased.deletes), (1, 2, 2), "{done:?}");
    assert_eq!(done.erased.newest_archived, Some(noon()));
    let keys = desk.journey.vault().store();
    let holders = RetentionClass::OF_PERSONS.map(|class| Holder::person(&person, class));
    let left = keys.of_holders(&holders).await.expect("read");
    assert_eq!(left.iter().map(|key| key.holder.class()).collect::<Vec<_>>(), [RetentionClass::Journal]);

    // Another waiver, its own report again, a sweep, a flag, and a restore's replay: it is shown to nobody.
    let again = desk.run(&run(vec![consent("H-0300"), served])).await;
    assert!(matches!(again[1].1, Outcome::Duplicate(_)), "{again:?}");
    for _ in 0..3 {
        desk.journey.sweep(&desk.store).await.expect("swept");
    }
    assert_eq!(counts(&read(&desk.journey, &desk.store).await), (0, 2));
    let mut tx = desk.journey.begin(&desk.store, "test").await.expect("a transaction");
    desk.journey.forget_again(&mut tx, &person, noon()).await.expect("replayed");
    desk.journey.settle_person(&mut tx, &person, false).await.expect("settled");
    tx.commit().await.expect("committed");
    assert_eq!(counts(&read(&desk.journey, &desk.store).await), (0, 2));
    let mut tx = desk.store.begin("test").await.expect("a transaction");
    let census = tx.census().await.expect("a census");
    assert!(census.adds_up(), "{census:?}");
    let kept = tx.kept_by_kind().await.expect("read");
    assert!(kept.contains(&(KeptKind::Journal, 1, noon())), "{kept:?}");
    drop(tx);
    brygga::audit::verify(&desk.store, []).await.expect("read").expect("the chain holds");

    let later = noon().checked_add(SignedDuration::from_hours(24 * 1500)).expect("a time");
    let later = desk.store.clone().with_clock(Clock::at(later));
    // Something of somebody else's is not in the way.
    desk.journey.take(&later, [message("activity-report.v1", "{").arrival(noon())]).await.expect("taken");
    desk.journey.retain(&later, &RetentionConfig::default(), None, false).await.expect("a run");
    assert_eq!(keys.of_holders(&holders).await.expect("read"), [], "its period is over, and the participant's last key gone");
    brygga::audit::verify(&later, []).await.expect("read").expect("the chain holds");
}
