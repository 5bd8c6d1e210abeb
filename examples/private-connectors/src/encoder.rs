//! From records to frames.

use flow::{
    BuildContext, Collection, CollectionEncoder, Component, EncodeError, Error, PayloadBatch, Reason,
    RecordError, Schema, Value,
};

use crate::frame::Reading;

/// Writes each record as one of Acme's frames.
#[derive(Debug, Component)]
#[component(encoder, id = "acme", config = AcmeEncoderConfig)]
pub struct AcmeEncoder {
    columns: AcmeEncoderConfig,
    /// The device of the record that is written.
    device: String,
}

/// What a pipeline file may say about it.
#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AcmeEncoderConfig {
    /// The column with the device's name.
    pub device: String,
    /// The column with the temperature in °C.
    pub celsius: String,
    /// The column with the time, in milliseconds since 1970.
    pub time: String,
}

impl Default for AcmeEncoderConfig {
    fn default() -> Self {
        Self { device: "device_id".to_owned(), celsius: "celsius".to_owned(), time: "ts".to_owned() }
    }
}

impl AcmeEncoder {
    fn new(columns: AcmeEncoderConfig, _: &BuildContext) -> Result<Self, Error> {
        Ok(Self { columns, device: String::new() })
    }

    fn write<C: Collection>(
        &mut self,
        records: &C,
        index: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), RecordError> {
        let Self { columns, device } = self;
        let (mut named, mut celsius, mut time) = (false, None, None);
        records.fields(index, |name, value| {
            match value {
                Value::Text(text) if name == columns.device => {
                    named = true;
                    text.clone_into(device);
                }
                Value::Float(value) if name == columns.celsius => celsius = Some(value),
                Value::Int(value) if name == columns.time => time = Some(value),
                _ if [&columns.device, &columns.celsius, &columns.time].contains(&&name.to_owned()) => {
                    return Err(
                        RecordError::new(Reason::Encode, "is of another type, or null").with_field(name)
                    );
                }
                _ => {}
            }
            Ok(())
        })?;
        let missing =
            |name: &str| RecordError::new(Reason::Encode, "the record has no such field").with_field(name);
        if !named {
            return Err(missing(&columns.device));
        }
        let celsius = celsius.ok_or_else(|| missing(&columns.celsius))?;
        let time = time.ok_or_else(|| missing(&columns.time))?;
        Reading { device, celsius, time }.write_frame(out)
    }
}

impl CollectionEncoder for AcmeEncoder {
    fn check(&self, schema: &Schema) -> Result<(), Error> {
        let AcmeEncoderConfig { device, celsius, time } = &self.columns;
        for (key, column) in [("device", device), ("celsius", celsius), ("time", time)] {
            schema.require(key, column)?;
        }
        Ok(())
    }

    fn encode<C: Collection>(&mut self, records: &C, out: &mut PayloadBatch) -> Result<(), EncodeError> {
        for index in 0..records.len() {
            if let Err(error) = self.write(records, index, out.buffer()) {
                out.discard_open();
                return Err(EncodeError::new(index, error));
            }
            out.finish();
        }
        Ok(())
    }
}
