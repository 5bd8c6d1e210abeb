//! The short way from JSON to records.
//!
//! serde_json decides what is JSON, and what is wrong with a record. This reader takes a payload where serde_json would
//! take it, with the same values, and in far fewer instructions; it declines all others, whether they are errors or
//! only rare, and what it declines serde_json reads from the beginning. Tests hold the two against each other.

use std::fmt;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use crate::codec::json::number::Number;
use crate::codec::json::scan::{Declined, Scanner};

/// As deep as serde_json goes.
const MAX_DEPTH: u8 = 127;

/// Reads one value.
pub(super) struct Reader<'de, 's> {
    scan: Scanner<'de>,
    /// Where strings with escapes are put together.
    scratch: &'s mut String,
    /// How many levels may still be opened.
    depth: u8,
}

impl<'de, 's> Reader<'de, 's> {
    pub(super) fn new(text: &'de str, scratch: &'s mut String) -> Self {
        Self { scan: Scanner::new(text), scratch, depth: MAX_DEPTH }
    }

    /// Is the text taken: was all of it read, and nothing declined?
    pub(super) fn taken(mut self) -> bool {
        self.scan.taken()
    }

    /// The string that begins here.
    #[inline]
    fn string<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Declined> {
        self.scan.expect(b'"')?;
        match self.scan.string() {
            Some(text) => visitor.visit_borrowed_str(text),
            None => {
                self.scan.escaped(self.scratch)?;
                visitor.visit_str(self.scratch)
            }
        }
    }

    /// Reads a number where one begins here.
    #[inline]
    fn number<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Declined> {
        match self.scan.peek() {
            b'-' | b'0'..=b'9' => visit(self.scan.number()?, visitor),
            _ => Err(self.scan.decline()),
        }
    }

    #[inline]
    fn array<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Declined> {
        self.open(b'[')?;
        let value = visitor.visit_seq(Elements { reader: self, first: true });
        self.close(b']', value)
    }

    #[inline]
    fn object<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Declined> {
        self.open(b'{')?;
        let value = visitor.visit_map(Members { reader: self, first: true });
        self.close(b'}', value)
    }

    #[inline]
    fn open(&mut self, bracket: u8) -> Result<(), Declined> {
        self.scan.expect(bracket)?;
        self.depth = self.depth.checked_sub(1).ok_or_else(|| self.scan.decline())?;
        Ok(())
    }

    /// A value that failed half-way leaves its place behind, so that whoever swallows the error must not go on.
    #[inline]
    fn close<T>(&mut self, bracket: u8, value: Result<T, Declined>) -> Result<T, Declined> {
        self.depth += 1;
        match value {
            Ok(value) => self.scan.expect(bracket).map(|()| value),
            Err(_) => Err(self.scan.decline()),
        }
    }
}

#[inline]
fn visit<'de, V: Visitor<'de>>(number: Number, visitor: V) -> Result<V::Value, Declined> {
    match number {
        Number::Positive(value) => visitor.visit_u64(value),
        Number::Negative(value) => visitor.visit_i64(value),
        Number::Float(value) => visitor.visit_f64(value),
    }
}

impl fmt::Display for Declined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not taken at the first attempt")
    }
}

impl std::error::Error for Declined {}

/// The message would be thrown away: serde_json finds the same fault again.
impl Error for Declined {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

macro_rules! read {
    ($read:ident: $($method:ident($($argument:ty),*))*) => { $(
        #[inline]
        fn $method<V: Visitor<'de>>(self, $(_: $argument,)* visitor: V) -> Result<V::Value, Declined> {
            self.$read(visitor)
        }
    )* };
}

macro_rules! read_where {
    ($($begin:pat => $method:ident($($argument:ty),*))*) => { $(
        #[inline]
        fn $method<V: Visitor<'de>>(self, $(_: $argument,)* visitor: V) -> Result<V::Value, Declined> {
            match self.scan.peek() {
                $begin => self.deserialize_any(visitor),
                _ => Err(self.scan.decline()),
            }
        }
    )* };
}

impl<'de> Deserializer<'de> for &mut Reader<'de, '_> {
    type Error = Declined;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Declined> {
        match self.scan.peek() {
            b'"' => self.string(visitor),
            b'-' | b'0'..=b'9' => visit(self.scan.number()?, visitor),
            b'{' => self.object(visitor),
            b'[' => self.array(visitor),
            b't' => {
                self.scan.word(b"true")?;
                visitor.visit_bool(true)
            }
            b'f' => {
                self.scan.word(b"false")?;
                visitor.visit_bool(false)
            }
            b'n' => {
                self.scan.word(b"null")?;
                visitor.visit_unit()
            }
            _ => Err(self.scan.decline()),
        }
    }

    read! { number:
        deserialize_i8() deserialize_i16() deserialize_i32() deserialize_i64()
        deserialize_u8() deserialize_u16() deserialize_u32() deserialize_u64() deserialize_f64()
    }
    read! { string: deserialize_char() deserialize_str() deserialize_string() deserialize_identifier() }
    // For bytes these are arrays of numbers; a string may hold more than text there.
    read! { array:
        deserialize_seq() deserialize_tuple(usize) deserialize_tuple_struct(&'static str, usize)
        deserialize_bytes() deserialize_byte_buf()
    }
    read! { object: deserialize_map() }
    read_where! {
        b't' | b'f' => deserialize_bool()
        b'n' => deserialize_unit()
        b'n' => deserialize_unit_struct(&'static str)
        b'{' | b'[' => deserialize_struct(&'static str, &'static [&'static str])
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Declined> {
        match self.scan.peek() {
            b'-' | b'0'..=b'9' => visit(self.scan.single()?, visitor),
            _ => Err(self.scan.decline()),
        }
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Declined> {
        match self.scan.peek() {
            b'n' => {
                self.scan.word(b"null")?;
                visitor.visit_none()
            }
            _ => visitor.visit_some(self),
        }
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Declined> {
        if is_private(name) {
            return Err(self.scan.decline());
        }
        visitor.visit_newtype_struct(self)
    }

    /// A variant without content. Those with content are rarer than the code for them is long.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Declined> {
        visitor.visit_enum(Variant { reader: self })
    }

    #[inline]
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Declined> {
        self.scan.skip(self.depth)?;
        visitor.visit_unit()
    }

    fn deserialize_i128<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Declined> {
        Err(self.scan.decline())
    }

    fn deserialize_u128<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Declined> {
        Err(self.scan.decline())
    }
}

/// serde_json's own types ask it for more than values, by newtypes of such names.
fn is_private(name: &str) -> bool {
    name.starts_with("$serde_json")
}

struct Elements<'a, 'de, 's> {
    reader: &'a mut Reader<'de, 's>,
    first: bool,
}

impl<'de> SeqAccess<'de> for Elements<'_, 'de, '_> {
    type Error = Declined;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Declined> {
        let scan = &mut self.reader.scan;
        match scan.peek() {
            b']' => return Ok(None),
            _ if std::mem::take(&mut self.first) => {}
            b',' => {
                scan.advance();
            }
            _ => return Err(scan.decline()),
        }
        seed.deserialize(&mut *self.reader).map(Some)
    }
}

struct Members<'a, 'de, 's> {
    reader: &'a mut Reader<'de, 's>,
    first: bool,
}

impl<'de> MapAccess<'de> for Members<'_, 'de, '_> {
    type Error = Declined;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Declined> {
        let scan = &mut self.reader.scan;
        match scan.peek() {
            b'}' => return Ok(None),
            _ if std::mem::take(&mut self.first) => {}
            b',' => {
                scan.advance();
            }
            _ => return Err(scan.decline()),
        }
        seed.deserialize(Key { reader: &mut *self.reader }).map(Some)
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Declined> {
        self.reader.scan.expect(b':')?;
        seed.deserialize(&mut *self.reader)
    }
}

/// The key of an object: always text in JSON, and read as text here. Numbers as keys are left to serde_json.
struct Key<'a, 'de, 's> {
    reader: &'a mut Reader<'de, 's>,
}

macro_rules! declined {
    ($($method:ident)*) => { $(
        fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Declined> {
            Err(self.reader.scan.decline())
        }
    )* };
}

impl<'de> Deserializer<'de> for Key<'_, 'de, '_> {
    type Error = Declined;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Declined> {
        self.reader.string(visitor)
    }

    forward_to_deserialize_any! {
        char str string unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }

    declined! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64 deserialize_bytes deserialize_byte_buf
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Declined> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Declined> {
        if is_private(name) {
            return Err(self.reader.scan.decline());
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Declined> {
        visitor.visit_enum(Variant { reader: self.reader })
    }
}

/// An enum's variant, as the text of its name.
struct Variant<'a, 'de, 's> {
    reader: &'a mut Reader<'de, 's>,
}

impl<'de> EnumAccess<'de> for Variant<'_, 'de, '_> {
    type Error = Declined;
    type Variant = Unit;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Unit), Declined> {
        let scan = &mut self.reader.scan;
        scan.expect(b'"')?;
        let Some(name) = scan.string() else { return Err(scan.decline()) };
        let value = seed.deserialize(BorrowedStrDeserializer::<Declined>::new(name));
        value.map(|value| (value, Unit)).map_err(|_| scan.decline())
    }
}

/// A variant without content.
struct Unit;

impl<'de> VariantAccess<'de> for Unit {
    type Error = Declined;

    fn unit_variant(self) -> Result<(), Declined> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, Declined> {
        Err(Declined)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Declined> {
        Err(Declined)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, Declined> {
        Err(Declined)
    }
}
