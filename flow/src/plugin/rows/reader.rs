//! A row as a serde deserializer.

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};

use crate::plugin::rows::{Cursor, MAX_DEPTH, RowError, Token};

/// One record, as it came over the border.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    cursor: Cursor<'a>,
    for_people: bool,
}

impl<'a> Row<'a> {
    /// A row out of a format that people read, or not.
    pub(crate) fn new(bytes: &'a [u8], for_people: bool) -> Self {
        Self { cursor: Cursor(bytes), for_people }
    }

    /// Has everything been read?
    pub(crate) fn end(&self) -> Result<(), RowError> {
        if self.cursor.0.is_empty() { Ok(()) } else { Err(RowError::new("bytes follow the end of the row")) }
    }

    fn value(&mut self, depth: u32) -> Value<'_, 'a> {
        Value { row: self, depth }
    }
}

/// Reads the record and nothing after it.
impl<'de> Deserializer<'de> for &mut Row<'de> {
    type Error = RowError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        self.value(0).deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        self.value(0).deserialize_option(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, RowError> {
        self.value(0).deserialize_newtype_struct(name, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, RowError> {
        self.value(0).deserialize_enum(name, variants, visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        self.value(0).deserialize_ignored_any(visitor)
    }

    fn is_human_readable(&self) -> bool {
        self.for_people
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct identifier
    }
}

/// The next value of a row.
struct Value<'r, 'a> {
    row: &'r mut Row<'a>,
    depth: u32,
}

impl<'de> Deserializer<'de> for Value<'_, 'de> {
    type Error = RowError;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        match self.row.cursor.token()? {
            Token::Null => visitor.visit_unit(),
            Token::Bool(value) => visitor.visit_bool(value),
            Token::Int(value) => visitor.visit_i64(value),
            Token::UInt(value) => visitor.visit_u64(value),
            Token::Float(value) => visitor.visit_f64(value),
            Token::Float32(value) => visitor.visit_f32(value),
            Token::Text(value) => visitor.visit_borrowed_str(value),
            Token::Bytes(value) => visitor.visit_borrowed_bytes(value),
            Token::List(len) => Elements::new(self, len)?.read(|elements| visitor.visit_seq(elements)),
            Token::Map(len) => Elements::new(self, len)?.read(|elements| visitor.visit_map(elements)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        let mut ahead = self.row.cursor;
        match ahead.token()? {
            Token::Null => {
                self.row.cursor = ahead;
                visitor.visit_none()
            }
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, RowError> {
        visitor.visit_newtype_struct(self)
    }

    /// A variant's name, or a map with the name as its only key: as JSON has them.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, RowError> {
        match self.row.cursor.token()? {
            Token::Text(name) => visitor.visit_enum(StrDeserializer::<RowError>::new(name)),
            Token::Map(1) => {
                let inner = Elements::new(self, 1)?;
                visitor.visit_enum(Value { row: inner.row, depth: inner.depth })
            }
            _ => Err(RowError::new("expected a variant's name, or a map with it as the only key")),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, RowError> {
        self.row.cursor.skip()?;
        visitor.visit_unit()
    }

    fn is_human_readable(&self) -> bool {
        self.row.for_people
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct identifier
    }
}

/// What is left of a list or a map.
struct Elements<'r, 'a> {
    row: &'r mut Row<'a>,
    left: u32,
    depth: u32,
}

impl<'r, 'a> Elements<'r, 'a> {
    fn new(of: Value<'r, 'a>, left: u32) -> Result<Self, RowError> {
        if of.depth >= MAX_DEPTH {
            return Err(RowError::new("nested deeper than 128 levels"));
        }
        Ok(Self { row: of.row, left, depth: of.depth + 1 })
    }

    /// Reads all elements; a visitor that leaves some has not understood them.
    #[inline]
    fn read<T>(mut self, visit: impl FnOnce(&mut Self) -> Result<T, RowError>) -> Result<T, RowError> {
        let value = visit(&mut self)?;
        if self.left == 0 { Ok(value) } else { Err(RowError::new("more values than expected")) }
    }

    fn value(&mut self) -> Value<'_, 'a> {
        Value { row: self.row, depth: self.depth }
    }

    /// No more than what the bytes that are left can hold.
    fn hint(&self) -> usize {
        (self.left as usize).min(self.row.cursor.0.len())
    }
}

impl<'de> SeqAccess<'de> for &mut Elements<'_, 'de> {
    type Error = RowError;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, RowError> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        seed.deserialize(self.value()).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.hint())
    }
}

impl<'de> MapAccess<'de> for &mut Elements<'_, 'de> {
    type Error = RowError;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, RowError> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        seed.deserialize(self.value()).map(Some)
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, RowError> {
        seed.deserialize(self.value())
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.hint())
    }
}

impl<'de> EnumAccess<'de> for Value<'_, 'de> {
    type Error = RowError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), RowError> {
        let name = seed.deserialize(Value { row: self.row, depth: self.depth })?;
        Ok((name, self))
    }
}

impl<'de> VariantAccess<'de> for Value<'_, 'de> {
    type Error = RowError;

    fn unit_variant(self) -> Result<(), RowError> {
        serde::Deserialize::deserialize(self)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, RowError> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, RowError> {
        self.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, RowError> {
        self.deserialize_any(visitor)
    }
}
