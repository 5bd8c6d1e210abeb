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
//! - [`Pipeline`]: from a file to a running pipeline, and the typed door
//! - `cli`: the command line over anyone's registry
//! - `testkit`: the contracts of the roles as tests

#[cfg(feature = "cli")]
pub mod cli;
pub mod codec;
mod component;
pub mod connector;
mod error;
mod pipeline;
#[cfg(feature = "plugin")]
pub mod plugin;
pub mod record;
pub mod registry;
#[cfg(feature = "testkit")]
pub mod testkit;
pub mod transform;

// Each name has one path: what every author needs stands here, the rest in the module of its floor.
pub use codec::contract::{CollectionEncoder, Framing, RecordDecoder};
pub use component::{BuildContext, Component, NoConfig, role};
pub use connector::contract::{Progress, SinkConnector, SourceConnector};
pub use error::{DecodeError, EncodeError, Error, ErrorKind, Reason, RecordError, Status};
#[cfg(feature = "derive")]
pub use flow_derive::Component;
pub use frunk::{HCons as Cons, HNil as Nil};
pub use pipeline::metrics::{Metrics, Report};
pub use pipeline::problem::{Problem, Problems};
pub use pipeline::{Load, Pipeline, RunError, TypedPipeline, file_schema};
pub use record::collection::{Collect, CollectBatch, Collection, Subset};
pub use record::payload::{Checkpoint, Metadata, Payload, PayloadBatch};
pub use record::records::{Records, Value};
pub use record::schema::{Field, Schema, Type};
pub use record::template::Template;
pub use record::typed::TypedRecords;
pub use registry::builtins::Builtins;
pub use registry::entry::{Has, Override};
pub use registry::info::assert_registry;
pub use registry::list::Registry;
#[cfg(feature = "custom-codecs")]
pub use registry::runtime::CodecRegistry;
#[cfg(feature = "custom-connectors")]
pub use registry::runtime::ConnectorRegistry;
pub use registry::runtime::Runtime;
pub use transform::contract::RecordTransform;

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
