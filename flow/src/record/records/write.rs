//! How columns are written: to any serde format, and as text into templates.

use std::fmt::Write as _;

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::ser::{Error as _, SerializeMap as _, SerializeSeq as _};
use serde::{Serialize, Serializer};

use crate::error::{Reason, RecordError};
use crate::record::records::access::range;
use crate::record::records::column::{Column, Data};
use crate::record::schema::TimeForm;
use crate::record::time::Rfc3339;

/// Writes one row of these columns as a map.
#[inline]
pub(super) fn map<'a, S: Serializer>(
    columns: impl ExactSizeIterator<Item = (&'a str, &'a Column)>,
    row: usize,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(columns.len()))?;
    for (name, column) in columns {
        map.serialize_entry(name, &Slot { name, column, row })?;
    }
    map.end()
}

/// One value of a column; `name` is for errors.
struct Slot<'a> {
    name: &'a str,
    column: &'a Column,
    row: usize,
}

impl Serialize for Slot<'_> {
    #[inline]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { name, column, row } = *self;
        if column.is_null(row) {
            return serializer.serialize_none();
        }
        match &column.data {
            Data::Bool(values) => serializer.serialize_bool(values[row]),
            Data::Int8(values) => serializer.serialize_i8(values[row]),
            Data::Int16(values) => serializer.serialize_i16(values[row]),
            Data::Int32(values) => serializer.serialize_i32(values[row]),
            Data::UInt8(values) => serializer.serialize_u8(values[row]),
            Data::UInt16(values) => serializer.serialize_u16(values[row]),
            Data::UInt32(values) => serializer.serialize_u32(values[row]),
            Data::UInt64(values) => serializer.serialize_u64(values[row]),
            Data::Float32(values) => {
                finite::<S>(name, f64::from(values[row]), &serializer)?;
                serializer.serialize_f32(values[row])
            }
            Data::Float64(values) => {
                finite::<S>(name, values[row], &serializer)?;
                serializer.serialize_f64(values[row])
            }
            Data::Text { offsets, text } => serializer.serialize_str(&text[range(offsets, row)]),
            Data::Binary { offsets, bytes } => {
                let bytes = &bytes[range(offsets, row)];
                if serializer.is_human_readable() {
                    serializer.collect_str(&Base64Display::new(bytes, &BASE64))
                } else {
                    serializer.serialize_bytes(bytes)
                }
            }
            Data::Time(values, unit, TimeForm::Rfc3339) if serializer.is_human_readable() => {
                match Rfc3339::new(values[row], *unit) {
                    Some(text) => serializer.collect_str(&text),
                    None => Err(S::Error::custom(format!("field `{name}`: {NO_RFC3339}"))),
                }
            }
            Data::Int64(values) | Data::Time(values, ..) => serializer.serialize_i64(values[row]),
            Data::List { offsets, items } => {
                let rows = range(offsets, row);
                let mut seq = serializer.serialize_seq(Some(rows.len()))?;
                for row in rows {
                    seq.serialize_element(&Slot { name, column: items, row })?;
                }
                seq.end()
            }
            Data::Struct(fields) => {
                map(fields.names.iter().map(String::as_str).zip(&fields.columns), row, serializer)
            }
        }
    }
}

const NO_RFC3339: &str = "the time lies outside of the years 0000 to 9999, which RFC 3339 cannot write";

/// Formats for people, JSON first of all, have no text for NaN and the infinities and would write null.
#[inline]
fn finite<S: Serializer>(name: &str, value: f64, serializer: &S) -> Result<(), S::Error> {
    if value.is_finite() || !serializer.is_human_readable() {
        Ok(())
    } else {
        Err(S::Error::custom(format!("field `{name}`: {value} cannot be written as a number in text")))
    }
}

/// Appends one value to `out`, where it is one that can stand in a topic, a path or a key.
pub(super) fn text(column: &Column, row: usize, out: &mut String) -> Result<(), RecordError> {
    // Writing to a string cannot fail.
    let _ = match &column.data {
        Data::Float32(values) if !column.is_null(row) => write!(out, "{}", values[row]),
        Data::Time(values, unit, TimeForm::Rfc3339) if !column.is_null(row) => {
            match Rfc3339::new(values[row], *unit) {
                Some(text) => write!(out, "{text}"),
                None => return Err(RecordError::new(Reason::Route, NO_RFC3339)),
            }
        }
        _ => return column.value(row).append_to(out),
    };
    Ok(())
}
