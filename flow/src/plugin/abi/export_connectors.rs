//! The library's side of the tables of sources and sinks.

use std::ffi::c_void;

use crate::component::{Component, role};
use crate::connector::{Progress, SinkConnector, SourceConnector};
use crate::plugin::abi::export::{ExportRole, build, destroy, polled, with};
use crate::plugin::abi::slices::{PayloadArray, copy_payloads, push_payloads};
use crate::plugin::abi::types::{
    Bytes, Failure, FaultSink, Payload, PayloadSink, SinkTable, SourceTable, State, Status, Waker, status,
};
use crate::plugin::abi::waker::with_waker;
use crate::plugin::guest::{SinkGuest, SourceGuest};
use crate::record::PayloadBatch;

// SAFETY: the table is a constant with the functions of this role for `C`.
unsafe impl<C: Component + SourceConnector> ExportRole<C> for role::Source {
    const NUMBER: u32 = 0;

    fn table() -> *const c_void {
        std::ptr::from_ref(Source::<C>::TABLE).cast()
    }
}

struct Source<C>(C);

impl<C: Component + SourceConnector> Source<C> {
    const TABLE: &'static SourceTable = &SourceTable {
        size: size_of::<SourceTable>(),
        build: Some(Self::build),
        destroy: Some(destroy::<SourceState<C>>),
        open: Some(Self::open),
        next: Some(Self::next),
        acknowledge: Some(Self::acknowledge),
        close: Some(Self::close),
    };

    unsafe extern "C" fn build(
        config: Bytes,
        context: Bytes,
        faults: *const FaultSink,
        state: *mut State,
    ) -> Status {
        let wrap =
            |source: C| SourceState { guest: SourceGuest::new(source), array: PayloadArray::default() };
        // SAFETY: the arguments are the caller's, as the table says.
        unsafe { build(config, context, faults, state, wrap) }
    }

    unsafe extern "C" fn open(state: State, waker: *const Waker, failure: *mut Failure) -> Status {
        // SAFETY: the state is one of ours; the waker is lent for the call.
        unsafe {
            with(state, failure, |state: &mut SourceState<C>, failure| {
                polled(with_waker(waker, |waker| state.guest.open(waker)), failure, |()| status::OK)
            })
        }
    }

    unsafe extern "C" fn next(
        state: State,
        waker: *const Waker,
        capacity: usize,
        out: *const PayloadSink,
        checkpoint: *mut u64,
        failure: *mut Failure,
    ) -> Status {
        // SAFETY: the state is one of ours; the rest is lent for the call.
        unsafe {
            with(state, failure, |state: &mut SourceState<C>, failure| {
                let SourceState { guest, array } = state;
                let done = with_waker(waker, |waker| guest.next(waker, capacity));
                polled(done, failure, |(progress, batch)| match progress {
                    Progress::Batch(at) => {
                        push_payloads(out, batch, array);
                        checkpoint.write(at.0);
                        status::OK
                    }
                    Progress::End => status::END,
                })
            })
        }
    }

    unsafe extern "C" fn acknowledge(
        state: State,
        waker: *const Waker,
        checkpoint: u64,
        failure: *mut Failure,
    ) -> Status {
        // SAFETY: as in `open`.
        unsafe {
            with(state, failure, |state: &mut SourceState<C>, failure| {
                let done = with_waker(waker, |waker| state.guest.acknowledge(waker, checkpoint));
                polled(done, failure, |()| status::OK)
            })
        }
    }

    unsafe extern "C" fn close(state: State, waker: *const Waker, failure: *mut Failure) -> Status {
        // SAFETY: as in `open`.
        unsafe {
            with(state, failure, |state: &mut SourceState<C>, failure| {
                polled(with_waker(waker, |waker| state.guest.close(waker)), failure, |()| status::OK)
            })
        }
    }
}

struct SourceState<C> {
    guest: SourceGuest<C>,
    array: PayloadArray,
}

// SAFETY: the table is a constant with the functions of this role for `C`.
unsafe impl<C: Component + SinkConnector> ExportRole<C> for role::Sink {
    const NUMBER: u32 = 1;

    fn table() -> *const c_void {
        std::ptr::from_ref(Sink::<C>::TABLE).cast()
    }
}

struct Sink<C>(C);

impl<C: Component + SinkConnector> Sink<C> {
    const TABLE: &'static SinkTable = &SinkTable {
        size: size_of::<SinkTable>(),
        build: Some(Self::build),
        destroy: Some(destroy::<SinkGuest<C>>),
        route: Some(Self::route),
        check_route: Some(Self::check_route),
        open: Some(Self::open),
        write: Some(Self::write),
        confirmed: Some(Self::confirmed),
        close: Some(Self::close),
    };

    unsafe extern "C" fn build(
        config: Bytes,
        context: Bytes,
        faults: *const FaultSink,
        state: *mut State,
    ) -> Status {
        // SAFETY: the arguments are the caller's, as the table says.
        unsafe { build(config, context, faults, state, SinkGuest::<C>::new) }
    }

    unsafe extern "C" fn route(state: State) -> Bytes {
        // SAFETY: the state is one of ours, and the text lives as long as it.
        let guest = unsafe { state.cast::<SinkGuest<C>>().as_ref() };
        guest.and_then(SinkGuest::route).map_or(Bytes::NONE, |route| Bytes::of(route.as_bytes()))
    }

    unsafe extern "C" fn check_route(state: State, value: Bytes, failure: *mut Failure) -> Status {
        // SAFETY: the state is one of ours; the value is lent for the call.
        unsafe {
            with(state, failure, |guest: &mut SinkGuest<C>, failure| {
                match guest.check_route(&value.text().unwrap_or_default()) {
                    Ok(()) => status::OK,
                    Err(why) => {
                        failure.set_message(&why);
                        status::FAILED
                    }
                }
            })
        }
    }

    unsafe extern "C" fn open(state: State, waker: *const Waker, failure: *mut Failure) -> Status {
        // SAFETY: the state is one of ours; the waker is lent for the call.
        unsafe {
            with(state, failure, |guest: &mut SinkGuest<C>, failure| {
                polled(with_waker(waker, |waker| guest.open(waker)), failure, |()| status::OK)
            })
        }
    }

    unsafe extern "C" fn write(
        state: State,
        waker: *const Waker,
        payloads: *const Payload,
        len: usize,
        checkpoint: u64,
        failure: *mut Failure,
    ) -> Status {
        // SAFETY: the state is one of ours; the rest is lent for the call.
        unsafe {
            with(state, failure, |guest: &mut SinkGuest<C>, failure| {
                let fill = |batch: &mut PayloadBatch| copy_payloads(payloads, len, batch);
                let done = with_waker(waker, |waker| guest.write(waker, checkpoint, fill));
                polled(done, failure, |()| status::OK)
            })
        }
    }

    unsafe extern "C" fn confirmed(
        state: State,
        waker: *const Waker,
        checkpoint: *mut u64,
        failure: *mut Failure,
    ) -> Status {
        // SAFETY: as in `write`.
        unsafe {
            with(state, failure, |guest: &mut SinkGuest<C>, failure| {
                polled(with_waker(waker, |waker| guest.confirmed(waker)), failure, |at| {
                    checkpoint.write(at.0);
                    status::OK
                })
            })
        }
    }

    unsafe extern "C" fn close(state: State, waker: *const Waker, failure: *mut Failure) -> Status {
        // SAFETY: as in `open`.
        unsafe {
            with(state, failure, |guest: &mut SinkGuest<C>, failure| {
                polled(with_waker(waker, |waker| guest.close(waker)), failure, |()| status::OK)
            })
        }
    }
}
