//! A relay that is killed between handing over and confirming: a process of its own, SIGKILL while the system holds its request.

use std::time::{Duration, Instant};

use sqlx::Connection as _;

use super::service::Service;
use super::system::{Asked, Reply, System};
use crate::harness::root;
use crate::privacy::secrets;
use crate::servers::postgres::Server;

/// How long anything may take on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_mins(1);

async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < deadline, "{what}: never");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What one feed was asked, in the order in which it came.
fn of(system: &System, path: &str) -> Vec<Asked> {
    let mut asked = system.asked();
    asked.retain(|asked| asked.path == path);
    asked
}

/// Kills the process on its first, then on its third entry, and starts another each time.
async fn killed_while_the_system_holds_its_request(service: &mut Service, system: &System, lease_runs_out: impl AsyncFn()) {
    // Both feeds are held at once: an answer in one, a disclosure in the other.
    system.next([Reply::Silence, Reply::Silence]);
    service.start();
    service.drop_reports(0..4);
    until("both feeds are held", async || !of(system, "/ame").is_empty() && !of(system, "/fs").is_empty()).await;
    service.kill();
    let (ame, fs) = (of(system, "/ame"), of(system, "/fs"));
    assert_eq!((ame.len(), fs.len()), (1, 1), "nothing passes what is not confirmed");
    lease_runs_out().await;
    service.start();
    until("all answers arrive", async || of(system, "/ame").len() >= 5).await;
    until("all disclosures arrive", async || of(system, "/fs").len() >= 5).await;
    // A system that refuses one: the same process goes on, and an operator beside it sends it again.
    system.next([Reply::plain(422)]);
    service.drop_reports(4..5);
    until("one is refused", async || service.refused().await.len() == 1).await;
    until("both have heard", async || of(system, "/ame").len() == 6 && of(system, "/fs").len() == 6).await;
    let told = service.retry(service.refused().await[0]).await;
    assert!(told.contains("will be sent again"), "{told}");
    until("it is sent again", async || of(system, "/ame").len() + of(system, "/fs").len() == 13).await;
    until("nothing is refused", async || service.refused().await.is_empty()).await;

    let mut twice = 0;
    for (path, first) in [("/ame", &ame[0]), ("/fs", &fs[0])] {
        let asked = of(system, path);
        let again = &asked[1];
        assert_eq!((again.key(), &again.body), (first.key(), &first.body), "handed over and unconfirmed comes again");
        // An id's beginning is its place in the feed.
        let mut keys: Vec<&str> = asked[1..6].iter().map(Asked::key).collect();
        let in_order = keys.windows(2).all(|pair| pair[0] < pair[1]);
        assert!(in_order, "{keys:?}");
        keys.dedup();
        assert_eq!(keys.len(), 5, "nothing is lost and nothing comes twice");
        twice += asked[6..].iter().filter(|asked| asked.key() == keys[4]).count();
    }
    assert_eq!(twice, 1, "what was refused came again with its own id");
    let hidden = secrets(&std::fs::read_to_string(root().join("benches/report.json")).expect("a report"));
    let shown: String = of(system, "/fs").iter().map(|asked| String::from_utf8_lossy(&asked.body).into_owned()).collect();
    assert!(hidden.iter().any(|secret| shown.contains(secret.as_str())), "there is something to hide");
    let log = service.log();
    assert!(log.contains("entry refused by its system"));
    for secret in &hidden {
        assert!(!log.contains(secret.as_str()), "something of a person is logged, though the system has said it");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_killed_between_handing_over_and_confirming_loses_nothing_on_sqlite() {
    let system = System::start().await;
    let mut service = Service::embedded(&system);
    killed_while_the_system_holds_its_request(&mut service, &system, async || {}).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_killed_between_handing_over_and_confirming_loses_nothing_on_postgres() {
    let system = System::start().await;
    let server = Server::shared().await;
    let settings = server.database().await;
    let mut service = Service::postgres(&settings, &system);
    // The dead process's lease runs for a minute; the test lets it run out at once.
    let lease_runs_out = async || {
        let mut bare = server.connect(&settings.database).await.expect("a connection");
        let ended = sqlx::query("UPDATE leases SET until = 0").execute(&mut bare).await.expect("updated");
        assert_eq!(ended.rows_affected(), 2, "each feed was under a lease");
        bare.close().await.expect("closed");
    };
    killed_while_the_system_holds_its_request(&mut service, &system, lease_runs_out).await;
}
