//! From publish to visible, at a steady rate that does not wait for anybody (open loop), beside the raw reference's.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lapin::Connection;
use serde_json::Value;
use uuid::Uuid;

use super::corpus::{Corpus, Made};
use super::publisher::{Publisher, To};
use super::ratio::{PARTICIPANTS, greatest_rate};
use super::service::{Service, prepare};
use super::world::World;
use super::{part, references, setting};

type Times = Arc<Mutex<HashMap<Uuid, Instant>>>;

/// Measures and prints.
pub(crate) async fn run(world: &World) {
    let seconds = setting("BRYGGA_SECONDS", 20);
    let mut corpus = Corpus::new(PARTICIPANTS, world.today);
    let connection = world.connect().await;
    prepare(world, &corpus, &connection).await;
    references::prepare(&connection, &world.references).await;
    let rate = greatest_rate(world, &connection, &mut corpus).await / 2.0;
    let count = (rate * seconds as f64) as usize;
    println!("{rate:.0} messages/s, half of the greatest rate, for {seconds} s");
    let messages = corpus.reports(count);
    let brygga = of_brygga(world, &connection, &messages, rate).await;
    let raw = of_raw(world, &connection, &messages, rate).await;
    for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
        let (ours, theirs) = (part(&brygga, share), part(&raw, share));
        println!("{name}  brygga {ours:>7.1} ms  raw {theirs:>7.1} ms  {:.2} x", ours / theirs);
    }
}

/// Publishes at the rate and notes when each message was due: one that is late has waited too.
async fn publish(connection: &Connection, to: To, messages: &[Made], rate: f64, due: &Times) {
    let mut publisher = Publisher::open(connection, to).await;
    let begun = Instant::now();
    for (index, made) in messages.iter().enumerate() {
        let at = begun + Duration::from_secs_f64(index as f64 / rate);
        if at > Instant::now() + Duration::from_millis(1) {
            tokio::time::sleep_until(at.into()).await;
        }
        due.lock().expect("times").insert(made.id, at);
        publisher.publish(made).await;
    }
    publisher.flush().await;
}

fn milliseconds(due: &Times, visible: &[(Uuid, Instant)]) -> Vec<f64> {
    let due = due.lock().expect("times");
    visible.iter().filter_map(|(id, at)| Some((*at - *due.get(id)?).as_secs_f64() * 1e3)).collect()
}

/// A reader follows the feed by long polls, as Arbetsförmedlingen does; the first document of a report counts.
async fn of_brygga(world: &World, connection: &Connection, messages: &[Made], rate: f64) -> Vec<f64> {
    let service = Service::start(world);
    service.ready(world).await;
    let due = Times::default();
    let mut visible = Vec::new();
    let client = world.certificates.client_that_waits(Duration::from_secs(20));
    let address = format!("https://127.0.0.1:{}/v1/feed", service.feed);
    let mut last = super::polls::id_of(super::service::head(world).await);
    let publishing = publish(connection, To::Brygga, messages, rate, &due);
    let reading = async {
        while visible.len() < messages.len() {
            let query = format!("{address}?limit=500&timeout=3000&lastEventId={last}");
            let answer = client.get(query).send().await.expect("a page");
            let events: Vec<Value> = answer.error_for_status().expect("a page").json().await.expect("JSON");
            let now = Instant::now();
            for event in &events {
                let report = event["type"].as_str().is_some_and(|kind| kind.contains("deltaganderapport"));
                let trace = event["traceparent"].as_str().and_then(|text| text.split('-').nth(1));
                let source = trace.and_then(|text| text.parse().ok());
                if let (true, Some(id)) = (report, source) {
                    visible.push((id, now));
                }
                event["id"].as_str().expect("an id").clone_into(&mut last);
            }
        }
    };
    tokio::join!(publishing, reading);
    service.stop().await;
    milliseconds(&due, &visible)
}

/// Visible is what is committed: nobody serves it.
async fn of_raw(world: &World, connection: &Connection, messages: &[Made], rate: f64) -> Vec<f64> {
    references::empty(&world.references).await;
    let due = Times::default();
    let mut visible = Vec::new();
    let publishing = publish(connection, To::References, messages, rate, &due);
    let keeping = references::raw(connection, &world.references, messages.len(), |ids| {
        let now = Instant::now();
        visible.extend(ids.iter().map(|id| (*id, now)));
    });
    tokio::join!(publishing, keeping);
    milliseconds(&due, &visible)
}
