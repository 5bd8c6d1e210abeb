//! Why a connection ends or a message is refused: in words, and who can mend it.

use std::borrow::Cow;
use std::fmt;

use super::properties::{Properties, Value, id};

/// What helps against the loss of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Time: it is tried again soon.
    Wait,
    /// Somebody must change something, here or at the broker: it is tried again seldom.
    Mend,
    /// Another client has taken over: coming back at once would only throw it out in its turn.
    Yield,
}

/// The reason of a DISCONNECT after what the protocol does not allow (MQTT 5, section 3.14.2.1).
const PROTOCOL_ERROR: u8 = 0x82;

/// Why a connection ended, in words for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lost {
    why: Cow<'static, str>,
    remedy: Remedy,
    /// What a broker of MQTT 5 is told, where it is to blame.
    code: Option<u8>,
}

impl Lost {
    pub(crate) fn new(why: impl Into<Cow<'static, str>>) -> Self {
        Self { why: why.into(), remedy: Remedy::Wait, code: None }
    }

    pub(super) fn to_mend(why: impl Into<Cow<'static, str>>) -> Self {
        Self { why: why.into(), remedy: Remedy::Mend, code: None }
    }

    pub(super) fn protocol(what: &str) -> Self {
        let code = Some(PROTOCOL_ERROR);
        Self { code, ..Self::to_mend(format!("the broker broke the protocol: {what}")) }
    }

    /// The reason code for a broker of MQTT 5 that is to blame.
    pub(super) fn code(&self) -> Option<u8> {
        self.code
    }

    pub(crate) fn remedy(&self) -> Remedy {
        self.remedy
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

/// The broker refused the connection with this code. MQTT 3.1.1 counts from 1, MQTT 5 from 128, so that one table
/// serves both.
pub(super) fn refused(code: u8, more: &Said) -> Lost {
    let why = match code {
        1 | 0x84 => "it does not speak this version of MQTT; change `version`".into(),
        2 | 0x85 => "it does not take this client id; change `client_id`".into(),
        3 | 0x88 => "the server is unavailable".into(),
        4 | 0x86 => "bad user name or password; check `username` and `password`".into(),
        5 | 0x87 => "not authorized; check `username`, `password` and the broker's access rules".into(),
        _ => reason(code),
    };
    let remedy = if code == 3 || passes(code) { Remedy::Wait } else { Remedy::Mend };
    Lost { remedy, ..Lost::new(format!("the broker refused the connection: {why}{more}")) }
}

/// The broker closed the connection with the code of its DISCONNECT.
pub(super) fn disconnected(code: u8, more: &Said) -> Lost {
    let (why, remedy) = match code {
        0 => return Lost::new(format!("the broker said good-bye{more}")),
        0x8e => {
            let what = "another client with the same client id has connected; give each its own `client_id`";
            (what.into(), Remedy::Yield)
        }
        code if passes(code) => (reason(code), Remedy::Wait),
        code => (reason(code), Remedy::Mend),
    };
    Lost { remedy, ..Lost::new(format!("the broker closed the connection: {why}{more}")) }
}

/// Does what this code of MQTT 5 says pass by itself?
pub(super) fn passes(code: u8) -> bool {
    matches!(
        code,
        // Unspecified, of the implementation's own, unavailable, busy, shutting down, keep-alive,
        0x80 | 0x83 | 0x88 | 0x89 | 0x8b | 0x8d
        // packet id in use, receive maximum, rate, quota, administrator, another server, rate, age.
        | 0x91 | 0x93 | 0x96 | 0x97 | 0x98 | 0x9c | 0x9f | 0xa0
    )
}

/// A reason code in words (MQTT 5, section 2.4).
pub(super) fn reason(code: u8) -> Cow<'static, str> {
    Cow::Borrowed(match code {
        0x80 => "unspecified error",
        0x81 => "malformed packet",
        0x82 => "protocol error",
        0x83 => "not accepted by this broker",
        0x84 => "this version of MQTT is not spoken",
        0x85 => "client id not accepted",
        0x86 => "bad user name or password",
        0x87 => "not authorized",
        0x88 => "the server is unavailable",
        0x89 => "the server is busy",
        0x8a => "this client is banned",
        0x8b => "the server is shutting down",
        0x8c => "bad authentication method",
        0x8d => "nothing came from this client within the keep-alive",
        0x8e => "another client with the same client id has connected",
        0x8f => "topic filter not accepted",
        0x90 => "topic not accepted",
        0x91 => "packet id in use",
        0x92 => "packet id not known",
        0x93 => "more unacknowledged messages than its receive maximum",
        0x94 => "topic alias not accepted",
        0x95 => "packet too large; lower `max_packet_size`",
        0x96 => "messages come too fast",
        0x97 => "quota exceeded",
        0x98 => "closed by an administrator",
        0x99 => "payload format not accepted",
        0x9a => "retained messages are not supported; set `retain = false`",
        0x9b => "this QoS is not supported; lower `qos`",
        0x9c => "use another server",
        0x9d => "the server has moved; change `url`",
        0x9e => "shared subscriptions are not supported",
        0x9f => "connections come too fast",
        0xa0 => "the connection has reached its maximum age",
        0xa1 => "subscription identifiers are not supported",
        0xa2 => "wildcard subscriptions are not supported",
        _ => return Cow::Owned(format!("reason code {code:#04x}")),
    })
}

/// What a broker of MQTT 5 adds to a code for people: a reason, another server. Displays with its own lead.
#[derive(Debug, Default)]
pub(super) struct Said(String);

impl Said {
    /// Reads it from the properties of a packet. Broken ones are passed over: the code says enough.
    pub(super) fn of(mut properties: Properties<'_>) -> Self {
        let mut said = String::new();
        while let Ok(Some((property, value))) = properties.next() {
            let Value::Text(text) = value else { continue };
            match property {
                id::REASON => said.push_str(&format!(" (\"{}\")", text.escape_debug())),
                id::SERVER_REFERENCE => said.push_str(&format!(" (at `{}`)", text.escape_debug())),
                _ => {}
            }
        }
        Self(said)
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
