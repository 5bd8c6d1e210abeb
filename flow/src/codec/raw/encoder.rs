//! Writes one field of each record as a payload.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::codec::contract::CollectionEncoder;
use crate::component::{BuildContext, Component, role};
use crate::error::{EncodeError, Error, Reason, RecordError};
use crate::record::collection::Collection;
use crate::record::fields::{FieldError, Fields, TakeField};
use crate::record::nearest::known_names;
use crate::record::payload::PayloadBatch;
use crate::record::records::Value;
use crate::record::schema::Schema;

/// Writes one field of each record, text or bytes, as a payload.
#[derive(Debug)]
pub struct RawEncoder {
    column: Option<String>,
}

/// The options of [`RawEncoder`].
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct RawEncoderConfig {
    /// The field that becomes the payload. Not needed where records have a single field of text or bytes.
    pub column: Option<String>,
}

impl Component for RawEncoder {
    const ID: &'static str = "raw";
    const DESCRIPTION: &'static str = "writes one field of each record, text or bytes, as a payload";
    type Role = role::Encoder;
    type Config = RawEncoderConfig;

    fn build(config: RawEncoderConfig, _: &BuildContext) -> Result<Self, Error> {
        Ok(Self { column: config.column })
    }
}

impl CollectionEncoder for RawEncoder {
    fn check(&self, schema: &Schema) -> Result<(), Error> {
        let names = schema.fields().iter().map(|field| field.name.as_str());
        match &self.column {
            Some(column) => schema.require("column", column).map(drop),
            None if schema.fields().len() == 1 => Ok(()),
            None => Err(Error::config(
                "column",
                format!("several columns; name the one to write ({})", known_names("", names)),
            )),
        }
    }

    fn encode<C: Collection>(&mut self, records: &C, out: &mut PayloadBatch) -> Result<(), EncodeError> {
        for index in 0..records.len() {
            let mut content = Content { column: self.column.as_deref(), out: out.buffer(), found: false };
            let written = records.serialize(index, Fields::new(&mut content));
            let written = written.map_err(FieldError::into_inner).and_then(|()| content.check());
            if let Err(error) = written {
                out.discard_open();
                return Err(EncodeError::new(index, error));
            }
            out.finish();
        }
        Ok(())
    }
}

/// Takes the field that becomes the payload.
struct Content<'a> {
    column: Option<&'a str>,
    out: &'a mut Vec<u8>,
    found: bool,
}

impl Content<'_> {
    fn check(&self) -> Result<(), RecordError> {
        match self.column {
            _ if self.found => Ok(()),
            Some(column) => {
                Err(RecordError::new(Reason::Encode, "the record has no such field").with_field(column))
            }
            None => {
                Err(RecordError::new(Reason::Encode, "the record has no field of text or bytes to write"))
            }
        }
    }
}

impl TakeField for Content<'_> {
    fn take(&mut self, name: Option<&str>, value: Value<'_>) -> Result<(), RecordError> {
        let named = |error: RecordError| match name {
            Some(name) => error.with_field(name),
            None => error,
        };
        let wanted = self.column.is_none() || name.is_none() || name == self.column;
        let bytes = match value {
            _ if !wanted => return Ok(()),
            Value::Text(text) => text.as_bytes(),
            Value::Bytes(bytes) => bytes,
            _ if self.column.is_none() && name.is_some() => return Ok(()),
            Value::Null => return Err(named(RecordError::new(Reason::Encode, "null is no payload"))),
            _ => {
                let message = "only text and bytes are payloads as they are";
                return Err(named(RecordError::new(Reason::Encode, message)));
            }
        };
        if self.found {
            let message = "a second field of text or bytes; name the one to write with `column`";
            return Err(named(RecordError::new(Reason::Encode, message)));
        }
        self.out.extend_from_slice(bytes);
        self.found = true;
        Ok(())
    }
}
