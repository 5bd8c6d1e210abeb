//! A decoder: the lines of some pumps.

use flow::{
    BuildContext, Collect, Component, DecodeError, Error, NoConfig, Reason, RecordDecoder, RecordError, Value,
};

/// Reads `key=value;key=value`, one record. A value is a number where it can be one.
#[derive(Debug, Component)]
#[component(decoder, id = "pairs")]
pub struct PairsDecoder;

impl PairsDecoder {
    fn new(_: NoConfig, _: &BuildContext) -> Result<Self, Error> {
        Ok(Self)
    }
}

impl RecordDecoder for PairsDecoder {
    fn decode<C: Collect>(&mut self, payload: &[u8], out: &mut C) -> Result<(), DecodeError> {
        let text = std::str::from_utf8(payload)
            .map_err(|error| RecordError::new(Reason::Utf8, "not UTF-8").with_offset(error.valid_up_to()))?;
        let mut fields = Vec::new();
        for pair in text.split(';') {
            let (key, value) = pair
                .split_once('=')
                .ok_or_else(|| RecordError::new(Reason::Syntax, format!("`{pair}` is no `key=value`")))?;
            fields.push((key, value.parse().map_or(Value::Text(value), Value::Float)));
        }
        Ok(out.collect_fields(fields)?)
    }
}
