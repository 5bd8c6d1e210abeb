//! The downstream half: encoder and sink, with what was written and what is confirmed.

use std::collections::HashMap;
use std::ops::Range;

use crate::codec::{CollectionEncoder, Framing};
use crate::connector::SinkConnector;
use crate::error::{Error, Reason, RecordError};
use crate::pipeline::metrics::{Metrics, add};
use crate::pipeline::plan::OutletPlan;
use crate::pipeline::run::backoff::Backoff;
use crate::record::{Checkpoint, Collection, PayloadBatch, Subset};
use crate::registry::Registry;

/// A record that this outlet cannot bring out, by its position in the collection.
pub(super) type Reject = (usize, RecordError);

pub(super) struct Outlet<R: Registry> {
    pub(super) label: String,
    pub(super) sink: R::Sink,
    encoder: R::Encoder,
    payloads: PayloadBatch,
    /// The records of each payload, as a range of `rows`.
    owners: Vec<Range<usize>>,
    /// Records that go out, in the order of their payloads.
    rows: Vec<u32>,
    /// The rendered topic of each row, as a range of `text`.
    topics: Vec<Range<usize>>,
    text: String,
    /// The newest sequence that was written, and the newest that is confirmed.
    pub(super) written: u64,
    pub(super) confirmed: u64,
    /// Of asking for confirmations.
    trouble: Backoff,
}

impl<R: Registry> Outlet<R> {
    pub(super) fn new(plan: OutletPlan<R>) -> Self {
        Self {
            label: plan.label,
            sink: plan.sink,
            encoder: plan.encoder,
            payloads: PayloadBatch::new(),
            owners: Vec::new(),
            rows: Vec::new(),
            topics: Vec::new(),
            text: String::new(),
            written: 0,
            confirmed: 0,
            trouble: Backoff::default(),
        }
    }

    /// Encodes all of `records` that can be encoded.
    pub(super) fn encode<C: Collection>(&mut self, records: &C, rejects: &mut Vec<Reject>) {
        self.payloads.clear();
        self.owners.clear();
        self.rows.clear();
        let count = u32::try_from(records.len()).unwrap_or(u32::MAX);
        self.rows.extend(0..count);
        self.render(records, rejects);
        match self.encoder.framing() {
            Framing::PerRecord => self.encode_each(records, rejects),
            Framing::PerBatch if self.sink.route().is_some() => self.encode_groups(records, rejects),
            Framing::PerBatch => {
                let rows = std::mem::take(&mut self.rows);
                self.encode_together(records, rows, rejects);
            }
        }
    }

    /// Renders each record's topic, where the sink wants one; rows that have none go.
    fn render<C: Collection>(&mut self, records: &C, rejects: &mut Vec<Reject>) {
        self.text.clear();
        self.topics.clear();
        let Some(route) = self.sink.route() else { return };
        let (text, topics) = (&mut self.text, &mut self.topics);
        self.rows.retain(|row| {
            let start = text.len();
            match records.render(*row as usize, route, text) {
                Ok(()) => {
                    topics.push(start..text.len());
                    true
                }
                Err(error) => {
                    text.truncate(start);
                    rejects.push((*row as usize, error));
                    false
                }
            }
        });
    }

    fn encode_each<C: Collection>(&mut self, records: &C, rejects: &mut Vec<Reject>) {
        let mut from = 0;
        while from < self.rows.len() {
            match self.encoder.encode(&Subset::new(records, &self.rows[from..]), &mut self.payloads) {
                Ok(()) => break,
                Err(error) => {
                    self.payloads.discard_open();
                    // The payloads of the rows before it stand; it goes, and the rest is tried again.
                    let bad = (from + error.index()).min(self.rows.len() - 1);
                    rejects.push((self.rows.remove(bad) as usize, error.record().clone()));
                    if !self.topics.is_empty() {
                        self.topics.remove(bad);
                    }
                    from = bad;
                }
            }
        }
        self.owners.extend((0..self.payloads.len()).map(|payload| payload..payload + 1));
        for (payload, topic) in self.topics.iter().enumerate().take(self.payloads.len()) {
            set_topic(&mut self.payloads, payload, &self.text[topic.clone()]);
        }
    }

    /// Records with the same topic go into one payload, in the order in which the topics first appear.
    fn encode_groups<C: Collection>(&mut self, records: &C, rejects: &mut Vec<Reject>) {
        let mut groups: Vec<(Range<usize>, Vec<u32>)> = Vec::new();
        let mut known: HashMap<&str, usize> = HashMap::new();
        for (row, topic) in self.rows.iter().zip(&self.topics) {
            let group = *known.entry(&self.text[topic.clone()]).or_insert(groups.len());
            if group == groups.len() {
                groups.push((topic.clone(), Vec::new()));
            }
            groups[group].1.push(*row);
        }
        self.rows.clear();
        for (topic, rows) in groups {
            let before = self.payloads.len();
            self.encode_together(records, rows, rejects);
            for payload in before..self.payloads.len() {
                set_topic(&mut self.payloads, payload, &self.text[topic.clone()]);
            }
        }
    }

    /// One payload of `rows`, without those that cannot be encoded.
    fn encode_together<C: Collection>(&mut self, records: &C, mut rows: Vec<u32>, rejects: &mut Vec<Reject>) {
        while !rows.is_empty() {
            let before = self.payloads.len();
            match self.encoder.encode(&Subset::new(records, &rows), &mut self.payloads) {
                Ok(()) => {
                    let start = self.rows.len();
                    self.rows.append(&mut rows);
                    self.owners.resize(self.payloads.len(), start..self.rows.len());
                }
                Err(error) => {
                    self.payloads.discard_open();
                    self.payloads.truncate(before);
                    let bad = error.index().min(rows.len() - 1);
                    rejects.push((rows.remove(bad) as usize, error.record().clone()));
                }
            }
        }
    }

    /// Writes what was encoded. Returns whether the sink has taken any of it.
    ///
    /// Not cancel safe, as [`SinkConnector::write`].
    pub(super) async fn write(
        &mut self,
        sequence: u64,
        metrics: &Metrics,
        rejects: &mut Vec<Reject>,
    ) -> Result<bool, Error> {
        let mut taken = false;
        let mut trouble = Backoff::default();
        while !self.payloads.is_empty() {
            trouble.wait().await;
            match self.sink.write(&self.payloads, Checkpoint(sequence)).await {
                Ok(()) => {
                    add(&metrics.counters().payloads_out, self.payloads.len());
                    add(&metrics.counters().bytes_out, self.payloads.bytes());
                    self.payloads.clear();
                    taken = true;
                }
                Err(error) => match error.payload() {
                    Some(payload) => taken |= self.refused(payload, &error, metrics, rejects),
                    None if error.is_temporary() => {
                        add(&metrics.counters().retries, 1);
                        trouble.failed(&self.label, &error);
                    }
                    None => return Err(error.with("at", &self.label)),
                },
            }
        }
        if taken {
            self.written = sequence;
        }
        Ok(taken)
    }

    /// Takes the refused payload out. Returns whether payloads before it were taken.
    fn refused(
        &mut self,
        payload: usize,
        error: &Error,
        metrics: &Metrics,
        rejects: &mut Vec<Reject>,
    ) -> bool {
        let payload = payload.min(self.payloads.len() - 1);
        add(&metrics.counters().payloads_out, payload);
        let bytes: usize = self.payloads.iter().take(payload).map(|payload| payload.bytes().len()).sum();
        add(&metrics.counters().bytes_out, bytes);
        if let Some(owner) = self.owners.get(payload) {
            let refused = RecordError::new(Reason::Refused, error.to_string());
            rejects.extend(self.rows[owner.clone()].iter().map(|row| (*row as usize, refused.clone())));
        }
        self.payloads.drop_front(payload + 1);
        self.owners.drain(..(payload + 1).min(self.owners.len()));
        payload > 0
    }

    /// Waits until the sink confirms more. For ever, where everything is confirmed.
    ///
    /// Cancel safe, as [`SinkConnector::confirmed`].
    pub(super) async fn confirmed(&mut self) -> Result<u64, Error> {
        if self.confirmed >= self.written {
            std::future::pending::<()>().await;
        }
        loop {
            self.trouble.wait().await;
            match self.sink.confirmed().await {
                Ok(checkpoint) => {
                    self.trouble.succeeded();
                    return Ok(checkpoint.0);
                }
                Err(error) if error.is_temporary() => self.trouble.failed(&self.label, &error),
                Err(error) => return Err(error.with("at", &self.label)),
            }
        }
    }
}

fn set_topic(payloads: &mut PayloadBatch, payload: usize, topic: &str) {
    let set: Result<(), std::convert::Infallible> = payloads.set_topic(payload, |text| {
        text.push_str(topic);
        Ok(())
    });
    let Ok(()) = set;
}
