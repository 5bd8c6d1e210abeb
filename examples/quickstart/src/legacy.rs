//! The private part of the quickstart: a decoder for the text protocol of old sensors,
//! `device_id=pump-7;temperature=71.5`.

use flow::{BuildContext, Collect, Component, DecodeError, Error, Reason, RecordDecoder, RecordError, Value};

/// An old text protocol: `key=value` pairs in a line, one record.
#[derive(Debug, Component)]
#[component(decoder, id = "key-value", config = KeyValueConfig)]
pub(crate) struct KeyValueDecoder {
    separator: char,
}

/// What a pipeline file may say about it.
#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyValueConfig {
    /// What stands between two pairs; `;` where nothing is said.
    #[serde(default = "semicolon")]
    separator: char,
}

fn semicolon() -> char {
    ';'
}

impl KeyValueDecoder {
    fn new(config: KeyValueConfig, _: &BuildContext) -> Result<Self, Error> {
        if config.separator == '=' {
            return Err(Error::config("separator", "`=` stands between key and value already"));
        }
        Ok(Self { separator: config.separator })
    }
}

impl RecordDecoder for KeyValueDecoder {
    fn decode<C: Collect>(&mut self, payload: &[u8], out: &mut C) -> Result<(), DecodeError> {
        let text = std::str::from_utf8(payload)
            .map_err(|error| RecordError::new(Reason::Utf8, "not UTF-8").with_offset(error.valid_up_to()))?;
        let mut fields = Vec::new();
        for pair in text.trim_end().split(self.separator) {
            let (key, value) = pair
                .split_once('=')
                .ok_or_else(|| RecordError::new(Reason::Syntax, format!("`{pair}` is no `key=value`")))?;
            fields.push((key, typed(value)));
        }
        Ok(out.collect_fields(fields)?)
    }
}

/// A value on the wire has no type: it is a number where it can be one.
fn typed(value: &str) -> Value<'_> {
    if let Ok(number) = value.parse::<i64>() {
        number.into()
    } else if let Ok(number) = value.parse::<f64>() {
        number.into()
    } else {
        value.into()
    }
}

#[cfg(test)]
mod tests {
    use super::{KeyValueConfig, KeyValueDecoder};
    use flow::{BuildContext, Component, RecordDecoder, TypedRecords, testkit};
    use serde_json::json;

    #[derive(serde::Deserialize)]
    struct Reading {
        device_id: String,
        temperature: f64,
    }

    fn decoder() -> KeyValueDecoder {
        KeyValueDecoder::build(KeyValueConfig { separator: ';' }, &BuildContext::default()).unwrap()
    }

    fn schema() -> std::sync::Arc<flow::Schema> {
        flow::Schema::from_value(&json!({ "device_id": "string", "temperature": "float64" })).unwrap()
    }

    flow::conformance! {
        decoder key_value => testkit::decoder(decoder).schema(schema())
            .payloads(["device_id=pump-7;temperature=71.5\r\n", "device_id=pump-7;fan=3;temperature=71"]);
    }

    fn decode(payload: &[u8]) -> Result<String, String> {
        let mut records = TypedRecords::<Reading>::new();
        decoder().decode(payload, &mut records).map_err(|error| error.to_string())?;
        Ok(records
            .drain()
            .map(|(_, reading)| format!("{} {}", reading.device_id, reading.temperature))
            .collect())
    }

    #[test]
    fn a_line_becomes_a_record() {
        assert_eq!(decode(b"device_id=pump-7;temperature=71.5\r\n").unwrap(), "pump-7 71.5");
        assert_eq!(decode(b"device_id=pump-7;fan=3;temperature=71").unwrap(), "pump-7 71");
    }

    #[test]
    fn what_is_no_line_is_said() {
        assert_eq!(decode(b"device_id=pump-7;71.5").unwrap_err(), "`71.5` is no `key=value`");
        assert_eq!(decode(b"device_id=\xff").unwrap_err(), "not UTF-8 at byte 10");
        assert_eq!(decode(b"device_id=pump-7").unwrap_err(), "missing field `temperature`");
        let refused = KeyValueDecoder::build(KeyValueConfig { separator: '=' }, &BuildContext::default());
        assert_eq!(refused.unwrap_err().key(), Some("separator"));
    }
}
