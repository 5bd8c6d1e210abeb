//! What crosses the border: plain C structs, as `flow_plugin.h` has them.
//!
//! Every table begins with its size. Everything is borrowed for the call, except a component's state, which
//! lives from `build` to `destroy`, and a waker that was cloned, which lives until it is released.

use std::ffi::c_void;

/// What a function of a table returns: one of the constants in [`status`].
pub type Status = i32;

/// The values of [`Status`].
#[allow(missing_docs, reason = "each is what its name says")]
pub mod status {
    pub const OK: i32 = 0;
    /// Not yet: the waker will be woken.
    pub const PENDING: i32 = 1;
    /// The source has nothing more and never will have.
    pub const END: i32 = 2;
    /// What failed stands in the caller's `Failure`.
    pub const FAILED: i32 = 3;
    /// A panic was caught; its text stands in the caller's `Failure`.
    pub const PANICKED: i32 = 4;
}

/// A component between `build` and `destroy`.
pub type State = *mut c_void;

type Build = Option<unsafe extern "C" fn(Bytes, Bytes, *const FaultSink, *mut State) -> Status>;
type Destroy = Option<unsafe extern "C" fn(State)>;
type PollUnit = Option<unsafe extern "C" fn(State, *const Waker, *mut Failure) -> Status>;

macro_rules! structs {
    ($( $(#[$meta:meta])* $name:ident { $( $(#[$about:meta])* $field:ident: $type:ty, )* } )*) => {
        $(
            $(#[$meta])*
            #[repr(C)]
            #[derive(Clone, Copy)]
            pub struct $name { $( $(#[$about])* pub(crate) $field: $type, )* }
        )*

        /// Every struct with its size and alignment, every field with its offset, in bytes: what must never change
        /// within a major.
        pub fn layout() -> String {
            let mut text = String::new();
            $(
                let (size, align) = (size_of::<$name>(), align_of::<$name>());
                text.push_str(&format!("{} size {size} align {align}\n", stringify!($name)));
                $(
                    let offset = std::mem::offset_of!($name, $field);
                    text.push_str(&format!("  {} {offset}\n", stringify!($field)));
                )*
            )*
            text
        }
    };
}

structs! {
    /// Borrowed bytes or UTF-8 text. No data: nothing is there.
    Bytes {
        /// The first byte.
        data: *const u8,
        /// How many.
        len: usize,
    }

    /// What is known of a plugin before it is loaded. It stands in a section of its own, `.flow_plugin`, and holds
    /// no pointer. Text ends with a zero byte.
    Manifest {
        /// [`MAGIC`](crate::plugin::abi::MAGIC).
        magic: [u8; 8],
        /// Of this struct, in bytes.
        size: u32,
        /// Another major is another border.
        major: u32,
        /// A newer minor only appends.
        minor: u32,
        /// In bits.
        pointer_width: u8,
        /// 1 little, 2 big.
        endian: u8,
        /// 1 unwinds, 2 aborts, 3 the language has no panics.
        panic: u8,
        /// Zero.
        reserved: u8,
        /// The sizes of the structs that stand in arrays or are passed by value: `Bytes`, `Header`, `Payload`, `Failure`.
        sizes: [u32; 4],
        /// The plugin's name.
        name: [u8; 64],
        /// Its version, which nobody compares.
        version: [u8; 32],
        /// What it was built for: `x86_64-linux-gnu`.
        target: [u8; 64],
        /// Since 1.1. What it was built by, for messages: nobody compares it.
        compiler: [u8; 64],
    }

    /// An error, allocated by whoever calls. Only as much of the texts counts as their lengths say.
    Failure {
        /// Of this struct, in bytes.
        size: u32,
        /// Of a connector's error: its kind, by position in `flow::ErrorKind`.
        kind: u32,
        /// Of a record's error: its reason, a number of its own, in the order of `FlowReason` in `flow_plugin.h`.
        reason: u32,
        /// The bits of [`flags`].
        flags: u32,
        /// The position of the payload or record at fault; all ones where there is none.
        index: u64,
        /// Where in the payload, in bytes; all ones where that is not known.
        offset: u64,
        /// Of `key`, in bytes.
        key_len: u32,
        /// Of `message`, in bytes.
        message_len: u32,
        /// The option or the field at fault.
        key: [u8; 256],
        /// What is wrong.
        message: [u8; 1024],
    }

    /// Where `build` says what is wrong with a config, each with the way to it, a JSON array of keys and positions; and
    /// what it uses.
    FaultSink {
        /// Of this struct, in bytes.
        size: usize,
        /// The first argument of the function.
        context: *mut c_void,
        /// Takes one fault: path, message.
        fault: Option<unsafe extern "C" fn(*mut c_void, Bytes, Bytes)>,
        /// Since 1.1. `BuildContext::claim` (1: it uses that alone) and `share` (0): the option that asks for it, dotted, and what
        /// it is. `FAILED`: another component has it; the caller's `Failure` is the fault.
        claim: Option<unsafe extern "C" fn(*mut c_void, Bytes, Bytes, u32, *mut Failure) -> Status>,
    }

    /// The waker of the host's task. To keep it, clone it; release or wake what was cloned, once.
    Waker {
        /// Of this struct, in bytes.
        size: usize,
        /// One more.
        clone: Option<unsafe extern "C" fn(*const Waker) -> *const Waker>,
        /// Wakes and releases a cloned waker.
        wake: Option<unsafe extern "C" fn(*const Waker)>,
        /// Wakes.
        wake_by_ref: Option<unsafe extern "C" fn(*const Waker)>,
        /// Releases a cloned waker.
        release: Option<unsafe extern "C" fn(*const Waker)>,
    }

    /// A name and a value beside a payload.
    Header {
        /// Text.
        name: Bytes,
        /// Text.
        value: Bytes,
    }

    /// A payload with what travels beside it.
    Payload {
        /// The bytes on the wire.
        bytes: Bytes,
        /// Text, or nothing.
        topic: Bytes,
        /// Text, or nothing.
        key: Bytes,
        /// `header_count` of them.
        headers: *const Header,
        /// How many headers.
        header_count: usize,
        /// In microseconds since 1970, where `has_time` is not 0.
        time: i64,
        /// Is the time known?
        has_time: u32,
    }

    /// Where a source or an encoder puts payloads: they are copied.
    PayloadSink {
        /// Of this struct, in bytes.
        size: usize,
        /// The first argument of the function.
        context: *mut c_void,
        /// Takes some.
        push: Option<unsafe extern "C" fn(*mut c_void, *const Payload, usize)>,
    }

    /// Where a decoder puts records.
    RowSink {
        /// Of this struct, in bytes.
        size: usize,
        /// The first argument of every function.
        context: *mut c_void,
        /// Takes one record, a row (`flow/src/plugin/rows/mod.rs` has the format) of a format that people read (1) or not (0).
        accept: Option<unsafe extern "C" fn(*mut c_void, Bytes, u32, *mut Failure) -> Status>,
        /// One element of the payload is lost while the rest goes on.
        reject: Option<unsafe extern "C" fn(*mut c_void, *const Failure)>,
        /// How many records were taken.
        len: Option<unsafe extern "C" fn(*mut c_void) -> usize>,
        /// Forgets all records from this one on.
        truncate: Option<unsafe extern "C" fn(*mut c_void, usize)>,
        /// Since 1.1. The keys of a record that are read, a row with a list of texts: others may be left out. Nothing: all are.
        keys: Bytes,
    }

    /// Where an encoder gets records.
    RowSource {
        /// Of this struct, in bytes.
        size: usize,
        /// The first argument of the function.
        context: *mut c_void,
        /// How many records there are.
        len: usize,
        /// The row at this position, for a format that people read (1) or not (0). It stands until the next call.
        row: Option<unsafe extern "C" fn(*mut c_void, usize, u32, *mut Bytes, *mut Failure) -> Status>,
    }

    /// A source. `next`, `acknowledge`, `open` and `close` are polled: after `PENDING` the same call comes again.
    SourceTable {
        /// Of this struct, in bytes.
        size: usize,
        /// From config and context, both JSON text, to a state.
        build: Build,
        /// Ends a state.
        destroy: Destroy,
        /// `SourceConnector::open`.
        open: PollUnit,
        /// `SourceConnector::next`, with the capacity of the batch and where its checkpoint goes.
        next: Option<unsafe extern "C" fn(State, *const Waker, usize, *const PayloadSink, *mut u64, *mut Failure) -> Status>,
        /// `SourceConnector::acknowledge`.
        acknowledge: Option<unsafe extern "C" fn(State, *const Waker, u64, *mut Failure) -> Status>,
        /// `SourceConnector::close`; only `destroy` follows.
        close: PollUnit,
    }

    /// A sink. `write`, `confirmed`, `open` and `close` are polled: after `PENDING` the same call comes again.
    SinkTable {
        /// Of this struct, in bytes.
        size: usize,
        /// From config and context, both JSON text, to a state.
        build: Build,
        /// Ends a state.
        destroy: Destroy,
        /// The template of `SinkConnector::route`, or nothing. It stands as long as the state.
        route: Option<unsafe extern "C" fn(State) -> Bytes>,
        /// Can this value stand in the route?
        check_route: Option<unsafe extern "C" fn(State, Bytes, *mut Failure) -> Status>,
        /// `SinkConnector::open`.
        open: PollUnit,
        /// `SinkConnector::write`; the payloads come with every poll.
        write: Option<unsafe extern "C" fn(State, *const Waker, *const Payload, usize, u64, *mut Failure) -> Status>,
        /// `SinkConnector::confirmed`, with where the checkpoint goes.
        confirmed: Option<unsafe extern "C" fn(State, *const Waker, *mut u64, *mut Failure) -> Status>,
        /// `SinkConnector::close`; only `destroy` follows.
        close: PollUnit,
    }

    /// A decoder.
    DecoderTable {
        /// Of this struct, in bytes.
        size: usize,
        /// From config and context, both JSON text, to a state.
        build: Build,
        /// Ends a state.
        destroy: Destroy,
        /// `RecordDecoder::decode`.
        decode: Option<unsafe extern "C" fn(State, Bytes, *const RowSink, *mut Failure) -> Status>,
    }

    /// An encoder.
    EncoderTable {
        /// Of this struct, in bytes.
        size: usize,
        /// From config and context, both JSON text, to a state.
        build: Build,
        /// Ends a state.
        destroy: Destroy,
        /// `CollectionEncoder::framing`: 0 a payload a record, 1 a payload a batch.
        framing: Option<unsafe extern "C" fn(State) -> u32>,
        /// `CollectionEncoder::check`: the schema is JSON text, as pipeline files have it.
        check: Option<unsafe extern "C" fn(State, Bytes, *mut Failure) -> Status>,
        /// `CollectionEncoder::encode`.
        encode: Option<unsafe extern "C" fn(State, *const RowSource, *const PayloadSink, *mut Failure) -> Status>,
    }

    /// One component that a plugin brings.
    Component {
        /// Of this struct, in bytes.
        size: usize,
        /// 0 source, 1 sink, 2 decoder, 3 encoder.
        role: u32,
        /// Text.
        id: Bytes,
        /// Text, or nothing.
        description: Bytes,
        /// The JSON Schema of the config, as text.
        config_schema: Bytes,
        /// The table of its role. It stands for ever.
        table: *const c_void,
    }

    /// What `register_connector_plugin` receives.
    Registry {
        /// Of this struct, in bytes.
        size: usize,
        /// The minor of the host.
        minor: u32,
        /// The first argument of `register`.
        context: *mut c_void,
        /// Offers one component.
        register: Option<unsafe extern "C" fn(*mut c_void, *const Component, *mut Failure) -> Status>,
        /// Writes a log line, for ever: level (1 error to 5 trace), where, what. None where nobody wants them.
        log: Option<unsafe extern "C" fn(u32, Bytes, Bytes)>,
    }
}

/// The bits of `Failure::flags`.
#[allow(missing_docs, reason = "each is what its comment says")]
pub mod flags {
    /// Trying again can help.
    pub const TEMPORARY: u32 = 1;
    /// The decoder has lost its place for good.
    pub const FATAL: u32 = 2;
    /// The collection itself refused the record: `Collect::fault` has it.
    pub const FAULT: u32 = 4;
    /// `index` names a payload that the sink refuses for good.
    pub const REFUSED: u32 = 8;
}
