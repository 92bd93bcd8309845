//! Does one thing over and over until told to stop: faults are waited out with growing pauses and without end, and told once
//! for each cause.

use std::error::Error;
use std::future::Future;
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use tokio::sync::watch;

use crate::telemetry::{Event as _, Part, Waiting};

/// The longest pause after a fault: the service is at full rate again this soon after its end.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Takes turns: at once again after one that has done something, after a pause after one that has not. A turn that has begun
/// is ended, since a transaction that is cut in two can take its connection with it. `at_least` is how long the cause of a fault
/// asks to be left alone.
pub(super) async fn tirelessly<E, F>(
    name: &'static str,
    part: Part,
    idle: Duration,
    mut stopping: watch::Receiver<bool>,
    at_least: fn(&E) -> Duration,
    turn: impl Fn() -> F,
) where
    E: Error + Send + 'static,
    F: Future<Output = Result<bool, E>> + Send + 'static,
{
    let pauses = || ExponentialBuilder::default().with_max_delay(LONGEST_WAIT).with_jitter().without_max_times().build();
    let mut after_fault = pauses();
    while !*stopping.borrow() {
        // In a task of its own: whoever stops waiting for it does not cut it in two.
        let pause = match tokio::spawn(turn()).await {
            Ok(Ok(done)) => {
                part.up();
                after_fault = pauses();
                if done {
                    continue;
                }
                idle
            }
            Ok(Err(fault)) => {
                if part.down(fault.to_string()) {
                    Waiting { part: name, cause: &fault }.emit();
                }
                after_fault.next().unwrap_or(LONGEST_WAIT).max(at_least(&fault))
            }
            Err(_) => {
                // Where it failed is in the log already, by the hook for panics.
                part.down("the program has failed on something");
                after_fault.next().unwrap_or(LONGEST_WAIT)
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stopping.changed() => return,
        }
    }
}
