//! What a long poll costs that waits: memory of a thousand of them.

use std::time::Duration;

use super::corpus::Corpus;
use super::service::{Service, prepare};
use super::setting;
use super::usage::memory;
use super::world::World;

/// Measures and prints.
pub(crate) async fn run(world: &World) {
    let polls = setting("BRYGGA_POLLS", 1_000);
    let corpus = Corpus::new(10, world.today);
    prepare(world, &corpus, &world.connect().await).await;
    let service = Service::start(world);
    service.ready(world).await;
    let address = format!("https://127.0.0.1:{}/v1/feed?timeout=60000", service.feed);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (before, cpu_before) = (memory(service.process()).0, service.cpu());
    let mut waiting = Vec::new();
    for _ in 0..polls {
        // A client of its own has a connection of its own.
        let request = world.certificates.client_that_waits(Duration::from_mins(2)).get(&address);
        waiting.push(tokio::spawn(async move { request.send().await }));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    let (with, cpu_with) = (memory(service.process()).0, service.cpu());
    tokio::time::sleep(Duration::from_secs(10)).await;
    let idle = (service.cpu() - cpu_with) / 10.0 * 100.0;
    let still = waiting.iter().filter(|task| !task.is_finished()).count();
    assert_eq!(still, polls, "all of them wait");
    let handshake = (cpu_with - cpu_before) / polls as f64 * 1e3;
    println!("{polls} long polls: resident {before:.1} MiB before, {with:.1} MiB with them");
    println!(
        "{:.1} KiB a poll; {handshake:.1} ms of processor for each handshake; {idle:.1} % of one processor while all wait",
        (with - before) * 1024.0 / polls as f64
    );
    service.stop().await;
}
