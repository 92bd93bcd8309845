//! The laws, held against arbitrary reports, terms, consents and orders of arrival, on a real store.

#![cfg(test)]

mod allow_list;
mod dates;
mod gate;
mod message;
mod no_oracle;
mod numbers;
mod order;
mod reader;
mod report;
mod round_trip;
mod script;
mod unknown_field;
mod world;
mod write;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed, TestRunner};

/// Holds a property against cases that are the same in every run. `PROPTEST_CASES` and `PROPTEST_RNG_SEED` ask for more
/// or others by hand.
fn hold<S: Strategy>(cases: u32, strategy: &S, property: impl Fn(S::Value)) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let cases = number("PROPTEST_CASES").and_then(|cases| u32::try_from(cases).ok()).unwrap_or(cases);
    let seed = RngSeed::Fixed(number("PROPTEST_RNG_SEED").unwrap_or(1863));
    let config = Config { cases, rng_seed: seed, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    let result = TestRunner::new(config).run(strategy, |value| {
        property(value);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

/// Drives a future to its end.
fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}
