//! Between wire formats and records.

mod contract;
#[cfg(feature = "json")]
pub mod json;
pub mod raw;

pub use contract::{CollectionEncoder, Framing, RecordDecoder};
