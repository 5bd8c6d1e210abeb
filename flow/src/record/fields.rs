//! The fields of a record of any type, as plain values.

use std::fmt;

use serde::ser::{Error, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple};
use serde::ser::{Impossible, Serialize, Serializer};

use crate::error::{Reason, RecordError};
use crate::record::records::Value;

/// Takes the fields of a record one by one.
pub(crate) trait TakeField {
    /// The field `name`; `None` where the record is no map or struct but one plain value.
    fn take(&mut self, name: Option<&str>, value: Value<'_>) -> Result<(), RecordError>;

    /// The same for a single byte, which is a number unless it is asked for.
    fn take_byte(&mut self, name: Option<&str>, value: u8) -> Result<(), RecordError> {
        self.take(name, value.into())
    }
}

/// Hands the fields of the record that is serialized into it to `take`. Bytes are taken as bytes, whether serde
/// calls them so or writes them as a sequence of `u8`.
pub(crate) struct Fields<'a, K> {
    take: &'a mut K,
    name: Option<&'a str>,
}

impl<'a, K: TakeField> Fields<'a, K> {
    pub(crate) fn new(take: &'a mut K) -> Self {
        Self { take, name: None }
    }

    fn plain<'v>(self, value: impl Into<Value<'v>>) -> Result<(), FieldError> {
        self.take.take(self.name, value.into()).map_err(FieldError)
    }

    fn parts(self) -> Parts<'a, K> {
        Parts { take: self.take, name: self.name, key: KeyText::default() }
    }
}

/// Appends the field `name` of `record` to `out`, as text.
pub(crate) fn append<T: Serialize>(record: &T, name: &str, out: &mut String) -> Result<(), RecordError> {
    let mut placeholder = Placeholder { name, out, found: false };
    record.serialize(Fields::new(&mut placeholder)).map_err(FieldError::into_inner)?;
    if placeholder.found {
        return Ok(());
    }
    Err(RecordError::new(Reason::Route, "the record has no such field").with_field(name))
}

struct Placeholder<'a> {
    name: &'a str,
    out: &'a mut String,
    found: bool,
}

impl TakeField for Placeholder<'_> {
    fn take(&mut self, name: Option<&str>, value: Value<'_>) -> Result<(), RecordError> {
        if name != Some(self.name) {
            return Ok(());
        }
        self.found = true;
        value.append_to(self.out).map_err(|error| error.with_field(self.name))
    }
}

/// A record error in serde's terms.
#[derive(Debug)]
pub(crate) struct FieldError(RecordError);

impl FieldError {
    pub(crate) fn into_inner(self) -> RecordError {
        self.0
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for FieldError {}

impl Error for FieldError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(RecordError::new(Reason::Encode, message.to_string()))
    }
}

impl<'a, K: TakeField> Serializer for Fields<'a, K> {
    type Ok = ();
    type Error = FieldError;
    type SerializeSeq = Bytes<'a, K>;
    type SerializeTuple = Bytes<'a, K>;
    type SerializeTupleStruct = Impossible<(), FieldError>;
    type SerializeTupleVariant = Impossible<(), FieldError>;
    type SerializeMap = Parts<'a, K>;
    type SerializeStruct = Parts<'a, K>;
    type SerializeStructVariant = Impossible<(), FieldError>;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_bool(self, value: bool) -> Result<(), FieldError> {
        self.plain(value)
    }

    fn serialize_i8(self, value: i8) -> Result<(), FieldError> {
        self.plain(value)
    }

    fn serialize_i16(self, value: i16) -> Result<(), FieldError> {
        self.plain(value)
    }

    fn serialize_i32(self, value: i32) -> Result<(), FieldError> {
        self.plain(value)
    }

    fn serialize_i64(self, value: i64) -> Result<(), FieldError> {
        self.plain(value)
    }

    fn serialize_u8(self, value: u8) -> Result<(), FieldError> {
        self.take.take_byte(self.name, value).map_err(FieldError)
    }

    fn serialize_u16(self, value: u16) -> Result<(), FieldError> {
        self.plain(value)
    }

    fn serialize_u32(self, value: u32) -> Result<(), FieldError> {
        self.plain(value)
    }

    fn serialize_u64(self, value: u64) -> Result<(), FieldError> {
        self.plain(value)
    }

    fn serialize_f32(self, value: f32) -> Result<(), FieldError> {
        // Through text, so that 0.1 stays 0.1 and does not become 0.10000000149011612.
        self.plain(value.to_string().parse().unwrap_or(f64::from(value)))
    }

    fn serialize_f64(self, value: f64) -> Result<(), FieldError> {
        self.plain(value)
    }

    fn serialize_char(self, value: char) -> Result<(), FieldError> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), FieldError> {
        self.plain(value)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), FieldError> {
        self.plain(value)
    }

    fn serialize_none(self) -> Result<(), FieldError> {
        self.plain(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), FieldError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), FieldError> {
        self.plain(Value::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), FieldError> {
        self.plain(Value::Null)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), FieldError> {
        self.plain(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), FieldError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), FieldError> {
        self.plain(Value::Nested)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Bytes<'a, K>, FieldError> {
        Ok(Bytes { take: self.take, name: self.name, bytes: ByteList(Some(Vec::new())) })
    }

    fn serialize_tuple(self, _: usize) -> Result<Bytes<'a, K>, FieldError> {
        self.serialize_seq(None)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Parts<'a, K>, FieldError> {
        Ok(self.parts())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Parts<'a, K>, FieldError> {
        Ok(self.parts())
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, FieldError> {
        Err(Error::custom(format!("a tuple struct `{name}` has no named fields")))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, FieldError> {
        Err(Error::custom(format!("a tuple variant `{name}::{variant}` has no named fields")))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, FieldError> {
        Err(Error::custom(format!("a struct variant `{name}::{variant}` is neither text nor a number")))
    }
}

/// A map or a struct: the record itself, or one of its fields.
pub(crate) struct Parts<'a, K> {
    take: &'a mut K,
    name: Option<&'a str>,
    key: KeyText,
}

impl<K: TakeField> Parts<'_, K> {
    fn part<T: Serialize + ?Sized>(&mut self, key: Option<&str>, value: &T) -> Result<(), FieldError> {
        match self.name {
            None => value.serialize(Fields { take: self.take, name: key.or(Some(self.key.as_str())) }),
            Some(_) => Ok(()),
        }
    }

    fn close(self) -> Result<(), FieldError> {
        match self.name {
            None => Ok(()),
            name => self.take.take(name, Value::Nested).map_err(FieldError),
        }
    }
}

impl<K: TakeField> SerializeMap for Parts<'_, K> {
    type Ok = ();
    type Error = FieldError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), FieldError> {
        key.serialize(Fields::new(&mut self.key))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), FieldError> {
        self.part(None, value)
    }

    fn end(self) -> Result<(), FieldError> {
        self.close()
    }
}

impl<K: TakeField> SerializeStruct for Parts<'_, K> {
    type Ok = ();
    type Error = FieldError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), FieldError> {
        self.part(Some(key), value)
    }

    fn end(self) -> Result<(), FieldError> {
        self.close()
    }
}

/// The key of a map, as text: a short one in place, so that the fields of a record cost no allocation.
#[derive(Default)]
struct KeyText {
    short: [u8; 32],
    len: usize,
    /// Where it is not short, or not a text.
    long: String,
}

impl KeyText {
    fn as_str(&self) -> &str {
        if self.long.is_empty() {
            std::str::from_utf8(&self.short[..self.len]).unwrap_or_default()
        } else {
            &self.long
        }
    }
}

impl TakeField for KeyText {
    fn take(&mut self, _: Option<&str>, value: Value<'_>) -> Result<(), RecordError> {
        self.long.clear();
        match value {
            Value::Text(text) if text.len() <= self.short.len() => {
                self.len = text.len();
                self.short[..self.len].copy_from_slice(text.as_bytes());
                Ok(())
            }
            value => {
                self.len = 0;
                value.append_to(&mut self.long)
            }
        }
    }
}

/// A sequence: bytes, where all of its elements are bytes.
pub(crate) struct Bytes<'a, K> {
    take: &'a mut K,
    name: Option<&'a str>,
    bytes: ByteList,
}

struct ByteList(Option<Vec<u8>>);

impl TakeField for ByteList {
    fn take(&mut self, _: Option<&str>, _: Value<'_>) -> Result<(), RecordError> {
        self.0 = None;
        Ok(())
    }

    fn take_byte(&mut self, _: Option<&str>, value: u8) -> Result<(), RecordError> {
        if let Some(bytes) = &mut self.0 {
            bytes.push(value);
        }
        Ok(())
    }
}

impl<K: TakeField> SerializeSeq for Bytes<'_, K> {
    type Ok = ();
    type Error = FieldError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), FieldError> {
        value.serialize(Fields { take: &mut self.bytes, name: Some("") })
    }

    fn end(self) -> Result<(), FieldError> {
        let value = self.bytes.0.as_deref().map_or(Value::Nested, Value::Bytes);
        self.take.take(self.name, value).map_err(FieldError)
    }
}

impl<K: TakeField> SerializeTuple for Bytes<'_, K> {
    type Ok = ();
    type Error = FieldError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), FieldError> {
        SerializeSeq::serialize_element(self, value)
    }

    fn end(self) -> Result<(), FieldError> {
        SerializeSeq::end(self)
    }
}
