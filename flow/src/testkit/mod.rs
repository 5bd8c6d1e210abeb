//! The contracts of the four roles as tests: what the CI of a private crate runs over its components.
//!
//! An author says how to make the component and what stands on its other side; the kit calls it as a pipeline would,
//! and as a pipeline would on a bad day. [`conformance!`](crate::conformance) turns it into one test for each promise:
//!
//! ```
//! # use flow::{BuildContext, Collect, Component, DecodeError, Error, NoConfig, Reason, RecordDecoder, RecordError};
//! # use serde::de::value::{Error as ValueError, MapDeserializer};
//! # struct TinyDecoder;
//! # impl RecordDecoder for TinyDecoder {
//! #     fn decode<C: Collect>(&mut self, payload: &[u8], out: &mut C) -> Result<(), DecodeError> {
//! #         let [device, celsius] = payload else {
//! #             return Err(RecordError::new(Reason::Size, "two bytes are expected").into());
//! #         };
//! #         let fields = [("device", i64::from(*device)), ("celsius", i64::from(*celsius))];
//! #         let record = MapDeserializer::<_, ValueError>::new(fields.into_iter());
//! #         out.collect(record).map_err(|error| {
//! #             out.fault().unwrap_or_else(|| RecordError::new(Reason::Type, error.to_string())).into()
//! #         })
//! #     }
//! # }
//! use flow::{Field, Schema, Type};
//!
//! flow::conformance! {
//!     decoder tiny => flow::testkit::decoder(|| TinyDecoder)
//!         .schema(Schema::new(vec![Field::new("device", Type::Int64), Field::new("celsius", Type::Int64)]))
//!         .payloads([[7, 21], [8, 22]]);
//! }
//! # flow::testkit::decoder(|| TinyDecoder)
//! #     .schema(Schema::new(vec![Field::new("device", Type::Int64), Field::new("celsius", Type::Int64)]))
//! #     .payloads([[7, 21], [8, 22]]).run();
//! ```
//!
//! | role | what the author brings | what is checked |
//! |---|---|---|
//! | [`source`] | a [`SourceFixture`]: the other side, which offers payloads and sees what is acknowledged | [`SourceKit`] |
//! | [`sink`] | a [`SinkFixture`]: the other side, which says what has arrived | [`SinkKit`] |
//! | [`decoder`] | a schema and good payloads | [`DecoderKit`] |
//! | [`encoder`] | a schema; better still a decoder of the same format | [`EncoderKit`] |
//!
//! What an other side cannot do (lose a connection, refuse a payload) is not checked, and the test's output says so.
//! Each check runs on a thread of its own with a deadline, so a component that panics, blocks or loops fails its test
//! and no other.

mod bytes;
mod decoder;
mod encoder;
mod macros;
mod polling;
mod rows;
mod sink;
mod source;
mod verdict;

pub use decoder::{DecoderKit, decoder};
pub use encoder::{EncoderKit, NoDecoder, ReadBack, WithDecoder, encoder};
pub use sink::{SinkFixture, SinkKit, sink};
pub use source::{SourceFixture, SourceKit, source};
pub use verdict::{Verdict, Violation};
