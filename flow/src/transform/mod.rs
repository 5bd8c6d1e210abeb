//! What changes columnar records on their way from decoder to encoder.

mod contract;
pub mod filter;
pub mod rename;
pub mod select;

pub use contract::RecordTransform;
