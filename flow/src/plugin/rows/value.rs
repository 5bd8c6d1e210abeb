//! A row as a value that serde can write.

use std::cell::Cell;

use serde::ser::{Error, Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::plugin::rows::{Cursor, MAX_DEPTH, Token};

/// One record, as it came over the border, for an encoder. Can be written once.
pub(crate) struct RowValue<'a>(Cell<Cursor<'a>>);

impl<'a> RowValue<'a> {
    pub(crate) fn new(row: &'a [u8]) -> Self {
        Self(Cell::new(Cursor(row)))
    }
}

impl Serialize for RowValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Next { cursor: &self.0, depth: 0 }.serialize(serializer)
    }
}

/// The next value of a row. Serializing it moves the cursor.
struct Next<'c, 'a> {
    cursor: &'c Cell<Cursor<'a>>,
    depth: u32,
}

impl Serialize for Next<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut cursor = self.cursor.get();
        let token = cursor.token().map_err(S::Error::custom)?;
        self.cursor.set(cursor);
        if self.depth > MAX_DEPTH {
            return Err(S::Error::custom("nested deeper than 128 levels"));
        }
        let next = Next { cursor: self.cursor, depth: self.depth + 1 };
        match token {
            Token::Null => serializer.serialize_none(),
            Token::Bool(value) => serializer.serialize_bool(value),
            Token::Int(value) => serializer.serialize_i64(value),
            Token::UInt(value) => serializer.serialize_u64(value),
            Token::Float(value) => serializer.serialize_f64(value),
            Token::Float32(value) => serializer.serialize_f32(value),
            Token::Text(value) => serializer.serialize_str(value),
            Token::Bytes(value) => serializer.serialize_bytes(value),
            Token::List(len) => {
                let mut list = serializer.serialize_seq(Some(len as usize))?;
                for _ in 0..len {
                    list.serialize_element(&next)?;
                }
                list.end()
            }
            Token::Map(len) => {
                let mut map = serializer.serialize_map(Some(len as usize))?;
                for _ in 0..len {
                    map.serialize_key(&next)?;
                    map.serialize_value(&next)?;
                }
                map.end()
            }
        }
    }
}
