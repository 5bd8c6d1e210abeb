//! Borrowed bytes and payloads, to and from Rust.

use std::ptr;

use crate::plugin::abi::types::{Bytes, Header, Payload, PayloadSink};
use crate::record::payload::{Metadata, PayloadBatch};

impl Bytes {
    /// Nothing.
    pub(crate) const NONE: Bytes = Bytes { data: ptr::null(), len: 0 };

    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self { data: bytes.as_ptr(), len: bytes.len() }
    }

    fn of_text(text: Option<&str>) -> Self {
        text.map_or(Self::NONE, |text| Self::of(text.as_bytes()))
    }

    /// # Safety
    /// Where there is data, `len` bytes stand there, unchanged for `'a`.
    pub(crate) unsafe fn get<'a>(self) -> Option<&'a [u8]> {
        let Self { data, len } = self;
        if data.is_null() || isize::try_from(len).is_err() {
            return None;
        }
        // SAFETY: the caller's promise; not null, and a `u8` is always aligned.
        Some(unsafe { std::slice::from_raw_parts(data, len) })
    }

    /// As [`Bytes::get`], as text; what is not UTF-8 is replaced.
    ///
    /// # Safety
    /// As [`Bytes::get`].
    pub(crate) unsafe fn text(self) -> Option<String> {
        // SAFETY: the caller's promise.
        unsafe { self.get() }.map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }
}

/// The payloads of a batch as an array, and the memory for it.
#[derive(Default)]
pub(crate) struct PayloadArray {
    payloads: Vec<Payload>,
    headers: Vec<Header>,
}

// SAFETY: the pointers are only followed while `fill`'s batch is borrowed; between calls they are dead numbers.
unsafe impl Send for PayloadArray {}
// SAFETY: as above.
unsafe impl Sync for PayloadArray {}

impl PayloadArray {
    /// The array for `batch`, good as long as both are borrowed.
    pub(crate) fn fill<'a>(&'a mut self, batch: &'a PayloadBatch) -> &'a [Payload] {
        self.payloads.clear();
        self.headers.clear();
        for payload in batch.iter() {
            self.headers.extend(payload.headers().map(|(name, value)| Header {
                name: Bytes::of(name.as_bytes()),
                value: Bytes::of(value.as_bytes()),
            }));
        }
        let mut first = 0;
        for payload in batch.iter() {
            let metadata = payload.metadata();
            let count = payload.headers().count();
            self.payloads.push(Payload {
                bytes: Bytes::of(payload.bytes()),
                topic: Bytes::of_text(metadata.topic),
                key: Bytes::of_text(metadata.key),
                headers: self.headers[first..].as_ptr(),
                header_count: count,
                time: metadata.time.unwrap_or_default(),
                has_time: u32::from(metadata.time.is_some()),
            });
            first += count;
        }
        &self.payloads
    }
}

/// Copies payloads into `batch`. Text that is not UTF-8 is replaced.
///
/// # Safety
/// `len` payloads stand at `payloads`, with all that they point to.
pub(crate) unsafe fn copy_payloads(payloads: *const Payload, len: usize, batch: &mut PayloadBatch) {
    if payloads.is_null() {
        return;
    }
    for index in 0..len {
        // SAFETY: the caller's promise: `index` is below `len`.
        let payload = unsafe { &*payloads.add(index) };
        // SAFETY: the caller's promise; all of it is copied below.
        let (bytes, topic, key) =
            unsafe { (payload.bytes.get().unwrap_or_default(), payload.topic.text(), payload.key.text()) };
        let time = (payload.has_time != 0).then_some(payload.time);
        batch.push_with(bytes, Metadata { topic: topic.as_deref(), key: key.as_deref(), time });
        for header in 0..if payload.headers.is_null() { 0 } else { payload.header_count } {
            // SAFETY: the caller's promise: `header` is below the count.
            let header = unsafe { &*payload.headers.add(header) };
            // SAFETY: the caller's promise.
            let (name, value) = unsafe { (header.name.text(), header.value.text()) };
            batch.push_header(&name.unwrap_or_default(), &value.unwrap_or_default());
        }
    }
}

/// Hands the payloads of `batch` to `sink`.
///
/// # Safety
/// `sink` is null or a sink whose function may be called now.
pub(crate) unsafe fn push_payloads(sink: *const PayloadSink, batch: &PayloadBatch, array: &mut PayloadArray) {
    // SAFETY: the caller's promise.
    let Some(sink) = (unsafe { sink.as_ref() }) else { return };
    let payloads = array.fill(batch);
    if let (Some(push), false) = (sink.push, payloads.is_empty()) {
        // SAFETY: the array and what it points to stand until the call returns.
        unsafe { push(sink.context, payloads.as_ptr(), payloads.len()) };
    }
}
