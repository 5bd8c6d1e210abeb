//! Topic aliases of MQTT 5 (section 3.3.2.3.4): a number for a topic, for the life of one connection.

use std::collections::HashMap;

use super::packet::{Header, Malformed, put_varint, varint, varint_len};
use super::properties::id;

/// How many aliases a broker may use towards us.
pub(super) const ALIASES: u16 = 256;

/// The aliases that the broker has set.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    topics: Vec<String>,
}

impl Incoming {
    pub(super) fn clear(&mut self) {
        self.topics.clear();
    }

    /// The topic of a message, as it is written or as an alias stands for it.
    pub(super) fn resolve<'a>(
        &'a mut self,
        topic: &'a str,
        alias: Option<u32>,
    ) -> Result<&'a str, Malformed> {
        let Some(alias) = alias else {
            return if topic.is_empty() { Err("an empty topic") } else { Ok(topic) };
        };
        if alias == 0 || alias > ALIASES.into() {
            return Err("a topic alias beyond the maximum that it was told");
        }
        let at = alias as usize - 1;
        if topic.is_empty() {
            let known = self.topics.get(at).filter(|topic| !topic.is_empty());
            return known.map(String::as_str).ok_or("a topic alias that it has never set");
        }
        if self.topics.len() <= at {
            self.topics.resize_with(at + 1, String::new);
        }
        topic.clone_into(&mut self.topics[at]);
        Ok(topic)
    }
}

/// The aliases that we have set: the first topics get one, as many as the broker takes.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    known: HashMap<Box<[u8]>, u16>,
}

impl Outgoing {
    pub(super) fn clear(&mut self) {
        self.known.clear();
    }

    /// Appends a PUBLISH of MQTT 5 to `out`, with an alias where one of `most` is left for its topic and the packet
    /// stays within `limit` bytes.
    pub(super) fn put(&mut self, packet: &[u8], most: u16, limit: u32, out: &mut Vec<u8>) {
        if self.put_short(packet, most, limit, out).is_none() {
            out.extend_from_slice(packet);
        }
    }

    fn put_short(&mut self, packet: &[u8], most: u16, limit: u32, out: &mut Vec<u8>) -> Option<()> {
        /// What an alias takes among the properties, in bytes.
        const ALIAS: usize = 3;
        let header = Header::read(packet).ok()??;
        let body = packet.get(header.body..)?;
        let (length, rest) = body.split_first_chunk::<2>()?;
        let (topic, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        let (id, rest) = rest.split_at_checked(if header.first & 0b0110 == 0 { 0 } else { 2 })?;
        let (properties, size) = varint(rest).ok()??;
        let rest = &rest[size..];
        if topic.len() <= ALIAS {
            return None;
        }
        let known = self.known.get(topic).copied();
        let sent = if known.is_some() { &[] } else { topic };
        let more = varint_len(properties + ALIAS) + ALIAS;
        let remaining = 2 + sent.len() + id.len() + more + rest.len();
        if 1 + varint_len(remaining) + remaining > limit as usize {
            return None;
        }
        let alias = match known {
            Some(alias) => alias,
            None if self.known.len() < most.into() => {
                let alias = self.known.len() as u16 + 1;
                self.known.insert(topic.into(), alias);
                alias
            }
            None => return None,
        };
        out.push(header.first);
        put_varint(out, remaining);
        out.extend_from_slice(&(sent.len() as u16).to_be_bytes());
        out.extend_from_slice(sent);
        out.extend_from_slice(id);
        put_varint(out, properties + ALIAS);
        let [high, low] = alias.to_be_bytes();
        out.extend_from_slice(&[id::TOPIC_ALIAS, high, low]);
        out.extend_from_slice(rest);
        Some(())
    }
}
