//! The packets of the beginning, through rumqttc's codec. What differs between MQTT 3.1.1 and 5 beyond
//! the properties of a packet stands here.

use std::borrow::Cow;
use std::time::Duration;

use bytes::BytesMut;
use rumqttc::mqttbytes::{QoS, v4};
use rumqttc::v5::mqttbytes::{self as codec5, v5};

use super::Lost;
use super::packet::{Header, kind};
use crate::connector::mqtt::config::{MqttVersion, MqttWill};

/// How many messages a broker may have sent that are not acknowledged (MQTT 5, 3.1.2.11.3).
/// MQTT 3.1.1 leaves that to the broker.
const RECEIVE_MAXIMUM: u16 = 8192;

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
}

/// The CONNECT packet.
pub(crate) fn connect(profile: &Profile) -> Result<BytesMut, Lost> {
    let mut out = BytesMut::new();
    let login = profile.login.as_ref();
    let will = profile.will.as_ref();
    let written = match profile.version {
        MqttVersion::V311 => v4::Connect {
            protocol: rumqttc::mqttbytes::Protocol::V4,
            keep_alive: profile.keep_alive,
            client_id: profile.client_id.clone(),
            clean_session: profile.clean_session,
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
                receive_maximum: Some(RECEIVE_MAXIMUM),
                max_packet_size: Some(profile.max_packet_size),
                ..v5::ConnectProperties::new()
            };
            let connect = v5::Connect {
                keep_alive: profile.keep_alive,
                client_id: profile.client_id.clone(),
                clean_start: profile.clean_session,
                properties: Some(properties),
            };
            let will = will.map(|will| {
                v5::LastWill::new(&will.topic, will.payload.as_bytes(), qos5(will.qos), will.retain, None)
            });
            let login = login.map(|(username, password)| v5::Login::new(username, password));
            connect.write(&will, &login, &mut out).map_err(|error| error.to_string())
        }
    };
    written.map(|_| out).map_err(|error| Lost::new(format!("CONNECT cannot be written: {error}")))
}

/// Reads a CONNACK packet.
pub(crate) fn connack(version: MqttVersion, header: Header, packet: &[u8]) -> Result<Granted, Lost> {
    if header.kind() != kind::CONNACK {
        return Err(Lost::protocol("the first packet is no CONNACK"));
    }
    let &[flags, code, ..] = &packet[header.body..] else {
        return Err(Lost::protocol("a CONNACK cut short"));
    };
    if code != 0 {
        return Err(Lost::new(format!("the broker refused the connection: {}", refusal(code))));
    }
    let properties = match version {
        MqttVersion::V311 => None,
        MqttVersion::V5 => match v5::Packet::read(&mut BytesMut::from(packet), None) {
            Ok(v5::Packet::ConnAck(connack)) => connack.properties,
            Ok(_) => None,
            Err(error) => return Err(Lost::protocol(&format!("a CONNACK that cannot be read ({error})"))),
        },
    };
    let property = |pick: fn(&v5::ConnAckProperties) -> Option<u8>| properties.as_ref().and_then(pick);
    Ok(Granted {
        session_present: flags & 1 == 1,
        receive_maximum: properties.as_ref().and_then(|all| all.receive_max).unwrap_or(u16::MAX).max(1),
        max_packet_size: properties.as_ref().and_then(|all| all.max_packet_size).unwrap_or(u32::MAX),
        max_qos: property(|all| all.max_qos).unwrap_or(2),
        retain_available: property(|all| all.retain_available) != Some(0),
        keep_alive: properties.as_ref().and_then(|all| all.server_keep_alive),
    })
}

/// The SUBSCRIBE packet.
pub(crate) fn subscribe<'a>(
    version: MqttVersion,
    id: u16,
    filters: impl Iterator<Item = &'a str>,
    qos: u8,
) -> Result<BytesMut, Lost> {
    let mut out = BytesMut::new();
    let written = match version {
        MqttVersion::V311 => {
            let mut packet = v4::Subscribe::new_many(
                filters.map(|filter| v4::SubscribeFilter::new(filter.to_owned(), qos4(qos))),
            );
            packet.pkid = id;
            packet.write(&mut out).map_err(|error| error.to_string())
        }
        MqttVersion::V5 => {
            let mut packet =
                v5::Subscribe::new_many(filters.map(|filter| v5::Filter::new(filter, qos5(qos))), None);
            packet.pkid = id;
            packet.write(&mut out).map_err(|error| error.to_string())
        }
    };
    written.map(|_| out).map_err(|error| Lost::new(format!("SUBSCRIBE cannot be written: {error}")))
}

/// Why the broker closes a connection: the code of its DISCONNECT in words.
pub(crate) fn disconnected(body: &[u8]) -> Lost {
    match body.first().copied().unwrap_or(0) {
        0 => Lost::new("the broker said good-bye"),
        code => Lost::new(format!("the broker closed the connection: {}", reason(code))),
    }
}

/// Why a connection was refused. MQTT 3.1.1 counts from 1, MQTT 5 from 128, so that one table serves both.
fn refusal(code: u8) -> Cow<'static, str> {
    Cow::Borrowed(match code {
        1 | 0x84 => "it does not speak this version of MQTT; change `version`",
        2 | 0x85 => "it does not take this client id; change `client_id`",
        3 | 0x88 => "the server is unavailable",
        4 | 0x86 => "bad user name or password; check `username` and `password`",
        5 | 0x87 => "not authorized; check `username`, `password` and the broker's access rules",
        _ => return reason(code),
    })
}

/// A reason code in words (MQTT 5, section 2.4).
pub(crate) fn reason(code: u8) -> Cow<'static, str> {
    Cow::Borrowed(match code {
        0x80 => "unspecified error",
        0x81 => "malformed packet",
        0x82 => "protocol error",
        0x83 => "not accepted by this broker",
        0x87 => "not authorized",
        0x89 => "the server is busy",
        0x8a => "this client is banned",
        0x8b => "the server is shutting down",
        0x8c => "bad authentication method",
        0x8d => "nothing came from this client within the keep-alive",
        0x8e => "another client with the same client id has connected",
        0x8f => "topic filter not accepted",
        0x90 => "topic not accepted",
        0x91 => "packet id in use",
        0x93 => "more unacknowledged messages than its receive maximum",
        0x94 => "topic alias not accepted",
        0x95 => "packet too large",
        0x96 => "messages come too fast",
        0x97 => "quota exceeded",
        0x98 => "closed by an administrator",
        0x99 => "payload format not accepted",
        0x9a => "retained messages are not supported; set `retain = false`",
        0x9b => "this QoS is not supported; set `qos = 0`",
        0x9c => "use another server",
        0x9d => "the server has moved",
        0x9e => "shared subscriptions are not supported",
        0x9f => "connections come too fast",
        0xa0 => "the connection has reached its maximum age",
        0xa1 => "subscription identifiers are not supported",
        0xa2 => "wildcard subscriptions are not supported",
        _ => return Cow::Owned(format!("reason code {code:#04x}")),
    })
}

fn qos4(qos: u8) -> QoS {
    if qos == 0 { QoS::AtMostOnce } else { QoS::AtLeastOnce }
}

fn qos5(qos: u8) -> codec5::QoS {
    if qos == 0 { codec5::QoS::AtMostOnce } else { codec5::QoS::AtLeastOnce }
}
