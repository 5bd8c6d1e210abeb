//! Components that panic when they are told to, and sources that only wait. A test that wants the registration to
//! panic writes `PANI` over the end of `MODE` in a copy of the library.

use std::time::Duration;

use flow::{
    BuildContext, Checkpoint, Collect, Collection, CollectionEncoder, Component, DecodeError, EncodeError,
    Error, Framing, NoConfig, PayloadBatch, Progress, RecordDecoder, SourceConnector,
};
use schemars::{JsonSchema, Schema, SchemaGenerator};

static MODE: [u8; 16] = *b"FAULTY-MODE:NONE";

/// Panics where a payload says so; all others are one empty record.
#[derive(Debug, Component)]
#[component(decoder, id = "faulty", config = FaultyConfig)]
pub struct FaultyDecoder;

/// Has a schema, or panics.
#[derive(Debug, serde::Deserialize)]
pub struct FaultyConfig {
    #[serde(default)]
    panic: bool,
}

impl JsonSchema for FaultyConfig {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FaultyConfig".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        assert!(!std::hint::black_box(&MODE).ends_with(b"PANI"), "no schema today");
        schemars::json_schema!({ "type": "object", "properties": { "panic": { "type": "boolean" } } })
    }
}

impl FaultyDecoder {
    fn new(config: FaultyConfig, _: &BuildContext) -> Result<Self, Error> {
        assert!(!config.panic, "not built today");
        Ok(Self)
    }
}

impl RecordDecoder for FaultyDecoder {
    fn decode<C: Collect>(&mut self, payload: &[u8], out: &mut C) -> Result<(), DecodeError> {
        assert_ne!(payload, b"panic", "told to");
        tracing::debug!(bytes = payload.len(), "decoding");
        tracing::trace!("finer than what crosses");
        let record = serde::de::value::MapDeserializer::<_, serde::de::value::Error>::new(
            std::iter::empty::<(&str, i64)>(),
        );
        out.collect(record).map_err(|error| out.fault().unwrap_or_else(|| panic!("{error}")).into())
    }
}

/// Panics at its second call.
#[derive(Debug, Component)]
#[component(encoder, id = "faulty")]
pub struct FaultyEncoder(usize);

impl FaultyEncoder {
    fn new(_: NoConfig, _: &BuildContext) -> Result<Self, Error> {
        Ok(Self(0))
    }
}

impl CollectionEncoder for FaultyEncoder {
    fn framing(&self) -> Framing {
        Framing::PerRecord
    }

    fn encode<C: Collection>(&mut self, records: &C, out: &mut PayloadBatch) -> Result<(), EncodeError> {
        self.0 += 1;
        assert!(self.0 < 2, "not a second time");
        for _ in 0..records.len() {
            out.push(b"encoded");
        }
        Ok(())
    }
}

/// Waits for ever and sometimes looks up.
#[derive(Debug, Component)]
#[component(source, id = "waiting")]
pub struct WaitingSource;

impl WaitingSource {
    fn new(_: NoConfig, _: &BuildContext) -> Result<Self, Error> {
        Ok(Self)
    }
}

impl SourceConnector for WaitingSource {
    async fn next(&mut self, _: &mut PayloadBatch) -> Result<Progress, Error> {
        loop {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn acknowledge(&mut self, _: Checkpoint) -> Result<(), Error> {
        Ok(())
    }

    async fn close(self) -> Result<(), Error> {
        Ok(())
    }
}

/// Panics when it is asked for a batch.
#[derive(Debug, Component)]
#[component(source, id = "panicking")]
pub struct PanickingSource;

impl PanickingSource {
    fn new(_: NoConfig, _: &BuildContext) -> Result<Self, Error> {
        Ok(Self)
    }
}

impl SourceConnector for PanickingSource {
    async fn next(&mut self, _: &mut PayloadBatch) -> Result<Progress, Error> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        panic!("no batch today");
    }

    async fn acknowledge(&mut self, _: Checkpoint) -> Result<(), Error> {
        Ok(())
    }

    async fn close(self) -> Result<(), Error> {
        Ok(())
    }
}

flow::export_plugin!(FaultyDecoder, FaultyEncoder, WaitingSource, PanickingSource);
