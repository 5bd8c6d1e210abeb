//! Where payloads come from and go to.

mod contract;

pub use contract::{Progress, SinkConnector, SourceConnector};
