//! How a value of any serde format gets into a column.
//!
//! Formats say what they found (`deserialize_any`) and the column decides whether it takes it: so a value of the
//! wrong type becomes an error that shows the value, whichever the format.

use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};

use crate::error::{Reason, RecordError};
use crate::record::records::column::{Column, Data};
use crate::record::records::shown::Quoted;
use crate::record::records::structs::Struct;

/// Keeps the error for the collection and says it in the format's own error type.
#[cold]
pub(super) fn refuse<E: Error>(fault: &mut Option<RecordError>, error: RecordError) -> E {
    let text = E::custom(&error);
    *fault = Some(error);
    text
}

/// A step of the path from a record's root to a field.
pub(super) trait Step {
    fn prepend(self, path: Option<&str>) -> String;
}

impl Step for &str {
    fn prepend(self, path: Option<&str>) -> String {
        match path {
            None => self.to_owned(),
            Some(path) if path.starts_with('[') => format!("{self}{path}"),
            Some(path) => format!("{self}.{path}"),
        }
    }
}

impl Step for usize {
    fn prepend(self, path: Option<&str>) -> String {
        match path {
            None => format!("[{self}]"),
            Some(path) if path.starts_with('[') => format!("[{self}]{path}"),
            Some(path) => format!("[{self}].{path}"),
        }
    }
}

/// The field of `fault` lies below `step`.
#[cold]
pub(super) fn below(fault: &mut Option<RecordError>, step: impl Step) {
    if let Some(error) = fault.take() {
        let path = step.prepend(error.field());
        *fault = Some(error.with_field(path));
    }
}

/// Takes one value into a column.
pub(super) struct ColumnSeed<'a> {
    pub(super) column: &'a mut Column,
    pub(super) fault: &'a mut Option<RecordError>,
}

impl<'de> DeserializeSeed<'de> for ColumnSeed<'_> {
    type Value = ();

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let for_people = deserializer.is_human_readable();
        deserializer.deserialize_any(ValueVisitor { column: self.column, fault: self.fault, for_people })
    }
}

struct ValueVisitor<'a> {
    column: &'a mut Column,
    fault: &'a mut Option<RecordError>,
    for_people: bool,
}

impl ValueVisitor<'_> {
    /// The long way: out of line, so that the short one is inlined into the decoder.
    #[inline(never)]
    fn take<E: Error>(self, push: impl FnOnce(&mut Column) -> Result<(), RecordError>) -> Result<(), E> {
        push(self.column).map_err(|error| refuse(self.fault, error))
    }
}

impl<'de> Visitor<'de> for ValueVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.column.kind)
    }

    #[inline]
    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.take(|column| column.push_bool(value))
    }

    #[inline]
    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        if self.column.take_i64(value) {
            return Ok(());
        }
        self.take(|column| column.push_i64(value))
    }

    #[inline]
    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        if self.column.take_u64(value) {
            return Ok(());
        }
        self.take(|column| column.push_u64(value))
    }

    #[inline]
    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        if self.column.take_f64(value) {
            return Ok(());
        }
        self.take(|column| column.push_f64(value))
    }

    #[inline]
    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        if self.column.take_str(value) {
            return Ok(());
        }
        let for_people = self.for_people;
        self.take(|column| column.push_str(value, for_people))
    }

    fn visit_bytes<E: Error>(self, value: &[u8]) -> Result<(), E> {
        self.take(|column| column.push_bytes(value))
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.take(Column::push_null)
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        self.take(Column::push_null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Self { column, fault, .. } = self;
        let Data::List { offsets, items } = &mut column.data else {
            return Err(refuse(fault, column.mismatch("an array")));
        };
        let start = items.len;
        loop {
            match seq.next_element_seed(ColumnSeed { column: items, fault }) {
                Ok(Some(())) => {}
                Ok(None) => break,
                Err(error) => {
                    below(fault, items.len - start);
                    return Err(error);
                }
            }
        }
        match i32::try_from(items.len) {
            Ok(end) => offsets.push(end),
            Err(_) => return Err(refuse(fault, RecordError::new(Reason::Size, TOO_MANY_ITEMS))),
        }
        column.close_row();
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let Self { column, fault, .. } = self;
        let Data::Struct(fields) = &mut column.data else {
            return Err(refuse(fault, column.mismatch("an object")));
        };
        fields.fill(map, fault)?;
        column.close_row();
        Ok(())
    }
}

const TOO_MANY_ITEMS: &str = "more than 2147483647 list items in one batch; make the batches smaller";

/// Takes one record into the columns of its schema.
pub(super) struct RecordVisitor<'a> {
    pub(super) columns: &'a mut Struct,
    pub(super) fault: &'a mut Option<RecordError>,
}

impl RecordVisitor<'_> {
    fn mismatch<E: Error>(self, got: &dyn fmt::Display) -> E {
        refuse(self.fault, RecordError::new(Reason::Type, format!("a record is an object, not {got}")))
    }
}

impl<'de> Visitor<'de> for RecordVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        self.columns.fill(map, self.fault)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(self.mismatch(&"an array"))
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Err(self.mismatch(&"null"))
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        Err(self.mismatch(&"null"))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        Err(self.mismatch(&value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        Err(self.mismatch(&value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        Err(self.mismatch(&value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        Err(self.mismatch(&value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        Err(self.mismatch(&Quoted(value)))
    }

    fn visit_bytes<E: Error>(self, value: &[u8]) -> Result<(), E> {
        Err(self.mismatch(&format_args!("{} bytes", value.len())))
    }
}
