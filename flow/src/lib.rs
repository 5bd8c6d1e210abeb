//! Streaming pipelines at the edge, composed at compile time over a registry type.

pub mod codec;
mod component;
pub mod connector;
mod error;
pub mod record;
pub mod transform;

pub use codec::{CollectionEncoder, Framing, RecordDecoder};
pub use component::{BuildContext, Component, NoConfig, role};
pub use connector::{
    FileSink, FileSource, MockSink, MockSource, NopSink, Progress, SinkConnector, SourceConnector,
    StdinSource, StdoutSink,
};
pub use error::{DecodeError, EncodeError, Error, ErrorKind, Reason, RecordError, Status};
pub use record::{
    Checkpoint, Collect, CollectBatch, Collection, Field, Metadata, Payload, PayloadBatch, Records, Schema,
    Subset, Template, Type, TypedRecords,
};
pub use transform::RecordTransform;
