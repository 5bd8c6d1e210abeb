//! What has arrived: every lost, duplicated and reordered number.

/// Counts the arrivals of the numbers below a total.
#[derive(Debug)]
pub(crate) struct Ledger {
    arrivals: Vec<u32>,
    distinct: usize,
    newest: Option<usize>,
    reordered: usize,
}

impl Ledger {
    pub(crate) fn new(total: usize) -> Self {
        Self { arrivals: vec![0; total], distinct: 0, newest: None, reordered: 0 }
    }

    pub(crate) fn record(&mut self, number: usize) {
        assert!(number < self.arrivals.len(), "{number} was never sent");
        self.arrivals[number] += 1;
        if self.arrivals[number] > 1 {
            return;
        }
        self.distinct += 1;
        // Only a first arrival can be out of order: a duplicate comes late by its nature.
        if self.newest.is_some_and(|newest| number < newest) {
            self.reordered += 1;
        }
        self.newest = self.newest.max(Some(number));
    }

    /// How many different numbers have arrived.
    pub(crate) fn distinct(&self) -> usize {
        self.distinct
    }

    /// The smallest number that has not arrived.
    pub(crate) fn first_missing(&self) -> usize {
        self.arrivals.iter().position(|count| *count == 0).unwrap_or(self.arrivals.len())
    }

    pub(crate) fn lost(&self) -> Vec<usize> {
        self.arrivals.iter().enumerate().filter(|(_, count)| **count == 0).map(|(number, _)| number).collect()
    }

    /// Arrivals beyond the first, of all numbers together.
    pub(crate) fn duplicates(&self) -> usize {
        self.arrivals.iter().map(|count| count.saturating_sub(1) as usize).sum()
    }

    /// First arrivals that came after a greater number.
    pub(crate) fn reordered(&self) -> usize {
        self.reordered
    }
}

#[test]
fn the_ledger_finds_what_is_lost_doubled_and_out_of_order() {
    let mut ledger = Ledger::new(6);
    for number in [0, 1, 3, 2, 3, 3, 5] {
        ledger.record(number);
    }
    assert_eq!(ledger.lost(), [4]);
    assert_eq!((ledger.distinct(), ledger.duplicates(), ledger.reordered()), (5, 2, 1));
}
