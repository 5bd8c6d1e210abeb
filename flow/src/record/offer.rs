//! Plain values as serde sees them: records for those who have fields in their hands, and no deserializer.

use serde::de::value::{Error, MapDeserializer};
use serde::de::{Deserializer, Error as _, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use crate::error::{Reason, RecordError};
use crate::record::collection::Collect;
use crate::record::records::Value;

/// What [`Collect::collect_fields`] does.
pub(super) fn collect<'de, C: Collect>(
    out: &mut C,
    fields: impl Iterator<Item = (&'de str, Value<'de>)>,
) -> Result<(), RecordError> {
    let collected = out.collect(MapDeserializer::<_, Error>::new(fields));
    collected
        .map_err(|error| out.fault().unwrap_or_else(|| RecordError::new(Reason::Type, error.to_string())))
}

/// One value of a record that is offered.
pub struct Offered<'de>(Value<'de>);

impl<'de> IntoDeserializer<'de, Error> for Value<'de> {
    type Deserializer = Offered<'de>;

    fn into_deserializer(self) -> Offered<'de> {
        Offered(self)
    }
}

impl<'de> Deserializer<'de> for Offered<'de> {
    type Error = Error;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::Int(value) => visitor.visit_i64(value),
            Value::UInt(value) => visitor.visit_u64(value),
            Value::Float(value) => visitor.visit_f64(value),
            Value::Text(value) => visitor.visit_borrowed_str(value),
            Value::Bytes(value) => visitor.visit_borrowed_bytes(value),
            Value::Nested => Err(Error::custom("a list or struct is more than one value")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Value::Text(variant) => visitor.visit_enum(variant.into_deserializer()),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            // A `Vec<u8>` of the application's own.
            Value::Bytes(bytes) => {
                visitor.visit_seq(serde::de::value::SeqDeserializer::new(bytes.iter().copied()))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        tuple tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use crate::error::{Reason, RecordError};
    use crate::record::collection::{Collect, Collection};
    use crate::record::records::{Records, Value};
    use crate::record::schema::{Field, Schema, Type};
    use crate::record::typed::TypedRecords;

    fn fields() -> [(&'static str, Value<'static>); 5] {
        [
            ("device", Value::Text("pump")),
            ("celsius", Value::Float(51.5)),
            ("level", Value::Text("High")),
            ("raw", Value::Bytes(&[1, 2])),
            ("note", Value::Null),
        ]
    }

    #[test]
    fn fields_become_columns_and_come_back() {
        let columns = [
            ("device", Type::String),
            ("celsius", Type::Float32),
            ("raw", Type::Binary),
            ("note", Type::Int8),
        ];
        let schema = Schema::new(columns.map(|(name, kind)| Field::new(name, kind)).into());
        let mut records = Records::new(&schema);
        records.collect_fields(fields()).unwrap();
        let mut seen = Vec::new();
        let visited = records.fields(0, |name, value| {
            seen.push(format!("{name} {value:?}"));
            Ok(())
        });
        visited.unwrap();
        assert_eq!(seen, ["device Text(\"pump\")", "celsius Float(51.5)", "raw Bytes([1, 2])", "note Null"]);
        let refused =
            records.fields(0, |name, _| Err(RecordError::new(Reason::Encode, "no").with_field(name)));
        assert_eq!(refused.unwrap_err().to_string(), "field `device`: no");
    }

    #[test]
    fn fields_become_structs() {
        #[derive(Debug, PartialEq, Deserialize)]
        enum Level {
            High,
        }
        #[derive(Debug, PartialEq, Deserialize)]
        struct Reading {
            device: String,
            celsius: f32,
            level: Level,
            raw: Vec<u8>,
            note: Option<u8>,
        }
        let mut records = TypedRecords::<Reading>::new();
        records.collect_fields(fields()).unwrap();
        let expected = Reading {
            device: "pump".to_owned(),
            celsius: 51.5,
            level: Level::High,
            raw: vec![1, 2],
            note: None,
        };
        assert_eq!(records.items(), [expected]);
    }

    #[test]
    fn the_collection_says_what_is_wrong() {
        let schema = Schema::new(vec![Field::new("device", Type::Int8)]);
        let error = Records::new(&schema).collect_fields(fields()).unwrap_err();
        assert_eq!((error.reason(), error.field()), (Reason::Type, Some("device")));
        let error = TypedRecords::<bool>::new().collect_fields(fields()).unwrap_err();
        assert_eq!(error.to_string(), "invalid type: map, expected a boolean");
        let error = Records::new(&schema).collect_fields([("device", Value::Nested)]).unwrap_err();
        assert_eq!(error.to_string(), "a list or struct is more than one value");
    }
}
