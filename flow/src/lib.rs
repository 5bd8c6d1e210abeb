//! Streaming pipelines at the edge, composed at compile time over a registry type.

#[cfg(feature = "cli")]
pub mod cli;
pub mod codec;
mod component;
pub mod connector;
mod error;
pub mod pipeline;
pub mod record;
pub mod registry;
pub mod transform;

pub use codec::{CollectionEncoder, Framing, RecordDecoder};
pub use component::{BuildContext, Component, NoConfig, role};
pub use connector::{
    FileSink, FileSource, MockSink, MockSource, NopSink, Progress, SinkConnector, SourceConnector,
    StdinSource, StdoutSink,
};
pub use error::{DecodeError, EncodeError, Error, ErrorKind, Reason, RecordError, Status};
#[cfg(feature = "derive")]
pub use flow_derive::Component;
pub use pipeline::{Metrics, Pipeline, Problem, Problems, Report, RunError, TypedPipeline};
pub use record::{
    Checkpoint, Collect, CollectBatch, Collection, Field, Metadata, Payload, PayloadBatch, Records, Schema,
    Subset, Template, Type, TypedRecords,
};
pub use registry::{Builtins, Cons, Has, Nil, Override, Registry, assert_registry};
pub use transform::RecordTransform;
