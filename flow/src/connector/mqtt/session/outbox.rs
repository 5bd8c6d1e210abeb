//! Publishes that the broker has not confirmed, in order, as they stand on the wire.

use std::collections::VecDeque;

use super::aliases;
use super::packet::{DUP, Outgoing, kind, put_answer, put_unknown};
use crate::connector::mqtt::config::MqttVersion;
use crate::record::Checkpoint;

/// Packet ids of publishes are 1..=IDS; the one above is left for SUBSCRIBE.
pub(crate) const IDS: u16 = 65_534;

/// Bytes of unconfirmed publishes beyond which no more are taken.
const MAX_BYTES: usize = 8 << 20;

/// The part of the output that one write may carry, in bytes.
const BURST: usize = 256 << 10;

/// What a sink publishes with.
#[derive(Debug, Clone)]
pub(crate) struct Publishing {
    pub(crate) qos: u8,
    pub(crate) retain: bool,
    /// How many publishes may be unconfirmed, 1..=[`IDS`].
    pub(crate) max_in_flight: u16,
    /// Of every message, as they stand on the wire, without their length (MQTT 5).
    pub(crate) properties: Vec<u8>,
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
    /// Of this connection (MQTT 5).
    aliases: aliases::Outgoing,
    /// Checkpoints, each with the number of the publish that comes after it.
    marks: VecDeque<(u64, Checkpoint)>,
    confirmed: Option<Checkpoint>,
}

struct Entry {
    len: usize,
    stage: Stage,
}

/// How far a publish has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// PUBLISH is to be sent, or is sent and not answered.
    Publish,
    /// The broker has it (PUBREC), and waits for PUBREL or has answered nothing to it: QoS 2 only.
    Release,
    /// It is delivered.
    Done,
}

/// What the broker grants a connection's publishes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    /// How many may be in flight.
    pub(crate) publishes: u16,
    /// The largest packet, in bytes.
    pub(crate) packet: u32,
    /// How many topic aliases there may be.
    pub(crate) aliases: u16,
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
            aliases: aliases::Outgoing::default(),
            marks: VecDeque::new(),
            confirmed: None,
        }
    }

    pub(crate) fn publishing(&self) -> &Publishing {
        &self.publishing
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
        let Publishing { qos, retain, ref properties, .. } = self.publishing;
        let id = if qos > 0 { id_of(number) } else { 0 };
        let publish = Outgoing { qos, retain, id, topic, properties, payload };
        let len = publish.size(self.version);
        if len > limit as usize {
            return Err(len);
        }
        publish.write(self.version, &mut self.bytes);
        self.entries.push_back(Entry { len, stage: Stage::Publish });
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
            if entry.stage != Stage::Done {
                if out.len() >= BURST
                    || (self.publishing.qos > 0 && self.in_flight >= usize::from(window.publishes))
                {
                    break;
                }
                if entry.stage == Stage::Release {
                    put_answer(kind::PUBREL, id_of(self.first + self.sent as u64), out);
                } else if entry.len > window.packet as usize {
                    return Err(entry.len);
                } else {
                    let packet = &self.bytes[self.cursor..self.cursor + entry.len];
                    if window.aliases > 0 {
                        self.aliases.put(packet, window.aliases, window.packet, out);
                    } else {
                        out.extend_from_slice(packet);
                    }
                }
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
            self.entries.iter_mut().take(self.sent).for_each(|entry| entry.stage = Stage::Done);
            self.in_flight = 0;
            self.release();
        }
    }

    /// The broker has the publish with this id: PUBACK at QoS 1, PUBCOMP at QoS 2. False where it says so of none that
    /// waits for it.
    pub(crate) fn acknowledge(&mut self, id: u16) -> bool {
        let waits = if self.publishing.qos == 2 { Stage::Release } else { Stage::Publish };
        match self.sent(id) {
            Some(entry) if entry.stage == waits => {
                entry.stage = Stage::Done;
                self.in_flight -= 1;
                self.release();
                true
            }
            _ => false,
        }
    }

    /// The broker has received the publish of QoS 2 with this id (PUBREC); what it waits for now goes to `out`.
    pub(crate) fn received(&mut self, id: u16, out: &mut Vec<u8>) {
        if self.publishing.qos < 2 {
            return;
        }
        let known = self.position(id).is_some_and(|at| at < self.entries.len());
        match self.sent(id) {
            Some(entry) if entry.stage != Stage::Done => {
                entry.stage = Stage::Release;
                put_answer(kind::PUBREL, id, out);
            }
            // Not sent on this connection: the book-keeping of the broker is behind. Its PUBLISH is still to come.
            None if known => {}
            _ => put_unknown(self.version, kind::PUBREL, id, out),
        }
    }

    /// How many publishes are with the broker and not confirmed.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Is a publish with this id in flight?
    pub(crate) fn is_in_flight(&mut self, id: u16) -> bool {
        self.sent(id).is_some_and(|entry| entry.stage != Stage::Done)
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
        self.aliases.clear();
    }

    /// The broker has forgotten the session: what it had received and not released it may never bring out.
    pub(crate) fn forgotten(&mut self) {
        for entry in self.entries.iter_mut().filter(|entry| entry.stage == Stage::Release) {
            entry.stage = Stage::Publish;
        }
    }

    /// The size in bytes of the largest packet that a connection was given and that is not confirmed.
    pub(crate) fn largest_unconfirmed(&self) -> Option<usize> {
        self.entries.iter().take(self.touched).map(|entry| entry.len).max()
    }

    fn sent(&mut self, id: u16) -> Option<&mut Entry> {
        let sent = self.sent;
        self.position(id).filter(|at| *at < sent).and_then(|at| self.entries.get_mut(at))
    }

    /// Where in the ring the publish with this id stands, if it does.
    fn position(&self, id: u16) -> Option<usize> {
        if id == 0 || id > IDS {
            return None;
        }
        let first = self.first % u64::from(IDS);
        Some(((u64::from(id - 1) + u64::from(IDS) - first) % u64::from(IDS)) as usize)
    }

    /// Forgets confirmed publishes at the front.
    fn release(&mut self) {
        while let Some(entry) = self.entries.pop_front_if(|entry| entry.stage == Stage::Done) {
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

fn id_of(number: u64) -> u16 {
    (number % u64::from(IDS)) as u16 + 1
}
