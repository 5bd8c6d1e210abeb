//! Where payloads come from and go to.

mod contract;
#[cfg(feature = "mqtt")]
pub mod mqtt;

pub use contract::{Progress, SinkConnector, SourceConnector};
#[cfg(feature = "mqtt")]
pub use mqtt::{MqttSink, MqttSinkConfig, MqttSource, MqttSourceConfig};
