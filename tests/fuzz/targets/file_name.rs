//! `Content-Disposition` headers: what has to hold stands at the door.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| documine::fuzzing::file_name(input));
