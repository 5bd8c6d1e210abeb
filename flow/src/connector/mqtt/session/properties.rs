//! The properties of MQTT 5 packets (section 2.2.2), read in place.

use super::packet::{Malformed, varint};
use crate::connector::mqtt::config::MqttVersion;

/// What a property is (table 2-4).
pub(crate) mod id {
    pub(crate) const MESSAGE_EXPIRY: u8 = 0x02;
    pub(crate) const CONTENT_TYPE: u8 = 0x03;
    pub(crate) const RESPONSE_TOPIC: u8 = 0x08;
    pub(crate) const CORRELATION_DATA: u8 = 0x09;
    pub(crate) const SESSION_EXPIRY: u8 = 0x11;
    pub(crate) const SERVER_KEEP_ALIVE: u8 = 0x13;
    pub(crate) const SERVER_REFERENCE: u8 = 0x1c;
    pub(crate) const REASON: u8 = 0x1f;
    pub(crate) const RECEIVE_MAXIMUM: u8 = 0x21;
    pub(crate) const TOPIC_ALIAS_MAXIMUM: u8 = 0x22;
    pub(crate) const TOPIC_ALIAS: u8 = 0x23;
    pub(crate) const MAXIMUM_QOS: u8 = 0x24;
    pub(crate) const RETAIN_AVAILABLE: u8 = 0x25;
    pub(crate) const USER: u8 = 0x26;
    pub(crate) const MAXIMUM_PACKET_SIZE: u8 = 0x27;
}

/// The value of a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Number(u32),
    Text(&'a str),
    Bytes(&'a [u8]),
    Pair(&'a str, &'a str),
}

/// The properties of one packet, without their length; of MQTT 3.1.1, none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Properties<'a>(&'a [u8]);

impl<'a> Properties<'a> {
    /// Splits a body into its properties and what follows; nothing where they are not there yet.
    pub(super) fn split(version: MqttVersion, body: &'a [u8]) -> Result<Option<(Self, &'a [u8])>, Malformed> {
        match version {
            MqttVersion::V311 => Ok(Some((Self::default(), body))),
            MqttVersion::V5 => {
                let Some((length, size)) = varint(body)? else { return Ok(None) };
                let split = body[size..].split_at_checked(length);
                Ok(split.map(|(properties, rest)| (Self(properties), rest)))
            }
        }
    }

    /// The properties at the end of a packet, which may be left out.
    pub(super) fn last(version: MqttVersion, body: &'a [u8]) -> Result<Self, Malformed> {
        if body.is_empty() {
            return Ok(Self::default());
        }
        Ok(Self::split(version, body)?.ok_or(CUT_SHORT)?.0)
    }

    pub(super) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The next property, or nothing after the last.
    pub(super) fn next(&mut self) -> Result<Option<(u8, Value<'a>)>, Malformed> {
        let Some(property) = self.take::<1>()? else { return Ok(None) };
        let [property] = *property;
        let value = match property {
            0x01 | 0x17 | 0x19 | 0x24 | 0x25 | 0x28 | 0x29 | 0x2a => {
                Value::Number(u32::from_be_bytes([0, 0, 0, self.bytes::<1>()?[0]]))
            }
            0x13 | 0x21 | 0x22 | 0x23 => Value::Number(u16::from_be_bytes(*self.bytes()?).into()),
            0x02 | 0x11 | 0x18 | 0x27 => Value::Number(u32::from_be_bytes(*self.bytes()?)),
            0x0b => {
                let (value, size) = varint(self.0)?.ok_or(CUT_SHORT)?;
                self.0 = &self.0[size..];
                // Four times seven bits fit.
                Value::Number(value as u32)
            }
            0x03 | 0x08 | 0x12 | 0x15 | 0x1a | 0x1c | 0x1f => Value::Text(self.text()?),
            0x09 | 0x16 => Value::Bytes(self.binary()?),
            0x26 => Value::Pair(self.text()?, self.text()?),
            _ => return Err("a property that MQTT 5 does not know"),
        };
        Ok(Some((property, value)))
    }

    fn take<const N: usize>(&mut self) -> Result<Option<&'a [u8; N]>, Malformed> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let (taken, rest) = self.0.split_first_chunk().ok_or(CUT_SHORT)?;
        self.0 = rest;
        Ok(Some(taken))
    }

    fn bytes<const N: usize>(&mut self) -> Result<&'a [u8; N], Malformed> {
        self.take()?.ok_or(CUT_SHORT)
    }

    fn binary(&mut self) -> Result<&'a [u8], Malformed> {
        let length = usize::from(u16::from_be_bytes(*self.bytes()?));
        let (taken, rest) = self.0.split_at_checked(length).ok_or(CUT_SHORT)?;
        self.0 = rest;
        Ok(taken)
    }

    fn text(&mut self) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.binary()?).map_err(|_| "a property that is not UTF-8")
    }
}

/// What is said where a packet ends within its properties.
pub(super) const CUT_SHORT: Malformed = "properties cut short";

/// Appends a property that is text or binary. The value is no longer than 65535 bytes.
pub(crate) fn put_bytes(property: u8, value: &[u8], out: &mut Vec<u8>) {
    out.push(property);
    put_field(value, out);
}

/// Appends a user property. Neither text is longer than 65535 bytes.
pub(crate) fn put_pair(name: &str, value: &str, out: &mut Vec<u8>) {
    out.push(id::USER);
    put_field(name.as_bytes(), out);
    put_field(value.as_bytes(), out);
}

fn put_field(value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&(value.len() as u16).to_be_bytes());
    out.extend_from_slice(value);
}
