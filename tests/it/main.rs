//! Integration tests against real brokers.

mod mqtt;
mod support;
