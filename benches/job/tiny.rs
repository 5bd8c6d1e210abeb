//! A codec for records of eight bytes: a device number, a temperature in 1/100 °C and a time in seconds, little-endian.
//!
//! It is what static dispatch is for: a call costs about as much as what it does.

use flow::{
    BuildContext, Collect, Collection, CollectionEncoder, Component, DecodeError, EncodeError, Error,
    NoConfig, PayloadBatch, Reason, RecordDecoder, RecordError, role,
};
use serde::de::value::{BorrowedStrDeserializer, Error as ValueError};
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use crate::job::write::TinyWriter;

/// The fields, in the order of their bytes.
pub(crate) const NAMES: [&str; 3] = ["device", "celsius", "ts"];

/// Reads records of eight bytes.
#[derive(Debug)]
pub(crate) struct TinyDecoder;

impl Component for TinyDecoder {
    const ID: &'static str = "tiny";
    type Role = role::Decoder;
    type Config = NoConfig;

    fn build(_: NoConfig, _: &BuildContext) -> Result<Self, Error> {
        Ok(Self)
    }
}

impl RecordDecoder for TinyDecoder {
    #[inline]
    fn decode<C: Collect>(&mut self, payload: &[u8], out: &mut C) -> Result<(), DecodeError> {
        let Ok(bytes) = payload.try_into() else {
            return Err(RecordError::new(Reason::Size, "eight bytes are expected").into());
        };
        let collected = out.collect(Tiny { bytes, next: 0 });
        collected.map_err(|error| {
            out.fault().unwrap_or_else(|| RecordError::new(Reason::Type, error.to_string())).into()
        })
    }
}

/// Writes records of eight bytes.
#[derive(Debug)]
pub(crate) struct TinyEncoder;

impl Component for TinyEncoder {
    const ID: &'static str = "tiny";
    type Role = role::Encoder;
    type Config = NoConfig;

    fn build(_: NoConfig, _: &BuildContext) -> Result<Self, Error> {
        Ok(Self)
    }
}

impl CollectionEncoder for TinyEncoder {
    #[inline]
    fn encode<C: Collection>(&mut self, records: &C, out: &mut PayloadBatch) -> Result<(), EncodeError> {
        for index in 0..records.len() {
            let bytes = records.serialize(index, TinyWriter::default()).map_err(|error| {
                EncodeError::new(index, RecordError::new(Reason::Encode, error.to_string()))
            })?;
            out.buffer().extend_from_slice(&bytes);
            out.finish();
        }
        Ok(())
    }
}

/// One record, and which of its fields comes next.
struct Tiny {
    bytes: [u8; 8],
    next: usize,
}

impl<'de> Deserializer<'de> for Tiny {
    type Error = ValueError;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_map(self)
    }

    /// A struct that has the fields in their order needs no names.
    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        if fields == NAMES { visitor.visit_seq(self) } else { visitor.visit_map(self) }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

impl Tiny {
    #[inline]
    fn value<'de, T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, ValueError> {
        let [a, b, c, d, e, f, g, h] = self.bytes;
        self.next += 1;
        match self.next {
            1 => seed.deserialize(u16::from_le_bytes([a, b]).into_deserializer()),
            2 => seed.deserialize(i16::from_le_bytes([c, d]).into_deserializer()),
            _ => seed.deserialize(u32::from_le_bytes([e, f, g, h]).into_deserializer()),
        }
    }
}

impl<'de> SeqAccess<'de> for Tiny {
    type Error = ValueError;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, ValueError> {
        if self.next < NAMES.len() { self.value(seed).map(Some) } else { Ok(None) }
    }
}

impl<'de> MapAccess<'de> for Tiny {
    type Error = ValueError;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ValueError> {
        let name = NAMES.get(self.next).map(|name| BorrowedStrDeserializer::new(name));
        name.map(|name| seed.deserialize(name)).transpose()
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ValueError> {
        self.value(seed)
    }
}
