//! Saved operations: the checked properties are in `documine::fuzzing`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| documine::fuzzing::operation(input));
