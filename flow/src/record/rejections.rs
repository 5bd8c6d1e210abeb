//! What was rejected between the records of a batch.

use crate::error::RecordError;

/// Rejections, each with the index of its payload, and what is needed to take them back.
#[derive(Debug, Default)]
pub(crate) struct Rejections {
    entries: Vec<(usize, RecordError)>,
    /// For each, how many records there were.
    marks: Vec<usize>,
    payload: usize,
    /// Records and rejections when the payload began.
    start: (usize, usize),
}

impl Rejections {
    pub(crate) fn begin_payload(&mut self, payload: usize, records: usize) {
        self.payload = payload;
        self.start = (records, self.entries.len());
    }

    /// The index of the payload that is being decoded.
    pub(crate) fn payload(&self) -> usize {
        self.payload
    }

    /// One more from the payload that is being decoded.
    pub(crate) fn push(&mut self, error: RecordError, records: usize) {
        self.entries.push((self.payload, error));
        self.marks.push(records);
    }

    /// One more from an earlier payload, in its place: behind those of records before it.
    pub(crate) fn insert(&mut self, payload: usize, error: RecordError, records: usize) {
        let places = self.entries.iter().map(|(payload, _)| *payload).zip(self.marks.iter().copied());
        let at = places.take_while(|place| *place <= (payload, records)).count();
        self.entries.insert(at, (payload, error));
        self.marks.insert(at, records);
    }

    /// Only `records` records are left: forgets what was rejected after them, and all of the last payload
    /// where none of its records is left.
    pub(crate) fn truncate(&mut self, records: usize) {
        let (first_record, first_entry) = self.start;
        let mut keep = self.marks.partition_point(|mark| *mark <= records);
        if records <= first_record {
            keep = keep.min(first_entry);
        }
        self.entries.truncate(keep);
        self.marks.truncate(keep);
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.marks.clear();
        self.start = (0, 0);
        self.payload = 0;
    }

    pub(crate) fn entries(&self) -> &[(usize, RecordError)] {
        &self.entries
    }
}
