//! Readers that wait for news of a feed: one look at the store serves all who wait, however many they are.
//!
//! A long poll that looked for itself would ask the store ten times a second, a thousand of them ten thousand times. Here
//! one task a recipient asks while somebody waits, from the lowest position that anybody waits at, and wakes all of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::domain::{Position, RecipientId};
use crate::store::Store;
use crate::telemetry::{Event as _, Waiting as StoreAwaited};

/// How often a feed that somebody waits for is looked at: commits of other processes are noticed this soon.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Why a waiting reader is woken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Woken {
    /// There may be something to read.
    News,
    /// The store cannot be asked.
    Away,
}

/// One feed that somebody waits for.
#[derive(Debug)]
struct Feed {
    /// How many wait at which position.
    at: BTreeMap<Position, usize>,
    news: watch::Sender<Woken>,
}

type Feeds = Arc<Mutex<BTreeMap<RecipientId, Feed>>>;

/// All who wait in this process.
#[derive(Debug, Clone)]
pub(super) struct Waiting<S> {
    store: S,
    feeds: Feeds,
}

impl<S: Store> Waiting<S> {
    pub(super) fn new(store: S) -> Self {
        Self { store, feeds: Arc::default() }
    }

    /// Waits until a feed may have something after a position. May be cancelled at any time.
    pub(super) async fn for_news(&self, recipient: &RecipientId, after: Position) -> Woken {
        let (mut news, _place) = self.enter(recipient, after);
        match news.changed().await {
            Ok(()) => *news.borrow(),
            Err(_) => Woken::Away,
        }
    }

    /// Takes a place among those who wait. What is published from now on is seen by the next look.
    fn enter(&self, recipient: &RecipientId, after: Position) -> (watch::Receiver<Woken>, Place) {
        let mut feeds = lock(&self.feeds);
        let feed = feeds.entry(recipient.clone()).or_insert_with(|| {
            tokio::spawn(look(self.store.clone(), Arc::clone(&self.feeds), recipient.clone()));
            Feed { at: BTreeMap::new(), news: watch::Sender::new(Woken::News) }
        });
        *feed.at.entry(after).or_default() += 1;
        let news = feed.news.subscribe();
        (news, Place { feeds: Arc::clone(&self.feeds), recipient: recipient.clone(), after })
    }
}

/// A place among those who wait, given back when dropped.
struct Place {
    feeds: Feeds,
    recipient: RecipientId,
    after: Position,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut feeds = lock(&self.feeds);
        let Some(feed) = feeds.get_mut(&self.recipient) else { return };
        if let Some(count) = feed.at.get_mut(&self.after) {
            *count -= 1;
            if *count == 0 {
                feed.at.remove(&self.after);
            }
        }
    }
}

fn lock(feeds: &Feeds) -> MutexGuard<'_, BTreeMap<RecipientId, Feed>> {
    feeds.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Looks at one feed for as long as anybody waits for it.
async fn look<S: Store>(store: S, feeds: Feeds, recipient: RecipientId) {
    loop {
        tokio::time::sleep(LOOK_AGAIN).await;
        let Some(least) = least(&feeds, &recipient) else { return };
        // Whoever waits has found nothing after its own position, so what is after the lowest is news to somebody.
        let woken = match store.has_after(&recipient, least).await {
            Ok(false) => continue,
            Ok(true) => Woken::News,
            Err(fault) => {
                StoreAwaited { part: "feed", cause: &fault }.emit();
                Woken::Away
            }
        };
        if let Some(feed) = lock(&feeds).get(&recipient) {
            feed.news.send_replace(woken);
        }
    }
}

/// The lowest position that anybody waits at. Where nobody does, the feed is forgotten, under the lock by which others enter.
fn least(feeds: &Feeds, recipient: &RecipientId) -> Option<Position> {
    let mut feeds = lock(feeds);
    let least = feeds.get(recipient).and_then(|feed| feed.at.keys().next().copied());
    if least.is_none() {
        feeds.remove(recipient);
    }
    least
}
