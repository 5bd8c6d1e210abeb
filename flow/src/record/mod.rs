//! What flows: payloads with their metadata, schemas, and collections of records.

#[cfg(feature = "arrow")]
mod arrow;
pub(crate) mod collection;
pub(crate) mod fields;
mod infer;
pub(crate) mod nearest;
mod offer;
pub(crate) mod payload;
pub(crate) mod records;
mod rejections;
pub(crate) mod schema;
pub(crate) mod template;
pub(crate) mod time;
pub(crate) mod typed;

pub(crate) use collection::{Collect, CollectBatch, Collection, Subset};
pub use infer::infer;
pub(crate) use payload::{Checkpoint, Payload, PayloadBatch};
pub(crate) use records::Records;
pub use records::{Cell, Column, Native};
pub(crate) use schema::{Field, Schema, Type};
pub use schema::{TimeForm, TimeUnit, json_schema};
pub(crate) use template::Template;
pub use template::{Piece, ValueCheck};
pub(crate) use typed::TypedRecords;
