//! From frames to records.

use flow::{BuildContext, Collect, Component, DecodeError, Error, NoConfig, RecordDecoder, Value};

use crate::frame::{self, Reading};

/// Reads Acme's frames: a record with `device_id`, `celsius` and `ts` for each reading.
#[derive(Debug, Component)]
#[component(decoder, id = "acme")]
pub struct AcmeDecoder;

impl AcmeDecoder {
    fn new(_: NoConfig, _: &BuildContext) -> Result<Self, Error> {
        Ok(Self)
    }
}

impl RecordDecoder for AcmeDecoder {
    fn decode<C: Collect>(&mut self, payload: &[u8], out: &mut C) -> Result<(), DecodeError> {
        let mut body = frame::body(payload)?;
        while !body.is_empty() {
            let Reading { device, celsius, time } = Reading::take(&mut body)?;
            let fields =
                [("device_id", Value::Text(device)), ("celsius", celsius.into()), ("ts", time.into())];
            // One bad reading does not cost the others of its frame.
            out.collect_fields(fields).unwrap_or_else(|error| out.reject(error));
        }
        Ok(())
    }
}
