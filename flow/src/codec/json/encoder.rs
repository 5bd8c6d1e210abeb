//! Writes records as JSON.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::codec::contract::{CollectionEncoder, Framing};
use crate::component::{BuildContext, Component, role};
use crate::error::{EncodeError, Error, Reason, RecordError};
use crate::record::collection::Collection;
use crate::record::payload::PayloadBatch;

/// Writes records as JSON (RFC 8259), with serde_json.
///
/// A float of a columnar record that JSON cannot hold (NaN, the infinities) is an error of the record. In records
/// of the application's own types serde_json writes `null` for it.
#[derive(Debug)]
pub struct JsonEncoder {
    framing: JsonEncoderFraming,
}

/// The options of [`JsonEncoder`].
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct JsonEncoderConfig {
    /// How records lie in payloads.
    pub framing: JsonEncoderFraming,
}

/// How records lie in payloads that are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum JsonEncoderFraming {
    /// One object a payload.
    #[default]
    Object,
    /// All records of a batch in one payload, as an array.
    Array,
    /// All records of a batch in one payload, one a line, without a line break at the end.
    Lines,
}

impl JsonEncoder {
    /// An encoder that frames payloads like this.
    pub fn new(framing: JsonEncoderFraming) -> Self {
        Self { framing }
    }
}

impl Component for JsonEncoder {
    const ID: &'static str = "json";
    const DESCRIPTION: &'static str =
        "writes JSON: an object a payload, an array a batch, or an object a line";
    type Role = role::Encoder;
    type Config = JsonEncoderConfig;

    fn build(config: JsonEncoderConfig, _: &BuildContext) -> Result<Self, Error> {
        Ok(Self::new(config.framing))
    }
}

impl CollectionEncoder for JsonEncoder {
    fn framing(&self) -> Framing {
        match self.framing {
            JsonEncoderFraming::Object => Framing::PerRecord,
            JsonEncoderFraming::Array | JsonEncoderFraming::Lines => Framing::PerBatch,
        }
    }

    fn encode<C: Collection>(&mut self, records: &C, out: &mut PayloadBatch) -> Result<(), EncodeError> {
        let (open, separator, close): (&[u8], &[u8], &[u8]) = match self.framing {
            JsonEncoderFraming::Object => {
                for index in 0..records.len() {
                    write(records, index, out)?;
                    out.finish();
                }
                return Ok(());
            }
            JsonEncoderFraming::Array => (b"[", b",", b"]"),
            JsonEncoderFraming::Lines => (b"", b"\n", b""),
        };
        out.buffer().extend_from_slice(open);
        for index in 0..records.len() {
            if index > 0 {
                out.buffer().extend_from_slice(separator);
            }
            write(records, index, out)?;
        }
        out.buffer().extend_from_slice(close);
        out.finish();
        Ok(())
    }
}

/// Appends one record to the open payload, which is dropped where that fails.
fn write<C: Collection>(records: &C, index: usize, out: &mut PayloadBatch) -> Result<(), EncodeError> {
    let mut json = serde_json::Serializer::new(out.buffer());
    records.serialize(index, &mut json).map_err(|error| {
        out.discard_open();
        EncodeError::new(index, RecordError::new(Reason::Encode, error.to_string()))
    })
}
