//! Loaded libraries against real files: what is loaded runs as what is listed, and what is refused says why.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod layout;
mod refusals;
mod running;
mod same;
mod support;
mod together;
