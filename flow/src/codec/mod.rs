//! Between wire formats and records.

mod contract;

pub use contract::{CollectionEncoder, Framing, RecordDecoder};
