//! What is in flight: batches that were read and are not settled, acknowledged in order and without gaps.

use std::collections::VecDeque;

use crate::record::Checkpoint;

/// A batch that was handed on.
#[derive(Debug, Clone, Copy)]
pub(super) struct InFlight {
    /// The source's own mark.
    pub(super) checkpoint: Checkpoint,
    /// The mark under which the sinks confirm it.
    pub(super) sequence: u64,
    /// Which outlets took something of it, a bit each.
    pub(super) outlets: u64,
    pub(super) payloads: usize,
    pub(super) bytes: usize,
    /// Records that reach every sink, and records that reach the dead-letter sink.
    pub(super) delivered: usize,
    pub(super) dead: usize,
    /// When its first payload arrived, in microseconds since 1970.
    pub(super) arrived: Option<i64>,
}

/// The batches of one source that are in flight, oldest first.
#[derive(Debug, Default)]
pub(super) struct Window {
    batches: VecDeque<InFlight>,
}

impl Window {
    pub(super) fn push(&mut self, batch: InFlight) {
        self.batches.push_back(batch);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// Takes the oldest batch, where every outlet that took a part of it has confirmed it.
    /// `confirmed` holds each outlet's newest confirmed sequence.
    pub(super) fn pop_settled(&mut self, confirmed: impl Iterator<Item = u64>) -> Option<InFlight> {
        let InFlight { outlets, sequence, .. } = *self.batches.front()?;
        let settled = confirmed
            .enumerate()
            .all(|(outlet, confirmed)| outlets & (1 << outlet) == 0 || confirmed >= sequence);
        if settled { self.batches.pop_front() } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::{Checkpoint, InFlight, Window};

    fn batch(sequence: u64, outlets: u64) -> InFlight {
        let checkpoint = Checkpoint(sequence * 10);
        InFlight {
            checkpoint,
            sequence,
            outlets,
            payloads: 1,
            bytes: 1,
            delivered: 1,
            dead: 0,
            arrived: None,
        }
    }

    #[test]
    fn batches_settle_in_order_and_only_when_every_outlet_has_confirmed() {
        let mut window = Window::default();
        window.push(batch(1, 0b11));
        window.push(batch(2, 0b01));
        window.push(batch(3, 0));
        assert!(
            window.pop_settled([3, 0].into_iter()).is_none(),
            "the second outlet has not confirmed the first batch"
        );
        assert_eq!(window.pop_settled([1, 1].into_iter()).unwrap().checkpoint, Checkpoint(10));
        assert!(window.pop_settled([1, 1].into_iter()).is_none(), "nothing overtakes the second batch");
        assert_eq!(window.pop_settled([2, 1].into_iter()).unwrap().sequence, 2);
        assert_eq!(window.pop_settled([2, 1].into_iter()).unwrap().sequence, 3);
        assert!(window.is_empty() && window.pop_settled([9, 9].into_iter()).is_none());
    }
}
