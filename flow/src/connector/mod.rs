//! Where payloads come from and go to.

mod confirmed;
pub(crate) mod contract;
pub mod file;
mod lines;
pub mod mock;
#[cfg(feature = "mqtt")]
pub mod mqtt;
pub mod nop;
pub mod stdio;

pub(crate) use contract::{Progress, SinkConnector, SourceConnector};
