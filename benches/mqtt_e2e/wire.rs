//! Just enough of MQTT 3.1.1 for a broker and a load that cost next to nothing.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use bytes::BytesMut;
use rumqttc::mqttbytes::{QoS, v4};

use crate::Failure;

/// The high half of a packet's first byte.
pub(crate) mod kind {
    pub(crate) const CONNECT: u8 = 1;
    pub(crate) const PUBLISH: u8 = 3;
    pub(crate) const PUBACK: u8 = 4;
    pub(crate) const SUBSCRIBE: u8 = 8;
    pub(crate) const SUBACK: u8 = 9;
    pub(crate) const PINGREQ: u8 = 12;
}

pub(crate) const CONNACK: [u8; 4] = [0x20, 2, 0, 0];
pub(crate) const PINGRESP: [u8; 2] = [0xd0, 0];

/// A packet: its first byte and what follows its length.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Packet<'a> {
    pub(crate) first: u8,
    pub(crate) body: &'a [u8],
}

impl<'a> Packet<'a> {
    pub(crate) fn kind(self) -> u8 {
        self.first >> 4
    }

    /// The packet id and the payload of a PUBLISH.
    pub(crate) fn publish(self) -> (Option<u16>, &'a [u8]) {
        let topic = usize::from(u16::from_be_bytes([self.body[0], self.body[1]]));
        let rest = &self.body[2 + topic..];
        match self.first & 0b0110 {
            0 => (None, rest),
            _ => (Some(u16::from_be_bytes([rest[0], rest[1]])), &rest[2..]),
        }
    }
}

/// Takes the whole packets at the beginning of `input`, and returns how many bytes they are.
pub(crate) fn packets(input: &[u8], mut take: impl FnMut(Packet<'_>)) -> usize {
    let mut start = 0;
    loop {
        let rest = &input[start..];
        let Some((body, len)) = extent(rest) else { return start };
        if rest.len() < len {
            return start;
        }
        take(Packet { first: rest[0], body: &rest[body..len] });
        start += len;
    }
}

/// Where the body of the packet at the beginning of `input` starts, and how long the packet is.
fn extent(input: &[u8]) -> Option<(usize, usize)> {
    let mut remaining = 0;
    for (index, byte) in input.iter().skip(1).take(4).enumerate() {
        remaining |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((index + 2, index + 2 + remaining));
        }
    }
    None
}

/// Appends a PUBLISH.
pub(crate) fn put_publish(topic: &str, id: Option<u16>, payload: &[u8], out: &mut Vec<u8>) {
    out.push(0x30 | if id.is_some() { 0b0010 } else { 0 });
    let mut remaining = 2 + topic.len() + if id.is_some() { 2 } else { 0 } + payload.len();
    loop {
        let byte = (remaining & 0x7f) as u8;
        remaining >>= 7;
        out.push(if remaining == 0 { byte } else { byte | 0x80 });
        if remaining == 0 {
            break;
        }
    }
    out.extend_from_slice(&(topic.len() as u16).to_be_bytes());
    out.extend_from_slice(topic.as_bytes());
    out.extend(id.map(u16::to_be_bytes).into_iter().flatten());
    out.extend_from_slice(payload);
}

/// Appends a PUBACK.
pub(crate) fn put_puback(id: u16, out: &mut Vec<u8>) {
    let [high, low] = id.to_be_bytes();
    out.extend_from_slice(&[0x40, 2, high, low]);
}

/// What is read and not yet taken.
#[derive(Debug)]
pub(crate) struct Input {
    bytes: Vec<u8>,
    filled: usize,
}

impl Default for Input {
    fn default() -> Self {
        Self { bytes: vec![0; 256 << 10], filled: 0 }
    }
}

impl Input {
    /// Reads once and takes the whole packets. False where the other side has closed the connection.
    pub(crate) fn read(&mut self, stream: &mut impl Read, take: impl FnMut(Packet<'_>)) -> io::Result<bool> {
        let count = stream.read(&mut self.bytes[self.filled..])?;
        self.filled += count;
        let taken = packets(&self.bytes[..self.filled], take);
        self.bytes.copy_within(taken..self.filled, 0);
        self.filled -= taken;
        Ok(count > 0)
    }
}

/// Connects to a broker, and subscribes to `filter` where there is one. Returns when the broker has agreed.
pub(crate) fn connect(port: u16, client_id: &str, filter: Option<(&str, u8)>) -> Result<TcpStream, Failure> {
    let mut out = BytesMut::new();
    v4::Connect::new(client_id).write(&mut out)?;
    if let Some((filter, qos)) = filter {
        let mut subscribe = v4::Subscribe::new(filter, quality(qos));
        subscribe.pkid = 1;
        subscribe.write(&mut out)?;
    }
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_nodelay(true)?;
    stream.write_all(&out)?;
    // CONNACK and SUBACK, and not a byte of what may follow at once.
    let mut answers = [0; 9];
    let wanted = if filter.is_some() { 9 } else { 4 };
    let refused = |error| format!("the broker does not take `{client_id}`: {error}");
    stream.read_exact(&mut answers[..wanted]).map_err(refused)?;
    if answers[..4] != CONNACK
        || (wanted > 4 && (answers[4] >> 4 != kind::SUBACK || answers[8] != filter.map_or(0, |(_, qos)| qos)))
    {
        return Err(refused(std::io::ErrorKind::InvalidData.into()).into());
    }
    Ok(stream)
}

pub(crate) fn quality(qos: u8) -> QoS {
    if qos == 0 { QoS::AtMostOnce } else { QoS::AtLeastOnce }
}
