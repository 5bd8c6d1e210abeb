//! The serde half of the encoder for eight bytes: a record becomes `[u8; 8]`, a value of it a whole number.

use serde::ser::{Error as _, Impossible, Serialize, SerializeMap, SerializeStruct, Serializer};
use std::fmt;

use crate::job::tiny::NAMES;

/// The record or one of its values cannot be written.
#[derive(Debug)]
pub(crate) struct NotTiny(String);

impl fmt::Display for NotTiny {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotTiny {}

impl serde::ser::Error for NotTiny {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// All that neither a record nor a number is.
macro_rules! refuse {
    ($ok:ty; $($method:ident($($argument:ty),*))*) => {
        type SerializeSeq = Impossible<$ok, NotTiny>;
        type SerializeTuple = Impossible<$ok, NotTiny>;
        type SerializeTupleStruct = Impossible<$ok, NotTiny>;
        type SerializeTupleVariant = Impossible<$ok, NotTiny>;
        type SerializeStructVariant = Impossible<$ok, NotTiny>;

        $(fn $method(self, $(_: $argument),*) -> Result<$ok, NotTiny> {
            Err(no())
        })*

        fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<$ok, NotTiny> {
            value.serialize(self)
        }

        fn serialize_newtype_struct<T: Serialize + ?Sized>(
            self,
            _: &'static str,
            value: &T,
        ) -> Result<$ok, NotTiny> {
            value.serialize(self)
        }

        fn serialize_newtype_variant<T: Serialize + ?Sized>(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: &T,
        ) -> Result<$ok, NotTiny> {
            Err(no())
        }

        fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, NotTiny> {
            Err(no())
        }

        fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, NotTiny> {
            Err(no())
        }

        fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, NotTiny> {
            Err(no())
        }

        fn serialize_tuple_variant(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: usize,
        ) -> Result<Self::SerializeTupleVariant, NotTiny> {
            Err(no())
        }

        fn serialize_struct_variant(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: usize,
        ) -> Result<Self::SerializeStructVariant, NotTiny> {
            Err(no())
        }
    };
}

#[cold]
fn no() -> NotTiny {
    NotTiny::custom("a record is a device number, a temperature and a time, each a whole number")
}

/// A record on its way to eight bytes.
#[derive(Debug, Default)]
pub(crate) struct TinyWriter {
    bytes: [u8; 8],
    /// The place of the key that was written last.
    key: usize,
}

impl TinyWriter {
    #[inline]
    fn put<T: Serialize + ?Sized>(&mut self, field: usize, value: &T) -> Result<(), NotTiny> {
        let number = value.serialize(Whole)?;
        let range = |_| NotTiny::custom(format_args!("{number} is out of range for `{}`", NAMES[field]));
        let [a, b, c, d, e, f, g, h] = &mut self.bytes;
        match field {
            0 => [*a, *b] = u16::try_from(number).map_err(range)?.to_le_bytes(),
            1 => [*c, *d] = i16::try_from(number).map_err(range)?.to_le_bytes(),
            _ => [*e, *f, *g, *h] = u32::try_from(number).map_err(range)?.to_le_bytes(),
        }
        Ok(())
    }
}

#[inline]
fn place(name: &str) -> Result<usize, NotTiny> {
    NAMES.iter().position(|known| *known == name).ok_or_else(no)
}

impl Serializer for TinyWriter {
    type Ok = [u8; 8];
    type Error = NotTiny;
    type SerializeMap = Self;
    type SerializeStruct = Self;

    refuse! { [u8; 8];
        serialize_bool(bool) serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64) serialize_f32(f32) serialize_f64(f64)
        serialize_char(char) serialize_str(&str) serialize_bytes(&[u8]) serialize_none() serialize_unit()
        serialize_unit_struct(&'static str) serialize_unit_variant(&'static str, u32, &'static str)
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    #[inline]
    fn serialize_map(self, _: Option<usize>) -> Result<Self, NotTiny> {
        Ok(self)
    }

    #[inline]
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, NotTiny> {
        Ok(self)
    }
}

impl SerializeStruct for TinyWriter {
    type Ok = [u8; 8];
    type Error = NotTiny;

    #[inline]
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), NotTiny> {
        self.put(place(name)?, value)
    }

    #[inline]
    fn end(self) -> Result<[u8; 8], NotTiny> {
        Ok(self.bytes)
    }
}

impl SerializeMap for TinyWriter {
    type Ok = [u8; 8];
    type Error = NotTiny;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), NotTiny> {
        self.key = key.serialize(Name)?;
        Ok(())
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotTiny> {
        self.put(self.key, value)
    }

    #[inline]
    fn end(self) -> Result<[u8; 8], NotTiny> {
        Ok(self.bytes)
    }
}

/// Takes a whole number.
struct Whole;

macro_rules! whole {
    ($($method:ident($number:ty))*) => { $(
        #[inline]
        fn $method(self, value: $number) -> Result<i64, NotTiny> {
            i64::try_from(value).map_err(|_| no())
        }
    )* };
}

impl Serializer for Whole {
    type Ok = i64;
    type Error = NotTiny;
    type SerializeMap = Impossible<i64, NotTiny>;
    type SerializeStruct = Impossible<i64, NotTiny>;

    refuse! { i64;
        serialize_bool(bool) serialize_f32(f32) serialize_f64(f64) serialize_char(char) serialize_str(&str)
        serialize_bytes(&[u8]) serialize_none() serialize_unit() serialize_unit_struct(&'static str)
        serialize_unit_variant(&'static str, u32, &'static str)
    }

    whole! {
        serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, NotTiny> {
        Err(no())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, NotTiny> {
        Err(no())
    }
}

/// Takes the name of a field.
struct Name;

impl Serializer for Name {
    type Ok = usize;
    type Error = NotTiny;
    type SerializeMap = Impossible<usize, NotTiny>;
    type SerializeStruct = Impossible<usize, NotTiny>;

    refuse! { usize;
        serialize_bool(bool) serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64) serialize_f32(f32) serialize_f64(f64)
        serialize_char(char) serialize_bytes(&[u8]) serialize_none() serialize_unit()
        serialize_unit_struct(&'static str) serialize_unit_variant(&'static str, u32, &'static str)
    }

    #[inline]
    fn serialize_str(self, name: &str) -> Result<usize, NotTiny> {
        place(name)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, NotTiny> {
        Err(no())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, NotTiny> {
        Err(no())
    }
}
