//! The clock of a store: time inside a transaction comes from here and from nowhere else.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;

use crate::faults;

/// Where a store's time comes from.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock that stands, or is moved by hand: the demo, scenarios, dry runs and tests.
    Set(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at an instant.
    #[must_use]
    pub fn at(instant: Timestamp) -> Self {
        Self::Set(Arc::new(AtomicI64::new(instant.as_microsecond())))
    }

    /// The time now, to the microsecond, so that what is stored reads back as itself.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let micros = match self {
            #[expect(clippy::disallowed_methods, reason = "the one place where the machine's clock is read")]
            Self::System => Timestamp::now().as_microsecond().saturating_add(faults::ahead()),
            Self::Set(micros) => micros.load(Ordering::SeqCst),
        };
        Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Moves a clock that is set by hand; the machine's clock stays as it is.
    pub fn set(&self, instant: Timestamp) {
        if let Self::Set(micros) = self {
            micros.store(instant.as_microsecond(), Ordering::SeqCst);
        }
    }
}
