//! A source that plays a script and a sink that records: for tests of pipelines and of components around them.
//!
//! Both are watched and steered through a handle. A component built in Rust comes with its handle; one built from
//! a pipeline file that says `name = "x"` shares the handle that `MockSource::handle("x")` or
//! `MockSink::handle("x")` returns, in the whole process. All waiting is for a condition, never for a time.
//!
//! ```
//! use flow::connector::mock::{MockSink, MockSource};
//! use flow::{Checkpoint, PayloadBatch, Progress, SinkConnector, SourceConnector};
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let (mut source, script) = MockSource::new();
//! script.payloads(["a", "b"]).end();
//! let (mut sink, recorded) = MockSink::new();
//!
//! let mut batch = PayloadBatch::new();
//! while let Progress::Batch(checkpoint) = source.next(&mut batch).await? {
//!     sink.write(&batch, checkpoint).await?;
//!     source.acknowledge(sink.confirmed().await?).await?;
//!     batch.clear();
//! }
//! assert_eq!(recorded.texts(), ["a", "b"]);
//! assert_eq!(script.acknowledged(), [Checkpoint(1)]);
//! # Ok::<(), flow::Error>(()) }).unwrap();
//! ```

mod shared;
mod sink;
mod source;
#[cfg(test)]
mod tests;

pub use sink::{MockPayload, MockSink, MockSinkConfig, MockSinkHandle};
pub use source::{MockEnd, MockSource, MockSourceConfig, MockSourceHandle};
