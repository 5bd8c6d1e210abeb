//! What changes columnar records on their way from decoder to encoder.

pub(crate) mod contract;
pub mod filter;
pub mod rename;
pub mod select;

pub(crate) use contract::RecordTransform;
