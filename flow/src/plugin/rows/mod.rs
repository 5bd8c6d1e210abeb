//! Records on their way over the border: one record is one row, a value in a flat buffer.
//!
//! A value is a tag, a byte, and what follows it. Numbers are little-endian and not aligned.
//!
//! | tag | value | follows |
//! |---|---|---|
//! | 0 | null | |
//! | 1, 2 | false, true | |
//! | 3 | signed integer | 8 bytes |
//! | 4 | unsigned integer | 8 bytes |
//! | 5 | float | 8 bytes |
//! | 6 | float | 4 bytes |
//! | 7 | text, UTF-8 | length (4 bytes), text |
//! | 8 | bytes | length (4 bytes), bytes |
//! | 9 | list | number of values (4 bytes), values |
//! | 10 | map | number of entries (4 bytes), for each its key, its value |
//!
//! Values nest up to 128 deep. Whoever reads a row trusts nothing in it.

mod keys;
mod reader;
#[cfg(test)]
mod tests;
mod value;
mod writer;

use std::fmt;

pub(crate) use keys::{KeyList, KeyRow};
pub(crate) use reader::Row;
pub(crate) use value::RowValue;
pub(crate) use writer::{RowVisitor, RowWriter};

mod tag {
    pub(super) const NULL: u8 = 0;
    pub(super) const FALSE: u8 = 1;
    pub(super) const TRUE: u8 = 2;
    pub(super) const INT: u8 = 3;
    pub(super) const UINT: u8 = 4;
    pub(super) const FLOAT: u8 = 5;
    pub(super) const FLOAT32: u8 = 6;
    pub(super) const TEXT: u8 = 7;
    pub(super) const BYTES: u8 = 8;
    pub(super) const LIST: u8 = 9;
    pub(super) const MAP: u8 = 10;
}

/// How deep values may nest.
const MAX_DEPTH: u32 = 128;

/// A row that cannot be read or written, or a record that its reader refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RowError(String);

impl RowError {
    pub(crate) fn new(message: &str) -> Self {
        Self(message.to_owned())
    }
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RowError {}

impl serde::de::Error for RowError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

impl serde::ser::Error for RowError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// One token of a row: a value, or the head of a list or map.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Token<'a> {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(f64),
    Float32(f32),
    Text(&'a str),
    Bytes(&'a [u8]),
    List(u32),
    Map(u32),
}

/// What is left to read of a row.
#[derive(Debug, Clone, Copy)]
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    #[inline]
    fn token(&mut self) -> Result<Token<'a>, RowError> {
        let (tag, rest) = self.0.split_first().ok_or_else(|| RowError::new("the row ends too early"))?;
        self.0 = rest;
        Ok(match *tag {
            tag::NULL => Token::Null,
            tag::FALSE => Token::Bool(false),
            tag::TRUE => Token::Bool(true),
            tag::INT => Token::Int(i64::from_le_bytes(self.array()?)),
            tag::UINT => Token::UInt(u64::from_le_bytes(self.array()?)),
            tag::FLOAT => Token::Float(f64::from_le_bytes(self.array()?)),
            tag::FLOAT32 => Token::Float32(f32::from_le_bytes(self.array()?)),
            tag::TEXT => {
                let text = std::str::from_utf8(self.bytes()?);
                Token::Text(text.map_err(|_| RowError::new("text in a row is not UTF-8"))?)
            }
            tag::BYTES => Token::Bytes(self.bytes()?),
            tag::LIST => Token::List(u32::from_le_bytes(self.array()?)),
            tag::MAP => Token::Map(u32::from_le_bytes(self.array()?)),
            other => return Err(RowError(format!("a row has no tag {other}"))),
        })
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], RowError> {
        let (head, rest) =
            self.0.split_first_chunk().ok_or_else(|| RowError::new("the row ends too early"))?;
        self.0 = rest;
        Ok(*head)
    }

    #[inline]
    fn bytes(&mut self) -> Result<&'a [u8], RowError> {
        let len = u32::from_le_bytes(self.array()?) as usize;
        let (head, rest) =
            self.0.split_at_checked(len).ok_or_else(|| RowError::new("the row ends too early"))?;
        self.0 = rest;
        Ok(head)
    }

    /// Passes over one value, however deep.
    fn skip(&mut self) -> Result<(), RowError> {
        let mut left: u64 = 1;
        while left > 0 {
            left -= 1;
            match self.token()? {
                Token::List(len) => left += u64::from(len),
                Token::Map(len) => left += 2 * u64::from(len),
                _ => {}
            }
        }
        Ok(())
    }
}
