//! How everything stands, read from the store at most every few seconds however many people look, and made into what one
//! person may see of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::Mutex;

use super::text::Texts;
use super::view::{age, at, filled};
use crate::account::{Account, covers_feed};
use crate::domain::{RecipientId, Right, Scope};
use crate::store::{Census, FeedStanding, Standing, Store, Stored, Survey as _, Tx as _};
use crate::telemetry::{Health, PartState};

/// How long what was read is shown again: counting reads every row.
const FRESH: Duration = Duration::from_secs(10);

/// The counts read every row: in a large store they take a twentieth of the time at most.
const SHARE: u32 = 20;

/// Since when something is left that a person should have looked at.
const LETTER_OLD: Duration = Duration::from_hours(24);

/// How long something may wait in a feed before it is told.
const FEED_OLD: Duration = Duration::from_hours(4);

/// How late something due may be before it is told.
const DUE_OLD: Duration = Duration::from_mins(15);

/// What was read.
#[derive(Debug)]
pub(super) struct Snapshot {
    at: Timestamp,
    census: Census,
    standing: Standing,
    served: Vec<(RecipientId, Option<Timestamp>)>,
}

/// What was read last, shared by everybody who looks.
#[derive(Debug, Default)]
pub(super) struct Snapshots(Mutex<Option<Kept>>);

#[derive(Debug)]
struct Kept {
    until: Instant,
    snapshot: Arc<Snapshot>,
}

impl Snapshots {
    /// What was read a moment ago, or is read now. Who comes meanwhile waits for the same reading.
    pub(super) async fn take<S: Store>(&self, store: &S) -> Stored<Arc<Snapshot>> {
        let mut kept = self.0.lock().await;
        let begun = Instant::now();
        if let Some(kept) = kept.as_ref().filter(|kept| begun < kept.until) {
            return Ok(Arc::clone(&kept.snapshot));
        }
        let snapshot = Arc::new(read(store).await?);
        let ended = Instant::now();
        let pause = FRESH.max(ended.saturating_duration_since(begun).saturating_mul(SHARE));
        let until = ended.checked_add(pause).unwrap_or(ended);
        *kept = Some(Kept { until, snapshot: Arc::clone(&snapshot) });
        Ok(snapshot)
    }
}

async fn read<S: Store>(store: &S) -> Stored<Snapshot> {
    let mut tx = store.begin("console-overview").await?;
    let (census, standing, served) = (tx.census().await?, tx.standing().await?, tx.last_served().await?);
    let at = tx.now();
    tx.commit().await?;
    Ok(Snapshot { at, census, standing, served })
}

/// An alarm in words, with the place in the help that says what helps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Alarm {
    pub(super) words: String,
    pub(super) help: &'static str,
}

/// A feed as a person sees it.
#[derive(Debug)]
pub(super) struct Feed {
    pub(super) recipient: String,
    pub(super) last: String,
    pub(super) oldest: String,
    pub(super) waiting: i64,
    pub(super) not_taken: i64,
}

/// What one person sees.
#[derive(Debug)]
pub(super) struct Overview {
    pub(super) as_of: String,
    pub(super) alarms: Vec<Alarm>,
    /// Counts of the whole, for those who may see it all.
    pub(super) whole: Option<Whole>,
    pub(super) feeds: Vec<Feed>,
}

/// Counts of the whole installation, and the oldest that waits.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) census: Census,
    pub(super) unfetched: i64,
    pub(super) sees_diverted: bool,
    pub(super) oldest_letter: String,
    pub(super) oldest_due: String,
}

/// What an account's person may see of a snapshot and of the parts of the service.
pub(super) fn seen_by(account: &Account, snapshot: &Snapshot, health: &Health, texts: &'static Texts) -> Overview {
    let feeds: Vec<&FeedStanding> =
        snapshot.standing.feeds.iter().filter(|feed| covers_feed(&account.scope, &feed.recipient)).collect();
    let mut alarms = of_parts(health, texts);
    let sees_all = account.scope == Scope::Everything;
    if sees_all {
        alarms.extend(of_the_whole(snapshot, texts));
    }
    alarms.extend(feeds.iter().flat_map(|feed| of_feed(feed, snapshot.at, texts)));
    let ago =
        |since: Option<Timestamp>| since.map_or_else(|| texts.nothing.to_owned(), |since| told(since, snapshot.at, texts));
    let whole = sees_all.then(|| Whole {
        census: snapshot.census,
        unfetched: snapshot.standing.feeds.iter().map(|feed| feed.waiting).sum(),
        sees_diverted: account.may(Right::Apart),
        oldest_letter: ago(snapshot.standing.oldest_dead_letter),
        oldest_due: ago(snapshot.standing.oldest_due),
    });
    let shown = |feed: &&FeedStanding| {
        let last = snapshot.served.iter().find(|(recipient, _)| *recipient == feed.recipient).and_then(|(_, last)| *last);
        Feed {
            recipient: feed.recipient.to_string(),
            last: last.map_or_else(|| texts.never.to_owned(), |last| told(last, snapshot.at, texts)),
            oldest: ago(feed.oldest_waiting),
            waiting: feed.waiting,
            not_taken: feed.refused,
        }
    };
    Overview { as_of: at(snapshot.at), alarms, whole, feeds: feeds.iter().map(shown).collect() }
}

/// A time with how long ago it was.
fn told(since: Timestamp, now: Timestamp, texts: &'static Texts) -> String {
    format!("{} ({})", at(since), age(since, now, texts))
}

fn is_older(since: Timestamp, now: Timestamp, limit: Duration) -> bool {
    let age = now.duration_since(since);
    !age.is_negative() && age.unsigned_abs() >= limit
}

fn of_parts(health: &Health, texts: &'static Texts) -> Vec<Alarm> {
    let alarm = |words| Alarm { words, help: "part" };
    let of_part = |part: crate::telemetry::PartView| match part.state {
        PartState::Up => None,
        PartState::Starting if part.standing_for < DUE_OLD => None,
        PartState::Starting => Some(alarm(filled(texts.part_starting, &[&part.name]))),
        PartState::Down(why) => Some(alarm(filled(texts.part_down, &[&part.name, &why]))),
    };
    health.view().into_iter().filter_map(of_part).collect()
}

fn of_the_whole(snapshot: &Snapshot, texts: &'static Texts) -> Vec<Alarm> {
    let (now, standing) = (snapshot.at, &snapshot.standing);
    let mut alarms = Vec::new();
    if !snapshot.census.adds_up() {
        alarms.push(Alarm { words: texts.sums_wrong.to_owned(), help: "sums" });
    }
    if let Some(since) = standing.oldest_dead_letter.filter(|since| is_older(*since, now, LETTER_OLD)) {
        alarms.push(Alarm { words: filled(texts.letter_old, &[&at(since)]), help: "letter" });
    }
    if let Some(since) = standing.oldest_due.filter(|since| is_older(*since, now, DUE_OLD)) {
        alarms.push(Alarm { words: filled(texts.due_old, &[&at(since)]), help: "due" });
    }
    alarms
}

fn of_feed(feed: &FeedStanding, now: Timestamp, texts: &'static Texts) -> Vec<Alarm> {
    let mut alarms = Vec::new();
    let recipient = feed.recipient.as_str();
    if feed.refused > 0 {
        let words = filled(texts.feed_refused, &[&feed.refused.to_string(), recipient]);
        alarms.push(Alarm { words, help: "refused" });
    }
    if let Some(since) = feed.oldest_waiting.filter(|since| is_older(*since, now, FEED_OLD)) {
        alarms.push(Alarm { words: filled(texts.feed_waits, &[recipient, &at(since)]), help: "waits" });
    }
    alarms
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::{Snapshot, seen_by};
    use crate::account::{Account, PasswordHash, read_scope};
    use crate::console::text::SV;
    use crate::domain::{Position, RecipientId, Role};
    use crate::store::{Census, FeedStanding, Standing};
    use crate::telemetry::Health;

    fn now() -> Timestamp {
        "2026-03-02T12:00:00Z".parse().expect("a time")
    }

    fn account(role: Role, scope: &str) -> Account {
        Account {
            name: "a".parse().expect("a name"),
            role,
            scope: read_scope([scope]).expect("a scope"),
            password: PasswordHash::from_stored(String::new()),
            created_at: now(),
            password_at: now(),
            disabled_at: None,
        }
    }

    fn snapshot() -> Snapshot {
        let hours = |ago: i64| now().checked_sub(SignedDuration::from_hours(ago)).ok();
        let feed = |name: &str, waiting, oldest_waiting, refused| FeedStanding {
            recipient: RecipientId::from_stored(name.to_owned()),
            head: Position(7),
            waiting,
            oldest_waiting,
            refused,
        };
        let feeds =
            vec![feed("1273.ame", 0, None, 2), feed("1863.ame", 3, hours(5), 0), feed("arbetsformedlingen", 1, hours(1), 0)];
        let standing = Standing { oldest_dead_letter: hours(48), oldest_due: None, feeds };
        Snapshot { at: now(), census: Census { diverted: 1, received: 1, ..Census::default() }, standing, served: Vec::new() }
    }

    #[test]
    fn who_works_for_one_kommun_sees_its_feeds_and_no_counts_of_the_whole() {
        let seen = seen_by(&account(Role::Operator, "1863"), &snapshot(), &Health::default(), &SV);
        assert!(seen.whole.is_none());
        assert_eq!(seen.feeds.iter().map(|feed| feed.recipient.as_str()).collect::<Vec<_>>(), ["1863.ame"]);
        assert_eq!(seen.alarms.iter().map(|alarm| alarm.help).collect::<Vec<_>>(), ["waits"]);
    }

    #[test]
    fn who_works_for_all_sees_all_and_only_privacy_sees_how_many_are_diverted() {
        let seen = seen_by(&account(Role::Operator, "all"), &snapshot(), &Health::default(), &SV);
        assert_eq!(seen.feeds.len(), 3);
        assert_eq!(seen.alarms.iter().map(|alarm| alarm.help).collect::<Vec<_>>(), ["letter", "refused", "waits"]);
        assert!(seen.alarms.iter().any(|alarm| alarm.words.contains("2026-02-28 13:00 +01:00")), "{:?}", seen.alarms);
        let whole = seen.whole.expect("the whole");
        assert!(!whole.sees_diverted && whole.unfetched == 4 && whole.oldest_due == "inget");
        let seen = seen_by(&account(Role::Privacy, "all"), &snapshot(), &Health::default(), &SV);
        assert!(seen.whole.is_some_and(|whole| whole.sees_diverted));
    }

    #[test]
    fn a_part_that_does_not_work_is_an_alarm_for_everybody() {
        let health = Health::default();
        health.part("store", true).down("the database does not answer");
        let seen = seen_by(&account(Role::Viewer, "1863"), &snapshot(), &health, &SV);
        assert!(seen.alarms.first().is_some_and(|alarm| alarm.help == "part" && alarm.words.contains("store")));
    }
}
