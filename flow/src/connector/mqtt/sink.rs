//! The `mqtt` sink.

use super::config::MqttSinkConfig;
use super::driver::Connection;
use super::not_open;
use super::session::{IDS, Part, Publishing, Session};
use super::settings::{Settings, check_qos};
use super::topic;
use crate::component::{BuildContext, Component, role};
use crate::connector::SinkConnector;
use crate::error::Error;
use crate::record::template::{Piece, Template};
use crate::record::{Checkpoint, Payload, PayloadBatch};

/// Publishes every payload as a message, to one topic or to one made from the record.
///
/// An unreachable broker and a refused log-in are logged and tried again; meanwhile messages are kept up to
/// `max_in_flight`, and 8 MiB.
pub struct MqttSink {
    topic: Topic,
    /// Until it is opened.
    plan: Option<(Settings, Part)>,
    connection: Option<Connection>,
    /// The last checkpoint that [`SinkConnector::confirmed`] returned.
    confirmed: Option<Checkpoint>,
}

enum Topic {
    Fixed(String),
    Rendered(Template),
}

impl Topic {
    fn parse(text: &str) -> Result<Self, Error> {
        let template =
            Template::parse(text, topic::check_value).map_err(|why| Error::config("topic", why))?;
        match template.as_text() {
            Some(text) => {
                topic::check_name(text).map_err(|why| Error::config("topic", why))?;
                Ok(Self::Fixed(text.to_owned()))
            }
            None => {
                for piece in template.pieces() {
                    if let Piece::Text(text) = piece {
                        topic::check_text(text).map_err(|why| Error::config("topic", why))?;
                    }
                }
                Ok(Self::Rendered(template))
            }
        }
    }

    fn of<'a>(&'a self, payload: Payload<'a>) -> Result<&'a str, &'static str> {
        match self {
            Self::Fixed(topic) => Ok(topic),
            Self::Rendered(_) => {
                let topic = payload.metadata().topic.ok_or("the payload has no topic")?;
                topic::check_name(topic).map(|()| topic)
            }
        }
    }
}

impl Component for MqttSink {
    const ID: &'static str = "mqtt";
    const DESCRIPTION: &'static str = "publishes to topics of an MQTT 3.1.1 or 5 broker";
    type Role = role::Sink;
    type Config = MqttSinkConfig;

    fn build(config: MqttSinkConfig, context: &BuildContext) -> Result<Self, Error> {
        check_qos(config.qos)?;
        if !(1..=IDS).contains(&config.max_in_flight) {
            return Err(Error::config("max_in_flight", "can be 1 to 65534: MQTT has no more packet ids"));
        }
        let topic = Topic::parse(&config.topic)?;
        let part = Part::Sink(Publishing {
            qos: config.qos,
            retain: config.retain,
            max_in_flight: config.max_in_flight,
        });
        let plan = Some((Settings::new(config.into(), context)?, part));
        Ok(Self { topic, plan, connection: None, confirmed: None })
    }
}

impl SinkConnector for MqttSink {
    async fn open(&mut self) -> Result<(), Error> {
        let (settings, part) = self.plan.take().ok_or_else(not_open)?;
        self.connection = Some(Connection::open(settings, part));
        Ok(())
    }

    fn route(&self) -> Option<&Template> {
        match &self.topic {
            Topic::Fixed(_) => None,
            Topic::Rendered(template) => Some(template),
        }
    }

    async fn write(&mut self, batch: &PayloadBatch, checkpoint: Checkpoint) -> Result<(), Error> {
        let connection = self.connection.as_ref().ok_or_else(not_open)?;
        let mut taken = 0;
        loop {
            let before = taken;
            let outcome = connection
                .wait(|session| {
                    let outcome = take(&self.topic, session, batch, &mut taken);
                    let all = outcome.is_ok() && taken == batch.len();
                    if all {
                        session.mark(checkpoint);
                    }
                    (all || taken > before || outcome.is_err()).then_some(outcome)
                })
                .await?;
            connection.command(|_| ());
            outcome?;
            if taken == batch.len() {
                return Ok(());
            }
        }
    }

    /// # Cancel safety
    /// Cancel safe: what is confirmed stands in the session until it is returned.
    async fn confirmed(&mut self) -> Result<Checkpoint, Error> {
        let connection = self.connection.as_ref().ok_or_else(not_open)?;
        let last = self.confirmed;
        let newest =
            connection.wait(|session| session.confirmed().filter(|_| session.confirmed() > last)).await?;
        self.confirmed = Some(newest);
        Ok(newest)
    }

    async fn close(self) -> Result<(), Error> {
        let Some(connection) = self.connection else { return Ok(()) };
        connection.wait(|session| session.is_drained().then_some(())).await?;
        connection.close().await;
        Ok(())
    }
}

/// Takes payloads from `taken` on while there is room.
fn take(topic: &Topic, session: &mut Session, batch: &PayloadBatch, taken: &mut usize) -> Result<(), Error> {
    while let Some(payload) = batch.get(*taken) {
        let published = match topic.of(payload) {
            Ok(topic) => session.publish(topic, payload.bytes()),
            Err(why) => Err(why.to_owned()),
        };
        match published {
            Ok(true) => *taken += 1,
            Ok(false) => return Ok(()),
            Err(why) => return Err(Error::refused_payload(*taken, why)),
        }
    }
    Ok(())
}
