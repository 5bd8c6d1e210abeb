//! The waker of the host's task on its way over the border, and back.

use std::sync::Arc;
use std::task::{RawWaker, RawWakerVTable, Waker as TaskWaker};

use crate::plugin::abi::types::Waker;

/// What the host hands out: the table first, so that a pointer to it is a pointer to all of it.
#[repr(C)]
struct HostWaker {
    table: Waker,
    waker: TaskWaker,
}

/// The host's waker of the last poll, kept so that the next poll needs no new one.
#[derive(Default)]
pub(crate) struct WakerSlot(Option<Arc<HostWaker>>);

impl WakerSlot {
    /// A pointer for one call, good as long as `self` is not used again.
    #[cfg_attr(not(feature = "dynamic-connectors"), allow(dead_code, reason = "the program's side"))]
    pub(crate) fn lend(&mut self, waker: &TaskWaker) -> *const Waker {
        let known = self.0.as_ref().is_some_and(|kept| kept.waker.will_wake(waker));
        if !known {
            let table = Waker {
                size: size_of::<Waker>(),
                clone: Some(clone),
                wake: Some(wake),
                wake_by_ref: Some(wake_by_ref),
                release: Some(release),
            };
            self.0 = Some(Arc::new(HostWaker { table, waker: waker.clone() }));
        }
        self.0.as_ref().map_or(std::ptr::null(), |kept| Arc::as_ptr(kept).cast())
    }
}

unsafe extern "C" fn clone(waker: *const Waker) -> *const Waker {
    // SAFETY: only pointers from `lend` or `clone` come here: each is one to an `Arc`'s `HostWaker`, which lives.
    unsafe { Arc::increment_strong_count(waker.cast::<HostWaker>()) };
    waker
}

unsafe extern "C" fn wake(waker: *const Waker) {
    // SAFETY: a cloned pointer, which owns one count and is given up here.
    let waker = unsafe { Arc::from_raw(waker.cast::<HostWaker>()) };
    waker.waker.wake_by_ref();
}

unsafe extern "C" fn wake_by_ref(waker: *const Waker) {
    // SAFETY: a pointer that is lent or cloned: it lives for the call.
    unsafe { &*waker.cast::<HostWaker>() }.waker.wake_by_ref();
}

unsafe extern "C" fn release(waker: *const Waker) {
    // SAFETY: as in `wake`.
    drop(unsafe { Arc::from_raw(waker.cast::<HostWaker>()) });
}

/// The plugin's side: runs `poll` with the waker that was lent to it.
///
/// # Safety
/// `waker` is null or lent for the call, and its table is complete.
pub(crate) unsafe fn with_waker<T>(waker: *const Waker, poll: impl FnOnce(&TaskWaker) -> T) -> T {
    if waker.is_null() {
        return poll(TaskWaker::noop());
    }
    // SAFETY: the functions of `VTABLE` are those of the table, which keep the contract of `RawWaker`.
    let borrowed = unsafe { TaskWaker::from_raw(RawWaker::new(waker.cast(), &VTABLE)) };
    // It was lent: nobody may release it here.
    let borrowed = std::mem::ManuallyDrop::new(borrowed);
    poll(&borrowed)
}

static VTABLE: RawWakerVTable = RawWakerVTable::new(
    |waker| {
        let waker: *const Waker = waker.cast();
        // SAFETY: the waker lives for the call, and its table is complete.
        let clone = unsafe { (*waker).clone.map(|clone| clone(waker)) };
        RawWaker::new(clone.unwrap_or(waker).cast(), &VTABLE)
    },
    |waker| call(waker.cast(), |table| table.wake),
    |waker| call(waker.cast(), |table| table.wake_by_ref),
    |waker| call(waker.cast(), |table| table.release),
);

fn call(waker: *const Waker, function: impl FnOnce(&Waker) -> Option<unsafe extern "C" fn(*const Waker)>) {
    // SAFETY: `VTABLE` is only used with a waker that lives, and calls each function as its contract says.
    unsafe {
        if let Some(function) = function(&*waker) {
            function(waker);
        }
    }
}
