//! The configuration of property tests: few cases for speed, a fixed seed, no files.
//!
//! proptest's own variables override it: `PROPTEST_CASES=100000 PROPTEST_RNG_SEED=7 cargo test -p documine`. A failure prints the smallest failing
//! value.

use proptest::test_runner::{Config, RngSeed, contextualize_config};

/// Returns a configuration with this number of cases, unless the environment overrides it.
pub(crate) fn cases(number: u32) -> Config {
    contextualize_config(Config {
        cases: number,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(9110),
        ..Config::default()
    })
}
