//! The conformance kit on what ships with `flow`, and on components that break each promise in turn.

#![allow(clippy::unwrap_used, reason = "what these helpers unwrap is what the tests are about")]

mod broken_codecs;
mod broken_sinks;
mod broken_sources;
mod codecs;
mod connectors;

use std::time::Duration;

use flow::testkit::Verdict;

/// Long enough for a component in memory, and short for one that never answers.
const SOON: Duration = Duration::from_millis(400);

/// The check fails, for this reason.
#[track_caller]
fn broken(verdict: Verdict, message: &str) {
    let violation = verdict.expect_err("the check does not notice");
    assert!(violation.to_string().contains(message), "{violation}\n  and not: {message}");
}
