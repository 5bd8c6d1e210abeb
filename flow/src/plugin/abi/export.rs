//! The library's side of the tables, generic over its components. Panics are caught here: the program cannot.

use std::any::Any;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;

use crate::component::{Component, ConfigFault};
use crate::error::Error;
use crate::plugin::abi::types::{self, Bytes, Failure, FaultSink, Registry, State, Status, status};
use crate::plugin::{guest, log};

/// A component that a library offers. [`exported`] makes one.
pub struct Exported {
    role: u32,
    id: &'static str,
    description: &'static str,
    config_schema: fn() -> String,
    table: *const c_void,
}

/// What [`export_plugin!`](crate::export_plugin) needs of each of its components.
pub fn exported<C: Component>() -> Exported
where
    C::Role: ExportRole<C>,
{
    Exported {
        role: <C::Role as ExportRole<C>>::NUMBER,
        id: C::ID,
        description: C::DESCRIPTION,
        config_schema: || serde_json::Value::from(schemars::schema_for!(C::Config)).to_string(),
        table: <C::Role as ExportRole<C>>::table(),
    }
}

/// A role whose components can come out of a library: all but transforms.
///
/// # Safety
/// `table` points to a complete table of the role `NUMBER`, for `C`, that stands for ever.
#[diagnostic::on_unimplemented(
    message = "`{C}` cannot come out of a plugin",
    note = "sources, sinks, decoders and encoders can; a transform stands in the registry list"
)]
pub unsafe trait ExportRole<C> {
    #[doc(hidden)]
    const NUMBER: u32;
    #[doc(hidden)]
    fn table() -> *const c_void;
}

/// What `register_connector_plugin` does: offers the components one by one, until one is refused.
pub fn register(
    registry: Option<&Registry>,
    failure: Option<&mut Failure>,
    components: &[Exported],
) -> Status {
    let mut unheard = Failure::new();
    let failure = failure.unwrap_or(&mut unheard);
    guard(failure, |failure| {
        let Some((registry, offer)) = registry.and_then(|registry| Some((registry, registry.register?)))
        else {
            failure.set_message("the registry is null or empty");
            return status::FAILED;
        };
        if let Some(line) = registry.log {
            log::forward(Box::new(move |level, target, message| {
                // SAFETY: the host's function may be called for ever, and copies what it is lent.
                unsafe { line(level, Bytes::of(target.as_bytes()), Bytes::of(message.as_bytes())) }
            }));
        }
        for component in components {
            let schema = (component.config_schema)();
            let offered = types::Component {
                size: size_of::<types::Component>(),
                role: component.role,
                id: Bytes::of(component.id.as_bytes()),
                description: Bytes::of(component.description.as_bytes()),
                config_schema: Bytes::of(schema.as_bytes()),
                table: component.table,
            };
            // SAFETY: the registry is borrowed for this call, and all that is offered lives as long.
            let taken = unsafe { offer(registry.context, &offered, failure) };
            if taken != status::OK {
                return taken;
            }
        }
        status::OK
    })
}

/// Runs `call`; a panic becomes an error.
fn guard(failure: &mut Failure, call: impl FnOnce(&mut Failure) -> Status) -> Status {
    let caught = catch_unwind(AssertUnwindSafe(|| call(failure)));
    caught.unwrap_or_else(|panic| {
        failure.clear();
        failure.set_message(&panic_text(&*panic));
        status::PANICKED
    })
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a value that is no text").to_owned()
}

/// As [`guard`], for a call on the state of a component.
///
/// # Safety
/// `state` comes from `build` of the same table, nobody else uses it, and `failure` is the caller's.
pub(super) unsafe fn with<G>(
    state: State,
    failure: *mut Failure,
    call: impl FnOnce(&mut G, &mut Failure) -> Status,
) -> Status {
    let mut unheard = Failure::new();
    // SAFETY: the caller's promise.
    let failure = unsafe { failure.as_mut() }.unwrap_or(&mut unheard);
    guard(failure, |failure| {
        // SAFETY: the caller's promise: `build::<C, G>` made it.
        match unsafe { state.cast::<G>().as_mut() } {
            Some(state) => call(state, failure),
            None => {
                failure.set_message("the component was never built");
                status::FAILED
            }
        }
    })
}

pub(super) fn polled<T>(
    polled: Result<Poll<T>, Error>,
    failure: &mut Failure,
    ready: impl FnOnce(T) -> Status,
) -> Status {
    match polled {
        Ok(Poll::Ready(value)) => ready(value),
        Ok(Poll::Pending) => status::PENDING,
        Err(error) => {
            failure.set_error(&error);
            status::FAILED
        }
    }
}

/// Builds a `C` and what `wrap` makes of it.
///
/// # Safety
/// As the contract of `build` in the tables.
pub(super) unsafe fn build<C: Component, G>(
    config: Bytes,
    context: Bytes,
    faults: *const FaultSink,
    state: *mut State,
    wrap: impl FnOnce(C) -> G,
) -> Status {
    let say = |path: &str, message: &str| {
        // SAFETY: the caller's sink, borrowed for the call.
        if let Some((sink, fault)) = unsafe { faults.as_ref() }.and_then(|sink| Some((sink, sink.fault?))) {
            // SAFETY: as above; the texts live until the function returns.
            unsafe { fault(sink.context, Bytes::of(path.as_bytes()), Bytes::of(message.as_bytes())) };
        }
    };
    let built = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: the caller's bytes, borrowed for the call.
        let (config, context) = unsafe { (config.get(), context.get()) };
        let (built, used) = guest::build::<C>(config.unwrap_or_default(), context.unwrap_or_default())?;
        // SAFETY: as above.
        unsafe { claim(faults, used) }?;
        Ok::<G, Vec<ConfigFault>>(wrap(built))
    }));
    match built {
        Ok(Ok(built)) => {
            // SAFETY: the caller's place for it.
            unsafe { state.write(Box::into_raw(Box::new(built)).cast()) };
            status::OK
        }
        Ok(Err(faults)) => {
            for ConfigFault { path, message } in faults {
                say(&guest::path_text(&path), &message);
            }
            status::FAILED
        }
        Err(panic) => {
            say("[]", &panic_text(&*panic));
            status::PANICKED
        }
    }
}

/// Asks the program for what a component uses.
///
/// # Safety
/// `sink` is the one that `build` was called with.
unsafe fn claim(sink: *const FaultSink, used: Vec<guest::Used>) -> Result<(), Vec<ConfigFault>> {
    // SAFETY: the caller's promise.
    let Some((sink, claim)) = unsafe { sink.as_ref() }.and_then(|sink| Some((sink, sink.claim?))) else {
        return Ok(());
    };
    let mut failure = Failure::new();
    for (key, what, alone) in used {
        let (key, what) = (Bytes::of(key.as_bytes()), Bytes::of(what.as_bytes()));
        // SAFETY: the sink is lent for the call of `build`; the texts live until the function returns.
        let taken = unsafe { claim(sink.context, key, what, u32::from(alone), &mut failure) };
        if taken != status::OK {
            return Err(vec![failure.error().into()]);
        }
    }
    Ok(())
}

pub(super) unsafe extern "C" fn destroy<G>(state: State) {
    if !state.is_null() {
        // A panic in a destructor must not reach the program; there is nothing left to tell it.
        // SAFETY: `build` made it, and it is given up here.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(unsafe { Box::from_raw(state.cast::<G>()) })));
    }
}
