//! One column: its buffers, in Arrow's layout, and how a value gets into them.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::error::{Reason, RecordError};
use crate::record::records::shown::{FloatText, Quoted};
use crate::record::records::structs::Struct;
use crate::record::records::value::Value;
use crate::record::schema::{Field, TimeForm, TimeUnit, Type};
use crate::record::time;

/// One column of [`Records`](crate::Records): all rows that were decoded, those that were filtered out later too.
///
/// [`Records::row`](crate::Records::row) gives the row of a record.
#[derive(Debug)]
pub struct Column {
    pub(super) kind: Type,
    pub(super) required: bool,
    pub(super) len: usize,
    /// Empty until the first null, then a flag for each row: does it hold a value?
    pub(super) validity: Vec<bool>,
    pub(super) data: Data,
}

#[derive(Debug)]
pub(super) enum Data {
    Bool(Vec<bool>),
    Int8(Vec<i8>),
    Int16(Vec<i16>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    UInt8(Vec<u8>),
    UInt16(Vec<u16>),
    UInt32(Vec<u32>),
    UInt64(Vec<u64>),
    Float32(Vec<f32>),
    Float64(Vec<f64>),
    Text { offsets: Vec<i32>, text: String },
    Binary { offsets: Vec<i32>, bytes: Vec<u8> },
    Time(Vec<i64>, TimeUnit, TimeForm),
    List { offsets: Vec<i32>, items: Box<Column> },
    Struct(Box<Struct>),
}

/// Why a value cannot go into a column.
enum Refusal {
    Type,
    Range,
    Size,
    /// Text that should have been base64 or RFC 3339.
    Form(&'static str),
}

impl Column {
    pub(super) fn new(field: &Field) -> Self {
        let data = match &field.kind {
            Type::Bool => Data::Bool(Vec::new()),
            Type::Int8 => Data::Int8(Vec::new()),
            Type::Int16 => Data::Int16(Vec::new()),
            Type::Int32 => Data::Int32(Vec::new()),
            Type::Int64 => Data::Int64(Vec::new()),
            Type::UInt8 => Data::UInt8(Vec::new()),
            Type::UInt16 => Data::UInt16(Vec::new()),
            Type::UInt32 => Data::UInt32(Vec::new()),
            Type::UInt64 => Data::UInt64(Vec::new()),
            Type::Float32 => Data::Float32(Vec::new()),
            Type::Float64 => Data::Float64(Vec::new()),
            Type::String => Data::Text { offsets: vec![0], text: String::new() },
            Type::Binary => Data::Binary { offsets: vec![0], bytes: Vec::new() },
            Type::Timestamp(unit, form) => Data::Time(Vec::new(), *unit, *form),
            Type::List(items) => Data::List { offsets: vec![0], items: Box::new(Column::new(items)) },
            Type::Struct(fields) => Data::Struct(Box::new(Struct::new(fields))),
        };
        Self { kind: field.kind.clone(), required: field.required, len: 0, validity: Vec::new(), data }
    }

    /// Forgets all rows from `len` on and keeps the memory.
    pub(super) fn truncate(&mut self, len: usize) {
        if len >= self.len {
            return;
        }
        self.len = len;
        self.validity.truncate(len);
        self.truncate_data(len);
    }

    pub(super) fn truncate_data(&mut self, len: usize) {
        match &mut self.data {
            Data::Bool(values) => values.truncate(len),
            Data::Int8(values) => values.truncate(len),
            Data::Int16(values) => values.truncate(len),
            Data::Int32(values) => values.truncate(len),
            Data::Int64(values) | Data::Time(values, ..) => values.truncate(len),
            Data::UInt8(values) => values.truncate(len),
            Data::UInt16(values) => values.truncate(len),
            Data::UInt32(values) => values.truncate(len),
            Data::UInt64(values) => values.truncate(len),
            Data::Float32(values) => values.truncate(len),
            Data::Float64(values) => values.truncate(len),
            Data::Text { offsets, text } => text.truncate(cut(offsets, len)),
            Data::Binary { offsets, bytes } => bytes.truncate(cut(offsets, len)),
            Data::List { offsets, items } => items.truncate(cut(offsets, len)),
            Data::Struct(fields) => fields.truncate(len),
        }
    }

    /// Drops what a value that failed half-way has left behind the last row: the items of a list, the fields of a struct.
    pub(super) fn drop_partial(&mut self) {
        match &mut self.data {
            Data::List { offsets, items } => {
                items.truncate(end(offsets));
                items.drop_partial();
            }
            Data::Struct(fields) => fields.drop_partial(),
            _ => {}
        }
    }

    pub(super) fn push_null(&mut self) -> Result<(), RecordError> {
        if self.required {
            return Err(RecordError::new(Reason::Missing, "null where the schema says `required`"));
        }
        self.push_default();
        Ok(())
    }

    /// A row that nobody gave: null, or an error where the schema wants a value.
    pub(super) fn push_missing(&mut self) -> Result<(), RecordError> {
        if self.required {
            return Err(RecordError::new(Reason::Missing, "absent, and the schema says `required`"));
        }
        self.push_default();
        Ok(())
    }

    /// A null, also where the schema wants a value: below a null struct, and in rows that are out of the selection.
    pub(super) fn push_default(&mut self) {
        match &mut self.data {
            Data::Bool(values) => values.push(false),
            Data::Int8(values) => values.push(0),
            Data::Int16(values) => values.push(0),
            Data::Int32(values) => values.push(0),
            Data::Int64(values) | Data::Time(values, ..) => values.push(0),
            Data::UInt8(values) => values.push(0),
            Data::UInt16(values) => values.push(0),
            Data::UInt32(values) => values.push(0),
            Data::UInt64(values) => values.push(0),
            Data::Float32(values) => values.push(0.0),
            Data::Float64(values) => values.push(0.0),
            Data::Text { offsets, .. } | Data::Binary { offsets, .. } | Data::List { offsets, .. } => {
                let last = offsets[offsets.len() - 1];
                offsets.push(last);
            }
            Data::Struct(fields) => fields.push_default(),
        }
        if self.validity.is_empty() {
            self.validity.resize(self.len, true);
        }
        self.validity.push(false);
        self.len += 1;
    }

    /// The row whose data was just pushed holds a value.
    #[inline]
    pub(super) fn close_row(&mut self) {
        if !self.validity.is_empty() {
            self.validity.push(true);
        }
        self.len += 1;
    }

    #[inline]
    pub(super) fn push_bool(&mut self, value: bool) -> Result<(), RecordError> {
        let Data::Bool(values) = &mut self.data else {
            return Err(self.mismatch(value));
        };
        values.push(value);
        self.close_row();
        Ok(())
    }
    #[inline]
    pub(super) fn push_u64(&mut self, value: u64) -> Result<(), RecordError> {
        let pushed = match &mut self.data {
            Data::Float64(values) => push(values, value as f64),
            Data::Float32(values) => push(values, value as f32),
            Data::Int64(values) | Data::Time(values, _, TimeForm::Number) => push_int(values, value),
            Data::UInt64(values) => push(values, value),
            Data::Int8(values) => push_int(values, value),
            Data::Int16(values) => push_int(values, value),
            Data::Int32(values) => push_int(values, value),
            Data::UInt8(values) => push_int(values, value),
            Data::UInt16(values) => push_int(values, value),
            Data::UInt32(values) => push_int(values, value),
            _ => Err(Refusal::Type),
        };
        self.finish(pushed, &value)
    }
    #[inline]
    pub(super) fn push_i64(&mut self, value: i64) -> Result<(), RecordError> {
        let pushed = match &mut self.data {
            Data::Float64(values) => push(values, value as f64),
            Data::Float32(values) => push(values, value as f32),
            Data::Int64(values) | Data::Time(values, _, TimeForm::Number) => push(values, value),
            Data::UInt64(values) => push_int(values, value),
            Data::Int8(values) => push_int(values, value),
            Data::Int16(values) => push_int(values, value),
            Data::Int32(values) => push_int(values, value),
            Data::UInt8(values) => push_int(values, value),
            Data::UInt16(values) => push_int(values, value),
            Data::UInt32(values) => push_int(values, value),
            _ => Err(Refusal::Type),
        };
        self.finish(pushed, &value)
    }
    #[inline]
    pub(super) fn push_f64(&mut self, value: f64) -> Result<(), RecordError> {
        let pushed = match &mut self.data {
            Data::Float64(values) => push(values, value),
            Data::Float32(_) if value.is_finite() && (value as f32).is_infinite() => Err(Refusal::Range),
            Data::Float32(values) => push(values, value as f32),
            // Formats hand out whole numbers beyond 64 bits as floats.
            _ if self.kind.is_integer() && value.fract() == 0.0 && value.abs() >= TWO_TO_63 => {
                Err(Refusal::Range)
            }
            _ => Err(Refusal::Type),
        };
        self.finish(pushed, &FloatText(value))
    }

    /// Text. Where the format is one for people, it may also stand for bytes and times.
    #[inline]
    pub(super) fn push_str(&mut self, value: &str, for_people: bool) -> Result<(), RecordError> {
        let pushed = match &mut self.data {
            Data::Text { offsets, text } => {
                advance(offsets, text.len(), value.len()).map(|()| text.push_str(value))
            }
            Data::Time(values, unit, TimeForm::Rfc3339) => match time::parse(value, *unit) {
                Ok(time) => push(values, time),
                Err(time::TimeError::Range) => Err(Refusal::Range),
                Err(time::TimeError::Syntax) => {
                    Err(Refusal::Form("RFC 3339 text such as `2026-11-23T10:15:00Z`"))
                }
            },
            Data::Binary { offsets, bytes } if for_people => {
                let start = bytes.len();
                let pushed = match BASE64.decode_vec(value, bytes) {
                    Ok(()) => advance(offsets, start, bytes.len() - start),
                    Err(_) => Err(Refusal::Form("base64 text")),
                };
                if pushed.is_err() {
                    bytes.truncate(start);
                }
                pushed
            }
            _ => Err(Refusal::Type),
        };
        self.finish(pushed, &Quoted(value))
    }

    pub(super) fn push_bytes(&mut self, value: &[u8]) -> Result<(), RecordError> {
        let pushed = match &mut self.data {
            Data::Binary { offsets, bytes } => {
                advance(offsets, bytes.len(), value.len()).map(|()| bytes.extend_from_slice(value))
            }
            Data::Text { .. } => {
                let text = std::str::from_utf8(value)
                    .map_err(|_| RecordError::new(Reason::Utf8, "the bytes are not UTF-8 text"))?;
                return self.push_str(text, false);
            }
            _ => Err(Refusal::Type),
        };
        self.finish(pushed, &format_args!("{} bytes", value.len()))
    }

    pub(super) fn push_value(&mut self, value: Value<'_>) -> Result<(), RecordError> {
        match value {
            Value::Null => self.push_null(),
            Value::Bool(value) => self.push_bool(value),
            Value::Int(value) => match &mut self.data {
                // A computed time is a number of units, whatever its form in text.
                Data::Time(values, ..) => {
                    values.push(value);
                    self.close_row();
                    Ok(())
                }
                _ => self.push_i64(value),
            },
            Value::UInt(value) => self.push_u64(value),
            Value::Float(value) => self.push_f64(value),
            Value::Text(value) => self.push_str(value, false),
            Value::Bytes(value) => self.push_bytes(value),
            Value::Nested => Err(self.mismatch("a list or struct")),
        }
    }

    pub(super) fn mismatch(&self, got: impl fmt::Display) -> RecordError {
        self.refuse(&Refusal::Type, &got)
    }

    #[inline]
    fn finish(&mut self, pushed: Result<(), Refusal>, value: &dyn fmt::Display) -> Result<(), RecordError> {
        match pushed {
            Ok(()) => {
                self.close_row();
                Ok(())
            }
            Err(refusal) => Err(self.refuse(&refusal, value)),
        }
    }

    #[cold]
    fn refuse(&self, refusal: &Refusal, value: &dyn fmt::Display) -> RecordError {
        let kind = &self.kind;
        match refusal {
            Refusal::Type => RecordError::new(Reason::Type, format!("expected {kind}, got {value}")),
            Refusal::Range => RecordError::new(
                Reason::Range,
                format!("{value} is out of range for {kind}{}", kind.bounds()),
            ),
            Refusal::Size => RecordError::new(
                Reason::Size,
                "more than 2 GiB in one column of a batch; make the batches smaller",
            ),
            Refusal::Form(wanted) => {
                RecordError::new(Reason::Type, format!("expected {wanted} for {kind}, got {value}"))
            }
        }
    }
}

/// Beyond this, no float is an `int64`.
const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;

fn push<T>(values: &mut Vec<T>, value: T) -> Result<(), Refusal> {
    values.push(value);
    Ok(())
}

fn push_int<T: TryFrom<V>, V>(values: &mut Vec<T>, value: V) -> Result<(), Refusal> {
    values.push(T::try_from(value).map_err(|_| Refusal::Range)?);
    Ok(())
}

/// Notes that `more` bytes or items follow the `len` that are there.
fn advance(offsets: &mut Vec<i32>, len: usize, more: usize) -> Result<(), Refusal> {
    let end = i32::try_from(len + more).map_err(|_| Refusal::Size)?;
    offsets.push(end);
    Ok(())
}

/// The end of the last row.
pub(super) fn end(offsets: &[i32]) -> usize {
    index(offsets[offsets.len() - 1])
}

/// Keeps `len` rows; where the last of them ends.
fn cut(offsets: &mut Vec<i32>, len: usize) -> usize {
    offsets.truncate(len + 1);
    end(offsets)
}

/// Offsets are never negative.
pub(super) fn index(offset: i32) -> usize {
    offset as usize
}

impl Type {
    fn is_integer(&self) -> bool {
        matches!(self, Type::Timestamp(_, TimeForm::Number)) || !self.bounds().is_empty()
    }

    /// The bounds of whole numbers, in brackets; nothing for other types.
    fn bounds(&self) -> &'static str {
        match self {
            Type::Int8 => " (-128 to 127)",
            Type::Int16 => " (-32768 to 32767)",
            Type::Int32 => " (-2147483648 to 2147483647)",
            Type::Int64 => " (-9223372036854775808 to 9223372036854775807)",
            Type::UInt8 => " (0 to 255)",
            Type::UInt16 => " (0 to 65535)",
            Type::UInt32 => " (0 to 4294967295)",
            Type::UInt64 => " (0 to 18446744073709551615)",
            _ => "",
        }
    }
}
