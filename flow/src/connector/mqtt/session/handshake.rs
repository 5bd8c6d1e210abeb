//! The packets of the beginning. They are written through rumqttc's codec; what differs between MQTT 3.1.1 and 5
//! beyond the properties of a packet stands here.

use std::time::Duration;

use bytes::BytesMut;
use rumqttc::mqttbytes::{QoS, v4};
use rumqttc::v5::mqttbytes::{self as codec5, v5};

use super::aliases::ALIASES;
use super::packet::{Header, kind};
use super::properties::{Properties, Value, id};
use super::reason::{self, Lost, Said};
use super::subscriptions::Asking;
use crate::connector::mqtt::config::{MqttRetainHandling, MqttVersion, MqttWill};

/// Who we are to the broker, and what we ask of it.
pub(crate) struct Profile {
    pub(crate) version: MqttVersion,
    pub(crate) client_id: String,
    pub(crate) clean_session: bool,
    pub(crate) session_expiry: Option<u32>,
    pub(crate) login: Option<(String, String)>,
    /// In seconds; 0 is off.
    pub(crate) keep_alive: u16,
    /// In bytes, both ways.
    pub(crate) max_packet_size: u32,
    /// How many messages the broker may have sent that are not acknowledged (MQTT 5, 3.1.2.11.3).
    /// MQTT 3.1.1 leaves that to the broker.
    pub(crate) receive_maximum: u16,
    pub(crate) will: Option<MqttWill>,
    /// How long the broker may take for a CONNACK or a SUBACK.
    pub(crate) answer_timeout: Duration,
}

/// What the broker grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Granted {
    pub(crate) session_present: bool,
    pub(crate) receive_maximum: u16,
    pub(crate) max_packet_size: u32,
    pub(crate) max_qos: u8,
    pub(crate) retain_available: bool,
    /// The broker's own keep-alive in seconds, which overrides ours.
    pub(crate) keep_alive: Option<u16>,
    /// How long the broker keeps the session, in seconds, where it overrides us.
    pub(crate) session_expiry: Option<u32>,
    /// How many topic aliases we may use.
    pub(crate) topic_aliases: u16,
}

/// The CONNECT packet, with a clean session or not.
pub(crate) fn connect(profile: &Profile, clean: bool) -> Result<BytesMut, Lost> {
    let mut out = BytesMut::new();
    let login = profile.login.as_ref();
    let will = profile.will.as_ref();
    let written = match profile.version {
        MqttVersion::V311 => v4::Connect {
            protocol: rumqttc::mqttbytes::Protocol::V4,
            keep_alive: profile.keep_alive,
            client_id: profile.client_id.clone(),
            clean_session: clean,
            last_will: will.map(|will| {
                v4::LastWill::new(&will.topic, will.payload.as_bytes(), qos4(will.qos), will.retain)
            }),
            login: login.map(|(username, password)| v4::Login::new(username, password)),
        }
        .write(&mut out)
        .map_err(|error| error.to_string()),
        MqttVersion::V5 => {
            let properties = v5::ConnectProperties {
                session_expiry_interval: profile.session_expiry,
                receive_maximum: Some(profile.receive_maximum),
                max_packet_size: Some(profile.max_packet_size),
                topic_alias_max: Some(ALIASES),
                ..v5::ConnectProperties::new()
            };
            let connect = v5::Connect {
                keep_alive: profile.keep_alive,
                client_id: profile.client_id.clone(),
                clean_start: clean,
                properties: Some(properties),
            };
            let will = will.map(|will| {
                v5::LastWill::new(&will.topic, will.payload.as_bytes(), qos5(will.qos), will.retain, None)
            });
            let login = login.map(|(username, password)| v5::Login::new(username, password));
            connect.write(&will, &login, &mut out).map_err(|error| error.to_string())
        }
    };
    written.map(|_| out).map_err(|error| Lost::to_mend(format!("CONNECT cannot be written: {error}")))
}

/// Reads a CONNACK packet.
pub(crate) fn connack(version: MqttVersion, header: Header, packet: &[u8]) -> Result<Granted, Lost> {
    if header.kind() != kind::CONNACK {
        return Err(Lost::protocol("the first packet is no CONNACK"));
    }
    let &[flags, code, ref rest @ ..] = &packet[header.body..] else {
        return Err(Lost::protocol("a CONNACK cut short"));
    };
    // A broker that refuses MQTT 5 answers as it can, and that is not always MQTT 5.
    let properties = Properties::last(version, rest);
    if code != 0 {
        return Err(reason::refused(code, &Said::of(properties.unwrap_or_default())));
    }
    let mut granted = Granted {
        session_present: flags & 1 == 1,
        receive_maximum: u16::MAX,
        max_packet_size: u32::MAX,
        max_qos: 2,
        retain_available: true,
        keep_alive: None,
        session_expiry: None,
        topic_aliases: 0,
    };
    let mut properties = properties.map_err(Lost::protocol)?;
    while let Some((property, value)) = properties.next().map_err(Lost::protocol)? {
        let Value::Number(value) = value else { continue };
        // Two of these are as wide as the table says, and fit.
        match property {
            id::RECEIVE_MAXIMUM if value == 0 => return Err(Lost::protocol("a receive maximum of 0")),
            id::RECEIVE_MAXIMUM => granted.receive_maximum = value as u16,
            id::MAXIMUM_PACKET_SIZE if value == 0 => return Err(Lost::protocol("a packet size of 0")),
            id::MAXIMUM_PACKET_SIZE => granted.max_packet_size = value,
            id::MAXIMUM_QOS => granted.max_qos = value as u8,
            id::RETAIN_AVAILABLE => granted.retain_available = value != 0,
            id::SERVER_KEEP_ALIVE => granted.keep_alive = Some(value as u16),
            id::SESSION_EXPIRY => granted.session_expiry = Some(value),
            id::TOPIC_ALIAS_MAXIMUM => granted.topic_aliases = value as u16,
            _ => {}
        }
    }
    Ok(granted)
}

/// The SUBSCRIBE packet.
pub(crate) fn subscribe<'a>(
    version: MqttVersion,
    id: u16,
    filters: impl Iterator<Item = &'a str>,
    asking: Asking,
) -> Result<BytesMut, Lost> {
    let mut out = BytesMut::new();
    let written = match version {
        MqttVersion::V311 => {
            let mut packet = v4::Subscribe::new_many(
                filters.map(|filter| v4::SubscribeFilter::new(filter.to_owned(), qos4(asking.qos))),
            );
            packet.pkid = id;
            packet.write(&mut out).map_err(|error| error.to_string())
        }
        MqttVersion::V5 => {
            let filter = |filter: &str| v5::Filter {
                path: filter.to_owned(),
                qos: qos5(asking.qos),
                nolocal: asking.no_local,
                preserve_retain: asking.retain_as_published,
                retain_forward_rule: match asking.retain_handling {
                    MqttRetainHandling::Always => v5::RetainForwardRule::OnEverySubscribe,
                    MqttRetainHandling::New => v5::RetainForwardRule::OnNewSubscribe,
                    MqttRetainHandling::Never => v5::RetainForwardRule::Never,
                },
            };
            let mut packet = v5::Subscribe::new_many(filters.map(filter), None);
            packet.pkid = id;
            packet.write(&mut out).map_err(|error| error.to_string())
        }
    };
    written.map(|_| out).map_err(|error| Lost::to_mend(format!("SUBSCRIBE cannot be written: {error}")))
}

/// Reads a DISCONNECT of the broker.
pub(crate) fn disconnected(version: MqttVersion, body: &[u8]) -> Lost {
    let (code, rest) = body.split_first().map_or((0, body), |(code, rest)| (*code, rest));
    reason::disconnected(code, &Said::of(Properties::last(version, rest).unwrap_or_default()))
}

fn qos4(qos: u8) -> QoS {
    match qos {
        0 => QoS::AtMostOnce,
        1 => QoS::AtLeastOnce,
        _ => QoS::ExactlyOnce,
    }
}

fn qos5(qos: u8) -> codec5::QoS {
    match qos {
        0 => codec5::QoS::AtMostOnce,
        1 => codec5::QoS::AtLeastOnce,
        _ => codec5::QoS::ExactlyOnce,
    }
}
