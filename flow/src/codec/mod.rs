//! Between wire formats and records.

pub(crate) mod contract;
#[cfg(feature = "json")]
pub mod json;
pub mod raw;

pub(crate) use contract::{CollectionEncoder, Framing, RecordDecoder};
