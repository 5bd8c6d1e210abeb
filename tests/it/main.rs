//! Integration tests against real brokers.

mod delivery;
mod mqtt;
mod support;
