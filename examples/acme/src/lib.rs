//! The private part of the quickstart: a decoder for the text protocol of Acme's old sensors,
//! `device_id=pump-7;temperature=71.5`.
//!
//! The crate depends on `flow` and `flow` knows nothing of it. A binary lists it in front of the built-in components:
//!
//! ```
//! type MyRegistry = flow::Cons<acme::AcmeDecoder, flow::Builtins>;
//! const _: () = flow::assert_registry::<MyRegistry>();
//! ```

use flow::{BuildContext, Collect, Component, DecodeError, Error, Reason, RecordDecoder, RecordError};
use serde::de::value::{Error as ValueError, MapDeserializer};
use serde::de::{Deserializer, IntoDeserializer, Visitor};

/// Acme's text protocol: `key=value` pairs in a line, one record.
#[derive(Debug, Component)]
#[component(decoder, id = "acme", config = AcmeConfig)]
pub struct AcmeDecoder {
    separator: char,
}

/// What a pipeline file may say about it.
#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcmeConfig {
    /// What stands between two pairs; `;` where nothing is said.
    #[serde(default = "semicolon")]
    separator: char,
}

fn semicolon() -> char {
    ';'
}

impl AcmeDecoder {
    fn new(config: AcmeConfig, _: &BuildContext) -> Result<Self, Error> {
        if config.separator == '=' {
            return Err(Error::config("separator", "`=` stands between key and value already"));
        }
        Ok(Self { separator: config.separator })
    }
}

impl RecordDecoder for AcmeDecoder {
    fn decode<C: Collect>(&mut self, payload: &[u8], out: &mut C) -> Result<(), DecodeError> {
        let text = std::str::from_utf8(payload)
            .map_err(|error| RecordError::new(Reason::Utf8, "not UTF-8").with_offset(error.valid_up_to()))?;
        let mut pairs = Vec::new();
        for pair in text.trim_end().split(self.separator) {
            let (key, value) = pair
                .split_once('=')
                .ok_or_else(|| RecordError::new(Reason::Syntax, format!("`{pair}` is no `key=value`")))?;
            pairs.push((key, Value(value)));
        }
        let record = MapDeserializer::<_, ValueError>::new(pairs.into_iter());
        out.collect(record).map_err(|error| {
            // The record itself knows best which field was wrong.
            out.fault().unwrap_or_else(|| RecordError::new(Reason::Type, error.to_string())).into()
        })
    }
}

/// A value on the wire has no type: it is a number where it can be one.
struct Value<'a>(&'a str);

impl<'de> IntoDeserializer<'de, ValueError> for Value<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Value<'de> {
    type Error = ValueError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        if let Ok(number) = self.0.parse() {
            visitor.visit_i64(number)
        } else if let Ok(number) = self.0.parse() {
            visitor.visit_f64(number)
        } else {
            visitor.visit_borrowed_str(self.0)
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_some(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::{AcmeConfig, AcmeDecoder};
    use flow::{BuildContext, Collection, Component, RecordDecoder, TypedRecords};

    #[derive(Debug, PartialEq, serde::Deserialize, serde::Serialize)]
    struct Reading {
        device_id: String,
        temperature: f64,
    }

    fn decode(payload: &[u8]) -> Result<String, String> {
        let config = AcmeConfig { separator: ';' };
        let mut decoder =
            AcmeDecoder::build(config, &BuildContext::default()).map_err(|error| error.to_string())?;
        let mut records = TypedRecords::<Reading>::new();
        decoder.decode(payload, &mut records).map_err(|error| error.to_string())?;
        assert_eq!(Collection::len(&records), 1);
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
        let config = AcmeConfig { separator: '=' };
        let refused = AcmeDecoder::build(config, &BuildContext::default()).unwrap_err();
        assert_eq!(refused.key(), Some("separator"));
    }
}
