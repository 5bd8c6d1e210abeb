//! Whatever stands in a library's file, its reader says yes or no, and what it says is printable.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Err(why) = flow::plugin::fuzzing::examine(bytes) {
        assert!(!why.is_empty() && !why.contains(char::is_control));
    }
});
