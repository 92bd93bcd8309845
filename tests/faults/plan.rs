//! What a schedule does and when: a function of the run's seed and the schedule's number. Faults begin and end between two
//! steps of the load, not at times of the clock.

use std::time::Duration;

use super::seed::Seed;

/// Steps in which a load is posted.
pub(crate) const STEPS: usize = 16;

/// The points at which a process is killed, each with how often it is passed at most before.
pub(crate) const POINTS: [(&str, usize); 13] = [
    ("after-commit-before-ack", 4),
    ("sent-before-confirming", 8),
    ("page-committed-before-first-byte", 6),
    ("before-commit", 4),
    ("page-marked-before-commit", 6),
    ("mid-batch", 12),
    ("after-receive", 12),
    ("after-ack", 4),
    ("key-made-before-content", 3),
    ("ledger-written-before-commit", 1),
    ("committed-before-mark", 6),
    ("handed-over-before-sending", 8),
    ("handing-over-before-commit", 8),
];

/// Whether it may be that one process alone passes a point, and nobody can say which: the one with the lease of a pushed feed,
/// or those who get one of the few messages that shut a gate. Each process dies there once.
pub(crate) fn is_rare(point: &str) -> bool {
    let rare =
        ["handed-over-before-sending", "sent-before-confirming", "handing-over-before-commit", "ledger-written-before-commit"];
    rare.contains(&point)
}

/// A check that is left out of the product, the load under which that matters, and what the run must say of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Plant {
    pub(crate) name: &'static str,
    load: Load,
    /// For how many milliseconds the first process holds the gap open, while the others step into it.
    open: u64,
    pub(crate) noticed_as: &'static str,
}

impl Plant {
    /// What the environment of a process says of it.
    pub(crate) fn in_process(self, index: usize) -> String {
        format!("plant:{}:{}", self.name, if index == 0 { self.open } else { 0 })
    }
}

const PLANTS: [Plant; 5] = [
    Plant { name: "no-dedup", load: Load::Usual, open: 0, noticed_as: "are there more than once" },
    Plant { name: "no-check-at-serving", load: Load::Expiring, open: 0, noticed_as: "of a person whose gate was shut" },
    Plant {
        name: "no-participants-lock",
        load: Load::Races,
        open: 1000,
        noticed_as: "in another state than in a run without faults",
    },
    // Readers ask each 300 ms: long enough to be far past what is committed late.
    Plant { name: "sequence-instead-of-counter", load: Load::Crowd, open: 1500, noticed_as: "was never served" },
    Plant { name: "no-mask", load: Load::Usual, open: 0, noticed_as: "operators.log holds personal data" },
];

/// Planted schedules have numbers of their own.
pub(crate) const FIRST_PLANTED: usize = 10_000;

/// Where bytes are meddled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    Amqp,
    Postgres,
    Feed,
}

/// How bytes are meddled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meddling {
    Reset,
    Refuse,
    DropUp,
    DropDown,
    DropBoth,
    Delay,
    HalfCloseUp,
    HalfCloseDown,
}

/// What is done to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blow {
    Restart,
    Kill,
    Pause,
}

/// One fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The first process dies at a point, at that passing.
    KillAt(&'static str, usize),
    /// A process gets a SIGKILL, wherever it is.
    Kill(usize),
    /// Each process in turn is asked to end, and starts again.
    Roll,
    /// A process is stopped, with whatever locks it holds, and goes on later.
    Freeze(usize),
    Net(Line, Meddling),
    Rabbit(Blow),
    Postgres(Blow),
}

/// A fault with the steps before which it begins and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Timed {
    pub(crate) fault: Fault,
    pub(crate) begins: usize,
    pub(crate) ends: usize,
}

/// What is posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Load {
    Usual,
    /// Reports and waivers of the same person at once.
    Races,
    /// Many persons with a report each: what one process has in hand keeps no other waiting.
    Crowd,
    /// Waivers that end with the day, and the day ends.
    Expiring,
}

impl Load {
    /// The pause between two steps. A crowd comes slowly, so that one process has a batch in hand while others end theirs.
    pub(crate) const fn pause(self) -> Duration {
        Duration::from_millis(if matches!(self, Self::Crowd) { 350 } else { 100 })
    }
}

/// One schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) number: usize,
    pub(crate) load: Load,
    pub(crate) faults: Vec<Timed>,
    /// A check that is left out of the product, to see whether the run notices.
    pub(crate) planted: Option<Plant>,
}

impl Plan {
    /// The schedule of a number. The first is always the one without faults.
    pub(crate) fn of(seed: u64, number: usize) -> Self {
        let mut dice = Seed::new(seed, number as u64);
        let (round, kind) = (number / 10, number % 10);
        let mut load = Load::Usual;
        let faults = match kind {
            0 if round == 0 => Vec::new(),
            0 => {
                let point = point(&mut dice, round);
                // Nothing shuts a gate in a race.
                if !matches!(point.fault, Fault::KillAt("ledger-written-before-commit", _)) {
                    load = Load::Races;
                }
                vec![point]
            }
            1 => vec![point(&mut dice, round * 3)],
            2 => vec![net(&mut dice, Line::Amqp)],
            3 => vec![timed(&mut dice, 3, |dice| Fault::Postgres(blow(dice)))],
            4 => vec![point(&mut dice, round * 3 + 1)],
            5 => vec![net(&mut dice, Line::Postgres)],
            6 => vec![timed(&mut dice, 3, |dice| Fault::Rabbit(blow(dice)))],
            7 => vec![timed(&mut dice, 4, process)],
            8 => {
                load = if round % 2 == 0 { Load::Expiring } else { Load::Usual };
                vec![net(&mut dice, Line::Feed)]
            }
            _ => vec![point(&mut dice, round * 3 + 2), net(&mut dice, Line::Postgres), timed(&mut dice, 4, process)],
        };
        Self { number, load, faults, planted: None }
    }

    /// The schedules that must not pass: each with something left out of the product.
    pub(crate) fn planted() -> Vec<Self> {
        let plan = |(index, plant): (usize, &Plant)| Self {
            number: FIRST_PLANTED + index,
            load: plant.load,
            faults: Vec::new(),
            planted: Some(*plant),
        };
        PLANTS.iter().enumerate().map(plan).collect()
    }

    /// Whether it came out as it should: clean, or with what was left out noticed.
    pub(crate) fn is_as_wanted(&self, wrongs: &[String]) -> bool {
        match self.planted {
            Some(plant) => wrongs.iter().any(|wrong| wrong.contains(plant.noticed_as)),
            None => wrongs.is_empty(),
        }
    }

    /// What it does, in words.
    pub(crate) fn words(&self) -> String {
        let faults: Vec<String> = self
            .faults
            .iter()
            .map(|timed| match timed.fault {
                Fault::KillAt(point, passing) => format!("kill at {point}, passing {passing}"),
                fault => format!("{fault:?} in steps {}..{}", timed.begins, timed.ends),
            })
            .collect();
        let faults = if faults.is_empty() { "no fault".to_owned() } else { faults.join("; ") };
        let planted = self.planted.map_or_else(String::new, |plant| format!("; planted: {}", plant.name));
        format!("{:?} load, {faults}{planted}", self.load)
    }
}

fn timed(dice: &mut Seed, longest: usize, fault: impl Fn(&mut Seed) -> Fault) -> Timed {
    let begins = 2 + dice.below(STEPS / 2);
    let ends = begins + 1 + dice.below(longest);
    Timed { fault: fault(dice), begins, ends }
}

fn point(dice: &mut Seed, index: usize) -> Timed {
    let (name, most) = POINTS[index % POINTS.len()];
    Timed { fault: Fault::KillAt(name, 1 + dice.below(most)), begins: 0, ends: 0 }
}

fn net(dice: &mut Seed, line: Line) -> Timed {
    timed(dice, 4, |dice| {
        use Meddling::{Delay, DropBoth, DropDown, DropUp, HalfCloseDown, HalfCloseUp, Refuse, Reset};
        let all = [Reset, Refuse, DropUp, DropDown, DropBoth, Delay, HalfCloseUp, HalfCloseDown];
        Fault::Net(line, *dice.pick(&all))
    })
}

fn blow(dice: &mut Seed) -> Blow {
    *dice.pick(&[Blow::Restart, Blow::Kill, Blow::Pause])
}

fn process(dice: &mut Seed) -> Fault {
    match dice.below(3) {
        0 => Fault::Kill(dice.below(3)),
        1 => Fault::Roll,
        _ => Fault::Freeze(dice.below(3)),
    }
}
