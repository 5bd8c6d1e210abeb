//! Messages that have arrived and are not taken, and those that are taken and not acknowledged.

use std::collections::{HashMap, VecDeque};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::packet::{Front, Publish, kind, put_answer, put_unknown};
use super::properties::{Properties, Value, id};
use crate::connector::mqtt::config::MqttVersion;
use crate::error::RecordError;
use crate::record::payload::header;
use crate::record::payload::{Checkpoint, Metadata, PayloadBatch};

/// A bounded batch of arrived messages, and the acknowledgements that the broker waits for.
///
/// Messages are numbered over the life of the source, across connections; the checkpoint of a batch is how many
/// were handed out with it. Receipts belong to one connection, so that a late acknowledgement can never confirm
/// another message that came under the same packet id on the next.
///
/// A broker that resumes the session sends again what was not acknowledged, under the same ids and marked as
/// duplicates (MQTT 3.1.1, 4.4). Such a message is still on its way through the pipeline: it is not handed out a second
/// time, and its receipt is owed on the new connection.
///
/// At QoS 2 the receipt is PUBREC, and its id is remembered until PUBREL, across the connections of a session: what
/// comes under it once more is only received again (MQTT 3.1.1, 4.3.3).
#[derive(Default)]
pub(crate) struct Inbox {
    ready: PayloadBatch,
    taken: u64,
    acknowledged: u64,
    receipts: VecDeque<Receipt>,
    /// Receipts of lost connections whose messages have not come again yet, in the order of arrival.
    unclaimed: VecDeque<Receipt>,
    /// Messages of QoS 2 whose PUBREC was sent and whose PUBREL has not come: their fingerprints by id.
    received: HashMap<u16, u64>,
}

struct Receipt {
    /// How many messages must be acknowledged before this receipt may go out.
    after: u64,
    qos: u8,
    id: u16,
    /// Of topic and payload: an id alone is only as good as the broker's book-keeping.
    fingerprint: u64,
}

impl Inbox {
    /// Is there no room for another message?
    pub(crate) fn is_full(&self) -> bool {
        self.ready.is_full()
    }

    /// How many acknowledgements the broker waits for on this connection.
    pub(crate) fn owed(&self) -> usize {
        self.receipts.len()
    }

    /// Takes a message, whose topic stands where an alias stood. `time` is when it arrived, in µs since 1970; `fault` is
    /// why nobody can use it, where that is so. False where it is here already; its receipt, where it is due, then
    /// goes to `out`.
    pub(crate) fn push(
        &mut self,
        message: Publish<'_>,
        time: i64,
        fault: Option<RecordError>,
        out: &mut Vec<u8>,
    ) -> bool {
        let Publish { front, properties, payload } = message;
        if front.qos > 0 {
            let fingerprint = fingerprint(front.topic, payload);
            if self.is_known(front, fingerprint, out) {
                return false;
            }
            let after = self.taken + self.ready.len() as u64 + 1;
            self.receipts.push_back(Receipt { after, qos: front.qos, id: front.id, fingerprint });
        }
        self.ready.push_with(payload, Metadata { topic: Some(front.topic), key: None, time: Some(time) });
        if front.retained {
            self.ready.push_header(header::RETAINED, "true");
        }
        if let Some(fault) = fault {
            self.ready.reject(fault);
        }
        if !properties.is_empty() {
            push_properties(properties, &mut self.ready);
        }
        true
    }

    /// Moves what has arrived into `batch`, which is empty; nothing where nothing has.
    pub(crate) fn take(&mut self, batch: &mut PayloadBatch) -> Option<Checkpoint> {
        if self.ready.is_empty() {
            return None;
        }
        if self.ready.capacity() == batch.capacity() {
            std::mem::swap(&mut self.ready, batch);
        } else {
            for payload in self.ready.iter().take(batch.capacity()) {
                batch.push_payload(payload);
            }
            self.ready.drop_front(batch.len());
            if self.ready.is_empty() {
                // From now on both have the caller's capacity, and are swapped.
                self.ready = PayloadBatch::with_capacity(batch.capacity());
            }
        }
        self.taken += batch.len() as u64;
        Some(Checkpoint(self.taken))
    }

    /// Appends to `out` the receipts for everything up to `checkpoint`, in the order of arrival.
    pub(crate) fn acknowledge(&mut self, checkpoint: Checkpoint, out: &mut Vec<u8>) {
        self.acknowledged = self.acknowledged.max(checkpoint.0);
        self.flush(out);
    }

    /// The broker knows that a message of QoS 2 was received: its id is free for another.
    pub(crate) fn released(&mut self, version: MqttVersion, id: u16, out: &mut Vec<u8>) {
        match self.received.remove(&id) {
            Some(_) => put_answer(kind::PUBCOMP, id, out),
            // One of an earlier process, or whose PUBCOMP was lost.
            None => put_unknown(version, kind::PUBCOMP, id, out),
        }
    }

    /// The connection is gone: nothing is owed until the messages come again.
    pub(crate) fn disconnected(&mut self) {
        self.receipts.append(&mut self.unclaimed);
        std::mem::swap(&mut self.receipts, &mut self.unclaimed);
    }

    /// The broker has forgotten the session: what it sends from now on is new, whatever its id.
    pub(crate) fn forgotten(&mut self) {
        self.unclaimed.clear();
        self.received.clear();
    }

    /// Has this message come before, in the same session? What it is owed then follows. An id that comes with another
    /// message is the broker's to use anew.
    fn is_known(&mut self, front: Front<'_>, fingerprint: u64, out: &mut Vec<u8>) -> bool {
        let Front { qos, id, duplicate, .. } = front;
        if qos == 2
            && let Some(known) = self.received.get(&id)
        {
            if *known == fingerprint {
                put_answer(kind::PUBREC, id, out);
                return true;
            }
            self.received.remove(&id);
        }
        let same = |receipt: &Receipt| receipt.qos == qos && receipt.fingerprint == fingerprint;
        // The id of a message of QoS 2 is not free before PUBCOMP, marked as a duplicate or not.
        let again = duplicate || qos == 2;
        if !self.unclaimed.is_empty()
            && let Some(at) = self.unclaimed.iter().position(|receipt| receipt.id == id)
            && let Some(receipt) = self.unclaimed.remove(at)
            && again
            && same(&receipt)
        {
            self.receipts.push_back(receipt);
            self.flush(out);
            return true;
        }
        // An impatient broker may send again on the same connection: the receipt is owed already.
        duplicate && self.receipts.iter().any(|receipt| receipt.id == id && same(receipt))
    }

    fn flush(&mut self, out: &mut Vec<u8>) {
        let acknowledged = self.acknowledged;
        while let Some(receipt) = self.receipts.pop_front_if(|receipt| receipt.after <= acknowledged) {
            if receipt.qos == 2 {
                self.received.insert(receipt.id, receipt.fingerprint);
                put_answer(kind::PUBREC, receipt.id, out);
            } else {
                put_answer(kind::PUBACK, receipt.id, out);
            }
        }
    }
}

/// Adds to the last payload what travels beside it. Whoever looked for an alias has checked the properties.
fn push_properties(mut properties: Properties<'_>, batch: &mut PayloadBatch) {
    while let Ok(Some((property, value))) = properties.next() {
        match (property, value) {
            (id::CONTENT_TYPE, Value::Text(text)) => batch.push_header(header::CONTENT_TYPE, text),
            (id::RESPONSE_TOPIC, Value::Text(text)) => batch.push_header(header::RESPONSE_TOPIC, text),
            (id::CORRELATION_DATA, Value::Bytes(bytes)) => {
                batch.push_header(header::CORRELATION_DATA, &STANDARD.encode(bytes));
            }
            (id::USER, Value::Pair(name, value)) => batch.push_header(name, value),
            _ => {}
        }
    }
}

/// Tells messages apart: a multiplicative hash over words of eight bytes, four at a time so that they do not wait for
/// one another. Nothing here needs to resist an attacker.
fn fingerprint(topic: &str, payload: &[u8]) -> u64 {
    const FACTOR: u64 = 0x517c_c1b7_2722_0a95;
    let word = |bytes: &[u8]| {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        u64::from_le_bytes(word)
    };
    let mix = |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(FACTOR);
    let mut lanes = [0; 4];
    for bytes in [topic.as_bytes(), payload] {
        let (blocks, rest) = bytes.as_chunks::<32>();
        for block in blocks {
            let (words, _) = block.as_chunks::<8>();
            for (lane, word) in lanes.iter_mut().zip(words) {
                *lane = mix(*lane, u64::from_le_bytes(*word));
            }
        }
        for chunk in rest.chunks(8) {
            lanes[0] = mix(lanes[0], word(chunk));
        }
        lanes[1] = mix(lanes[1], bytes.len() as u64);
    }
    lanes.into_iter().fold(0, mix)
}
