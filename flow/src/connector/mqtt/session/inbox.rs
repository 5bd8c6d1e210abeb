//! Messages that have arrived and are not taken, and those that are taken and not acknowledged.

use std::collections::VecDeque;

use super::packet::put_puback;
use crate::record::{Checkpoint, Metadata, PayloadBatch};

/// A bounded batch of arrived messages, and the acknowledgements that the broker waits for.
///
/// Messages are numbered over the life of the source, across connections; the checkpoint of a batch is how many
/// were handed out with it. Receipts belong to one connection and are forgotten with it, so that a late
/// acknowledgement finds none: it can never confirm another message that came under the same packet id.
#[derive(Default)]
pub(crate) struct Inbox {
    ready: PayloadBatch,
    taken: u64,
    acknowledged: u64,
    receipts: VecDeque<Receipt>,
}

struct Receipt {
    /// How many messages must be acknowledged before this receipt may go out.
    after: u64,
    id: u16,
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

    /// Takes a message that arrived at `time` (µs since 1970).
    pub(crate) fn push(&mut self, topic: &str, payload: &[u8], time: i64, id: Option<u16>) {
        self.ready.push_with(payload, Metadata { topic: Some(topic), key: None, time: Some(time) });
        self.expect(id);
    }

    /// Counts a message that nobody will get. Its acknowledgement waits only for its turn.
    pub(crate) fn skip(&mut self, id: Option<u16>, out: &mut Vec<u8>) {
        self.expect(id);
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

    /// The connection is gone, and with it whatever waited for its receipts.
    pub(crate) fn forget_receipts(&mut self) {
        self.receipts.clear();
    }

    fn expect(&mut self, id: Option<u16>) {
        if let Some(id) = id {
            self.receipts.push_back(Receipt { after: self.taken + self.ready.len() as u64, id });
        }
    }

    fn flush(&mut self, out: &mut Vec<u8>) {
        let acknowledged = self.acknowledged;
        while let Some(receipt) = self.receipts.pop_front_if(|receipt| receipt.after <= acknowledged) {
            put_puback(receipt.id, out);
        }
    }
}
