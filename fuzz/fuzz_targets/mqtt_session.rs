//! The MQTT session as a parser: whatever a broker sends, split however it comes, it must not panic, and must say and hand
//! out the same.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|script: &[u8]| flow::connector::mqtt::fuzz(script));
