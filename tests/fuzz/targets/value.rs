//! Amounts and dates of documents: the checked properties are in `documine::fuzzing::value`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| documine::fuzzing::value(input));
