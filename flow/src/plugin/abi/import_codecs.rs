//! The program's side of the tables of decoders and encoders.

use std::ffi::c_void;

use crate::codec::Framing;
use crate::error::{DecodeError, EncodeError, Error, Reason, RecordError};
use crate::plugin::abi::import::{Detour, Instance, payload_sink};
use crate::plugin::abi::types::{
    Bytes, DecoderTable, EncoderTable, Failure, RowSink, RowSource, Status, flags, status,
};
use crate::plugin::rows::{Row, RowError, RowWriter};
use crate::record::{Collect, Collection, PayloadBatch};

impl Instance<DecoderTable> {
    /// `keys`: those of a record that are read, as a row; nothing: all.
    pub(crate) fn decode<C: Collect>(
        &mut self,
        payload: &[u8],
        out: &mut C,
        keys: Option<&[u8]>,
    ) -> Result<(), DecodeError> {
        let mut rows = Rows { out, detour: Detour::default() };
        let sink = RowSink {
            size: size_of::<RowSink>(),
            context: (&raw mut rows).cast(),
            accept: Some(accept::<C>),
            reject: Some(reject::<C>),
            len: Some(len::<C>),
            truncate: Some(truncate::<C>),
            keys: keys.map_or(Bytes::NONE, Bytes::of),
        };
        let (table, state, failure) = self.parts();
        let decoded = table.decode.map_or(status::FAILED, |decode| {
            // SAFETY: the table is complete and the state its own; the rest is lent for the call.
            unsafe { decode(state, Bytes::of(payload), &sink, failure) }
        });
        rows.detour.resume();
        match decoded {
            status::OK => Ok(()),
            status::PANICKED => {
                let message = format!("the plugin panicked: {}", self.failure().message());
                Err(DecodeError::fatal(RecordError::new(Reason::Syntax, message)))
            }
            _ => Err(self.failure().decode()),
        }
    }
}

/// Where a library's records go.
struct Rows<'a, C> {
    out: &'a mut C,
    detour: Detour,
}

impl<C: Collect> Rows<'_, C> {
    /// # Safety
    /// `context` is the one that `decode` waits with.
    unsafe fn of<'a>(context: *mut c_void) -> &'a mut Self {
        // SAFETY: the caller's promise; `decode` does not touch it before the library returns.
        unsafe { &mut *context.cast() }
    }
}

unsafe extern "C" fn accept<C: Collect>(
    context: *mut c_void,
    row: Bytes,
    for_people: u32,
    failure: *mut Failure,
) -> Status {
    // SAFETY: the context is ours; row and failure are lent for the call.
    let (rows, row, failure) = unsafe { (Rows::<C>::of(context), row.get(), failure.as_mut()) };
    let Rows { out, detour } = rows;
    let Some(taken) = detour.catch(None, || Some(collect(*out, row.unwrap_or_default(), for_people != 0)))
    else {
        return status::PANICKED;
    };
    let Err((error, own)) = taken else { return status::OK };
    if let Some(failure) = failure {
        failure.set_record(&error);
        if own {
            failure.flags |= flags::FAULT;
        }
    }
    status::FAILED
}

/// Takes one row as a record. Otherwise: why not, and whether the collection itself says so.
pub(crate) fn collect<C: Collect>(
    out: &mut C,
    row: &[u8],
    for_people: bool,
) -> Result<(), (RecordError, bool)> {
    let before = out.len();
    let mut row = Row::new(row, for_people);
    let taken = out.collect(&mut row);
    let taken = taken.and_then(|()| row.end().inspect_err(|_| out.truncate(before)));
    taken.map_err(|error: RowError| match out.fault() {
        Some(fault) => (fault, true),
        None => (RecordError::new(Reason::Type, error.to_string()), false),
    })
}

unsafe extern "C" fn reject<C: Collect>(context: *mut c_void, failure: *const Failure) {
    // SAFETY: the context is ours; the failure is lent for the call.
    let (Rows { out, detour }, failure) = unsafe { (Rows::<C>::of(context), failure.as_ref()) };
    if let Some(failure) = failure {
        detour.catch((), || out.reject(failure.record()));
    }
}

unsafe extern "C" fn len<C: Collect>(context: *mut c_void) -> usize {
    // SAFETY: the context is ours.
    let Rows { out, detour } = unsafe { Rows::<C>::of(context) };
    detour.catch(0, || out.len())
}

unsafe extern "C" fn truncate<C: Collect>(context: *mut c_void, len: usize) {
    // SAFETY: the context is ours.
    let Rows { out, detour } = unsafe { Rows::<C>::of(context) };
    detour.catch((), || out.truncate(len));
}

impl Instance<EncoderTable> {
    pub(crate) fn framing(&self) -> Framing {
        let (_held, table, state) = self.shared();
        // SAFETY: the table is complete and the state its own, and held.
        match table.framing.map(|framing| unsafe { framing(state) }) {
            Some(1) => Framing::PerBatch,
            _ => Framing::PerRecord,
        }
    }

    /// The schema is JSON text.
    pub(crate) fn check(&self, schema: &str) -> Result<(), Error> {
        let (_held, table, state) = self.shared();
        let mut failure = Failure::new();
        let checked = table.check.map_or(status::FAILED, |check| {
            // SAFETY: the table is complete and the state its own, and held; the rest is lent for the call.
            unsafe { check(state, Bytes::of(schema.as_bytes()), &mut failure) }
        });
        if checked == status::OK { Ok(()) } else { Err(failure.error()) }
    }

    pub(crate) fn encode<C: Collection>(
        &mut self,
        records: &C,
        buffer: &mut Vec<u8>,
        out: &mut PayloadBatch,
    ) -> Result<(), EncodeError> {
        let mut rows = Source { records, buffer, detour: Detour::default() };
        let source = RowSource {
            size: size_of::<RowSource>(),
            context: (&raw mut rows).cast(),
            len: records.len(),
            row: Some(row::<C>),
        };
        let sink = payload_sink(out);
        let (table, state, failure) = self.parts();
        let encoded = table.encode.map_or(status::FAILED, |encode| {
            // SAFETY: the table is complete and the state its own; the rest is lent for the call.
            unsafe { encode(state, &source, &sink, failure) }
        });
        rows.detour.resume();
        match encoded {
            status::OK => Ok(()),
            status::PANICKED => {
                let message = format!("the plugin panicked: {}", self.failure().message());
                Err(EncodeError::fatal(RecordError::new(Reason::Encode, message)))
            }
            _ => Err(self.failure().encode(records.len())),
        }
    }
}

/// Where a library's encoder gets records from.
struct Source<'a, C> {
    records: &'a C,
    buffer: &'a mut Vec<u8>,
    detour: Detour,
}

unsafe extern "C" fn row<C: Collection>(
    context: *mut c_void,
    index: usize,
    for_people: u32,
    out: *mut Bytes,
    failure: *mut Failure,
) -> Status {
    // SAFETY: the context is the one that `encode` waits with; the others are lent for the call.
    let (Source { records, buffer, detour }, failure) =
        unsafe { (&mut *context.cast::<Source<'_, C>>(), failure.as_mut()) };
    buffer.clear();
    let written = detour.catch(Err(RowError::new("a panic")), || {
        if index >= records.len() {
            return Err(RowError::new("there is no such record"));
        }
        records.serialize(index, RowWriter { out: buffer, for_people: for_people != 0 })
    });
    match written {
        Ok(()) => {
            // SAFETY: the caller's place for it. The buffer stands until the next call.
            unsafe { out.write(Bytes::of(buffer)) };
            status::OK
        }
        Err(error) => {
            if let Some(failure) = failure {
                failure.set_record(&RecordError::new(Reason::Encode, error.to_string()));
            }
            status::FAILED
        }
    }
}
