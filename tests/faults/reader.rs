//! Readers of the feed as Arbetsförmedlingen is one: each with its own cursor, over mutual TLS, keeping all it was served.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use tokio::task::JoinHandle;

use super::load::NEVER;

/// One event as it was served.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) position: i64,
    pub(crate) subject: String,
    pub(crate) is_delete: bool,
    /// The document as text; empty for a `DELETE`.
    pub(crate) document: String,
    /// When its page was asked for: its transaction began after that.
    pub(crate) asked_at: Instant,
}

/// What one reader has.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) events: Vec<Event>,
    last_id: Option<String>,
    /// What no reader may ever see.
    pub(crate) wrongs: Vec<String>,
    /// Answers that were no page.
    pub(crate) refusals: BTreeMap<String, usize>,
}

/// A reader that polls until it is dropped.
pub(crate) struct Reader {
    pub(crate) notes: Arc<Mutex<Notes>>,
    task: JoinHandle<()>,
}

impl Reader {
    /// Begins to read: in turn from each address, so many events at a time.
    pub(crate) fn start(client: reqwest::Client, ports: Vec<u16>, limit: usize, first: usize) -> Self {
        let notes = Arc::new(Mutex::new(Notes::default()));
        let own = Arc::clone(&notes);
        let task = tokio::spawn(async move {
            let mut turn = first;
            loop {
                let port = ports[turn % ports.len()];
                turn += 1;
                if !poll(&client, port, limit, &own).await {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        });
        Self { notes, task }
    }

    /// The last position that this reader has reached.
    pub(crate) fn position(&self) -> i64 {
        self.notes.lock().expect("notes").events.last().map_or(0, |event| event.position)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Asks for one page; says whether to ask on at once.
async fn poll(client: &reqwest::Client, port: u16, limit: usize, notes: &Mutex<Notes>) -> bool {
    let last = notes.lock().expect("notes").last_id.clone();
    let mut address = format!("https://127.0.0.1:{port}/v1/feed?limit={limit}&timeout=300");
    if let Some(last) = &last {
        address = format!("{address}&lastEventId={last}");
    }
    let asked_at = Instant::now();
    let refuse = |why: String| {
        *notes.lock().expect("notes").refusals.entry(why).or_default() += 1;
        false
    };
    let answer = match client.get(&address).send().await {
        Ok(answer) => answer,
        Err(error) => return refuse(if error.is_timeout() { "time-out" } else { "no answer" }.to_owned()),
    };
    let status = answer.status().as_u16();
    let Ok(text) = answer.text().await else { return refuse("broken off".to_owned()) };
    if text.contains(NEVER) {
        notes.lock().expect("notes").wrongs.push("law 2: a withheld field was served".to_owned());
    }
    if status == 410 {
        notes
            .lock()
            .expect("notes")
            .wrongs
            .push("law 4: a reader's own place in the feed was taken for a forged one".to_owned());
    }
    if status != 200 {
        return refuse(status.to_string());
    }
    let Ok(Value::Array(events)) = serde_json::from_str::<Value>(&text) else { return refuse("no batch".to_owned()) };
    let mut notes = notes.lock().expect("notes");
    for event in &events {
        let id = event["id"].as_str().unwrap_or_default();
        let document = match &event["data"] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let subject = event["subject"].as_str().unwrap_or_default().to_owned();
        let position = position_of(id).expect("an id with a position");
        notes.events.push(Event { position, subject, is_delete: event["method"] == "DELETE", document, asked_at });
        notes.last_id = Some(id.to_owned());
    }
    true
}

/// Ids are opaque to readers; this one looks inside, to see what is missing.
pub(crate) fn position_of(id: &str) -> Option<i64> {
    let bytes = URL_SAFE_NO_PAD.decode(id).ok()?;
    bytes.get(4..12)?.try_into().ok().map(i64::from_be_bytes)
}
