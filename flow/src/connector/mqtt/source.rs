//! The `mqtt` source.

use super::config::MqttSourceConfig;
use super::driver::Connection;
use super::not_open;
use super::session::Part;
use super::settings::{Settings, check_qos};
use super::topic;
use crate::component::{BuildContext, Component, role};
use crate::connector::{Progress, SourceConnector};
use crate::error::Error;
use crate::record::{Checkpoint, PayloadBatch};

/// Subscribes to topics; every message is a payload with its topic and time of arrival as metadata.
///
/// An unreachable broker, a refused log-in and a refused subscription are logged and tried again: they are no errors
/// of [`next`](SourceConnector::next).
pub struct MqttSource {
    /// Until it is opened.
    plan: Option<(Settings, Part)>,
    connection: Option<Connection>,
}

impl Component for MqttSource {
    const ID: &'static str = "mqtt";
    const DESCRIPTION: &'static str = "subscribes to topics of an MQTT 3.1.1 or 5 broker";
    type Role = role::Source;
    type Config = MqttSourceConfig;

    fn build(config: MqttSourceConfig, context: &BuildContext) -> Result<Self, Error> {
        check_qos(config.qos)?;
        let filters = Vec::from(config.topic.clone());
        if filters.is_empty() {
            return Err(Error::config("topic", "the list is empty; name at least one topic"));
        }
        for filter in &filters {
            topic::check_filter(filter)
                .map_err(|why| Error::config("topic", format!("`{}`: {why}", context.redact(filter))))?;
        }
        let part = Part::Source { filters, qos: config.qos };
        Ok(Self { plan: Some((Settings::new(config.into(), context)?, part)), connection: None })
    }
}

impl SourceConnector for MqttSource {
    async fn open(&mut self) -> Result<(), Error> {
        let (settings, part) = self.plan.take().ok_or_else(not_open)?;
        self.connection = Some(Connection::open(settings, part));
        Ok(())
    }

    /// # Cancel safety
    /// Cancel safe: messages are moved out of the session in the same poll that returns them.
    async fn next(&mut self, batch: &mut PayloadBatch) -> Result<Progress, Error> {
        let connection = self.connection.as_ref().ok_or_else(not_open)?;
        let (checkpoint, stalled) = connection
            .wait(|session| {
                let stalled = session.is_stalled();
                session.take(batch).map(|checkpoint| (checkpoint, stalled))
            })
            .await?;
        if stalled {
            connection.command(|_| ());
        }
        Ok(Progress::Batch(checkpoint))
    }

    async fn acknowledge(&mut self, checkpoint: Checkpoint) -> Result<(), Error> {
        let connection = self.connection.as_ref().ok_or_else(not_open)?;
        connection.command(|session| session.acknowledge(checkpoint));
        Ok(())
    }

    async fn close(self) -> Result<(), Error> {
        if let Some(connection) = self.connection {
            connection.close().await;
        }
        Ok(())
    }
}
