//! Whatever a plugin hands over as a record, it is taken whole or not at all, and what was taken can be written.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|row: &[u8]| flow::plugin::fuzzing::take_row(row));
