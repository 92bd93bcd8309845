//! A great backlog: how fast it goes away, and that memory does not grow with it.

use std::time::{Duration, Instant};

use super::corpus::Corpus;
use super::publisher::{To, fill};
use super::ratio::PARTICIPANTS;
use super::service::{DOCUMENTS, Service, head, prepare, reaches};
use super::usage::memory;
use super::world::World;
use super::{median, setting};

/// Made and published at once, so that the benchmark itself needs little memory.
const PORTION: usize = 10_000;

/// Measures and prints.
pub(crate) async fn run(world: &World) {
    let count = setting("BRYGGA_MESSAGES", 500_000);
    let mut corpus = Corpus::new(PARTICIPANTS, world.today);
    let connection = world.connect().await;
    prepare(world, &corpus, &connection).await;
    let mut left = count;
    while left > 0 {
        let portion = corpus.reports(left.min(PORTION));
        fill(&connection, To::Brygga, &portion).await;
        left -= portion.len();
    }
    let before = head(world).await;
    let wanted = before + DOCUMENTS * i64::try_from(count).expect("a count");
    let service = Service::start(world);
    service.ready(world).await;
    let begun = Instant::now();
    // Memory and time in each tenth of the way.
    let mut tenths: Vec<(f64, Vec<f64>)> = vec![(0.0, Vec::new())];
    reaches(world, wanted, Duration::from_millis(500), |now| {
        let done = (now - before) as f64 / (wanted - before) as f64;
        if tenths.len() < 10 && done * 10.0 >= tenths.len() as f64 {
            tenths.push((begun.elapsed().as_secs_f64(), Vec::new()));
        }
        tenths.last_mut().expect("one").1.push(memory(service.process()).0);
    })
    .await;
    let time = begun.elapsed().as_secs_f64();
    let peak = memory(service.process()).1;
    service.stop().await;
    println!("backlog of {count} reports: {:.0} messages/s over {time:.0} s", count as f64 / time);
    for (index, (since, resident)) in tenths.iter().enumerate().filter(|(_, (_, resident))| !resident.is_empty()) {
        println!("  tenth {:>2}, from {since:>6.1} s: resident {:>6.1} MiB", index + 1, median(resident));
    }
    println!("peak resident {peak:.0} MiB (aim: under 200, not growing with the backlog)");
}
