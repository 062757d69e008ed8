//! Amounts and dates of documents: `documine::fuzzing::value` says what holds.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| documine::fuzzing::value(input));
