//! The numbers that `/metrics` shows. Labels come from closed sets alone: states, recipients, parts and routes; never from
//! a message.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use super::{Health, PartState};

/// A label with the name of a state: one of the store's words.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfState {
    state: &'static str,
}

/// A label with the name of a recipient: one of the agreements' and the senders' systems.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfRecipient {
    recipient: String,
}

/// A label with the name of a part of the service.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfPart {
    part: String,
}

/// A label with what is kept: one of the store's words.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfClass {
    class: &'static str,
}

/// Labels of an answer over HTTP: a route's pattern, never a path, and a status.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfAnswer {
    route: &'static str,
    status: u16,
}

/// A label with the name of a queue of the broker: one of the configuration's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfQueue {
    queue: String,
}

/// How one feed stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedNumbers {
    /// Whose feed.
    pub recipient: String,
    /// The newest position.
    pub head: i64,
    /// Live entries that nobody has fetched.
    pub waiting: i64,
    /// The age of the oldest of them in seconds, 0 where there is none.
    pub oldest_seconds: i64,
    /// Entries that the recipient's system did not take, and nobody has sent again or set aside.
    pub refused: i64,
}

/// Every number, and the registry that writes them out.
pub struct Numbers {
    registry: Mutex<Registry>,
    messages: Family<OfState, Gauge>,
    legs: Family<OfState, Gauge>,
    feed_head: Family<OfRecipient, Gauge>,
    feed_waiting: Family<OfRecipient, Gauge>,
    feed_oldest: Family<OfRecipient, Gauge>,
    feed_refused: Family<OfRecipient, Gauge>,
    withdrawals_overdue: Family<OfRecipient, Gauge>,
    withdrawals_oldest: Family<OfRecipient, Gauge>,
    oldest_dead_letter: Gauge,
    oldest_due: Gauge,
    kept: Family<OfClass, Gauge>,
    kept_oldest: Family<OfClass, Gauge>,
    parts: Family<OfPart, Gauge>,
    batch: Histogram,
    commit: Histogram,
    answers: Family<OfAnswer, Counter>,
    answer_seconds: Histogram,
    not_acknowledged: Counter,
    deliveries: Family<OfState, Counter>,
    queue_ready: Family<OfQueue, Gauge>,
}

impl fmt::Debug for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Numbers")
    }
}

impl Default for Numbers {
    fn default() -> Self {
        let numbers = Self {
            registry: Mutex::new(Registry::with_prefix("brygga")),
            messages: Family::default(),
            legs: Family::default(),
            feed_head: Family::default(),
            feed_waiting: Family::default(),
            feed_oldest: Family::default(),
            feed_refused: Family::default(),
            withdrawals_overdue: Family::default(),
            withdrawals_oldest: Family::default(),
            oldest_dead_letter: Gauge::default(),
            oldest_due: Gauge::default(),
            kept: Family::default(),
            kept_oldest: Family::default(),
            parts: Family::default(),
            // 1 to 2 048 messages.
            batch: Histogram::new(exponential_buckets(1.0, 2.0, 12)),
            // 1 ms to 16 s.
            commit: Histogram::new(exponential_buckets(0.001, 2.0, 15)),
            answers: Family::default(),
            answer_seconds: Histogram::new(exponential_buckets(0.001, 2.0, 17)),
            not_acknowledged: Counter::default(),
            deliveries: Family::default(),
            queue_ready: Family::default(),
        };
        numbers.register();
        // A counter that is born with its first event has not risen by it: the first refusal would be missed.
        for state in ["arrived", "later", "refused"] {
            drop(numbers.deliveries.get_or_create(&OfState { state }));
        }
        numbers
    }
}

impl Numbers {
    fn register(&self) {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        let r = &mut *registry;
        r.register("messages", "Messages by the state they are in now, and received in all", self.messages.clone());
        r.register("legs", "Legs by the state they are in now, and the fan-out of all journeys", self.legs.clone());
        r.register("feed_head", "The newest position of each feed", self.feed_head.clone());
        r.register("feed_waiting", "Live entries of each feed after the last one that was fetched", self.feed_waiting.clone());
        r.register("feed_oldest_seconds", "Age of the oldest live entry that nobody has fetched", self.feed_oldest.clone());
        r.register("feed_refused", "Entries of each feed that its system refused: dead letters", self.feed_refused.clone());
        r.register(
            "withdrawals_overdue",
            "DELETEs of each feed that their recipient has not acknowledged in time",
            self.withdrawals_overdue.clone(),
        );
        r.register(
            "withdrawals_oldest_seconds",
            "Age of the oldest DELETE that its recipient has not acknowledged",
            self.withdrawals_oldest.clone(),
        );
        r.register("oldest_dead_letter_seconds", "Age of the oldest dead letter", self.oldest_dead_letter.clone());
        r.register("oldest_due_seconds", "How long the oldest due leg has been due", self.oldest_due.clone());
        r.register("kept", "Contents that are kept, by retention class", self.kept.clone());
        r.register("kept_oldest_seconds", "Age of the oldest content that is kept", self.kept_oldest.clone());
        r.register("part_up", "Whether a part of the service works (1) or not (0)", self.parts.clone());
        r.register("batch_size", "Messages in one transaction", self.batch.clone());
        r.register("commit_seconds", "Time from the first message of a batch to its commit", self.commit.clone());
        r.register("http_answers", "Answers over HTTP by route and status", self.answers.clone());
        r.register(
            "http_answer_seconds",
            "Time of an answer over HTTP, the waiting of long polls included",
            self.answer_seconds.clone(),
        );
        r.register(
            "not_acknowledged",
            "Messages committed but not acknowledged: they come again as duplicates",
            self.not_acknowledged.clone(),
        );
        r.register(
            "deliveries",
            "Attempts to deliver to the municipality's systems, by what became of them",
            self.deliveries.clone(),
        );
        r.register("queue_ready", "Messages that wait in a queue of the broker", self.queue_ready.clone());
    }

    /// Messages in a state now.
    pub fn set_messages(&self, state: &'static str, count: i64) {
        self.messages.get_or_create(&OfState { state }).set(count);
    }

    /// Legs in a state now.
    pub fn set_legs(&self, state: &'static str, count: i64) {
        self.legs.get_or_create(&OfState { state }).set(count);
    }

    /// How a feed stands.
    pub fn set_feed(&self, feed: &FeedNumbers) {
        let label = OfRecipient { recipient: feed.recipient.clone() };
        self.feed_head.get_or_create(&label).set(feed.head);
        self.feed_waiting.get_or_create(&label).set(feed.waiting);
        self.feed_oldest.get_or_create(&label).set(feed.oldest_seconds);
        self.feed_refused.get_or_create(&label).set(feed.refused);
    }

    /// Which `DELETE`s their recipients have not acknowledged: for each feed how many are overdue, and the age of the oldest
    /// in seconds. A feed that is not named has none.
    pub fn set_withdrawals(&self, feeds: &[(String, i64, i64)]) {
        self.withdrawals_overdue.clear();
        self.withdrawals_oldest.clear();
        for (recipient, overdue, oldest) in feeds {
            let label = OfRecipient { recipient: recipient.clone() };
            self.withdrawals_overdue.get_or_create(&label).set(*overdue);
            self.withdrawals_oldest.get_or_create(&label).set(*oldest);
        }
    }

    /// Ages in seconds of what nobody has handled: the oldest dead letter, and the leg that has been due longest.
    pub fn set_ages(&self, dead_letter: i64, due: i64) {
        self.oldest_dead_letter.set(dead_letter);
        self.oldest_due.set(due);
    }

    /// How many contents of a retention class are kept, and the age of the oldest in seconds.
    pub fn set_kept(&self, class: &'static str, count: i64, oldest: i64) {
        self.kept.get_or_create(&OfClass { class }).set(count);
        self.kept_oldest.get_or_create(&OfClass { class }).set(oldest);
    }

    /// A batch of messages has committed.
    pub fn batch_committed(&self, messages: usize, took: Duration) {
        self.batch.observe(f64::from(u32::try_from(messages).unwrap_or(u32::MAX)));
        self.commit.observe(took.as_secs_f64());
    }

    /// Messages were committed, but their acknowledgement did not reach the broker.
    pub fn not_acknowledged(&self, messages: u64) {
        self.not_acknowledged.inc_by(messages);
    }

    /// An answer went out over HTTP.
    pub fn answered(&self, route: &'static str, status: u16, took: Duration) {
        self.answers.get_or_create(&OfAnswer { route, status }).inc();
        self.answer_seconds.observe(took.as_secs_f64());
    }

    /// An attempt to deliver ended: `arrived`, `later` or `refused`.
    pub fn delivery(&self, state: &'static str) {
        self.deliveries.get_or_create(&OfState { state }).inc();
    }

    /// How many messages of a queue are ready.
    pub fn set_queue(&self, queue: &str, ready: i64) {
        self.queue_ready.get_or_create(&OfQueue { queue: queue.to_owned() }).set(ready);
    }

    /// Nobody knows any more how many messages of a queue are ready.
    pub fn forget_queue(&self, queue: &str) {
        self.queue_ready.remove(&OfQueue { queue: queue.to_owned() });
    }

    /// Everything in the text format of OpenMetrics 1.0.
    #[must_use]
    pub fn text(&self, health: &Health) -> String {
        for part in health.view() {
            let up = i64::from(part.state == PartState::Up);
            self.parts.get_or_create(&OfPart { part: part.name }).set(up);
        }
        let mut text = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        // Writing to a text cannot fail; what was written until then would be shown.
        let _written = encode(&mut text, &registry);
        text
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{FeedNumbers, Numbers};
    use crate::telemetry::Health;

    #[test]
    fn every_number_is_written_out_under_its_name() {
        let (numbers, health) = (Numbers::default(), Health::default());
        health.part("store", true).up();
        assert!(health.part("amqp.in", true).down("wrong password"));
        numbers.set_messages("journey", 7);
        let recipient = "arbetsformedlingen".to_owned();
        numbers.set_feed(&FeedNumbers { recipient, head: 3, waiting: 2, oldest_seconds: 9, refused: 1 });
        numbers.set_withdrawals(&[("1863.forsorjningsstod".to_owned(), 1, 9)]);
        numbers.set_withdrawals(&[("arbetsformedlingen".to_owned(), 2, 900)]);
        assert!(!numbers.text(&health).contains("1863.forsorjningsstod"), "what was acknowledged meanwhile is gone");
        numbers.batch_committed(500, Duration::from_millis(20));
        numbers.answered("/v1/feed", 200, Duration::from_millis(3));
        numbers.set_queue("brygga.in", 5);
        numbers.set_queue("brygga.dead", 1);
        numbers.forget_queue("brygga.dead");
        let text = numbers.text(&health);
        assert!(!text.contains("brygga.dead"), "what nobody keeps right is not shown:\n{text}");
        for line in [
            "brygga_messages{state=\"journey\"} 7",
            "brygga_feed_waiting{recipient=\"arbetsformedlingen\"} 2",
            "brygga_withdrawals_overdue{recipient=\"arbetsformedlingen\"} 2",
            "brygga_withdrawals_oldest_seconds{recipient=\"arbetsformedlingen\"} 900",
            "brygga_part_up{part=\"store\"} 1",
            "brygga_part_up{part=\"amqp.in\"} 0",
            "brygga_batch_size_count 1",
            "brygga_http_answers_total{route=\"/v1/feed\",status=\"200\"} 1",
            "brygga_queue_ready{queue=\"brygga.in\"} 5",
            "brygga_deliveries_total{state=\"arrived\"} 0",
            "brygga_deliveries_total{state=\"later\"} 0",
            "brygga_deliveries_total{state=\"refused\"} 0",
            "# EOF",
        ] {
            assert!(text.lines().any(|known| known == line), "{line} is missing in\n{text}");
        }
    }
}
