//! Registries of 8 and of 64 components, with those of the job in front or at the end.

use std::iter::once;

use flow::codec::json::{JsonDecoder, JsonEncoder};
use flow::{
    BuildContext, Checkpoint, Collect, Collection, CollectionEncoder, Component, Cons, DecodeError,
    EncodeError, Error, Nil, NoConfig, PayloadBatch, Progress, Reason, RecordDecoder, RecordError,
    SinkConnector, SourceConnector, role,
};
use serde::de::value::{Error as ValueError, MapDeserializer};

use crate::job::components::{DropSink, SupplySource};
use crate::job::tiny::{TinyDecoder, TinyEncoder};

/// The six components of the jobs, in front of a tail.
type Jobs<T> = Cons<
    SupplySource,
    Cons<DropSink, Cons<JsonDecoder, Cons<JsonEncoder, Cons<TinyDecoder, Cons<TinyEncoder, T>>>>>,
>;

type Two<T> = Cons<FillSource<14>, Cons<FillSink<14>, T>>;
type Four<const N: usize, T> =
    Cons<FillSource<N>, Cons<FillSink<N>, Cons<FillDecoder<N>, Cons<FillEncoder<N>, T>>>>;
type FiftySix<T> = Four<
    0,
    Four<
        1,
        Four<
            2,
            Four<
                3,
                Four<
                    4,
                    Four<5, Four<6, Four<7, Four<8, Four<9, Four<10, Four<11, Four<12, Four<13, T>>>>>>>>>,
                >,
            >,
        >,
    >,
>;

pub(crate) type EightFirst = Jobs<Two<Nil>>;
pub(crate) type EightLast = Two<Jobs<Nil>>;
pub(crate) type SixtyFourFirst = Jobs<Two<FiftySix<Nil>>>;
pub(crate) type SixtyFourLast = FiftySix<Two<Jobs<Nil>>>;

const IDS: [&str; 15] = [
    "fill-0", "fill-1", "fill-2", "fill-3", "fill-4", "fill-5", "fill-6", "fill-7", "fill-8", "fill-9",
    "fill-10", "fill-11", "fill-12", "fill-13", "fill-14",
];

/// A source that the job does not use.
pub(crate) struct FillSource<const N: usize>(u64);

impl<const N: usize> Component for FillSource<N> {
    const ID: &'static str = IDS[N];
    type Role = role::Source;
    type Config = NoConfig;

    fn build(_: NoConfig, _: &BuildContext) -> Result<Self, Error> {
        Ok(Self(0))
    }
}

impl<const N: usize> SourceConnector for FillSource<N> {
    async fn next(&mut self, batch: &mut PayloadBatch) -> Result<Progress, Error> {
        batch.push(&[N as u8; 16]);
        self.0 += 1;
        Ok(Progress::Batch(Checkpoint(self.0)))
    }

    async fn acknowledge(&mut self, _: Checkpoint) -> Result<(), Error> {
        Ok(())
    }

    async fn close(self) -> Result<(), Error> {
        Ok(())
    }
}

/// A sink that the job does not use.
pub(crate) struct FillSink<const N: usize>(Checkpoint);

impl<const N: usize> Component for FillSink<N> {
    const ID: &'static str = IDS[N];
    type Role = role::Sink;
    type Config = NoConfig;

    fn build(_: NoConfig, _: &BuildContext) -> Result<Self, Error> {
        Ok(Self(Checkpoint(0)))
    }
}

impl<const N: usize> SinkConnector for FillSink<N> {
    async fn write(&mut self, batch: &PayloadBatch, checkpoint: Checkpoint) -> Result<(), Error> {
        self.0 = Checkpoint(checkpoint.0 + (batch.len() % (N + 1)) as u64);
        Ok(())
    }

    async fn confirmed(&mut self) -> Result<Checkpoint, Error> {
        Ok(self.0)
    }

    async fn close(self) -> Result<(), Error> {
        Ok(())
    }
}

/// A decoder that the job does not use: records of one number.
pub(crate) struct FillDecoder<const N: usize>;

impl<const N: usize> Component for FillDecoder<N> {
    const ID: &'static str = IDS[N];
    type Role = role::Decoder;
    type Config = NoConfig;

    fn build(_: NoConfig, _: &BuildContext) -> Result<Self, Error> {
        Ok(Self)
    }
}

impl<const N: usize> RecordDecoder for FillDecoder<N> {
    fn decode<C: Collect>(&mut self, payload: &[u8], out: &mut C) -> Result<(), DecodeError> {
        let fields = once((IDS[N], payload.len() as u64));
        out.collect(MapDeserializer::<_, ValueError>::new(fields)).map_err(|error| {
            out.fault().unwrap_or_else(|| RecordError::new(Reason::Type, error.to_string())).into()
        })
    }
}

/// An encoder that the job does not use: the same bytes for every record.
pub(crate) struct FillEncoder<const N: usize>;

impl<const N: usize> Component for FillEncoder<N> {
    const ID: &'static str = IDS[N];
    type Role = role::Encoder;
    type Config = NoConfig;

    fn build(_: NoConfig, _: &BuildContext) -> Result<Self, Error> {
        Ok(Self)
    }
}

impl<const N: usize> CollectionEncoder for FillEncoder<N> {
    fn encode<C: Collection>(&mut self, records: &C, out: &mut PayloadBatch) -> Result<(), EncodeError> {
        for _ in 0..records.len() {
            out.push(&[N as u8; 8]);
        }
        Ok(())
    }
}
