//! Streaming pipelines at the edge, composed at compile time over a registry type.
//!
//! The README is the tour. The layout, from the lowest floor up; a module imports only
//! from lower ones:
//!
//! - [`Error`], [`RecordError`] and their like: the words for what goes wrong
//! - [`record`]: payloads, schemas, columnar and typed records; [`Component`] and [`role`]: what a listed part is
//! - [`connector`], [`codec`], [`transform`]: the contracts of the five roles, and the parts that ship with `flow`
//! - `plugin`: components out of loaded libraries
//! - [`registry`]: the type-level list, and what the compiler makes of it
//! - [`pipeline`]: from a file to a running pipeline, and the typed door
//! - `cli`: the command line over anyone's registry
//! - `testkit`: the contracts of the roles as tests

#[cfg(feature = "cli")]
pub mod cli;
pub mod codec;
mod component;
pub mod connector;
mod error;
pub mod pipeline;
#[cfg(feature = "plugin")]
pub mod plugin;
pub mod record;
pub mod registry;
#[cfg(feature = "testkit")]
pub mod testkit;
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
    Subset, Template, Type, TypedRecords, Value,
};
#[cfg(feature = "custom-codecs")]
pub use registry::CodecRegistry;
#[cfg(feature = "custom-connectors")]
pub use registry::ConnectorRegistry;
pub use registry::{Builtins, Cons, Has, Nil, Override, Registry, Runtime, assert_registry};
pub use transform::RecordTransform;

/// The code blocks of the README and of the documents, as tests.
#[cfg(all(
    doctest,
    feature = "mqtt",
    feature = "json",
    feature = "cli",
    feature = "derive",
    feature = "testkit"
))]
mod documents {
    #[doc = include_str!("../README.md")]
    struct Readme;
    #[doc = include_str!("../docs/connector.md")]
    struct Connector;
    #[doc = include_str!("../docs/codec.md")]
    struct Codec;
    #[doc = include_str!("../docs/upgrade.md")]
    struct Upgrade;
}
