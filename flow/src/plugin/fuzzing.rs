//! What `fuzz/` calls. Not there in any other build.

use crate::plugin::abi::import_codecs::collect;
use crate::plugin::file;
use crate::plugin::rows::{KeyList, RowValue, RowWriter};
use crate::record::{Collect, Collection, Field, Records, Schema, Type};
use serde::Serialize;

/// Reads a library's file.
///
/// # Errors
/// Why it is refused.
pub fn examine(bytes: &[u8]) -> Result<(), String> {
    file::examine(bytes).map(drop)
}

/// Takes a row into columns, and writes the columns and the row on.
///
/// # Panics
/// Where a record is half taken, or what was taken cannot be written.
pub fn take_row(row: &[u8]) {
    let list = Type::List(Box::new(Field::new("item", Type::Int16)));
    let part = Type::Struct(vec![Field::new("x", Type::Float32), Field::new("y", Type::Bool)]);
    let kinds =
        [("a", Type::String), ("b", Type::Float64), ("c", Type::Int8), ("d", Type::Binary), ("e", list)];
    let mut fields: Vec<Field> = kinds.into_iter().map(|(name, kind)| Field::new(name, kind)).collect();
    fields.push(Field::new("f", part).required());
    let mut records = Records::new(&Schema::new(fields));
    for for_people in [true, false] {
        let before = Collect::len(&records);
        let taken = collect(&mut records, row, for_people);
        assert_eq!(Collect::len(&records), before + usize::from(taken.is_ok()), "{taken:?}");
    }
    let mut out = Vec::new();
    for index in 0..Collection::len(&records) {
        let written = Collection::serialize(&records, index, RowWriter { out: &mut out, for_people: false });
        written.unwrap_or_else(|error| panic!("{error}"));
    }
    // The keys that are read come as a row, too.
    let _ = KeyList::default().of(Some(row));
    // A row that can be read can be written on.
    let _ = RowValue::new(row).serialize(RowWriter { out: &mut out, for_people: true });
}
