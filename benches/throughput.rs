//! Messages per second on real servers, beside two references in the same run: `raw`, which keeps the same bytes from the same
//! kind of queue unprocessed in batches of 500, and `naive`, which keeps them one by one.
//!
//! `script/bench` runs it. Without a name the three are interleaved round by round, each number is the median of its rounds,
//! and the last line is `ratio raw <c/a> naive <c/b>`. By name: `drain`, `latency`, `polls` and `idle` (`script/bench --help`).
//! Brygga is the released binary in a process of its own, with both legs, sealing, a key store and audit rows.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::indexing_slicing,
    reason = "a benchmark prints what it measured, and stops where it cannot measure"
)]

#[expect(dead_code, reason = "what hurts the servers is for tests")]
#[path = "../tests/it/servers/mod.rs"]
mod servers;

#[path = "../tests/faults/certificates.rs"]
mod certificates;

#[path = "../tests/faults/made_up.rs"]
mod made_up;

#[path = "throughput/corpus.rs"]
mod corpus;
#[path = "throughput/drain.rs"]
mod drain;
#[path = "throughput/idle.rs"]
mod idle;
#[path = "throughput/latency.rs"]
mod latency;
#[path = "throughput/polls.rs"]
mod polls;
#[path = "throughput/publisher.rs"]
mod publisher;
#[path = "throughput/ratio.rs"]
mod ratio;
#[path = "throughput/references.rs"]
mod references;
#[path = "throughput/service.rs"]
mod service;
#[path = "throughput/usage.rs"]
mod usage;
#[path = "throughput/world.rs"]
mod world;

use world::World;

const HELP: &str = "script/bench [NAME]

  (no name)  raw, naive and Brygga interleaved; BRYGGA_ROUNDS (5) rounds of BRYGGA_MESSAGES (20000)
  drain      a backlog of BRYGGA_MESSAGES (500000): messages per second and memory as it shrinks
  latency    from publish to visible, at half of the greatest rate, as multiples of raw's
  polls      what a page costs with 10 000 and with 2 000 000 entries in the feed
  idle       memory of 1 000 long polls that wait";

fn main() {
    // `cargo bench` adds a flag of its own.
    let name = std::env::args().skip(1).find(|arg| arg != "--bench");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        match name.as_deref() {
            None => ratio::run(&World::start().await).await,
            Some("drain") => drain::run(&World::start().await).await,
            Some("latency") => latency::run(&World::start().await).await,
            Some("polls") => polls::run(&World::start().await).await,
            Some("idle") => idle::run(&World::start().await).await,
            Some(_) => println!("{HELP}"),
        }
    });
}

/// A number from the environment.
fn setting(name: &str, otherwise: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// The middle of some numbers.
fn median(numbers: &[f64]) -> f64 {
    part(numbers, 0.5)
}

/// The number below which a share of them lies.
fn part(numbers: &[f64], share: f64) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let index = (share * (sorted.len().saturating_sub(1)) as f64).round();
    sorted[index as usize]
}
