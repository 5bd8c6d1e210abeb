//! What changes columnar records on their way from decoder to encoder.

mod contract;

pub use contract::RecordTransform;
