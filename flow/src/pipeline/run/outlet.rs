//! The downstream half: encoder and sink, with what was written and what is confirmed.

use std::collections::HashMap;
use std::ops::Range;

use crate::codec::{CollectionEncoder, Framing};
use crate::connector::SinkConnector;
use crate::error::{EncodeError, Error, ErrorKind, Reason, RecordError};
use crate::pipeline::metrics::{Metrics, add};
use crate::pipeline::plan::OutletPlan;
use crate::pipeline::run::backoff::Backoff;
use crate::record::{Checkpoint, Collection, PayloadBatch, Subset};
use crate::registry::Registry;

/// Records of one payload that may be bad before each is tried alone.
const FEW: usize = 4;

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
    /// Why the encoder cannot go on.
    broken: Option<RecordError>,
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
            broken: None,
        }
    }

    /// Encodes those of `records` at `part` that can be encoded.
    ///
    /// # Errors
    /// The encoder cannot go on. Nothing of `part` may be written then.
    pub(super) fn encode<C: Collection>(
        &mut self,
        records: &C,
        part: Range<usize>,
        rejects: &mut Vec<Reject>,
    ) -> Result<(), Error> {
        let position = |index| u32::try_from(index).unwrap_or(u32::MAX);
        self.payloads.clear();
        self.owners.clear();
        self.rows.clear();
        self.rows.extend(position(part.start)..position(part.end));
        self.render(records, rejects);
        match self.encoder.framing() {
            Framing::PerRecord => self.encode_each(records, rejects),
            Framing::PerBatch if self.sink.route().is_some() => self.encode_groups(records, rejects),
            Framing::PerBatch => {
                let rows = std::mem::take(&mut self.rows);
                self.encode_together(records, rows, rejects);
            }
        }
        let Some(error) = self.broken.take() else { return Ok(()) };
        let what = format!("the encoder cannot go on: {error}");
        Err(Error::permanent(ErrorKind::Record, what).with("at", &self.label))
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
        let mut bad: Vec<usize> = Vec::new();
        while from < self.rows.len() {
            let (before, rows) = (self.payloads.len(), &self.rows[from..]);
            let outcome = self.encoder.encode(&Subset::new(records, rows), &mut self.payloads);
            self.payloads.discard_open();
            if breaks(&mut self.broken, &outcome) {
                return;
            }
            let written =
                outcome.as_ref().map_or_else(|error| error.index().min(rows.len() - 1), |()| rows.len());
            if self.payloads.len() - before != written {
                let error = miscounted(self.payloads.len() - before, written);
                self.payloads.truncate(before);
                rejects.extend(rows.iter().map(|row| (*row as usize, error.clone())));
                bad.extend(from..self.rows.len());
                break;
            }
            let Err(error) = outcome else { break };
            // The payloads of the rows before it stand; it goes, and the rest is tried again.
            rejects.push((rows[written] as usize, error.record().clone()));
            bad.push(from + written);
            from += written + 1;
        }
        remove_all(&mut self.rows, &bad);
        remove_all(&mut self.topics, &bad);
        self.owners.extend((0..self.payloads.len()).map(|payload| payload..payload + 1));
        for (payload, topic) in self.topics.iter().enumerate() {
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
            if self.broken.is_some() {
                return;
            }
            for payload in before..self.payloads.len() {
                set_topic(&mut self.payloads, payload, &self.text[topic.clone()]);
            }
        }
    }

    /// One payload of `rows`, without those that cannot be encoded.
    fn encode_together<C: Collection>(&mut self, records: &C, mut rows: Vec<u32>, rejects: &mut Vec<Reject>) {
        let before = self.payloads.len();
        let mut attempts = 0;
        while !rows.is_empty() {
            let outcome = self.encoder.encode(&Subset::new(records, &rows), &mut self.payloads);
            self.payloads.discard_open();
            if breaks(&mut self.broken, &outcome) {
                return;
            }
            match outcome {
                Ok(()) if self.payloads.len() == before + 1 => {
                    let start = self.rows.len();
                    self.rows.append(&mut rows);
                    self.owners.push(start..self.rows.len());
                }
                Ok(()) => {
                    let error = miscounted(self.payloads.len() - before, 1);
                    self.payloads.truncate(before);
                    rejects.extend(rows.drain(..).map(|row| (row as usize, error.clone())));
                }
                Err(error) => {
                    self.payloads.truncate(before);
                    let bad = error.index().min(rows.len() - 1);
                    rejects.push((rows.remove(bad) as usize, error.record().clone()));
                    attempts += 1;
                    if attempts == FEW {
                        // Where many rows are bad, trying each alone is cheaper than all again for each.
                        self.keep_encodable(records, &mut rows, rejects);
                        if self.broken.is_some() {
                            return;
                        }
                    }
                }
            }
        }
    }

    fn keep_encodable<C: Collection>(&mut self, records: &C, rows: &mut Vec<u32>, rejects: &mut Vec<Reject>) {
        let before = self.payloads.len();
        rows.retain(|row| {
            if self.broken.is_some() {
                return false;
            }
            let outcome = self.encoder.encode(&Subset::new(records, &[*row]), &mut self.payloads);
            self.payloads.discard_open();
            self.payloads.truncate(before);
            if breaks(&mut self.broken, &outcome) {
                return false;
            }
            outcome.map_err(|error| rejects.push((*row as usize, error.record().clone()))).is_ok()
        });
    }

    /// Writes what was encoded. Returns whether the sink has taken any of it.
    ///
    /// Not cancel safe, as [`SinkConnector::write`].
    pub(super) async fn write<C: Collection>(
        &mut self,
        records: &C,
        sequence: u64,
        metrics: &Metrics,
        rejects: &mut Vec<Reject>,
    ) -> Result<bool, Error> {
        let mut taken = false;
        // Only a call that comes back well moves the checkpoint, if need be one without payloads.
        while taken || !self.payloads.is_empty() {
            match self.offer(sequence, metrics).await {
                Ok(()) => return Ok(true),
                Err(error) => match error.payload() {
                    Some(payload) if !self.payloads.is_empty() => {
                        taken |= self.refused(records, payload, &error, metrics, rejects);
                    }
                    _ => return Err(error.with("at", &self.label)),
                },
            }
        }
        Ok(false)
    }

    /// Tells the sink that `sequence` has nothing more for it, so that it can be confirmed.
    ///
    /// Not cancel safe, as [`SinkConnector::write`].
    pub(super) async fn advance(&mut self, sequence: u64, metrics: &Metrics) -> Result<(), Error> {
        self.payloads.clear();
        self.offer(sequence, metrics).await.map_err(|error| error.with("at", &self.label))
    }

    /// Hands the payloads to the sink until it takes them, all or some.
    async fn offer(&mut self, sequence: u64, metrics: &Metrics) -> Result<(), Error> {
        let mut trouble = Backoff::default();
        loop {
            trouble.wait().await;
            match self.sink.write(&self.payloads, Checkpoint(sequence)).await {
                Err(error) if error.payload().is_none() && error.is_temporary() => {
                    add(&metrics.counters().retries, 1);
                    trouble.failed(&self.label, &error);
                }
                Err(error) => return Err(error),
                Ok(()) => {
                    add(&metrics.counters().payloads_out, self.payloads.len());
                    add(&metrics.counters().bytes_out, self.payloads.bytes());
                    self.payloads.clear();
                    self.written = sequence;
                    return Ok(());
                }
            }
        }
    }

    /// Takes the refused payload out; one of several records comes back as two halves. Returns whether payloads
    /// before it were taken.
    fn refused<C: Collection>(
        &mut self,
        records: &C,
        payload: usize,
        error: &Error,
        metrics: &Metrics,
        rejects: &mut Vec<Reject>,
    ) -> bool {
        let payload = payload.min(self.payloads.len() - 1);
        add(&metrics.counters().payloads_out, payload);
        let bytes: usize = self.payloads.iter().take(payload).map(|payload| payload.bytes().len()).sum();
        add(&metrics.counters().bytes_out, bytes);
        let rows =
            self.owners.get(payload).map(|owner| self.rows[owner.clone()].to_vec()).unwrap_or_default();
        if let [row] = rows.as_slice() {
            rejects.push((*row as usize, RecordError::new(Reason::Refused, error.to_string())));
            self.payloads.drop_front(payload + 1);
            self.owners.drain(..=payload);
        } else {
            self.halve(records, payload, &rows, rejects);
        }
        payload > 0
    }

    /// Encodes the records of a payload as two, in its place at the front.
    fn halve<C: Collection>(&mut self, records: &C, payload: usize, rows: &[u32], rejects: &mut Vec<Reject>) {
        let before = std::mem::take(&mut self.payloads);
        let owners = std::mem::take(&mut self.owners);
        let topic = before.get(payload).and_then(|payload| payload.metadata().topic);
        let (first, second) = rows.split_at(rows.len() / 2);
        for half in [first, second] {
            self.encode_together(records, half.to_vec(), rejects);
        }
        for index in (0..self.payloads.len()).filter(|_| topic.is_some()) {
            set_topic(&mut self.payloads, index, topic.unwrap_or_default());
        }
        before.iter().skip(payload + 1).for_each(|payload| self.payloads.push_payload(payload));
        self.owners.extend(owners.into_iter().skip(payload + 1));
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

/// Can the encoder not go on after this? Remembers why.
fn breaks(broken: &mut Option<RecordError>, outcome: &Result<(), EncodeError>) -> bool {
    let fatal = outcome.as_ref().err().filter(|error| error.is_fatal());
    *broken = fatal.map(|error| error.record().clone());
    broken.is_some()
}

/// The encoder broke its promise, and which record is in which payload cannot be told.
fn miscounted(made: usize, promised: usize) -> RecordError {
    let message = format!("the encoder made {made} payload(s) where its framing promises {promised}");
    RecordError::new(Reason::Encode, message)
}

/// Removes the elements at `positions`, which ascend. Nothing where `items` is empty.
fn remove_all<T>(items: &mut Vec<T>, positions: &[usize]) {
    let mut positions = positions.iter().peekable();
    let mut at = 0;
    if positions.peek().is_some() {
        items.retain(|_| {
            let keep = positions.next_if_eq(&&at).is_none();
            at += 1;
            keep
        });
    }
}

fn set_topic(payloads: &mut PayloadBatch, payload: usize, topic: &str) {
    let set: Result<(), std::convert::Infallible> = payloads.set_topic(payload, |text| {
        text.push_str(topic);
        Ok(())
    });
    let Ok(()) = set;
}
