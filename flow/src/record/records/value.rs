//! One value of a column, borrowed.

use std::fmt::Write as _;

use crate::error::{Reason, RecordError};

/// One value of a column: how transforms read and write them.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// Nothing.
    Null,
    /// Of a `bool` column.
    Bool(bool),
    /// Of an `int8` to `int64` column, or the units of a `timestamp`.
    Int(i64),
    /// Of a `uint8` to `uint64` column.
    UInt(u64),
    /// Of a `float32` or `float64` column.
    Float(f64),
    /// Of a `string` column.
    Text(&'a str),
    /// Of a `binary` column.
    Bytes(&'a [u8]),
    /// A list or a struct; [`Column`](crate::record::records::Column) has its parts.
    Nested,
}

impl Value<'_> {
    /// Appends the value to a topic, a path or a key.
    ///
    /// # Errors
    /// [`Reason::Route`] for null, bytes, lists and structs, which have no place there.
    pub(crate) fn append_to(self, out: &mut String) -> Result<(), RecordError> {
        // Writing to a string cannot fail.
        let _ = match self {
            Value::Bool(value) => write!(out, "{value}"),
            Value::Int(value) => write!(out, "{value}"),
            Value::UInt(value) => write!(out, "{value}"),
            Value::Float(value) => write!(out, "{value}"),
            Value::Text(value) => out.write_str(value),
            Value::Null => return Err(RecordError::new(Reason::Route, "null cannot stand here")),
            Value::Bytes(_) => return Err(RecordError::new(Reason::Route, "bytes cannot stand here")),
            Value::Nested => {
                return Err(RecordError::new(Reason::Route, "a list or struct cannot stand here"));
            }
        };
        Ok(())
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

macro_rules! from {
    ($($from:ty => $variant:ident),* $(,)?) => { $(
        impl<'a> From<$from> for Value<'a> {
            fn from(value: $from) -> Self {
                Value::$variant(value.into())
            }
        }
    )* };
}

from! {
    bool => Bool, i8 => Int, i16 => Int, i32 => Int, i64 => Int, u8 => UInt, u16 => UInt, u32 => UInt, u64 => UInt,
    f32 => Float, f64 => Float, &'a str => Text, &'a [u8] => Bytes,
}
