//! How properties are tried: few cases, so that the suite stays quick; the same ones each time; nothing written to disk.
//!
//! proptest's own variables ask for more of them or for others: `PROPTEST_CASES=100000 PROPTEST_RNG_SEED=7 cargo test -p documine`. A failure
//! prints the smallest value that it could be brought down to.
//!
//! The tests of the other packages take this file in through `#[path]`.

use proptest::test_runner::{Config, RngSeed, contextualize_config};

/// So many cases, unless the environment says otherwise.
pub(crate) fn cases(number: u32) -> Config {
    contextualize_config(Config {
        cases: number,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(9110),
        ..Config::default()
    })
}
