//! Microseconds per report for the pure way (bytes in, documents of both legs out, not yet sealed), for JSON and XML,
//! beside two references in the same run on the same bytes: `serde_json` to `Value`, and a bare `NsReader` event loop.
//!
//! `cargo bench --bench way`. The four are interleaved round by round, and each number is the median of its rounds, so a
//! slow moment of the machine weighs on all alike. The last line is `ratio json <a> xml <b>`.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    reason = "a benchmark prints what it measured, and stops where its inputs are not what it measures"
)]

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use brygga::agreement::Illustrations;
use brygga::app::embedded;
use brygga::domain::{ContractRef, Envelope, Keys, Login, Syntax};
use brygga::journey::{ContractSet, Judged, Opened, Verdict, judge, open, payload, walk};
use brygga::seal::ServiceKeys;
use jiff::Timestamp;
use quick_xml::events::Event;
use quick_xml::reader::NsReader;
use uuid::Uuid;

/// Rounds, each of the four measured once in it; `BRYGGA_ROUNDS` sets another number.
const ROUNDS: usize = 60;

/// Reports per measurement.
const REPORTS: usize = 200;

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let set = ContractSet::load(&embedded::contracts(), Illustrations::All).expect("the contracts have no flaw");
    let keys = ServiceKeys::derive(&[7; 32]);
    let json = std::fs::read(root.join("benches/report.json")).expect("the JSON report");
    let xml = std::fs::read(root.join("benches/report.xml")).expect("the XML report");
    let consent = std::fs::read(root.join("benches/consent.json")).expect("the consent");
    let consents = match judged("consent.v1", Syntax::Json, &consent, &set, &keys) {
        Judged::Consent(revision) => vec![*revision],
        other => panic!("the consent is not one: {other:?}"),
    };
    let way = |syntax, bytes: &[u8]| {
        let Judged::Report(fanned) = judged("activity-report.v1", syntax, bytes, &set, &keys) else {
            panic!("the report does not conform")
        };
        let documents: usize = fanned
            .legs
            .iter()
            .map(|leg| match walk(leg, &consents, now(), &set, &keys) {
                Verdict::Publish { renditions, .. } => renditions.len(),
                other => panic!("a leg is not published: {other:?}"),
            })
            .sum();
        assert_eq!((fanned.legs.len(), documents), (2, 3), "two legs: a report and a deviation to AF, a summary to the other");
    };
    let mut times: [Vec<f64>; 4] = Default::default();
    let rounds = std::env::var("BRYGGA_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(ROUNDS);
    for _ in 0..rounds {
        times[0].push(measure(|| drop(black_box(serde_json::from_slice::<serde_json::Value>(black_box(&json))))));
        times[1].push(measure(|| way(Syntax::Json, black_box(&json))));
        times[2].push(measure(|| events(black_box(&xml))));
        times[3].push(measure(|| way(Syntax::Xml, black_box(&xml))));
    }
    let [value, json_way, reader, xml_way] = times.map(median);
    println!("bytes: json {}, xml {}", json.len(), xml.len());
    println!("serde_json to Value      {value:8.2} us");
    println!("the way, JSON, two legs  {json_way:8.2} us");
    println!("bare NsReader loop       {reader:8.2} us");
    println!("the way, XML, two legs   {xml_way:8.2} us");
    println!("ratio json {:.2} xml {:.2}", json_way / value, xml_way / reader);
}

fn now() -> Timestamp {
    "2026-03-16T08:00:00Z".parse().expect("an instant")
}

fn judged(contract: &str, syntax: Syntax, bytes: &[u8], set: &ContractSet, keys: &dyn Keys) -> Judged {
    let envelope = Envelope {
        login: Login::try_from("hallefors-ame".to_owned()).expect("a login"),
        message_id: Uuid::nil(),
        contract: contract.parse::<ContractRef>().expect("a contract"),
        syntax,
        message_time: now(),
        received_at: now(),
        trace: brygga::domain::Trace::default(),
    };
    let payload = payload(&envelope, bytes).expect("not too large");
    match open(payload, set, keys) {
        Opened::Known(identified) => judge(*identified, false, set, keys),
        Opened::Refused { refusal, .. } => panic!("refused: {refusal:?}"),
    }
}

fn events(bytes: &[u8]) {
    let mut reader = NsReader::from_str(std::str::from_utf8(bytes).expect("UTF-8"));
    let mut count = 0;
    loop {
        match reader.read_resolved_event().expect("well-formed") {
            (_, Event::Eof) => break,
            (_, event) => {
                black_box(&event);
                count += 1;
            }
        }
    }
    black_box(count);
}

/// Microseconds for one.
fn measure(mut one: impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..REPORTS {
        one();
    }
    start.elapsed().as_secs_f64() * 1e6 / REPORTS as f64
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
