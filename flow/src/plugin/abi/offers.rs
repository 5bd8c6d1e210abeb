//! What a library offers when it registers: checked and copied.

use std::ffi::c_void;
use std::sync::Arc;

use crate::plugin::abi::MINOR;
use crate::plugin::abi::types::{
    Bytes, Component, DecoderTable, EncoderTable, Failure, Registry, SinkTable, SourceTable, Status, status,
};

/// The entry point of a library.
pub(crate) type Entry = unsafe extern "C" fn(*const Registry, *mut Failure) -> Status;

/// A component that a library has offered.
#[derive(Clone)]
pub(crate) struct Offer {
    pub(crate) id: String,
    pub(crate) description: String,
    pub(crate) config_schema: String,
    pub(crate) table: Table,
}

/// The table of a component, complete.
#[derive(Clone)]
pub(crate) enum Table {
    Source(Arc<SourceTable>),
    Sink(Arc<SinkTable>),
    Decoder(Arc<DecoderTable>),
    Encoder(Arc<EncoderTable>),
}

/// Asks a library for its components.
///
/// # Safety
/// `entry` is the entry point of a plugin of our major, which is never unloaded.
///
/// # Errors
/// What the library says, or what is wrong with an offer, in words.
pub(crate) unsafe fn offers(entry: Entry, log: bool) -> Result<Vec<Offer>, String> {
    let mut offers: Vec<Offer> = Vec::new();
    let mut failure = Failure::new();
    let registry = Registry {
        size: size_of::<Registry>(),
        minor: MINOR,
        context: (&raw mut offers).cast(),
        register: Some(take_offer),
        log: log.then_some(write_line as unsafe extern "C" fn(u32, Bytes, Bytes)),
    };
    // SAFETY: the caller's promise; both structs are lent for the call.
    let registered = unsafe { entry(&registry, &mut failure) };
    match registered {
        status::OK => Ok(offers),
        status::PANICKED => Err(format!("it panicked while it registered: {}", failure.message())),
        _ => Err(format!("its registration failed: {}", failure.message())),
    }
}

unsafe extern "C" fn take_offer(
    context: *mut c_void,
    offered: *const Component,
    failure: *mut Failure,
) -> Status {
    // SAFETY: `context` is the list in `offers`, which waits for the library; the others are lent for the call.
    let (offers, offered, failure) =
        unsafe { (&mut *context.cast::<Vec<Offer>>(), offered.as_ref(), failure.as_mut()) };
    // SAFETY: what is offered is lent for the call, and its table stands for ever.
    let read = offered.map(|offered| unsafe { read_offer(offered) });
    match read.unwrap_or_else(|| Err("nothing is offered".to_owned())) {
        Ok(offer) => {
            offers.push(offer);
            status::OK
        }
        Err(message) => {
            if let Some(failure) = failure {
                failure.set_message(&message);
            }
            status::FAILED
        }
    }
}

/// # Safety
/// All of `offered` may be read now, and its table for ever.
unsafe fn read_offer(offered: &Component) -> Result<Offer, String> {
    if offered.size < size_of::<Component>() {
        return Err(short("a component", offered.size, size_of::<Component>()));
    }
    // SAFETY: the caller's promise.
    let (id, description, config_schema) =
        unsafe { (offered.id.text(), offered.description.text(), offered.config_schema.text()) };
    let id = id.unwrap_or_default();
    let named = |message: String| format!("the component `{id}`: {message}");
    // SAFETY: the caller's promise; `read` looks at the size before anything else.
    let table = unsafe {
        match offered.role {
            0 => read(offered.table)
                .and_then(SourceTable::complete)
                .map(|table| Table::Source(Arc::new(table))),
            1 => read(offered.table).and_then(SinkTable::complete).map(|table| Table::Sink(Arc::new(table))),
            2 => read(offered.table)
                .and_then(DecoderTable::complete)
                .map(|table| Table::Decoder(Arc::new(table))),
            3 => read(offered.table)
                .and_then(EncoderTable::complete)
                .map(|table| Table::Encoder(Arc::new(table))),
            other => Err(format!("there is no role {other}")),
        }
    };
    let table = table.map_err(named)?;
    Ok(Offer {
        id,
        description: description.unwrap_or_default(),
        config_schema: config_schema.unwrap_or_else(|| "{}".to_owned()),
        table,
    })
}

fn short(what: &str, has: usize, needs: usize) -> String {
    format!("the struct of {what} has {has} bytes, this program needs {needs}")
}

/// Copies a table. What a newer minor has appended is left out.
///
/// # Safety
/// `table` is null or points to a table that begins with its size.
unsafe fn read<T: Copy>(table: *const c_void) -> Result<T, String> {
    if table.is_null() || !table.cast::<usize>().is_aligned() {
        return Err("it has no table".to_owned());
    }
    // SAFETY: the caller's promise; aligned.
    let size = unsafe { *table.cast::<usize>() };
    if size < size_of::<T>() {
        return Err(short("its table", size, size_of::<T>()));
    }
    // SAFETY: the table is at least as long as a `T`, whose every field may be null.
    Ok(unsafe { *table.cast::<T>() })
}

macro_rules! complete {
    ($($table:ident { $($function:ident)* })*) => { $(
        impl $table {
            fn complete(self) -> Result<Self, String> {
                $(
                    if self.$function.is_none() {
                        return Err(concat!("its table has no `", stringify!($function), "`").to_owned());
                    }
                )*
                Ok(self)
            }
        }
    )* };
}

complete! {
    SourceTable { build destroy open next acknowledge close }
    SinkTable { build destroy route check_route open write confirmed close }
    DecoderTable { build destroy decode }
    EncoderTable { build destroy framing check encode }
}

unsafe extern "C" fn write_line(level: u32, target: Bytes, message: Bytes) {
    // SAFETY: both are lent for the call.
    let (target, message) =
        unsafe { (target.text().unwrap_or_default(), message.text().unwrap_or_default()) };
    match level {
        1 => tracing::error!(plugin = target, "{message}"),
        2 => tracing::warn!(plugin = target, "{message}"),
        3 => tracing::info!(plugin = target, "{message}"),
        4 => tracing::debug!(plugin = target, "{message}"),
        _ => tracing::trace!(plugin = target, "{message}"),
    }
}
