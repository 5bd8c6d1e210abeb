//! Messages that have arrived and are not taken, and those that are taken and not acknowledged.

use std::collections::VecDeque;

use super::packet::{Publish, put_puback};
use crate::record::{Checkpoint, Metadata, PayloadBatch};

/// A bounded batch of arrived messages, and the acknowledgements that the broker waits for.
///
/// Messages are numbered over the life of the source, across connections; the checkpoint of a batch is how many
/// were handed out with it. Receipts belong to one connection, so that a late acknowledgement can never confirm
/// another message that came under the same packet id on the next.
///
/// A broker that resumes the session sends again what was not acknowledged, under the same ids and marked as
/// duplicates (MQTT 3.1.1, 4.4). Such a message is still on its way through the pipeline: it is not handed out a second
/// time, and its receipt is owed on the new connection.
#[derive(Default)]
pub(crate) struct Inbox {
    ready: PayloadBatch,
    taken: u64,
    acknowledged: u64,
    receipts: VecDeque<Receipt>,
    /// Receipts of lost connections whose messages have not come again yet, in the order of arrival.
    unclaimed: VecDeque<Receipt>,
}

struct Receipt {
    /// How many messages must be acknowledged before this receipt may go out.
    after: u64,
    id: u16,
    /// Of topic and payload: an id alone is only as good as the broker's book-keeping.
    fingerprint: u64,
}

impl Inbox {
    /// Is there no room for another message?
    pub(crate) fn is_full(&self) -> bool {
        self.ready.is_full()
    }

    /// Does the broker wait for acknowledgements on this connection?
    pub(crate) fn owes_receipts(&self) -> bool {
        !self.receipts.is_empty()
    }

    /// Takes a message that arrived at `time` (µs since 1970). False where it is here already; its receipt, where
    /// it is due, then goes to `out`.
    pub(crate) fn push(&mut self, publish: Publish<'_>, time: i64, out: &mut Vec<u8>) -> bool {
        let Publish { id, topic, payload, .. } = publish;
        let fingerprint = if id.is_some() { fingerprint(topic, payload) } else { 0 };
        if let Some(receipt) = id.and_then(|id| self.claim(id, publish.duplicate, fingerprint)) {
            self.receipts.push_back(receipt);
            self.flush(out);
            return false;
        }
        self.ready.push_with(payload, Metadata { topic: Some(topic), key: None, time: Some(time) });
        self.expect(id, fingerprint);
        true
    }

    /// Counts a message that nobody will get. Its acknowledgement waits only for its turn.
    pub(crate) fn skip(&mut self, id: Option<u16>, out: &mut Vec<u8>) {
        self.expect(id, 0);
        self.flush(out);
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

    /// The connection is gone: nothing is owed until the messages come again.
    pub(crate) fn disconnected(&mut self) {
        self.receipts.append(&mut self.unclaimed);
        std::mem::swap(&mut self.receipts, &mut self.unclaimed);
    }

    /// The broker has forgotten the session: what it sends from now on is new, whatever its id.
    pub(crate) fn forgotten(&mut self) {
        self.unclaimed.clear();
    }

    /// The receipt of a message that comes again. An id that comes with another message is the broker's to use anew.
    fn claim(&mut self, id: u16, duplicate: bool, fingerprint: u64) -> Option<Receipt> {
        let at = self.unclaimed.iter().position(|receipt| receipt.id == id)?;
        self.unclaimed.remove(at).filter(|receipt| duplicate && receipt.fingerprint == fingerprint)
    }

    fn expect(&mut self, id: Option<u16>, fingerprint: u64) {
        if let Some(id) = id {
            self.receipts.push_back(Receipt { after: self.taken + self.ready.len() as u64, id, fingerprint });
        }
    }

    fn flush(&mut self, out: &mut Vec<u8>) {
        let acknowledged = self.acknowledged;
        while let Some(receipt) = self.receipts.pop_front_if(|receipt| receipt.after <= acknowledged) {
            put_puback(receipt.id, out);
        }
    }
}

/// Tells messages apart: a multiplicative hash over words of eight bytes. Nothing here needs to resist an attacker.
fn fingerprint(topic: &str, payload: &[u8]) -> u64 {
    let words = |bytes: &[u8], mut hash: u64| {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            hash = (hash.rotate_left(5) ^ u64::from_le_bytes(word)).wrapping_mul(0x517c_c1b7_2722_0a95);
        }
        hash ^ bytes.len() as u64
    };
    words(payload, words(topic.as_bytes(), 0))
}
