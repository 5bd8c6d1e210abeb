//! The `mqtt` source.

use super::config::{MqttRetainHandling, MqttSourceConfig};
use super::driver::Connection;
use super::not_open;
use super::session::{Asking, Part};
use super::settings::{Settings, at_least_once, check_qos, only_with_5};
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
        only_with_5(
            config.version,
            &[
                ("receive_maximum", config.receive_maximum.is_some()),
                ("no_local", config.no_local),
                ("retain_as_published", config.retain_as_published),
                ("retain_handling", config.retain_handling != MqttRetainHandling::Always),
            ],
        )?;
        if config.no_local && filters.iter().any(|filter| filter.starts_with("$share/")) {
            return Err(Error::config("no_local", "MQTT 5 does not allow it with a shared subscription"));
        }
        if config.receive_maximum == Some(0) {
            return Err(Error::config("receive_maximum", "can be 1 to 65535"));
        }
        let at_least_once = at_least_once(config.qos, config.at_least_once)?;
        if at_least_once {
            check_session(&config)?;
        }
        let asking = Asking {
            qos: config.qos,
            at_least_once,
            no_local: config.no_local,
            retain_as_published: config.retain_as_published,
            retain_handling: config.retain_handling,
        };
        let receive_maximum = config.receive_maximum;
        let mut settings = Settings::new(config.into(), context)?;
        if let Some(receive_maximum) = receive_maximum {
            settings.profile.receive_maximum = receive_maximum;
        }
        let part = Part::Source { filters, asking };
        Ok(Self { plan: Some((settings, part)), connection: None })
    }
}

/// What comes while there is no connection is only kept in a session that outlives it, and only under a name can this
/// process or the next come back to it.
fn check_session(config: &MqttSourceConfig) -> Result<(), Error> {
    const OR_NOT: &str = "or set `at_least_once = false` where messages may be lost";
    let qos = config.qos;
    if config.client_id.is_none() {
        let why = format!(
            "`qos = {qos}` needs a `client_id`: under it the broker keeps what comes while there is no connection; \
             give one that no other client has, {OR_NOT}"
        );
        return Err(Error::config("client_id", why));
    }
    if config.clean_session == Some(true) {
        let why = format!(
            "true makes the broker forget what is not delivered when the connection ends; leave it out, {OR_NOT}"
        );
        return Err(Error::config("clean_session", why));
    }
    if config.session_expiry == Some(0) {
        let why = format!(
            "0 makes the broker forget what is not delivered when the connection ends; \
             give it time for a restart, {OR_NOT}"
        );
        return Err(Error::config("session_expiry", why));
    }
    Ok(())
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
            connection.wake();
        }
        Ok(Progress::Batch(checkpoint))
    }

    async fn acknowledge(&mut self, checkpoint: Checkpoint) -> Result<(), Error> {
        let connection = self.connection.as_ref().ok_or_else(not_open)?;
        if connection.look(|session| session.acknowledge(checkpoint)) {
            connection.wake();
        }
        Ok(())
    }

    async fn close(self) -> Result<(), Error> {
        if let Some(connection) = self.connection {
            connection.close().await;
        }
        Ok(())
    }
}
