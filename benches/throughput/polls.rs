//! What a page costs with few and with many entries in the feed.

use std::time::Instant;

use brygga::domain::{Position, RecipientId};
use brygga::feed::event_id;
use brygga::seal::ServiceKeys;

use super::corpus::Corpus;
use super::median;
use super::publisher::{To, fill};
use super::service::{DOCUMENTS, Service, head, prepare, reaches};
use super::world::{SECRET, World};

const FEW: i64 = 10_000;
const MANY: i64 = 2_000_000;

/// Pages asked for, spread over the feed.
const PAGES: i64 = 300;

/// The id of an entry of Arbetsförmedlingen's feed; of none before the first.
pub(crate) fn id_of(position: i64) -> String {
    if position == 0 {
        return String::new();
    }
    let keys = ServiceKeys::derive(&SECRET);
    let recipient = RecipientId::from_stored("arbetsformedlingen".to_owned());
    event_id(&keys, &recipient, 1, Position(position))
}

/// Measures and prints.
pub(crate) async fn run(world: &World) {
    let mut corpus = Corpus::new(100, world.today);
    let connection = world.connect().await;
    prepare(world, &corpus, &connection).await;
    let service = Service::start(world);
    let reports = corpus.reports(1_000);
    fill(&connection, To::Brygga, &reports).await;
    let real = DOCUMENTS * i64::try_from(reports.len()).expect("a count");
    reaches(world, real, std::time::Duration::from_millis(50), |_| {}).await;
    service.stop().await;
    let mut costs = Vec::new();
    for entries in [FEW, MANY] {
        copy_until(world, real, entries).await;
        let service = Service::start(world);
        service.ready(world).await;
        costs.push(pages(world, &service, entries).await);
        service.stop().await;
    }
    let (few, many) = (costs[0], costs[1]);
    println!("a page of 100: {few:.2} ms with {FEW} entries, {many:.2} ms with {MANY}");
    println!("ratio {:.2} (aim: at most 1.3)", many / few);
}

/// Makes the feed longer by entries that are like the real ones but for their positions.
async fn copy_until(world: &World, real: i64, entries: i64) {
    let from = head(world).await;
    let sql = "INSERT INTO entries (recipient, position, message, report, person, subject, contract, syntax, method, sealed, \
        fingerprint, published_at, until, illustrative, state) SELECT recipient, more.position, message, report, person, \
        subject, contract, syntax, method, sealed, fingerprint, published_at, until, illustrative, state \
        FROM generate_series($1, $2) AS more (position) JOIN entries ON recipient = 'arbetsformedlingen' \
        AND entries.position = 1 + more.position % $3";
    sqlx::query(sql).bind(from + 1).bind(entries).bind(real).execute(&world.pool).await.expect("copied");
    let sql = "UPDATE feeds SET head = $1 WHERE recipient = 'arbetsformedlingen'";
    sqlx::query(sql).bind(entries).execute(&world.pool).await.expect("raised");
    sqlx::query("VACUUM ANALYZE entries").execute(&world.pool).await.expect("analyzed");
}

/// The middle time of a page, in milliseconds. Each is served for the first time.
async fn pages(world: &World, service: &Service, entries: i64) -> f64 {
    let client = world.certificates.client();
    let mut times = Vec::new();
    let step = (entries - 200) / PAGES;
    for page in 0..PAGES {
        let after = id_of(page * step);
        let address = format!("https://127.0.0.1:{}/v1/feed?limit=100&timeout=0&lastEventId={after}", service.feed);
        let begun = Instant::now();
        let answer = client.get(address).send().await.expect("a page").error_for_status().expect("a page");
        let bytes = answer.bytes().await.expect("a page");
        times.push(begun.elapsed().as_secs_f64() * 1e3);
        assert!(bytes.len() > 1_000, "a page with entries");
    }
    median(&times)
}
