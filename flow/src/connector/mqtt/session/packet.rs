//! Packets read and written in place: no allocation for those that come by the thousand.

use super::properties::{CUT_SHORT, Properties};
use crate::connector::mqtt::config::MqttVersion;

/// The high half of a packet's first byte (MQTT 5, table 2-1).
pub(crate) mod kind {
    pub(crate) const CONNACK: u8 = 2;
    pub(crate) const PUBLISH: u8 = 3;
    pub(crate) const PUBACK: u8 = 4;
    pub(crate) const PUBREC: u8 = 5;
    pub(crate) const PUBREL: u8 = 6;
    pub(crate) const PUBCOMP: u8 = 7;
    pub(crate) const SUBACK: u8 = 9;
    pub(crate) const PINGRESP: u8 = 13;
    pub(crate) const DISCONNECT: u8 = 14;
}

pub(crate) const PINGREQ: [u8; 2] = [0xc0, 0];
pub(crate) const DISCONNECT: [u8; 2] = [0xe0, 0];

/// DISCONNECT of MQTT 5 that ends the session, too: reason 0, session expiry 0.
pub(crate) const DISCONNECT_FOR_GOOD: [u8; 9] = [0xe0, 7, 0, 5, 0x11, 0, 0, 0, 0];

/// DISCONNECT of MQTT 5 with a reason.
pub(crate) fn disconnect_because(code: u8) -> [u8; 3] {
    [DISCONNECT[0], 1, code]
}

/// The flag of a PUBLISH that was sent before.
pub(crate) const DUP: u8 = 0b1000;

const RETAIN: u8 = 0b0001;

/// The reason of an answer about a packet id that is not known (MQTT 5, table 2-6).
pub(crate) const ID_NOT_FOUND: u8 = 0x92;

/// What a packet of the broker broke, in words.
pub(crate) type Malformed = &'static str;

/// The first bytes of every packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    /// Kind and flags.
    pub(crate) first: u8,
    /// Where the body starts, in bytes from the packet's beginning.
    pub(crate) body: usize,
    /// The length of the packet in bytes, header included.
    pub(crate) len: usize,
}

impl Header {
    /// Reads the header at the beginning of `input`, or nothing where that is not there yet.
    pub(crate) fn read(input: &[u8]) -> Result<Option<Self>, Malformed> {
        let Some((&first, rest)) = input.split_first() else { return Ok(None) };
        Ok(varint(rest)?.map(|(remaining, size)| Self { first, body: 1 + size, len: 1 + size + remaining }))
    }

    pub(crate) fn kind(self) -> u8 {
        self.first >> 4
    }
}

/// Reads a variable byte integer: its value and how many bytes it takes.
pub(super) fn varint(input: &[u8]) -> Result<Option<(usize, usize)>, Malformed> {
    let mut value = 0;
    for (index, byte) in input.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok(Some((value, index + 1)));
        }
    }
    if input.len() < 4 { Ok(None) } else { Err("a length of more than four bytes") }
}

pub(super) fn put_varint(out: &mut Vec<u8>, mut value: usize) {
    loop {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            return out.push(byte);
        }
        out.push(byte | 0x80);
    }
}

pub(super) fn varint_len(value: usize) -> usize {
    match value {
        0..=127 => 1,
        128..=16_383 => 2,
        16_384..=2_097_151 => 3,
        _ => 4,
    }
}

/// A PUBLISH of the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Publish<'a> {
    pub(crate) front: Front<'a>,
    pub(crate) properties: Properties<'a>,
    pub(crate) payload: &'a [u8],
}

/// What stands in a PUBLISH before its properties.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Front<'a> {
    pub(crate) qos: u8,
    /// The packet id; 0 at QoS 0, which has none.
    pub(crate) id: u16,
    /// It may have been sent before.
    pub(crate) duplicate: bool,
    pub(crate) retained: bool,
    /// Empty where an alias stands for it (MQTT 5).
    pub(crate) topic: &'a str,
}

impl<'a> Publish<'a> {
    /// Reads a whole packet.
    pub(crate) fn read(version: MqttVersion, header: Header, packet: &'a [u8]) -> Result<Self, Malformed> {
        let (front, rest) = Front::read(header, &packet[header.body..])?.ok_or("a PUBLISH cut short")?;
        let (properties, payload) = Properties::split(version, rest)?.ok_or(CUT_SHORT)?;
        Ok(Self { front, properties, payload })
    }
}

impl<'a> Front<'a> {
    /// Reads the beginning of a body that may not be complete, and gives what follows.
    pub(crate) fn read(header: Header, body: &'a [u8]) -> Result<Option<(Self, &'a [u8])>, Malformed> {
        let qos = header.first >> 1 & 0b11;
        if qos == 3 {
            return Err("a PUBLISH with both bits of QoS");
        }
        let Some((length, rest)) = body.split_first_chunk::<2>() else { return Ok(None) };
        let length = usize::from(u16::from_be_bytes(*length));
        if 2 + length + if qos > 0 { 2 } else { 0 } > header.len - header.body {
            return Err("a topic longer than its packet");
        }
        let Some((topic, rest)) = rest.split_at_checked(length) else { return Ok(None) };
        let topic = std::str::from_utf8(topic).map_err(|_| "a topic that is not UTF-8")?;
        let (duplicate, retained) = (header.first & DUP != 0, header.first & RETAIN != 0);
        let front = |id| Self { qos, id, duplicate, retained, topic };
        if qos == 0 {
            return Ok(Some((front(0), rest)));
        }
        let Some((id, rest)) = rest.split_first_chunk::<2>() else { return Ok(None) };
        match u16::from_be_bytes(*id) {
            0 => Err("a packet id of 0"),
            id => Ok(Some((front(id), rest))),
        }
    }
}

/// A PUBLISH of ours.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outgoing<'a> {
    pub(crate) qos: u8,
    pub(crate) retain: bool,
    /// 0 at QoS 0.
    pub(crate) id: u16,
    /// No longer than 65535 bytes.
    pub(crate) topic: &'a str,
    /// As they stand on the wire, without their length; of MQTT 3.1.1, none.
    pub(crate) properties: &'a [u8],
    pub(crate) payload: &'a [u8],
}

impl Outgoing<'_> {
    /// The length in bytes of the packet that [`Outgoing::write`] writes.
    pub(crate) fn size(&self, version: MqttVersion) -> usize {
        let remaining = self.remaining(version);
        1 + varint_len(remaining) + remaining
    }

    /// Appends the packet to `out`.
    pub(crate) fn write(&self, version: MqttVersion, out: &mut Vec<u8>) {
        out.push(0x30 | self.qos << 1 | u8::from(self.retain));
        put_varint(out, self.remaining(version));
        out.extend_from_slice(&(self.topic.len() as u16).to_be_bytes());
        out.extend_from_slice(self.topic.as_bytes());
        if self.qos > 0 {
            out.extend_from_slice(&self.id.to_be_bytes());
        }
        if version == MqttVersion::V5 {
            put_varint(out, self.properties.len());
            out.extend_from_slice(self.properties);
        }
        out.extend_from_slice(self.payload);
    }

    fn remaining(&self, version: MqttVersion) -> usize {
        let id = if self.qos > 0 { 2 } else { 0 };
        let properties = match version {
            MqttVersion::V311 => 0,
            MqttVersion::V5 => varint_len(self.properties.len()) + self.properties.len(),
        };
        2 + self.topic.len() + id + properties + self.payload.len()
    }
}

/// Appends PUBACK, PUBREC, PUBREL or PUBCOMP.
pub(crate) fn put_answer(kind: u8, id: u16, out: &mut Vec<u8>) {
    let [high, low] = id.to_be_bytes();
    out.extend_from_slice(&[first_of(kind), 2, high, low]);
}

/// Appends the answer about an id that is not known; MQTT 3.1.1 has no words for that.
pub(crate) fn put_unknown(version: MqttVersion, kind: u8, id: u16, out: &mut Vec<u8>) {
    let [high, low] = id.to_be_bytes();
    match version {
        MqttVersion::V311 => put_answer(kind, id, out),
        MqttVersion::V5 => out.extend_from_slice(&[first_of(kind), 3, high, low, ID_NOT_FOUND]),
    }
}

/// PUBREL is the one of them with a flag (MQTT 5, table 2-2).
fn first_of(kind: u8) -> u8 {
    kind << 4 | if kind == kind::PUBREL { 0b0010 } else { 0 }
}

/// PUBACK, PUBREC, PUBREL or PUBCOMP of the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answer<'a> {
    pub(crate) id: u16,
    /// 0 and those below 0x80 are good.
    pub(crate) code: u8,
    pub(crate) properties: Properties<'a>,
}

impl<'a> Answer<'a> {
    pub(crate) fn read(version: MqttVersion, body: &'a [u8]) -> Result<Self, Malformed> {
        let (id, rest) = body.split_first_chunk::<2>().ok_or("an acknowledgement cut short")?;
        let (code, properties) = match rest.split_first() {
            Some((code, rest)) if version == MqttVersion::V5 => (*code, Properties::last(version, rest)?),
            _ => (0, Properties::default()),
        };
        Ok(Self { id: u16::from_be_bytes(*id), code, properties })
    }
}

/// Reads a SUBACK's body: the packet id and a code for each filter.
pub(crate) fn read_suback(version: MqttVersion, body: &[u8]) -> Result<(u16, &[u8]), Malformed> {
    let (id, rest) = body.split_first_chunk::<2>().ok_or("a SUBACK cut short")?;
    let (_, codes) = Properties::split(version, rest)?.ok_or(CUT_SHORT)?;
    Ok((u16::from_be_bytes(*id), codes))
}

#[cfg(test)]
mod tests;
