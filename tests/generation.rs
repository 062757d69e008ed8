//! Tests of the generated client: responses survive a round trip even if a newer service adds or omits fields, and every operation
//! sends the request of the document through the given transport.

#![allow(clippy::expect_used, clippy::panic, missing_docs)]

mod generation {
    // These tests use the examples and the field names of the reconstruction.
    mod ids;
    #[cfg(reconstruction)]
    mod models;
    mod requests;
    #[cfg(reconstruction)]
    mod responses;
    #[cfg(all(feature = "schemars", reconstruction))]
    mod schemas;
}

/// The configuration of property tests: few cases for speed, a fixed seed, no files. proptest's own variables override it.
mod properties {
    use proptest::test_runner::{Config, RngSeed, contextualize_config};

    pub(crate) fn cases(number: u32) -> Config {
        let seed = RngSeed::Fixed(9110);
        contextualize_config(Config { cases: number, failure_persistence: None, rng_seed: seed, ..Config::default() })
    }
}
