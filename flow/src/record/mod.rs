//! What flows: payloads with their metadata, schemas, and collections of records.

#[cfg(feature = "arrow")]
mod arrow;
pub mod collection;
pub(crate) mod fields;
pub mod infer;
pub(crate) mod nearest;
mod offer;
pub mod payload;
pub mod records;
mod rejections;
pub mod schema;
pub mod template;
pub(crate) mod time;
pub mod typed;

pub use collection::{Collect, CollectBatch, Collection, Subset};
pub use payload::{Checkpoint, Metadata, Payload, PayloadBatch};
pub use records::{Cell, Column, Native, Records, Value};
pub use schema::{Field, Schema, Type};
pub use template::Template;
pub use typed::TypedRecords;
