//! Floor 1: fail points and planted faults, for the fault runs alone.
//!
//! Without the cargo feature `faults`, which is off by default, all macros vanish, names and all: no configuration can
//! make the product die or lie. With it, the environment variable `BRYGGA_FAULT` says what happens where, as a list with
//! commas:
//! - `kill:<point>:<n>`: the process gets a SIGKILL at the n-th passing of the point, counted from 1
//! - `stop:<point>:<n>`: it gets a SIGSTOP there, and goes on when somebody sends it a SIGCONT
//! - `plant:<name>:<ms>`: a check is left out, so that a fault run can show that it would notice; the gap that it leaves is
//!   held open in this process for so many milliseconds

#[cfg(feature = "faults")]
mod armed;

#[cfg(feature = "faults")]
pub(crate) use armed::{ahead, hold_open, is_planted, pass};

/// A place on the way where a fault run can kill or stop the process.
#[cfg(feature = "faults")]
macro_rules! point {
    ($name:literal) => {
        $crate::faults::pass($name)
    };
}

/// A place on the way where a fault run can kill or stop the process: in this build, nothing at all.
#[cfg(not(feature = "faults"))]
macro_rules! point {
    ($name:literal) => {};
}

/// Whether a check is left out on purpose.
#[cfg(feature = "faults")]
macro_rules! planted {
    ($name:literal) => {
        $crate::faults::is_planted($name)
    };
}

/// Whether a check is left out on purpose: in this build, never.
#[cfg(not(feature = "faults"))]
macro_rules! planted {
    ($name:literal) => {
        false
    };
}

/// Holds the gap open that a check leaves when it is left out, so that others have time to step into it.
#[cfg(feature = "faults")]
macro_rules! widen {
    ($name:literal) => {
        $crate::faults::hold_open($name).await
    };
}

/// Holds a gap open: in this build, nothing at all.
#[cfg(not(feature = "faults"))]
macro_rules! widen {
    ($name:literal) => {};
}

pub(crate) use {planted, point, widen};

/// By how many microseconds a fault run has moved the clock: in this build, none.
#[cfg(not(feature = "faults"))]
pub(crate) const fn ahead() -> i64 {
    0
}
