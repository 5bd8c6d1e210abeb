//! Where payloads come from and go to.

mod confirmed;
mod contract;
pub mod file;
mod lines;
pub mod mock;
#[cfg(feature = "mqtt")]
pub mod mqtt;
pub mod nop;
pub mod stdio;

pub use contract::{Progress, SinkConnector, SourceConnector};
pub use file::{FileSink, FileSinkConfig, FileSource, FileSourceConfig};
pub use mock::{MockSink, MockSinkConfig, MockSource, MockSourceConfig};
#[cfg(feature = "mqtt")]
pub use mqtt::{MqttSink, MqttSinkConfig, MqttSource, MqttSourceConfig};
pub use nop::NopSink;
pub use stdio::{StdinSource, StdinSourceConfig, StdoutSink};
