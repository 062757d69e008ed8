//! Settings of property tests: few cases, the same ones in each run, and no files written.
//!
//! `PROPTEST_CASES=100000 PROPTEST_RNG_SEED=7 cargo test --test integration` runs more or other cases. A failure prints the smallest failing value.

use proptest::prelude::Rng;
use proptest::test_runner::{Config, RngSeed, TestRunner, contextualize_config};

const SEED: u64 = 9110;

/// Runs this number of cases, unless the environment sets another one.
pub fn cases(number: u32) -> Config {
    contextualize_config(Config {
        cases: number,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(SEED),
        ..Config::default()
    })
}

/// Returns the seed of random schedules.
pub fn seed() -> u64 {
    std::env::var("PROPTEST_RNG_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(SEED)
}

/// Returns a source of random numbers below its argument.
pub fn random_numbers(seed: u64) -> impl FnMut(usize) -> usize {
    let mut runner = TestRunner::new(Config { rng_seed: RngSeed::Fixed(seed), ..Config::default() });
    move |below| usize::try_from(runner.rng().next_u64() >> 1).unwrap() % below
}
