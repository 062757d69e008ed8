//! Operations that were noted down: what has to hold stands at the door.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| documine::fuzzing::operation(input));
