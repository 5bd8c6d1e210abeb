//! The `mqtt` sink.

use super::config::MqttSinkConfig;
use super::driver::Connection;
use super::not_open;
use super::session::{IDS, Part, Publishing, Session, property, put_bytes, put_pair};
use super::settings::{Settings, at_least_once, check_qos, only_with_5};
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
        // The ring sends again what no broker has confirmed, so that neither a name nor a kept session is needed.
        at_least_once(config.qos, config.at_least_once)?;
        let topic = Topic::parse(&config.topic)?;
        let part = Part::Sink(Publishing {
            qos: config.qos,
            retain: config.retain,
            max_in_flight: config.max_in_flight,
            properties: properties(&config)?,
        });
        let plan = Some((Settings::new(config.into(), context)?, part));
        Ok(Self { topic, plan, connection: None, confirmed: None })
    }
}

/// The properties of every message, as they stand on the wire.
fn properties(config: &MqttSinkConfig) -> Result<Vec<u8>, Error> {
    let texts = [
        ("content_type", property::CONTENT_TYPE, &config.content_type),
        ("response_topic", property::RESPONSE_TOPIC, &config.response_topic),
        ("correlation_data", property::CORRELATION_DATA, &config.correlation_data),
    ];
    only_with_5(
        config.version,
        &[
            (texts[0].0, texts[0].2.is_some()),
            (texts[1].0, texts[1].2.is_some()),
            (texts[2].0, texts[2].2.is_some()),
            ("message_expiry", config.message_expiry.is_some()),
            ("user_properties", !config.user_properties.is_empty()),
        ],
    )?;
    if let Some(topic) = &config.response_topic {
        topic::check_name(topic).map_err(|why| Error::config("response_topic", why))?;
    }
    let check = |key: &'static str, text: &str| match text {
        text if text.len() > topic::MAX_BYTES => Err(Error::config(key, "cannot be longer than 65535 bytes")),
        text if text.contains('\0') => Err(Error::config(key, "cannot hold a NUL character")),
        _ => Ok(()),
    };
    let mut out = Vec::new();
    if let Some(seconds) = config.message_expiry {
        out.push(property::MESSAGE_EXPIRY);
        out.extend_from_slice(&seconds.to_be_bytes());
    }
    for (key, property, text) in texts {
        if let Some(text) = text {
            check(key, text)?;
            put_bytes(property, text.as_bytes(), &mut out);
        }
    }
    for (name, value) in &config.user_properties {
        check("user_properties", name)?;
        check("user_properties", value)?;
        put_pair(name, value, &mut out);
    }
    Ok(out)
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
            connection.wake();
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
