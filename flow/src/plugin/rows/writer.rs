//! Rows, written: from any deserializer, and as a serde serializer.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::ser::{self, Serialize, Serializer};

use crate::error::RecordError;
use crate::plugin::rows::{RowError, keys, tag};

fn number<const N: usize>(out: &mut Vec<u8>, tag: u8, bytes: [u8; N]) {
    out.push(tag);
    out.extend_from_slice(&bytes);
}

fn sized(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) -> Result<(), &'static str> {
    let len = u32::try_from(bytes.len()).map_err(|_| "a value of more than 4 GiB")?;
    number(out, tag, len.to_le_bytes());
    out.extend_from_slice(bytes);
    Ok(())
}

/// The head of a list or map whose length comes later. Returns where it goes.
fn open(out: &mut Vec<u8>, tag: u8) -> usize {
    number(out, tag, [0; 4]);
    out.len() - 4
}

fn close(out: &mut [u8], at: usize, len: u32) {
    out[at..at + 4].copy_from_slice(&len.to_le_bytes());
}

/// What becomes of a record once all of it is written.
pub(crate) type Finish<'a> = &'a mut dyn FnMut(&[u8]) -> Result<(), RecordError>;

/// Writes what a deserializer finds.
///
/// The record is handed to `finish` before the deserializer goes on, so that a refusal gets the place in the payload.
pub(crate) struct RowVisitor<'a> {
    pub(crate) out: &'a mut Vec<u8>,
    pub(crate) finish: Option<Finish<'a>>,
    /// The keys of this record that are read; None: all.
    pub(crate) keys: Option<&'a [String]>,
}

impl<'a> RowVisitor<'a> {
    /// For a value within a record.
    #[inline]
    pub(super) fn plain(out: &'a mut Vec<u8>) -> Self {
        Self { out, finish: None, keys: None }
    }

    #[inline]
    fn done<E: serde::de::Error>(self) -> Result<(), E> {
        match self.finish {
            None => Ok(()),
            Some(finish) => finish(self.out).map_err(E::custom),
        }
    }

    fn number<E: serde::de::Error, const N: usize>(self, tag: u8, bytes: [u8; N]) -> Result<(), E> {
        number(self.out, tag, bytes);
        self.done()
    }
}

impl<'de> DeserializeSeed<'de> for RowVisitor<'_> {
    type Value = ();

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for RowVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        self.number(if value { tag::TRUE } else { tag::FALSE }, [])
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        self.number(tag::INT, value.to_le_bytes())
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        self.number(tag::UINT, value.to_le_bytes())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        self.number(tag::FLOAT, value.to_le_bytes())
    }

    fn visit_f32<E: serde::de::Error>(self, value: f32) -> Result<(), E> {
        self.number(tag::FLOAT32, value.to_le_bytes())
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<(), E> {
        sized(self.out, tag::TEXT, value.as_bytes()).map_err(E::custom)?;
        self.done()
    }

    fn visit_bytes<E: serde::de::Error>(self, value: &[u8]) -> Result<(), E> {
        sized(self.out, tag::BYTES, value).map_err(E::custom)?;
        self.done()
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.number(tag::NULL, [])
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<(), E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let at = open(self.out, tag::LIST);
        let mut len = 0_u32;
        while seq.next_element_seed(RowVisitor::plain(self.out))?.is_some() {
            len = len.checked_add(1).ok_or_else(|| A::Error::custom("a list of 2^32 values"))?;
        }
        close(self.out, at, len);
        self.done()
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let at = open(self.out, tag::MAP);
        let len = match self.keys {
            Some(keys) => keys::entries(map, self.out, keys)?,
            None => keys::all_entries(map, self.out)?,
        };
        close(self.out, at, len);
        self.done()
    }
}

/// Writes what is serialized into it.
pub(crate) struct RowWriter<'a> {
    pub(crate) out: &'a mut Vec<u8>,
    /// For a format that people read?
    pub(crate) for_people: bool,
}

impl RowWriter<'_> {
    fn sized(self, tag: u8, bytes: &[u8]) -> Result<(), RowError> {
        sized(self.out, tag, bytes).map_err(RowError::new)
    }

    fn next(&mut self) -> RowWriter<'_> {
        RowWriter { out: self.out, for_people: self.for_people }
    }
}

impl<'a> RowWriter<'a> {
    fn parts(self, tag: u8) -> Parts<'a> {
        let at = open(self.out, tag);
        Parts { writer: self, at, len: 0 }
    }

    fn variant(mut self, name: &str) -> Result<Self, RowError> {
        number(self.out, tag::MAP, 1_u32.to_le_bytes());
        self.next().sized(tag::TEXT, name.as_bytes())?;
        Ok(self)
    }
}

/// The elements of a list or map, as they come.
pub(crate) struct Parts<'a> {
    writer: RowWriter<'a>,
    at: usize,
    len: u32,
}

impl Parts<'_> {
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), RowError> {
        self.len = self.len.checked_add(1).ok_or_else(|| RowError::new("a list of 2^32 values"))?;
        value.serialize(self.writer.next())
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), RowError> {
        self.writer.next().sized(tag::TEXT, name.as_bytes())?;
        self.element(value)
    }

    fn finish(self) -> Result<(), RowError> {
        close(self.writer.out, self.at, self.len);
        Ok(())
    }
}

macro_rules! numbers {
    ($($method:ident($type:ty as $to:ty) $tag:ident;)*) => { $(
        fn $method(self, value: $type) -> Result<(), RowError> {
            number(self.out, tag::$tag, <$to>::from(value).to_le_bytes());
            Ok(())
        }
    )* };
}

impl<'a> Serializer for RowWriter<'a> {
    type Ok = ();
    type Error = RowError;
    type SerializeSeq = Parts<'a>;
    type SerializeTuple = Parts<'a>;
    type SerializeTupleStruct = Parts<'a>;
    type SerializeTupleVariant = Parts<'a>;
    type SerializeMap = Parts<'a>;
    type SerializeStruct = Parts<'a>;
    type SerializeStructVariant = Parts<'a>;

    numbers! {
        serialize_i8(i8 as i64) INT;
        serialize_i16(i16 as i64) INT;
        serialize_i32(i32 as i64) INT;
        serialize_i64(i64 as i64) INT;
        serialize_u8(u8 as u64) UINT;
        serialize_u16(u16 as u64) UINT;
        serialize_u32(u32 as u64) UINT;
        serialize_u64(u64 as u64) UINT;
        serialize_f32(f32 as f32) FLOAT32;
        serialize_f64(f64 as f64) FLOAT;
    }

    fn serialize_bool(self, value: bool) -> Result<(), RowError> {
        self.out.push(if value { tag::TRUE } else { tag::FALSE });
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), RowError> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), RowError> {
        self.sized(tag::TEXT, value.as_bytes())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), RowError> {
        self.sized(tag::BYTES, value)
    }

    fn serialize_none(self) -> Result<(), RowError> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), RowError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), RowError> {
        self.out.push(tag::NULL);
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), RowError> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), RowError> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), RowError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), RowError> {
        value.serialize(self.variant(variant)?)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Parts<'a>, RowError> {
        Ok(self.parts(tag::LIST))
    }

    fn serialize_tuple(self, _: usize) -> Result<Parts<'a>, RowError> {
        Ok(self.parts(tag::LIST))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Parts<'a>, RowError> {
        Ok(self.parts(tag::LIST))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Parts<'a>, RowError> {
        Ok(self.variant(variant)?.parts(tag::LIST))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Parts<'a>, RowError> {
        Ok(self.parts(tag::MAP))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Parts<'a>, RowError> {
        Ok(self.parts(tag::MAP))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Parts<'a>, RowError> {
        Ok(self.variant(variant)?.parts(tag::MAP))
    }

    fn is_human_readable(&self) -> bool {
        self.for_people
    }
}

macro_rules! parts {
    ($($trait:ident $method:ident;)*) => { $(
        impl ser::$trait for Parts<'_> {
            type Ok = ();
            type Error = RowError;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), RowError> {
                self.element(value)
            }

            fn end(self) -> Result<(), RowError> {
                self.finish()
            }
        }
    )* };
}

parts! {
    SerializeSeq serialize_element;
    SerializeTuple serialize_element;
    SerializeTupleStruct serialize_field;
    SerializeTupleVariant serialize_field;
}

impl ser::SerializeMap for Parts<'_> {
    type Ok = ();
    type Error = RowError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), RowError> {
        key.serialize(self.writer.next())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), RowError> {
        self.element(value)
    }

    fn end(self) -> Result<(), RowError> {
        self.finish()
    }
}

macro_rules! fields {
    ($($trait:ident)*) => { $(
        impl ser::$trait for Parts<'_> {
            type Ok = ();
            type Error = RowError;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), RowError> {
                self.field(name, value)
            }

            fn end(self) -> Result<(), RowError> {
                self.finish()
            }
        }
    )* };
}

fields! { SerializeStruct SerializeStructVariant }
