//! Settings of property tests: few cases, a fixed seed, and no files of failures.
//!
//! The variables `PROPTEST_CASES` and `PROPTEST_RNG_SEED` override both.

use proptest::test_runner::{Config, RngSeed, contextualize_config};

/// Returns a configuration of `cases` cases, unless the environment sets another number.
pub(crate) fn cases(cases: u32) -> Config {
    contextualize_config(Config {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(9110),
        ..Config::default()
    })
}
