//! A plugin: `cargo build -p pump-plugin` makes `libpump_plugin.so`, and `flow run FILE --plugins DIR` finds it there.
//!
//! Nothing but the last line of this file knows that it is one. The same components stand in a list
//! (`Cons<PumpSource, …>`) or are registered (`runtime.connectors().register::<PumpSource>()`) just as well. One of
//! them comes from another crate, which knows of plugins even less.

mod pairs;
mod pump;
mod spool;
mod text;

pub use acme::AcmeDecoder;
pub use pairs::PairsDecoder;
pub use pump::PumpSource;
pub use spool::SpoolSink;
pub use text::TextEncoder;

flow::export_plugin!(PumpSource, PairsDecoder, TextEncoder, SpoolSink, AcmeDecoder);
