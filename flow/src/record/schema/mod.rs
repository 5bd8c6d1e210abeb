//! The schema of columnar records, as a pipeline file states it.
//!
//! ```toml
//! [source.schema]
//! device_id = "string"
//! temperature = { type = "float64", required = true, from = "data.temp[0]" }
//! ts = "timestamp(ms)"
//! topic = { type = "string", from = "meta.topic" }
//! samples = "list(float64)"
//! position = { type = "struct", fields = { lat = "float64", lon = "float64" } }
//! ```

use std::fmt;
use std::sync::Arc;

use crate::error::Error;

mod describe;
mod parse;
pub(crate) mod path;

pub use describe::json_schema;

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

impl TimeUnit {
    /// As schemas write it: `s`, `ms`, `us`, `ns`.
    pub fn as_str(self) -> &'static str {
        match self {
            TimeUnit::Second => "s",
            TimeUnit::Millisecond => "ms",
            TimeUnit::Microsecond => "us",
            TimeUnit::Nanosecond => "ns",
        }
    }
}

/// How a timestamp stands in text formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TimeForm {
    /// A whole number of units since 1970-01-01T00:00:00Z.
    Number,
    /// RFC 3339 text, `2026-11-23T10:15:00.250Z`. Digits finer than the unit are cut off when it is read.
    Rfc3339,
}

/// The type of a column.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
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

impl Type {
    /// The types without parameters, under the names that schemas use.
    pub(crate) const PLAIN: [(&'static str, Type); 13] = [
        ("bool", Type::Bool),
        ("int8", Type::Int8),
        ("int16", Type::Int16),
        ("int32", Type::Int32),
        ("int64", Type::Int64),
        ("uint8", Type::UInt8),
        ("uint16", Type::UInt16),
        ("uint32", Type::UInt32),
        ("uint64", Type::UInt64),
        ("float32", Type::Float32),
        ("float64", Type::Float64),
        ("string", Type::String),
        ("binary", Type::Binary),
    ];
}

/// As a schema writes it where it can (`timestamp(ms, rfc3339)`, `list(int32)`); a struct as `struct(lat: float64)`.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Timestamp(unit, TimeForm::Number) => write!(f, "timestamp({})", unit.as_str()),
            Type::Timestamp(unit, TimeForm::Rfc3339) => write!(f, "timestamp({}, rfc3339)", unit.as_str()),
            Type::List(items) => write!(f, "list({})", items.kind),
            Type::Struct(fields) => {
                f.write_str("struct(")?;
                for (index, field) in fields.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{}: {}", field.name, field.kind)?;
                }
                f.write_str(")")
            }
            plain => {
                let name = Type::PLAIN.iter().find(|(_, kind)| kind == plain).map(|(name, _)| *name);
                f.write_str(name.unwrap_or_default())
            }
        }
    }
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Field {
    /// Its name in the records.
    pub name: String,
    /// Its type.
    pub kind: Type,
    /// Is it an error when it is absent or null?
    pub required: bool,
    /// Where its value comes from, where that is not the key of its own name.
    ///
    /// - `a.b[0]`: the first element of the array under `b` in the object under `a`.
    /// - `'a.b'.c`: a key that has a dot, a bracket or a quote (doubled) in it stands in single quotes.
    /// - `meta.topic`, `meta.key`, `meta.time`, `meta.header.NAME`: what travels beside the payload.
    ///   A key `meta` in the payload itself is written `'meta'.x`.
    ///
    /// In a field of a struct the path starts at the struct.
    pub from: Option<String>,
}

impl Field {
    /// A column that may be null and stands in records under its own name.
    pub fn new(name: impl Into<String>, kind: Type) -> Self {
        Self { name: name.into(), kind, required: false, from: None }
    }

    /// The same, as one that must be there and must not be null.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The same, read from `path` (see [`Field::from`](struct@Field)).
    #[must_use]
    pub fn from_path(mut self, path: impl Into<String>) -> Self {
        self.from = Some(path.into());
        self
    }
}

/// The columns of a record, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Schema {
    fields: Vec<Field>,
}

impl Schema {
    /// A schema of these columns, as they are. [`Schema::check`] says what is wrong with it.
    pub fn new(fields: Vec<Field>) -> Arc<Self> {
        Arc::new(Self { fields })
    }

    /// Reads the schema table of a pipeline file.
    ///
    /// # Errors
    /// Everything that is wrong with it, each an [`Error::config`] whose key is the path inside the table
    /// (`temperature.type`).
    pub fn from_value(value: &serde_json::Value) -> Result<Arc<Self>, Vec<Error>> {
        parse::schema(value).map(Self::new)
    }

    /// Can records be decoded by it? Names, paths and the types of metadata columns are looked at.
    ///
    /// # Errors
    /// Everything that is wrong with it, each an [`Error::config`] as for [`Schema::from_value`].
    pub fn check(&self) -> Result<(), Vec<Error>> {
        let mut errors = Vec::new();
        path::check(&self.fields, &mut errors);
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// Its columns, in order.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The position of the column `name`.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }

    /// The position of the column `name`, which the option `key` asks for.
    ///
    /// # Errors
    /// [`Error::config`] with the columns there are, and the one that was probably meant.
    pub fn require(&self, key: &str, name: &str) -> Result<usize, Error> {
        self.index_of(name).ok_or_else(|| {
            Error::config(key.to_owned(), format!("there is no column `{name}`; {}", self.suggest(name)))
        })
    }

    /// The same columns and one more at the end; a column of the same name is an error.
    ///
    /// # Errors
    /// [`Error::config`] under `key` where the name is taken.
    pub fn with(&self, key: &str, field: Field) -> Result<Arc<Self>, Error> {
        if self.index_of(&field.name).is_some() {
            let message = format!("there is already a column `{}`; choose another name", field.name);
            return Err(Error::config(key.to_owned(), message));
        }
        let mut fields = self.fields.clone();
        fields.push(field);
        Ok(Self::new(fields))
    }

    /// The column that was probably meant by `name`, and all there are.
    pub(crate) fn suggest(&self, name: &str) -> String {
        crate::record::nearest::known_names(name, self.fields.iter().map(|field| field.name.as_str()))
    }
}

#[cfg(test)]
mod tests;
