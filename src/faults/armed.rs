//! What the fail points do in a build with the feature `faults`: count passings, kill, stop, and tell what is planted.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// What happens at a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Kill,
    Stop,
}

/// What the environment asks for.
#[derive(Debug, Default)]
struct Plan {
    /// Point, passing, fate.
    fates: Vec<(String, u64, Fate)>,
    /// Name, and for how many milliseconds its gap is held open in this process.
    planted: Vec<(String, u64)>,
    /// A file with the seconds by which the clock is ahead.
    clock: Option<PathBuf>,
}

impl Plan {
    /// Reads a plan; what it cannot read it leaves out, and the run that wanted it notices that nothing has happened.
    fn read(text: &str, clock: Option<PathBuf>) -> Self {
        let mut plan = Self { clock, ..Self::default() };
        for item in text.split(',') {
            let mut parts = item.trim().split(':');
            match (parts.next(), parts.next(), parts.next().and_then(|number| number.parse().ok())) {
                (Some("kill"), Some(point), Some(passing)) => plan.fates.push((point.to_owned(), passing, Fate::Kill)),
                (Some("stop"), Some(point), Some(passing)) => plan.fates.push((point.to_owned(), passing, Fate::Stop)),
                (Some("plant"), Some(name), Some(open)) => plan.planted.push((name.to_owned(), open)),
                _ => {}
            }
        }
        plan
    }
}

fn plan() -> &'static Plan {
    static PLAN: OnceLock<Plan> = OnceLock::new();
    PLAN.get_or_init(|| {
        let clock = std::env::var_os("BRYGGA_FAULT_CLOCK").map(PathBuf::from);
        Plan::read(&std::env::var("BRYGGA_FAULT").unwrap_or_default(), clock)
    })
}

/// Passes a point.
pub(crate) fn pass(point: &'static str) {
    static PASSED: OnceLock<Mutex<HashMap<&'static str, u64>>> = OnceLock::new();
    let plan = plan();
    if !plan.fates.iter().any(|(name, ..)| name == point) {
        return;
    }
    let passing = {
        let mut passed = PASSED.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        let count = passed.entry(point).or_default();
        *count += 1;
        *count
    };
    for (name, at, fate) in &plan.fates {
        if name == point && *at == passing {
            meet(*fate);
        }
    }
}

/// The signal comes from outside, as in life: nothing of the process runs any more once it has come. Safe Rust has no way to
/// send one, so a command does; this thread goes nowhere until it has.
fn meet(fate: Fate) {
    let signal = match fate {
        Fate::Kill => "-KILL",
        Fate::Stop => "-STOP",
    };
    let sent = Command::new("kill").args([signal, &std::process::id().to_string()]).status();
    let is_sent = sent.is_ok_and(|status| status.success());
    if fate == Fate::Kill && is_sent {
        loop {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Whether a check is left out.
pub(crate) fn is_planted(name: &str) -> bool {
    plan().planted.iter().any(|(planted, _)| planted == name)
}

/// Gives other processes time to step into the gap that a planted fault has left: a run that looks for it shall find it.
/// Where it is not planted, this is nothing.
pub(crate) async fn hold_open(name: &str) {
    if let Some((_, open)) = plan().planted.iter().find(|(planted, _)| planted == name) {
        tokio::time::sleep(Duration::from_millis(*open)).await;
    }
}

/// By how many microseconds the clock is ahead of the machine's: a fault run moves it past a date.
pub(crate) fn ahead() -> i64 {
    let Some(path) = &plan().clock else { return 0 };
    let seconds: i64 = std::fs::read_to_string(path).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    seconds.saturating_mul(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::{Fate, Plan};

    #[test]
    fn a_plan_is_a_list_of_fates_and_plants() {
        let plan = Plan::read("kill:mid-batch:3, stop:mid-sweep:1,plant:no-dedup:30,kill:mid-batch:x,nonsense", None);
        let fates = [("mid-batch".to_owned(), 3, Fate::Kill), ("mid-sweep".to_owned(), 1, Fate::Stop)];
        assert_eq!(plan.fates, fates);
        assert_eq!(plan.planted, [("no-dedup".to_owned(), 30)]);
    }
}
