//! The schema of columnar records, as a pipeline file states it.

use std::sync::Arc;

/// The unit of a timestamp's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeUnit {
    /// Seconds.
    Second,
    /// Milliseconds.
    Millisecond,
    /// Microseconds.
    Microsecond,
    /// Nanoseconds.
    Nanosecond,
}

/// How a timestamp stands in text formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeForm {
    /// A whole number of units since 1970-01-01T00:00:00Z.
    Number,
    /// RFC 3339 text, `2026-11-23T10:15:00.250Z`.
    Rfc3339,
}

/// The type of a column.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names of the sized types say it all")]
pub enum Type {
    Bool,
    Int8,
    Int16,
    Int32,
    Int64,
    UInt8,
    UInt16,
    UInt32,
    UInt64,
    Float32,
    Float64,
    /// UTF-8 text.
    String,
    /// Bytes; base64 in JSON and other formats for people.
    Binary,
    /// A point in time, stored as a signed 64-bit number of units since 1970-01-01T00:00:00Z.
    Timestamp(TimeUnit, TimeForm),
    /// Any number of values of one type.
    List(Box<Field>),
    /// Named values.
    Struct(Vec<Field>),
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Field {
    /// Its name in the records.
    pub name: String,
    /// Its type.
    pub kind: Type,
    /// Is it an error when it is absent or null?
    pub required: bool,
    /// Where its value comes from, where that is not the key of its own name: `meta.topic`, `a.b[0]`.
    pub from: Option<String>,
}

/// The columns of a record, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Schema {
    fields: Vec<Field>,
}

impl Schema {
    /// A schema of these columns.
    pub fn new(fields: Vec<Field>) -> Arc<Self> {
        Arc::new(Self { fields })
    }

    /// Its columns, in order.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The position of the column `name`.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }
}
