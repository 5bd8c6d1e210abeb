//! Reads a payload as one record.

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::Error as ValueError;

use crate::codec::contract::RecordDecoder;
use crate::codec::raw::value::{Content, RawRecord};
use crate::component::{BuildContext, Component, role};
use crate::error::{DecodeError, Error, Reason, RecordError};
use crate::record::collection::Collect;

/// Reads a payload as one record with one field: its bytes, or its text.
///
/// A `binary` column takes bytes; a `string` column takes text, and bytes where they are UTF-8. A record of the
/// application's own type is a struct with that field, a `String`, or a `Vec<u8>`.
#[derive(Debug)]
pub struct RawDecoder {
    column: String,
    text: bool,
}

/// The options of [`RawDecoder`].
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct RawDecoderConfig {
    /// The field that holds the payload.
    pub column: String,
    /// Is the payload text? It is then checked for UTF-8.
    pub text: bool,
}

impl Default for RawDecoderConfig {
    fn default() -> Self {
        Self { column: "payload".to_owned(), text: false }
    }
}

impl Component for RawDecoder {
    const ID: &'static str = "raw";
    const DESCRIPTION: &'static str = "reads each payload as one record with one field, its bytes or text";
    type Role = role::Decoder;
    type Config = RawDecoderConfig;

    fn build(config: RawDecoderConfig, _: &BuildContext) -> Result<Self, Error> {
        if config.column.is_empty() {
            return Err(Error::config("column", "the column needs a name"));
        }
        Ok(Self { column: config.column, text: config.text })
    }
}

impl RecordDecoder for RawDecoder {
    fn decode<C: Collect>(&mut self, payload: &[u8], out: &mut C) -> Result<(), DecodeError> {
        let content = if self.text {
            Content::Text(std::str::from_utf8(payload).map_err(|error| {
                RecordError::new(Reason::Utf8, "the payload is not UTF-8 text")
                    .with_offset(error.valid_up_to())
            })?)
        } else {
            Content::Bytes(payload)
        };
        out.collect(RawRecord { column: &self.column, content }).map_err(|error: ValueError| {
            out.fault().unwrap_or_else(|| RecordError::new(Reason::Type, error.to_string())).into()
        })
    }
}
