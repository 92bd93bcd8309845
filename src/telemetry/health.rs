//! What works and what does not, part by part, and since when: the one place that `/readyz` reads.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How one part of the service is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartState {
    /// It has not worked yet since the start.
    Starting,
    /// It works.
    Up,
    /// It does not; why, in words without values.
    Down(String),
}

#[derive(Debug, Clone)]
struct Standing {
    state: PartState,
    since: Instant,
    needed: bool,
}

/// A part as a reader of `/readyz` sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartView {
    /// Its name.
    pub name: String,
    /// How it is.
    pub state: PartState,
    /// How long it has been so.
    pub standing_for: Duration,
    /// Whether the service is ready only while this part works.
    pub needed: bool,
}

/// All parts of a service.
#[derive(Debug, Clone, Default)]
pub struct Health {
    parts: Arc<Mutex<BTreeMap<String, Standing>>>,
}

/// One part, held by whoever knows how it is.
#[derive(Debug, Clone)]
pub struct Part {
    name: String,
    health: Health,
}

impl Health {
    /// Takes up a part. Only while every needed part works is the service ready.
    #[must_use]
    pub fn part(&self, name: impl Into<String>, needed: bool) -> Part {
        let name = name.into();
        let standing = Standing { state: PartState::Starting, since: Instant::now(), needed };
        self.parts.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), standing);
        Part { name, health: self.clone() }
    }

    /// Whether every needed part works.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.values().all(|part| !part.needed || part.state == PartState::Up)
    }

    /// Whether each of these parts is there and works.
    #[must_use]
    pub fn works(&self, names: &[&str]) -> bool {
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        names.iter().all(|name| parts.get(*name).is_some_and(|part| part.state == PartState::Up))
    }

    /// Every part, by name.
    #[must_use]
    pub fn view(&self) -> Vec<PartView> {
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let view = |(name, part): (&String, &Standing)| PartView {
            name: name.clone(),
            state: part.state.clone(),
            standing_for: part.since.elapsed(),
            needed: part.needed,
        };
        parts.iter().map(view).collect()
    }
}

impl Part {
    /// The part works.
    pub fn up(&self) {
        self.set(PartState::Up);
    }

    /// The part does not work. Says whether it is news: a cause is logged once, not at every try.
    pub fn down(&self, why: impl Into<String>) -> bool {
        self.set(PartState::Down(why.into()))
    }

    fn set(&self, state: PartState) -> bool {
        let mut parts = self.health.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(part) = parts.get_mut(&self.name) else { return false };
        if part.state == state {
            return false;
        }
        *part = Standing { state, since: Instant::now(), needed: part.needed };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::{Health, PartState};

    #[test]
    fn a_service_is_ready_while_all_that_it_needs_works() {
        let health = Health::default();
        let (store, relay) = (health.part("store", true), health.part("relay", false));
        assert!(!health.is_ready(), "what has not worked yet is not ready");
        store.up();
        assert!(health.is_ready());
        assert!(relay.down("the address does not answer"));
        assert!(!relay.down("the address does not answer"), "the same cause is no news");
        assert!(health.is_ready());
        assert!(store.down("away"));
        assert!(!health.is_ready());
        let states: Vec<_> = health.view().into_iter().map(|part| (part.name, part.state)).collect();
        let down = |why: &str| PartState::Down(why.to_owned());
        assert_eq!(states, [("relay".to_owned(), down("the address does not answer")), ("store".to_owned(), down("away"))]);
    }
}
