//! What is asked for on the command line, and what has passed already: a run that was broken off goes on where it was.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::plan::{FIRST_PLANTED, Plan};

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) schedules: usize,
    pub(crate) seed: u64,
    /// One schedule alone, to repeat it.
    pub(crate) only: Option<usize>,
    /// Whether the schedules with something left out are run too.
    pub(crate) plants: bool,
}

impl Options {
    /// Reads arguments; a word that it does not know ends the run.
    pub(crate) fn read(mut arguments: impl Iterator<Item = String>) -> Self {
        let mut options = Self { schedules: 10, seed: 1, only: None, plants: true };
        while let Some(argument) = arguments.next() {
            let mut number = || arguments.next().and_then(|text| text.parse::<u64>().ok()).expect("a number");
            let small = |number: u64| usize::try_from(number).expect("a small number");
            match argument.as_str() {
                "--schedules" => options.schedules = small(number()),
                "--seed" => options.seed = number(),
                "--only" => options.only = Some(small(number())),
                "--no-plants" => options.plants = false,
                other => panic!("--schedules N --seed S [--only NUMBER] [--no-plants], not {other}"),
            }
        }
        options
    }

    /// The schedules among which those that are left are run.
    pub(crate) fn numbers(&self) -> Range<usize> {
        self.only.map_or(0..self.schedules, |only| only..only.saturating_add(1).min(FIRST_PLANTED))
    }

    /// Where the logs of a schedule are kept.
    pub(crate) fn folder(&self, number: usize) -> PathBuf {
        target().join(format!("{}-{number}", self.seed))
    }
}

fn target() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target").join("faults")
}

/// What has been run of a seed.
#[derive(Debug)]
pub(crate) struct Progress {
    file: PathBuf,
    seed: u64,
    passed: BTreeSet<usize>,
    failed: Vec<usize>,
    /// How many had passed in earlier runs.
    before: usize,
    /// What was left out and noticed, and what was not.
    noticed: BTreeSet<String>,
    missed: Vec<String>,
}

impl Progress {
    /// Reads the state of a seed; one schedule alone is run whatever has been before.
    pub(crate) fn open(options: &Options) -> Self {
        std::fs::create_dir_all(target()).expect("a folder");
        let file = target().join(format!("state-{}.json", options.seed));
        let state: Value =
            std::fs::read(&file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or(Value::Null);
        let passed = state["passed"].as_array().into_iter().flatten().filter_map(Value::as_u64);
        let mut passed: BTreeSet<usize> = passed.filter_map(|number| usize::try_from(number).ok()).collect();
        if let Some(only) = options.only {
            passed.remove(&only);
        }
        let before = passed.len();
        Self { file, seed: options.seed, passed, failed: Vec::new(), before, noticed: BTreeSet::new(), missed: Vec::new() }
    }

    pub(crate) fn has_passed(&self, number: usize) -> bool {
        self.passed.contains(&number)
    }

    /// Takes down what became of a schedule. One with something left out passes by failing.
    pub(crate) fn note(&mut self, plan: &Plan, wrongs: &[String]) {
        match plan.planted {
            Some(plant) if plan.is_as_wanted(wrongs) => {
                self.noticed.insert(plant.name.to_owned());
            }
            Some(plant) => self.missed.push(plant.name.to_owned()),
            None if wrongs.is_empty() => {
                self.passed.insert(plan.number);
            }
            None => self.failed.push(plan.number),
        }
        let state = json!({ "passed": self.passed });
        let temporary = self.file.with_extension("tmp");
        std::fs::write(&temporary, state.to_string()).expect("a file");
        std::fs::rename(&temporary, &self.file).expect("renamed");
    }

    pub(crate) fn has_failed(&self) -> bool {
        !self.failed.is_empty() || !self.missed.is_empty()
    }

    /// What was run and found.
    pub(crate) fn last_line(&self) -> String {
        let (count, seed) = (self.passed.len() + self.failed.len(), self.seed);
        let numbers: Vec<String> = self.failed.iter().map(ToString::to_string).collect();
        let noticed: Vec<&str> = self.noticed.iter().map(String::as_str).collect();
        let found = match numbers.as_slice() {
            [] if count == 0 => "nothing to say of the laws".to_owned(),
            [] => "all laws held".to_owned(),
            _ => format!("laws were broken in {}; repeat with --seed {seed} --only NUMBER", numbers.join(", ")),
        };
        let before = self.before;
        let mut parts = vec![format!("faults: {count} schedules ({before} of them before), seed {seed}: {found}")];
        if !noticed.is_empty() {
            parts.push(format!("left out and noticed: {}", noticed.join(", ")));
        }
        if !self.missed.is_empty() {
            parts.push(format!("LEFT OUT AND NOT NOTICED: {}", self.missed.join(", ")));
        }
        parts.join("; ")
    }
}
