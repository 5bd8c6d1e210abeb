//! Payloads: bytes as they stand on the wire, with what is known about them.

use std::num::NonZeroU32;
use std::ops::Range;

use crate::error::RecordError;

/// Names of headers that a protocol has fields of its own for. They begin with a colon, which keeps them apart from
/// those that users make up; a schema reads them as `meta.content_type` and so on.
pub(crate) mod header {
    /// What the payload is, as in `application/json`.
    pub(crate) const CONTENT_TYPE: &str = ":content_type";
    /// Where an answer is expected.
    pub(crate) const RESPONSE_TOPIC: &str = ":response_topic";
    /// What an answer repeats, in base64.
    pub(crate) const CORRELATION_DATA: &str = ":correlation_data";
    /// `true` where the payload was kept by a broker.
    pub(crate) const RETAINED: &str = ":retained";
}

/// A position in a stream of batches, counted by whoever hands the batches out. Newer is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Checkpoint(pub u64);

/// What travels beside a payload's bytes.
///
/// A schema maps it to columns with `from = "meta.topic"`, `"meta.key"`, `"meta.time"`, or `"meta.header.NAME"` and
/// others that travel as headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Metadata<'a> {
    /// The MQTT topic, the file's path, or whatever names the stream it came from or goes to.
    pub topic: Option<&'a str>,
    /// A key that orders or partitions, where the transport has one.
    pub key: Option<&'a str>,
    /// When it arrived, in microseconds since 1970-01-01T00:00:00Z.
    pub time: Option<i64>,
}

/// One payload of a batch, borrowed.
#[derive(Debug, Clone, Copy)]
pub struct Payload<'a> {
    batch: &'a PayloadBatch,
    entry: &'a Entry,
}

impl<'a> Payload<'a> {
    /// The bytes on the wire.
    pub fn bytes(self) -> &'a [u8] {
        &self.batch.data[self.entry.bytes.clone()]
    }

    /// What travels beside them.
    pub fn metadata(self) -> Metadata<'a> {
        let text =
            |span: Option<Span>| span.map(|span| self.batch.text.get(span.range()).unwrap_or_default());
        Metadata { topic: text(self.entry.topic), key: text(self.entry.key), time: self.entry.time }
    }

    /// Why the source could not use it, where that is so.
    pub fn fault(self) -> Option<&'a RecordError> {
        self.entry.fault.and_then(|fault| self.batch.faults.get(fault as usize))
    }

    /// The value of the header `name`, the first where it stands twice.
    pub fn header(self, name: &str) -> Option<&'a str> {
        self.headers().find(|(header, _)| *header == name).map(|(_, value)| value)
    }

    /// Every header, in order.
    pub fn headers(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let text = &self.batch.text;
        let Range { start, end } = self.entry.headers;
        self.batch.headers[start as usize..end as usize]
            .iter()
            .map(|(name, value)| (&text[name.clone()], &text[value.clone()]))
    }
}

/// What is kept of a payload beside its bytes: a cache line, since small payloads come by the million.
#[derive(Debug, Clone)]
struct Entry {
    bytes: Range<usize>,
    topic: Option<Span>,
    key: Option<Span>,
    time: Option<i64>,
    headers: Range<u32>,
    /// Its position among the faults.
    fault: Option<u32>,
}

/// A part of a batch's text.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: u32,
    /// One more than its length, so that none at all takes no room of its own.
    size: NonZeroU32,
}

impl Span {
    /// Nothing where it is beyond 4 GiB.
    fn new(range: Range<usize>) -> Option<Self> {
        let size = NonZeroU32::new(u32::try_from(range.len() + 1).ok()?)?;
        Some(Self { start: u32::try_from(range.start).ok()?, size })
    }

    fn range(self) -> Range<usize> {
        let start = self.start as usize;
        start..start + self.size.get() as usize - 1
    }
}

/// Payloads in one arena: no allocation per payload, and none at all once the batch has grown.
///
/// Sources push whole payloads. Encoders write into [`PayloadBatch::buffer`] and close each payload
/// with [`PayloadBatch::finish`].
///
/// ```
/// use flow::PayloadBatch;
///
/// let mut batch = PayloadBatch::new();
/// batch.push(b"on the wire");
/// batch.buffer().extend_from_slice(b"encoded");
/// batch.finish();
/// assert_eq!(batch.get(1).unwrap().bytes(), b"encoded");
/// ```
#[derive(Debug)]
pub struct PayloadBatch {
    data: Vec<u8>,
    text: String,
    entries: Vec<Entry>,
    headers: Vec<(Range<usize>, Range<usize>)>,
    faults: Vec<RecordError>,
    closed: usize,
    capacity: usize,
}

impl Default for PayloadBatch {
    fn default() -> Self {
        Self::with_capacity(Self::DEFAULT_CAPACITY)
    }
}

impl PayloadBatch {
    /// How many payloads a batch takes where nothing else is said.
    pub const DEFAULT_CAPACITY: usize = 1024;

    /// Bytes beyond which a batch counts as full, whatever the number of payloads.
    pub const MAX_BYTES: usize = 1 << 20;

    /// An empty batch of the default capacity.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty batch for up to `capacity` payloads. Nothing is allocated yet.
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            data: Vec::new(),
            text: String::new(),
            entries: Vec::new(),
            headers: Vec::new(),
            faults: Vec::new(),
            closed: 0,
            capacity: capacity.max(1),
        }
    }

    /// How many payloads a source may put in. Pushing more is not an error, only impolite.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Has the batch its number of payloads, or [`PayloadBatch::MAX_BYTES`] with all that comes with them?
    pub fn is_full(&self) -> bool {
        let headers = self.headers.len() * size_of::<(Range<usize>, Range<usize>)>();
        self.entries.len() >= self.capacity || self.data.len() + self.text.len() + headers >= Self::MAX_BYTES
    }

    /// The number of payloads.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Is there no payload?
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes of all payloads together.
    pub fn bytes(&self) -> usize {
        // They lie in a row, and only whole ones are dropped at the front.
        self.entries.first().map_or(0, |first| self.closed - first.bytes.start)
    }

    /// Forgets every payload and keeps the memory.
    pub fn clear(&mut self) {
        self.truncate(0);
        // A batch that once held giants does not hold on to their memory for ever.
        self.data.shrink_to(4 * Self::MAX_BYTES);
        self.text.shrink_to(Self::MAX_BYTES);
        self.headers.shrink_to(Self::MAX_BYTES / size_of::<(Range<usize>, Range<usize>)>());
    }

    /// Keeps the first `len` payloads and drops what was written after them.
    pub fn truncate(&mut self, len: usize) {
        self.entries.truncate(len);
        match self.entries.last() {
            Some(last) => {
                self.closed = last.bytes.end;
                self.headers.truncate(last.headers.end as usize);
            }
            None => {
                self.closed = 0;
                self.headers.clear();
                self.text.clear();
                self.faults.clear();
            }
        }
        self.data.truncate(self.closed);
    }

    /// Drops the first `count` payloads; their memory comes back with [`PayloadBatch::clear`].
    pub fn drop_front(&mut self, count: usize) {
        self.entries.drain(..count.min(self.entries.len()));
    }

    /// Appends a payload without metadata.
    pub fn push(&mut self, bytes: &[u8]) {
        self.push_with(bytes, Metadata::default());
    }

    /// Appends a payload with its metadata.
    pub fn push_with(&mut self, bytes: &[u8], metadata: Metadata<'_>) {
        self.discard_open();
        let previous = self.entries.last().and_then(|entry| entry.topic);
        self.data.extend_from_slice(bytes);
        self.finish();
        let topic = metadata.topic.and_then(|topic| match previous {
            // Most messages come on the topic of the one before.
            Some(span) if &self.text[span.range()] == topic => previous,
            _ => Span::new(self.store(topic)),
        });
        let key = metadata.key.and_then(|key| Span::new(self.store(key)));
        if let Some(entry) = self.entries.last_mut() {
            entry.topic = topic;
            entry.key = key;
            entry.time = metadata.time;
        }
    }

    /// Adds a header to the last payload. Does nothing in an empty batch.
    pub fn push_header(&mut self, name: &str, value: &str) {
        if self.entries.is_empty() {
            return;
        }
        let header = (self.store(name), self.store(value));
        self.headers.push(header);
        let end = self.header_count();
        if let Some(entry) = self.entries.last_mut() {
            entry.headers.end = end;
        }
    }

    /// Makes the last payload one that cannot be used, such as the beginning of a message over a limit. No decoder
    /// sees it; the pipeline settles it as `on_error` says. Does nothing in an empty batch.
    pub fn reject(&mut self, fault: RecordError) {
        if let Some(entry) = self.entries.last_mut() {
            entry.fault = u32::try_from(self.faults.len()).ok();
            self.faults.push(fault);
        }
    }

    /// Copies one payload of another batch, with its metadata.
    pub fn push_payload(&mut self, payload: Payload<'_>) {
        self.push_with(payload.bytes(), payload.metadata());
        if let Some(fault) = payload.fault() {
            self.reject(fault.clone());
        }
        for (name, value) in payload.headers() {
            self.push_header(name, value);
        }
    }

    /// Where an encoder writes the payload that [`PayloadBatch::finish`] will close.
    ///
    /// Only append: what stands before belongs to earlier payloads.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.data
    }

    /// Closes the payload that was written since the last one. It may be empty.
    pub fn finish(&mut self) {
        let headers = self.header_count();
        self.entries.push(Entry {
            bytes: self.closed..self.data.len(),
            topic: None,
            key: None,
            time: None,
            headers: headers..headers,
            fault: None,
        });
        self.closed = self.data.len();
    }

    /// Drops what was written since the last payload was closed.
    pub fn discard_open(&mut self) {
        self.data.truncate(self.closed);
    }

    /// Sets the topic of the payload at `index` to what `write` appends.
    ///
    /// # Errors
    /// Whatever `write` returns; the payload then keeps the topic it had.
    ///
    /// # Panics
    /// Where there is no payload at `index`.
    pub fn set_topic<E>(
        &mut self,
        index: usize,
        write: impl FnOnce(&mut String) -> Result<(), E>,
    ) -> Result<(), E> {
        let start = self.text.len();
        match write(&mut self.text) {
            Ok(()) => {
                self.entries[index].topic = Span::new(start..self.text.len());
                Ok(())
            }
            Err(error) => {
                self.text.truncate(start);
                Err(error)
            }
        }
    }

    /// The payload at `index`.
    pub fn get(&self, index: usize) -> Option<Payload<'_>> {
        self.entries.get(index).map(|entry| Payload { batch: self, entry })
    }

    /// Every payload, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Payload<'_>> + Clone {
        self.entries.iter().map(move |entry| Payload { batch: self, entry })
    }

    fn header_count(&self) -> u32 {
        u32::try_from(self.headers.len()).unwrap_or(u32::MAX)
    }

    fn store(&mut self, text: &str) -> Range<usize> {
        let start = self.text.len();
        self.text.push_str(text);
        start..self.text.len()
    }
}

#[cfg(test)]
mod tests;
