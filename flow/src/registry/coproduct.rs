//! The role traits for the enums: one `match` a call, into code compiled for the component.
//!
//! Futures are joined by `Either`. An `async` block around the `match` would nest one deeper for each component and
//! overflow the compiler's depth limit at some thirty of them.

use std::future::{Future, Ready};
use std::sync::Arc;

use frunk::coproduct::{CNil, Coproduct};
use futures_util::future::Either;

use crate::codec::{CollectionEncoder, Framing, RecordDecoder};
use crate::connector::{Progress, SinkConnector, SourceConnector};
use crate::error::{DecodeError, EncodeError, Error};
use crate::record::{Checkpoint, Collect, CollectBatch, Collection, PayloadBatch, Records, Schema, Template};
use crate::transform::RecordTransform;

impl<H: SourceConnector, T: SourceConnector> SourceConnector for Coproduct<H, T> {
    fn open(&mut self) -> impl Future<Output = Result<(), Error>> + Send {
        match self {
            Coproduct::Inl(head) => Either::Left(head.open()),
            Coproduct::Inr(tail) => Either::Right(tail.open()),
        }
    }

    fn next(&mut self, batch: &mut PayloadBatch) -> impl Future<Output = Result<Progress, Error>> + Send {
        match self {
            Coproduct::Inl(head) => Either::Left(head.next(batch)),
            Coproduct::Inr(tail) => Either::Right(tail.next(batch)),
        }
    }

    fn acknowledge(&mut self, checkpoint: Checkpoint) -> impl Future<Output = Result<(), Error>> + Send {
        match self {
            Coproduct::Inl(head) => Either::Left(head.acknowledge(checkpoint)),
            Coproduct::Inr(tail) => Either::Right(tail.acknowledge(checkpoint)),
        }
    }

    fn close(self) -> impl Future<Output = Result<(), Error>> + Send {
        match self {
            Coproduct::Inl(head) => Either::Left(head.close()),
            Coproduct::Inr(tail) => Either::Right(tail.close()),
        }
    }
}

impl<H: SinkConnector, T: SinkConnector> SinkConnector for Coproduct<H, T> {
    fn open(&mut self) -> impl Future<Output = Result<(), Error>> + Send {
        match self {
            Coproduct::Inl(head) => Either::Left(head.open()),
            Coproduct::Inr(tail) => Either::Right(tail.open()),
        }
    }

    fn route(&self) -> Option<&Template> {
        match self {
            Coproduct::Inl(head) => head.route(),
            Coproduct::Inr(tail) => tail.route(),
        }
    }

    fn write(
        &mut self,
        batch: &PayloadBatch,
        checkpoint: Checkpoint,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        match self {
            Coproduct::Inl(head) => Either::Left(head.write(batch, checkpoint)),
            Coproduct::Inr(tail) => Either::Right(tail.write(batch, checkpoint)),
        }
    }

    fn confirmed(&mut self) -> impl Future<Output = Result<Checkpoint, Error>> + Send {
        match self {
            Coproduct::Inl(head) => Either::Left(head.confirmed()),
            Coproduct::Inr(tail) => Either::Right(tail.confirmed()),
        }
    }

    fn close(self) -> impl Future<Output = Result<(), Error>> + Send {
        match self {
            Coproduct::Inl(head) => Either::Left(head.close()),
            Coproduct::Inr(tail) => Either::Right(tail.close()),
        }
    }
}

impl<H: RecordDecoder, T: RecordDecoder> RecordDecoder for Coproduct<H, T> {
    #[inline]
    fn decode<C: Collect>(&mut self, payload: &[u8], out: &mut C) -> Result<(), DecodeError> {
        match self {
            Coproduct::Inl(head) => head.decode(payload, out),
            Coproduct::Inr(tail) => tail.decode(payload, out),
        }
    }

    fn decode_batch<C: CollectBatch>(
        &mut self,
        batch: &PayloadBatch,
        out: &mut C,
    ) -> Result<(), DecodeError> {
        match self {
            Coproduct::Inl(head) => head.decode_batch(batch, out),
            Coproduct::Inr(tail) => tail.decode_batch(batch, out),
        }
    }
}

impl<H: CollectionEncoder, T: CollectionEncoder> CollectionEncoder for Coproduct<H, T> {
    fn framing(&self) -> Framing {
        match self {
            Coproduct::Inl(head) => head.framing(),
            Coproduct::Inr(tail) => tail.framing(),
        }
    }

    fn check(&self, schema: &Schema) -> Result<(), Error> {
        match self {
            Coproduct::Inl(head) => head.check(schema),
            Coproduct::Inr(tail) => tail.check(schema),
        }
    }

    #[inline]
    fn encode<C: Collection>(&mut self, records: &C, out: &mut PayloadBatch) -> Result<(), EncodeError> {
        match self {
            Coproduct::Inl(head) => head.encode(records, out),
            Coproduct::Inr(tail) => tail.encode(records, out),
        }
    }
}

impl<H: RecordTransform, T: RecordTransform> RecordTransform for Coproduct<H, T> {
    fn bind(&mut self, input: &Arc<Schema>) -> Result<Arc<Schema>, Error> {
        match self {
            Coproduct::Inl(head) => head.bind(input),
            Coproduct::Inr(tail) => tail.bind(input),
        }
    }

    fn apply(&mut self, records: &mut Records) {
        match self {
            Coproduct::Inl(head) => head.apply(records),
            Coproduct::Inr(tail) => tail.apply(records),
        }
    }
}

// The end of each enum has no value, so none of these can be called.

#[allow(refining_impl_trait, reason = "a future of no value still needs a type")]
impl SourceConnector for CNil {
    fn next(&mut self, _: &mut PayloadBatch) -> Ready<Result<Progress, Error>> {
        match *self {}
    }

    fn acknowledge(&mut self, _: Checkpoint) -> Ready<Result<(), Error>> {
        match *self {}
    }

    fn close(self) -> Ready<Result<(), Error>> {
        match self {}
    }
}

#[allow(refining_impl_trait, reason = "a future of no value still needs a type")]
impl SinkConnector for CNil {
    fn write(&mut self, _: &PayloadBatch, _: Checkpoint) -> Ready<Result<(), Error>> {
        match *self {}
    }

    fn confirmed(&mut self) -> Ready<Result<Checkpoint, Error>> {
        match *self {}
    }

    fn close(self) -> Ready<Result<(), Error>> {
        match self {}
    }
}

impl RecordDecoder for CNil {
    fn decode<C: Collect>(&mut self, _: &[u8], _: &mut C) -> Result<(), DecodeError> {
        match *self {}
    }
}

impl CollectionEncoder for CNil {
    fn encode<C: Collection>(&mut self, _: &C, _: &mut PayloadBatch) -> Result<(), EncodeError> {
        match *self {}
    }
}

impl RecordTransform for CNil {
    fn bind(&mut self, _: &Arc<Schema>) -> Result<Arc<Schema>, Error> {
        match *self {}
    }

    fn apply(&mut self, _: &mut Records) {
        match *self {}
    }
}
