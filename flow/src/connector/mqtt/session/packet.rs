//! Packets read and written in place: no allocation for those that come by the thousand.

use crate::connector::mqtt::config::MqttVersion;

/// The high half of a packet's first byte (MQTT 5, table 2-1).
pub(crate) mod kind {
    pub(crate) const CONNACK: u8 = 2;
    pub(crate) const PUBLISH: u8 = 3;
    pub(crate) const PUBACK: u8 = 4;
    pub(crate) const SUBACK: u8 = 9;
    pub(crate) const PINGRESP: u8 = 13;
    pub(crate) const DISCONNECT: u8 = 14;
}

pub(crate) const PINGREQ: [u8; 2] = [0xc0, 0];
pub(crate) const DISCONNECT: [u8; 2] = [0xe0, 0];

/// The flag of a PUBLISH that was sent before.
pub(crate) const DUP: u8 = 0b1000;

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
fn varint(input: &[u8]) -> Result<Option<(usize, usize)>, Malformed> {
    let mut value = 0;
    for (index, byte) in input.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok(Some((value, index + 1)));
        }
    }
    if input.len() < 4 { Ok(None) } else { Err("a length of more than four bytes") }
}

fn put_varint(out: &mut Vec<u8>, mut value: usize) {
    loop {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            return out.push(byte);
        }
        out.push(byte | 0x80);
    }
}

fn varint_len(value: usize) -> usize {
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
    /// The packet id; QoS 0 has none.
    pub(crate) id: Option<u16>,
    /// It may have been sent before.
    pub(crate) duplicate: bool,
    pub(crate) topic: &'a str,
    pub(crate) payload: &'a [u8],
}

/// The packet id and the topic of a PUBLISH, and the bytes after them.
type Front<'a> = (Option<u16>, &'a str, &'a [u8]);

impl<'a> Publish<'a> {
    /// Reads a whole packet. Its properties (MQTT 5) are passed over.
    pub(crate) fn read(version: MqttVersion, header: Header, packet: &'a [u8]) -> Result<Self, Malformed> {
        let (id, topic, rest) =
            Self::read_front(header, &packet[header.body..])?.ok_or("a PUBLISH cut short")?;
        let payload = after_properties(version, rest)?;
        Ok(Self { id, duplicate: header.first & DUP != 0, topic, payload })
    }

    /// Reads id and topic from the beginning of a body that may not be complete.
    pub(crate) fn read_front(header: Header, body: &'a [u8]) -> Result<Option<Front<'a>>, Malformed> {
        let Some((length, rest)) = body.split_first_chunk::<2>() else { return Ok(None) };
        let length = usize::from(u16::from_be_bytes(*length));
        let with_id = header.first & 0b0110 != 0;
        if 2 + length + if with_id { 2 } else { 0 } > header.len - header.body {
            return Err("a topic longer than its packet");
        }
        let Some((topic, rest)) = rest.split_at_checked(length) else { return Ok(None) };
        let topic = std::str::from_utf8(topic).map_err(|_| "a topic that is not UTF-8")?;
        if topic.is_empty() {
            return Err("an empty topic");
        }
        match header.first & 0b0110 {
            0 => Ok(Some((None, topic, rest))),
            0b0010 => {
                let Some((id, rest)) = rest.split_first_chunk::<2>() else { return Ok(None) };
                match u16::from_be_bytes(*id) {
                    0 => Err("a packet id of 0"),
                    id => Ok(Some((Some(id), topic, rest))),
                }
            }
            _ => Err("a PUBLISH with a QoS that was not asked for"),
        }
    }

    /// The length in bytes of the packet that [`Publish::write`] writes.
    pub(crate) fn size(&self, version: MqttVersion) -> usize {
        let remaining = self.remaining(version);
        1 + varint_len(remaining) + remaining
    }

    /// Appends the packet to `out`.
    pub(crate) fn write(&self, version: MqttVersion, retain: bool, out: &mut Vec<u8>) {
        out.push(0x30 | if self.id.is_some() { 0b0010 } else { 0 } | u8::from(retain));
        put_varint(out, self.remaining(version));
        // Whoever publishes has checked that the topic fits.
        out.extend_from_slice(&(self.topic.len() as u16).to_be_bytes());
        out.extend_from_slice(self.topic.as_bytes());
        if let Some(id) = self.id {
            out.extend_from_slice(&id.to_be_bytes());
        }
        if version == MqttVersion::V5 {
            out.push(0);
        }
        out.extend_from_slice(self.payload);
    }

    fn remaining(&self, version: MqttVersion) -> usize {
        let id = if self.id.is_some() { 2 } else { 0 };
        let properties = usize::from(version == MqttVersion::V5);
        2 + self.topic.len() + id + properties + self.payload.len()
    }
}

/// What stands after the properties, which only MQTT 5 has.
fn after_properties(version: MqttVersion, body: &[u8]) -> Result<&[u8], Malformed> {
    match version {
        MqttVersion::V311 => Ok(body),
        MqttVersion::V5 => {
            let (length, size) = varint(body)?.ok_or("properties cut short")?;
            body.get(size + length..).ok_or("properties cut short")
        }
    }
}

/// Appends the acknowledgement of a message.
pub(crate) fn put_puback(id: u16, out: &mut Vec<u8>) {
    let [high, low] = id.to_be_bytes();
    out.extend_from_slice(&[0x40, 2, high, low]);
}

/// Reads a PUBACK's body: the packet id, and why the broker refused (MQTT 5) where it did.
pub(crate) fn read_puback(body: &[u8]) -> Result<(u16, u8), Malformed> {
    let (id, rest) = body.split_first_chunk::<2>().ok_or("a PUBACK cut short")?;
    Ok((u16::from_be_bytes(*id), rest.first().copied().unwrap_or(0)))
}

/// Reads a SUBACK's body: the packet id and a code for each filter.
pub(crate) fn read_suback(version: MqttVersion, body: &[u8]) -> Result<(u16, &[u8]), Malformed> {
    let (id, rest) = body.split_first_chunk::<2>().ok_or("a SUBACK cut short")?;
    Ok((u16::from_be_bytes(*id), after_properties(version, rest)?))
}

#[cfg(test)]
mod tests;
