//! Publishes that the broker has not confirmed, in order, as they stand on the wire.

use std::collections::VecDeque;

use super::packet::{DUP, Publish};
use crate::connector::mqtt::config::MqttVersion;
use crate::record::Checkpoint;

/// Packet ids of publishes are 1..=IDS; the one above is left for SUBSCRIBE.
pub(crate) const IDS: u16 = 65_534;

/// Bytes of unconfirmed publishes beyond which no more are taken.
const MAX_BYTES: usize = 8 << 20;

/// The part of the output that one write may carry, in bytes.
const BURST: usize = 256 << 10;

/// What a sink publishes with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Publishing {
    pub(crate) qos: u8,
    pub(crate) retain: bool,
    /// How many publishes may be unconfirmed, 1..=[`IDS`].
    pub(crate) max_in_flight: u16,
}

/// A bounded ring of encoded packets.
///
/// Publishes are numbered from 0 without gaps, and the packet id is the number modulo [`IDS`]: as no more than that
/// many are kept, an id says where its publish stands, and a publish keeps its id when it is sent again.
pub(crate) struct Outbox {
    version: MqttVersion,
    publishing: Publishing,
    /// The packets of `entries`, after `start` bytes that belong to none any more.
    bytes: Vec<u8>,
    start: usize,
    entries: VecDeque<Entry>,
    /// The number of the first entry.
    first: u64,
    /// How many entries were handed to this connection.
    sent: usize,
    /// How many entries were ever handed to a connection.
    touched: usize,
    /// Where in `bytes` the first entry stands that was not handed to this connection.
    cursor: usize,
    in_flight: usize,
    /// Checkpoints, each with the number of the publish that comes after it.
    marks: VecDeque<(u64, Checkpoint)>,
    confirmed: Option<Checkpoint>,
}

struct Entry {
    len: usize,
    done: bool,
}

/// What the broker grants a connection's publishes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    /// How many may be in flight.
    pub(crate) publishes: u16,
    /// The largest packet, in bytes.
    pub(crate) packet: u32,
}

impl Outbox {
    pub(crate) fn new(version: MqttVersion, publishing: Publishing) -> Self {
        Self {
            version,
            publishing,
            bytes: Vec::new(),
            start: 0,
            entries: VecDeque::new(),
            first: 0,
            sent: 0,
            touched: 0,
            cursor: 0,
            in_flight: 0,
            marks: VecDeque::new(),
            confirmed: None,
        }
    }

    pub(crate) fn publishing(&self) -> Publishing {
        self.publishing
    }

    /// Is there room for another publish? An empty ring takes one of any size.
    pub(crate) fn has_room(&self) -> bool {
        self.entries.is_empty()
            || (self.entries.len() < usize::from(self.publishing.max_in_flight)
                && self.bytes.len() - self.start < MAX_BYTES)
    }

    /// Takes a publish. Its packet must not be larger than `limit` bytes.
    ///
    /// # Errors
    /// The size of the packet where it is too large.
    pub(crate) fn push(&mut self, topic: &str, payload: &[u8], limit: u32) -> Result<(), usize> {
        let number = self.first + self.entries.len() as u64;
        let id = (self.publishing.qos > 0).then(|| (number % u64::from(IDS)) as u16 + 1);
        let publish = Publish { id, duplicate: false, topic, payload };
        let len = publish.size(self.version);
        if len > limit as usize {
            return Err(len);
        }
        publish.write(self.version, self.publishing.retain, &mut self.bytes);
        self.entries.push_back(Entry { len, done: false });
        Ok(())
    }

    /// Everything that was taken up to now belongs to `checkpoint` or to one before it.
    pub(crate) fn mark(&mut self, checkpoint: Checkpoint) {
        self.marks.push_back((self.first + self.entries.len() as u64, checkpoint));
        self.settle();
    }

    /// The newest checkpoint that is confirmed with everything before it.
    pub(crate) fn confirmed(&self) -> Option<Checkpoint> {
        self.confirmed
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Appends to `out` what may be sent now.
    ///
    /// # Errors
    /// The size of a packet that the broker does not take.
    pub(crate) fn send(&mut self, out: &mut Vec<u8>, window: Window) -> Result<(), usize> {
        while let Some(entry) = self.entries.get(self.sent) {
            if !entry.done {
                if out.len() >= BURST
                    || (self.publishing.qos > 0 && self.in_flight >= usize::from(window.publishes))
                {
                    break;
                }
                if entry.len > window.packet as usize {
                    return Err(entry.len);
                }
                out.extend_from_slice(&self.bytes[self.cursor..self.cursor + entry.len]);
                self.in_flight += 1;
            }
            self.cursor += entry.len;
            self.sent += 1;
        }
        self.touched = self.touched.max(self.sent);
        Ok(())
    }

    /// What was sent is with the operating system: all that QoS 0 asks for.
    pub(crate) fn written(&mut self) {
        if self.publishing.qos == 0 {
            self.entries.iter_mut().take(self.sent).for_each(|entry| entry.done = true);
            self.in_flight = 0;
            self.release();
        }
    }

    /// The broker has the publish with this id. False where none such is in flight.
    pub(crate) fn acknowledge(&mut self, id: u16) -> bool {
        if id == 0 || id > IDS {
            return false;
        }
        let first = self.first % u64::from(IDS);
        let at = (u64::from(id - 1) + u64::from(IDS) - first) % u64::from(IDS);
        match self.entries.get_mut(at as usize) {
            Some(entry) if (at as usize) < self.sent && !entry.done => {
                entry.done = true;
                self.in_flight -= 1;
                self.release();
                true
            }
            _ => false,
        }
    }

    /// The connection is gone: what is not confirmed is sent again on the next one, in order.
    pub(crate) fn rewind(&mut self) {
        if self.publishing.qos > 0 {
            let mut at = self.start;
            for entry in self.entries.iter().take(self.touched) {
                self.bytes[at] |= DUP;
                at += entry.len;
            }
        }
        self.sent = 0;
        self.in_flight = 0;
        self.cursor = self.start;
    }

    /// Forgets confirmed publishes at the front.
    fn release(&mut self) {
        while let Some(entry) = self.entries.pop_front_if(|entry| entry.done) {
            self.start += entry.len;
            self.first += 1;
            self.sent -= 1;
            self.touched -= 1;
        }
        // Moving the rest forward only when it is the smaller part makes it cheap over time.
        if self.start > self.bytes.len() / 2 {
            self.bytes.drain(..self.start);
            self.cursor -= self.start;
            self.start = 0;
            if self.bytes.is_empty() {
                self.bytes.shrink_to(MAX_BYTES);
            }
        }
        self.settle();
    }

    fn settle(&mut self) {
        while let Some((_, checkpoint)) = self.marks.pop_front_if(|(number, _)| *number <= self.first) {
            self.confirmed = Some(checkpoint);
        }
    }
}
