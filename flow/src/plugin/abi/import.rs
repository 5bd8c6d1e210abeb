//! The program's side of the tables: safe calls of a library's components.

use std::any::Any;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker as TaskWaker};

use crate::error::{Error, ErrorKind};
use crate::plugin::abi::slices::{PayloadArray, copy_payloads};
use crate::plugin::abi::types::{
    Bytes, DecoderTable, EncoderTable, Failure, FaultSink, Payload, PayloadSink, SinkTable, SourceTable,
    State, Status, Waker, status,
};
use crate::plugin::abi::waker::WakerSlot;
use crate::record::PayloadBatch;

/// The functions that every table has.
pub(crate) trait Built {
    fn build(&self) -> Option<unsafe extern "C" fn(Bytes, Bytes, *const FaultSink, *mut State) -> Status>;
    fn destroy(&self) -> Option<unsafe extern "C" fn(State)>;
}

macro_rules! built {
    ($($table:ident)*) => { $(
        impl Built for $table {
            fn build(&self) -> Option<unsafe extern "C" fn(Bytes, Bytes, *const FaultSink, *mut State) -> Status> {
                self.build
            }

            fn destroy(&self) -> Option<unsafe extern "C" fn(State)> {
                self.destroy
            }
        }
    )* };
}

built! { SourceTable SinkTable DecoderTable EncoderTable }

/// The state of a component and its table.
struct Core<T: Built> {
    table: Arc<T>,
    state: State,
    /// Held by whatever uses the state while a route's check may be asked from elsewhere. True once `close` was called:
    /// only `destroy` may follow then.
    busy: Mutex<bool>,
}

// SAFETY: the contract of the tables: a state may move between threads, and is used by one at a time: through
// `&mut Instance`, or with `busy` held.
unsafe impl<T: Built> Send for Core<T> {}
// SAFETY: as above.
unsafe impl<T: Built> Sync for Core<T> {}

impl<T: Built> Core<T> {
    fn hold(&self) -> MutexGuard<'_, bool> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Built> Drop for Core<T> {
    fn drop(&mut self) {
        if let Some(destroy) = self.table.destroy() {
            // SAFETY: `build` made the state, and this is its end.
            unsafe { destroy(self.state) };
        }
    }
}

/// A component of a library, between `build` and `destroy`.
pub(crate) struct Instance<T: Built> {
    core: Arc<Core<T>>,
    failure: Box<Failure>,
    waker: WakerSlot,
    array: PayloadArray,
}

impl<T: Built> Instance<T> {
    /// Builds a component from JSON texts. Faults come as pairs of path, a JSON array, and message; what it uses is told to
    /// `claim`.
    pub(crate) fn build(
        table: &Arc<T>,
        config: &str,
        context: &str,
        claim: Claim<'_>,
    ) -> Result<Self, Vec<(String, String)>> {
        let mut building = Building { faults: Vec::new(), claim };
        let sink = FaultSink {
            size: size_of::<FaultSink>(),
            context: (&raw mut building).cast(),
            fault: Some(take_fault),
            claim: Some(take_claim),
        };
        let mut state: State = std::ptr::null_mut();
        let (config, context) = (Bytes::of(config.as_bytes()), Bytes::of(context.as_bytes()));
        let built = match table.build() {
            // SAFETY: the table is complete; all arguments are lent for the call.
            Some(build) => unsafe { build(config, context, &sink, &mut state) },
            None => status::FAILED,
        };
        let mut faults = building.faults;
        if built != status::OK || state.is_null() {
            if faults.is_empty() {
                faults
                    .push(("[]".to_owned(), "the plugin does not build it, and does not say why".to_owned()));
            }
            if built == status::PANICKED {
                faults.iter_mut().for_each(|(_, message)| message.insert_str(0, "the plugin panicked: "));
            }
            return Err(faults);
        }
        let failure = Box::new(Failure::new());
        let core = Arc::new(Core { table: Arc::clone(table), state, busy: Mutex::new(false) });
        Ok(Self { core, failure, waker: WakerSlot::default(), array: PayloadArray::default() })
    }

    /// What a poll came to, where `ready` is what `OK` means.
    fn polled<V>(&self, polled: Status, ready: impl FnOnce() -> V) -> Poll<Result<V, Error>> {
        match polled {
            status::OK => Poll::Ready(Ok(ready())),
            status::PENDING => Poll::Pending,
            _ => Poll::Ready(Err(self.error(polled))),
        }
    }

    pub(super) fn error(&self, failed: Status) -> Error {
        if failed == status::PANICKED {
            let message = format!("the plugin panicked: {}", self.failure.message());
            return Error::permanent(ErrorKind::Closed, message);
        }
        self.failure.error()
    }

    pub(super) fn parts(&mut self) -> (&T, State, &mut Failure) {
        self.failure.clear();
        (&self.core.table, self.core.state, &mut self.failure)
    }

    pub(super) fn failure(&self) -> &Failure {
        &self.failure
    }

    /// For a call through `&self`: nobody else uses the state while the first value lives.
    pub(super) fn shared(&self) -> (MutexGuard<'_, bool>, &T, State) {
        (self.core.hold(), &self.core.table, self.core.state)
    }
}

/// Asked for what a component uses: the option, what it is, whether alone.
pub(crate) type Claim<'a> = &'a dyn Fn(String, String, bool) -> Result<(), Error>;

/// What `build` waits with while the library builds.
struct Building<'a> {
    faults: Vec<(String, String)>,
    claim: Claim<'a>,
}

unsafe extern "C" fn take_fault(context: *mut c_void, path: Bytes, message: Bytes) {
    // SAFETY: `context` is the one that `build` waits with; the texts are lent for the call.
    unsafe {
        let building = &mut *context.cast::<Building<'_>>();
        building.faults.push((path.text().unwrap_or_default(), message.text().unwrap_or_default()));
    }
}

unsafe extern "C" fn take_claim(
    context: *mut c_void,
    key: Bytes,
    what: Bytes,
    alone: u32,
    failure: *mut Failure,
) -> Status {
    // SAFETY: as in `take_fault`.
    let (building, failure) = unsafe { (&*context.cast::<Building<'_>>(), failure.as_mut()) };
    // SAFETY: as in `take_fault`.
    let (key, what) = unsafe { (key.text().unwrap_or_default(), what.text().unwrap_or_default()) };
    match (building.claim)(key, what, alone != 0) {
        Ok(()) => status::OK,
        Err(error) => {
            if let Some(failure) = failure {
                failure.set_error(&error);
            }
            status::FAILED
        }
    }
}

macro_rules! poll_unit {
    ($($(#[$about:meta])* $method:ident)*) => { $(
        pub(crate) fn $method(&mut self, waker: &TaskWaker) -> Poll<Result<(), Error>> {
            let core = Arc::clone(&self.core);
            let mut closed = core.hold();
            *closed |= stringify!($method) == "close";
            let waker = self.waker.lend(waker);
            let (table, state, failure) = self.parts();
            // SAFETY: the table is complete and the state its own; the rest is lent for the call.
            let polled = table.$method.map_or(status::FAILED, |call| unsafe { call(state, waker, failure) });
            self.polled(polled, || ())
        }
    )* };
}

/// What became of a poll of `next`.
pub(crate) enum Next {
    Batch(u64),
    End,
}

impl Instance<SourceTable> {
    poll_unit! { open close }

    pub(crate) fn next(&mut self, waker: &TaskWaker, batch: &mut PayloadBatch) -> Poll<Result<Next, Error>> {
        let waker: *const Waker = self.waker.lend(waker);
        let (table, state, failure) = self.parts();
        let (mut checkpoint, capacity) = (0, batch.capacity());
        let sink = payload_sink(batch);
        let polled = table.next.map_or(status::FAILED, |next| {
            // SAFETY: the table is complete and the state its own; the rest is lent for the call.
            unsafe { next(state, waker, capacity, &sink, &mut checkpoint, failure) }
        });
        match polled {
            status::END if batch.is_empty() => return Poll::Ready(Ok(Next::End)),
            status::END => {
                batch.clear();
                let message = "the plugin's source has pushed payloads and said that nothing more comes";
                return Poll::Ready(Err(Error::permanent(ErrorKind::Protocol, message)));
            }
            status::OK => {}
            // What was pushed before is given up with the call: the contract leaves the batch empty.
            _ => batch.clear(),
        }
        self.polled(polled, || Next::Batch(checkpoint))
    }

    pub(crate) fn acknowledge(&mut self, waker: &TaskWaker, checkpoint: u64) -> Poll<Result<(), Error>> {
        let waker = self.waker.lend(waker);
        let (table, state, failure) = self.parts();
        let polled = table.acknowledge.map_or(status::FAILED, |call| {
            // SAFETY: the table is complete and the state its own; the rest is lent for the call.
            unsafe { call(state, waker, checkpoint, failure) }
        });
        self.polled(polled, || ())
    }
}

impl Instance<SinkTable> {
    poll_unit! { open close }

    /// The text of the route.
    pub(crate) fn route(&self) -> Option<String> {
        let (_held, table, state) = self.shared();
        // SAFETY: the table is complete and the state its own, and held; the text stands as long as that.
        table.route.and_then(|route| unsafe { route(state).text() })
    }

    /// Whether a value can stand in the route, and otherwise why not. It may outlive the sink.
    pub(crate) fn route_check(&self) -> impl Fn(&str) -> Result<(), String> + Send + Sync + 'static {
        let core = Arc::clone(&self.core);
        move |value| {
            let closed = core.hold();
            if *closed {
                return Err("the sink is closed".to_owned());
            }
            let mut failure = Failure::new();
            let checked = core.table.check_route.map_or(status::FAILED, |check| {
                // SAFETY: the table is complete and the state its own, and held; the rest is lent for the call.
                unsafe { check(core.state, Bytes::of(value.as_bytes()), &mut failure) }
            });
            if checked == status::OK { Ok(()) } else { Err(failure.message()) }
        }
    }

    pub(crate) fn write(
        &mut self,
        waker: &TaskWaker,
        batch: &PayloadBatch,
        checkpoint: u64,
    ) -> Poll<Result<(), Error>> {
        let core = Arc::clone(&self.core);
        let _held = core.hold();
        let waker = self.waker.lend(waker);
        let mut array = std::mem::take(&mut self.array);
        let (table, state, failure) = self.parts();
        let payloads = array.fill(batch);
        let polled = table.write.map_or(status::FAILED, |write| {
            // SAFETY: the table is complete and the state its own; the rest is lent for the call.
            unsafe { write(state, waker, payloads.as_ptr(), payloads.len(), checkpoint, failure) }
        });
        self.array = array;
        self.polled(polled, || ())
    }

    pub(crate) fn confirmed(&mut self, waker: &TaskWaker) -> Poll<Result<u64, Error>> {
        let core = Arc::clone(&self.core);
        let _held = core.hold();
        let waker = self.waker.lend(waker);
        let (table, state, failure) = self.parts();
        let mut checkpoint = 0;
        let polled = table.confirmed.map_or(status::FAILED, |confirmed| {
            // SAFETY: the table is complete and the state its own; the rest is lent for the call.
            unsafe { confirmed(state, waker, &mut checkpoint, failure) }
        });
        self.polled(polled, || checkpoint)
    }
}

/// Where a library puts payloads: into `batch`, for one call.
pub(super) fn payload_sink(batch: &mut PayloadBatch) -> PayloadSink {
    PayloadSink {
        size: size_of::<PayloadSink>(),
        context: (&raw mut *batch).cast(),
        push: Some(take_payloads),
    }
}

unsafe extern "C" fn take_payloads(context: *mut c_void, payloads: *const Payload, len: usize) {
    // SAFETY: `context` is the batch that the caller of the library holds; the payloads are lent for the call.
    unsafe { copy_payloads(payloads, len, &mut *context.cast::<PayloadBatch>()) };
}

/// A panic of the program's own code while a library waits for it: it goes around the library.
#[derive(Default)]
pub(super) struct Detour(Option<Box<dyn Any + Send>>);

impl Detour {
    /// Runs `call`, which must not unwind into the library.
    pub(super) fn catch<V>(&mut self, otherwise: V, call: impl FnOnce() -> V) -> V {
        catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
            self.0 = Some(panic);
            otherwise
        })
    }

    /// Back in the program: goes on unwinding.
    pub(super) fn resume(self) {
        if let Some(panic) = self.0 {
            resume_unwind(panic);
        }
    }
}
