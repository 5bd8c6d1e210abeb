//! The library's side of the tables of decoders and encoders.

use std::cell::RefCell;
use std::ffi::c_void;

use crate::codec::{CollectionEncoder, Framing, RecordDecoder};
use crate::component::{Component, role};
use crate::error::RecordError;
use crate::plugin::abi::export::{ExportRole, build, destroy, with};
use crate::plugin::abi::slices::{PayloadArray, push_payloads};
use crate::plugin::abi::types::{
    Bytes, DecoderTable, EncoderTable, Failure, FaultSink, PayloadSink, RowSink, RowSource, State, Status,
    flags, status,
};
use crate::plugin::guest::{GuestRecords, GuestRows, RowOrigin, RowTarget};
use crate::plugin::rows::KeyList;
use crate::record::{PayloadBatch, Schema};

// SAFETY: the table is a constant with the functions of this role for `C`.
unsafe impl<C: Component + RecordDecoder> ExportRole<C> for role::Decoder {
    const NUMBER: u32 = 2;

    fn table() -> *const c_void {
        std::ptr::from_ref(Decoder::<C>::TABLE).cast()
    }
}

struct Decoder<C>(C);

struct DecoderState<C> {
    decoder: C,
    buffer: Vec<u8>,
    keys: KeyList,
    /// For calls back into the host.
    failure: Box<Failure>,
    panicked: bool,
}

impl<C: Component + RecordDecoder> Decoder<C> {
    const TABLE: &'static DecoderTable = &DecoderTable {
        size: size_of::<DecoderTable>(),
        build: Some(Self::build),
        destroy: Some(destroy::<DecoderState<C>>),
        decode: Some(Self::decode),
    };

    unsafe extern "C" fn build(
        config: Bytes,
        context: Bytes,
        faults: *const FaultSink,
        state: *mut State,
    ) -> Status {
        let wrap = |decoder: C| DecoderState {
            decoder,
            buffer: Vec::new(),
            keys: KeyList::default(),
            failure: Box::new(Failure::new()),
            panicked: false,
        };
        // SAFETY: the arguments are the caller's, as the table says.
        unsafe { build(config, context, faults, state, wrap) }
    }

    unsafe extern "C" fn decode(
        state: State,
        payload: Bytes,
        out: *const RowSink,
        failure: *mut Failure,
    ) -> Status {
        // SAFETY: the state is one of ours; payload and sink are lent for the call.
        unsafe {
            with(state, failure, |state: &mut DecoderState<C>, failure| {
                let Some(sink) = out.as_ref() else { return status::FAILED };
                if std::mem::replace(&mut state.panicked, true) {
                    failure.set_message("it has panicked before");
                    return status::PANICKED;
                }
                let DecoderState { decoder, buffer, keys, failure: room, .. } = state;
                let target = HostRows { sink, failure: room };
                let keys = keys.of(sink.keys.get());
                let mut rows = GuestRows { target, buffer, fault: None, keys };
                let decoded = decoder.decode(payload.get().unwrap_or_default(), &mut rows);
                state.panicked = false;
                match decoded {
                    Ok(()) => status::OK,
                    Err(error) => {
                        failure.set_decode(&error);
                        status::FAILED
                    }
                }
            })
        }
    }
}

/// The host's row sink.
struct HostRows<'a> {
    sink: &'a RowSink,
    failure: &'a mut Failure,
}

impl RowTarget for HostRows<'_> {
    fn accept(&mut self, row: &[u8], for_people: bool) -> Result<(), (RecordError, bool)> {
        self.failure.clear();
        let Some(accept) = self.sink.accept else { return Ok(()) };
        // SAFETY: the sink is lent for the call that we are in; the row lives until it returns.
        let taken = unsafe { accept(self.sink.context, Bytes::of(row), u32::from(for_people), self.failure) };
        if taken == status::OK {
            return Ok(());
        }
        Err((self.failure.record(), self.failure.flags & flags::FAULT != 0))
    }

    fn reject(&mut self, error: &RecordError) {
        self.failure.set_record(error);
        if let Some(reject) = self.sink.reject {
            // SAFETY: as in `accept`.
            unsafe { reject(self.sink.context, self.failure) };
        }
    }

    fn len(&self) -> usize {
        // SAFETY: as in `accept`.
        self.sink.len.map_or(0, |len| unsafe { len(self.sink.context) })
    }

    fn truncate(&mut self, len: usize) {
        if let Some(truncate) = self.sink.truncate {
            // SAFETY: as in `accept`.
            unsafe { truncate(self.sink.context, len) };
        }
    }
}

// SAFETY: the table is a constant with the functions of this role for `C`.
unsafe impl<C: Component + CollectionEncoder> ExportRole<C> for role::Encoder {
    const NUMBER: u32 = 3;

    fn table() -> *const c_void {
        std::ptr::from_ref(Encoder::<C>::TABLE).cast()
    }
}

struct Encoder<C>(C);

struct EncoderState<C> {
    encoder: C,
    batch: PayloadBatch,
    array: PayloadArray,
    /// For calls back into the host.
    failure: RefCell<Box<Failure>>,
}

impl<C: Component + CollectionEncoder> Encoder<C> {
    const TABLE: &'static EncoderTable = &EncoderTable {
        size: size_of::<EncoderTable>(),
        build: Some(Self::build),
        destroy: Some(destroy::<EncoderState<C>>),
        framing: Some(Self::framing),
        check: Some(Self::check),
        encode: Some(Self::encode),
    };

    unsafe extern "C" fn build(
        config: Bytes,
        context: Bytes,
        faults: *const FaultSink,
        state: *mut State,
    ) -> Status {
        let wrap = |encoder: C| EncoderState {
            encoder,
            batch: PayloadBatch::new(),
            array: PayloadArray::default(),
            failure: RefCell::new(Box::new(Failure::new())),
        };
        // SAFETY: the arguments are the caller's, as the table says.
        unsafe { build(config, context, faults, state, wrap) }
    }

    unsafe extern "C" fn framing(state: State) -> u32 {
        let mut framing = 0;
        // SAFETY: the state is one of ours.
        unsafe {
            with(state, std::ptr::null_mut(), |state: &mut EncoderState<C>, _| {
                framing = match state.encoder.framing() {
                    Framing::PerRecord => 0,
                    Framing::PerBatch => 1,
                };
                status::OK
            })
        };
        framing
    }

    unsafe extern "C" fn check(state: State, schema: Bytes, failure: *mut Failure) -> Status {
        // SAFETY: the state is one of ours; the schema is lent for the call.
        unsafe {
            with(state, failure, |state: &mut EncoderState<C>, failure| {
                let text = schema.get().unwrap_or_default();
                let schema =
                    serde_json::from_slice(text).ok().and_then(|value| Schema::from_value(&value).ok());
                let Some(schema) = schema else {
                    failure.set_message("the schema cannot be read");
                    return status::FAILED;
                };
                match state.encoder.check(&schema) {
                    Ok(()) => status::OK,
                    Err(error) => {
                        failure.set_error(&error);
                        status::FAILED
                    }
                }
            })
        }
    }

    unsafe extern "C" fn encode(
        state: State,
        records: *const RowSource,
        out: *const PayloadSink,
        failure: *mut Failure,
    ) -> Status {
        // SAFETY: the state is one of ours; the rest is lent for the call.
        unsafe {
            with(state, failure, |state: &mut EncoderState<C>, failure| {
                let Some(source) = records.as_ref() else { return status::FAILED };
                let EncoderState { encoder, batch, array, failure: room } = state;
                batch.clear();
                let encoded = encoder.encode(&GuestRecords(HostRecords { source, failure: room }), batch);
                batch.discard_open();
                push_payloads(out, batch, array);
                match encoded {
                    Ok(()) => status::OK,
                    Err(error) => {
                        failure.set_encode(&error);
                        status::FAILED
                    }
                }
            })
        }
    }
}

/// The host's records.
struct HostRecords<'a> {
    source: &'a RowSource,
    failure: &'a RefCell<Box<Failure>>,
}

impl RowOrigin for HostRecords<'_> {
    fn len(&self) -> usize {
        self.source.len
    }

    fn row<T>(
        &self,
        index: usize,
        for_people: bool,
        read: impl FnOnce(&[u8]) -> T,
    ) -> Result<T, RecordError> {
        let mut failure = self.failure.borrow_mut();
        failure.clear();
        let mut row = Bytes::NONE;
        let asked = match self.source.row {
            // SAFETY: the source is lent for the call that we are in.
            Some(ask) => unsafe {
                ask(self.source.context, index, u32::from(for_people), &mut row, &mut **failure)
            },
            None => status::FAILED,
        };
        if asked != status::OK {
            return Err(failure.record());
        }
        // SAFETY: the row stands until the next call; `failure` is borrowed until then, so there is none.
        Ok(read(unsafe { row.get() }.unwrap_or_default()))
    }
}
