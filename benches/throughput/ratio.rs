//! The three side by side, interleaved in one run.

use std::time::{Duration, Instant};

use brygga::store::Clock;
use jiff::Timestamp;
use lapin::Connection;

use super::corpus::{Corpus, Made};
use super::publisher::{To, fill};
use super::service::{DOCUMENTS, Service, head, prepare, reaches};
use super::usage::cpu_seconds;
use super::world::World;
use super::{median, references, setting};

/// Participants, each with a waiver: ten reports of each in a round of the usual size.
pub(crate) const PARTICIPANTS: usize = 2_000;

/// One way of taking messages, as it went in each round.
#[derive(Default)]
struct Measured {
    rates: Vec<f64>,
    rabbit: Vec<f64>,
    postgres: Vec<f64>,
    own: Vec<f64>,
}

impl Measured {
    fn note(&mut self, count: usize, time: Duration, spent: [f64; 3]) {
        let each = |seconds: f64| seconds * 1e6 / count as f64;
        self.rates.push(count as f64 / time.as_secs_f64());
        self.rabbit.push(each(spent[0]));
        self.postgres.push(each(spent[1]));
        self.own.push(each(spent[2]));
    }

    fn show(&self, name: &str) {
        let (rate, rabbit, postgres, own) =
            (median(&self.rates), median(&self.rabbit), median(&self.postgres), median(&self.own));
        println!("{name:<7} {rate:>9.0} {rabbit:>10.1} {postgres:>11.1} {own:>8.1} {:>8.1}", rabbit + postgres + own);
    }
}

/// Processor seconds of RabbitMQ, PostgreSQL and a process.
fn spent(world: &World, process: u32) -> [f64; 3] {
    [cpu_seconds(world.rabbit()), cpu_seconds(world.postgres.child.id()), cpu_seconds(process)]
}

fn minus(after: [f64; 3], before: [f64; 3]) -> [f64; 3] {
    [after[0] - before[0], after[1] - before[1], after[2] - before[2]]
}

/// Measures and prints.
pub(crate) async fn run(world: &World) {
    let (rounds, count) = (setting("BRYGGA_ROUNDS", 5), setting("BRYGGA_MESSAGES", 20_000));
    let mut corpus = Corpus::new(PARTICIPANTS, world.today);
    let connection = world.connect().await;
    prepare(world, &corpus, &connection).await;
    references::prepare(&connection, &world.references).await;
    let (mut raw, mut naive, mut brygga) = (Measured::default(), Measured::default(), Measured::default());
    // The first round only warms up: connections, files, caches, and a key for each participant's documents.
    for round in 0..=rounds {
        let messages = corpus.reports(count);
        let one_by_one = &messages[..count / 5];
        let took = drain_brygga(world, &connection, &messages).await;
        let (first, second) = (of_raw(world, &connection, &messages).await, of_naive(world, &connection, one_by_one).await);
        eprintln!("round {round}: {:.2?} {:.2?} {:.2?}", took.0, first.0, second.0);
        if round > 0 {
            brygga.note(count, took.0, took.1);
            raw.note(count, first.0, first.1);
            naive.note(one_by_one.len(), second.0, second.1);
        }
    }
    println!("medians of {rounds} rounds of {count} messages ({} for naive), {PARTICIPANTS} participants", count / 5);
    println!("        messages/s  microseconds of processor per message");
    println!("                      RabbitMQ  PostgreSQL      own      all");
    raw.show("raw");
    naive.show("naive");
    brygga.show("brygga");
    let ratio = |other: &Measured| median(&brygga.rates) / median(&other.rates);
    println!("ratio raw {:.2} naive {:.2}", ratio(&raw), ratio(&naive));
}

async fn of_raw(world: &World, connection: &Connection, messages: &[Made]) -> (Duration, [f64; 3]) {
    references::empty(&world.references).await;
    fill(connection, To::References, messages).await;
    let before = spent(world, std::process::id());
    let time = references::raw(connection, &world.references, messages.len(), |_| {}).await;
    // The servers' processes descend from this one, and are taken out of what it has spent itself.
    (time, itself(minus(spent(world, std::process::id()), before)))
}

async fn of_naive(world: &World, connection: &Connection, messages: &[Made]) -> (Duration, [f64; 3]) {
    fill(connection, To::References, messages).await;
    references::empty(&world.references).await;
    let before = spent(world, std::process::id());
    let time = references::naive(connection, &world.references, messages.len()).await;
    (time, itself(minus(spent(world, std::process::id()), before)))
}

fn itself([rabbit, postgres, all]: [f64; 3]) -> [f64; 3] {
    [rabbit, postgres, all - rabbit - postgres]
}

/// Fills the queue while the service is stopped, starts it, and takes the time from the first message's receipt until the
/// last one's documents are in the feed.
async fn drain_brygga(world: &World, connection: &Connection, messages: &[Made]) -> (Duration, [f64; 3]) {
    let idle = cpu_of_start(world).await;
    fill(connection, To::Brygga, messages).await;
    let highest: i64 = one(world, "SELECT coalesce(max(number), 0) FROM messages").await;
    let wanted = head(world).await + DOCUMENTS * i64::try_from(messages.len()).expect("a count");
    let servers = spent(world, std::process::id());
    let service = Service::start(world);
    reaches(world, wanted, Duration::from_millis(5), |_| {}).await;
    let ended = Clock::System.now();
    let mut after = minus(spent(world, std::process::id()), servers);
    after[2] = service.cpu() - idle;
    let begun: i64 = sqlx::query_scalar("SELECT min(received_at) FROM messages WHERE number > $1")
        .bind(highest)
        .fetch_one(&world.pool)
        .await
        .expect("the store");
    service.stop().await;
    let begun = Timestamp::from_microsecond(begun).expect("an instant");
    (ended.duration_since(begun).unsigned_abs(), after)
}

/// What the service spends before it takes anything.
async fn cpu_of_start(world: &World) -> f64 {
    let service = Service::start(world);
    service.ready(world).await;
    let idle = service.cpu();
    service.stop().await;
    idle
}

async fn one(world: &World, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(&world.pool).await.expect("the store")
}

/// The greatest rate of Brygga on this machine, in messages per second: one filling after a warm-up.
pub(crate) async fn greatest_rate(world: &World, connection: &Connection, corpus: &mut Corpus) -> f64 {
    let begun = Instant::now();
    let mut rate = 0.0;
    while rate == 0.0 || begun.elapsed() < Duration::from_secs(10) {
        let messages = corpus.reports(10_000);
        rate = messages.len() as f64 / drain_brygga(world, connection, &messages).await.0.as_secs_f64();
    }
    rate
}
