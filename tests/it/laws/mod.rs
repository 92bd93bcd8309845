//! The laws, held against arbitrary reports, terms, consents and orders of arrival, on a real store.

#![cfg(test)]

/// Makes of each law a test on either engine.
macro_rules! on_both_engines {
    ($($law:ident,)*) => {
        mod sqlite {
            $(#[test]
            fn $law() {
                super::$law::<crate::laws::world::Memory>();
            })*
        }

        mod postgres {
            $(#[test]
            fn $law() {
                super::$law::<crate::laws::shared::Shared>();
            })*
        }
    };
}

mod allow_list;
mod consents;
mod dates;
mod explain;
mod gate;
mod lapse;
mod ledger;
mod message;
mod no_oracle;
mod numbers;
mod order;
mod other_set;
mod protected;
mod put_off;
mod reader;
mod receipts;
mod regime;
mod report;
mod round_trip;
mod script;
mod shared;
mod unknown_field;
mod world;
mod write;

use std::sync::OnceLock;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use tokio::runtime::Runtime;

/// Holds a property against cases that are the same in every run. `PROPTEST_CASES` and `PROPTEST_RNG_SEED` ask for more
/// or others by hand.
fn hold<S: Strategy>(cases: usize, strategy: &S, property: impl Fn(S::Value)) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let cases = number("PROPTEST_CASES").map_or(cases, |cases| usize::try_from(cases).expect("a number of cases"));
    let cases = u32::try_from(cases).expect("a number of cases");
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

/// Drives a future to its end. One runtime for all: connections that outlive a case belong to it.
fn run<F: Future>(future: F) -> F::Output {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().expect("a runtime")).block_on(future)
}
