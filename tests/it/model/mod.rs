//! A model-based test: random sequences of everything that happens, held after every step against a small independent model
//! of what each recipient may see, on SQLite and on PostgreSQL.
//!
//! `BRYGGA_MODEL_CASES` asks for so many cases, and `BRYGGA_MODEL_SEED` for others (docs/reliability.md).

#![cfg(test)]

mod beside;
mod cases;
mod documents;
mod drive;
mod forms;
mod place;
mod reader;
mod truth;

use std::cell::Cell;
use std::sync::OnceLock;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use tokio::runtime::Runtime;

use beside::{Beside, besides, drive_beside};
use cases::cases;
use drive::{Case, drive};
use place::{Files, Place, Shared};
use truth::Flaw;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// How many cases: as asked for, or as many as a run of all tests has time for.
fn asked(usual: u32) -> u32 {
    number("BRYGGA_MODEL_CASES").map_or(usual, |cases| u32::try_from(cases).expect("a number of cases"))
}

/// Drives a future to its end.
fn run<F: Future>(future: F) -> F::Output {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().expect("a runtime")).block_on(future)
}

/// Holds a property against so many cases; gives the smallest that it does not hold for, in words with the seed, and how many
/// were tried until then.
fn hold<S: Strategy>(
    cases: u32,
    shrinks: u32,
    strategy: &S,
    property: impl Fn(&S::Value) -> Result<(), String>,
) -> (u32, Option<String>) {
    let seed = number("BRYGGA_MODEL_SEED").unwrap_or(1863);
    let config = Config {
        cases,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        max_shrink_iters: shrinks,
        ..Config::default()
    };
    let tried = Cell::new(0);
    let failed = Cell::new(false);
    let result = TestRunner::new(config).run(strategy, |value| {
        if !failed.get() {
            tried.set(tried.get() + 1);
        }
        property(&value).map_err(|words| {
            failed.set(true);
            TestCaseError::fail(words)
        })
    });
    let words = match result {
        Ok(()) => None,
        Err(TestError::Fail(why, value)) => Some(format!("seed {seed}: {why}\n{value:?}")),
        Err(TestError::Abort(why)) => Some(format!("seed {seed}: {why}")),
    };
    (tried.get(), words)
}

fn agree<P: Place>(usual: u32) {
    let (_, differs) = hold(asked(usual), 200, &cases(), |case: &Case| run(drive::<P>(case, Flaw::None)));
    if let Some(words) = differs {
        panic!("the program and the model differ: {words}");
    }
}

#[test]
fn what_everybody_sees_on_sqlite_is_what_the_model_says_after_every_step() {
    agree::<Files>(30);
}

#[test]
fn what_everybody_sees_on_postgres_is_what_the_model_says() {
    agree::<Shared>(8);
}

#[test]
fn what_everybody_sees_while_others_write_to_the_same_postgres_is_what_the_model_says() {
    let compared = Cell::new(0);
    let (_, differs) = hold(asked(6), 20, &besides(), |case: &Beside| {
        let seen = drive_beside(case)?;
        compared.set(compared.get() + seen);
        Ok(())
    });
    if let Some(words) = differs {
        panic!("the program and the model differ: {words}");
    }
    assert!(compared.get() > 0, "nothing was read between two commits");
}

#[test]
fn a_model_that_leaves_out_a_rule_is_found_out() {
    let flaws = [Flaw::Revocation, Flaw::PartialRevocation, Flaw::Expiry, Flaw::Protection, Flaw::Cancellation, Flaw::Deletion];
    for flaw in flaws {
        let (tried, differs) = hold(200, 0, &cases(), |case: &Case| run(drive::<Files>(case, flaw)));
        assert!(differs.is_some(), "{flaw:?} was left out, and {tried} cases did not show it");
    }
}
