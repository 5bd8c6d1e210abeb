//! Columnar records.

use std::sync::Arc;

use serde::{Deserializer, Serializer};

use crate::error::{Reason, RecordError};
use crate::record::collection::{Collect, CollectBatch, Collection};
use crate::record::payload::Payload;
use crate::record::rejections::Rejections;
use crate::record::schema::Schema;
use crate::record::template::Template;

mod access;
mod change;
mod column;
mod direct;
mod metadata;
mod projection;
mod seed;
mod shown;
mod structs;
mod value;
mod write;

pub use access::Native;
pub use change::Cell;
pub use column::Column;
pub use value::Value;

use metadata::MetaColumn;
use seed::RecordVisitor;
use structs::Struct;

/// Columnar records: one batch, decoded by a schema, changed by transforms, read by an encoder,
/// and used again for the next batch.
///
/// Records are collected first and transformed then; [`CollectBatch::clear`] goes back to the schema that
/// decodes and to no records. All memory is kept and used again.
///
/// Decoding is strict: a value of another type than the schema's, a number out of range, a key that stands twice,
/// or null where the schema says `required`, is an error that names the field, and the record leaves nothing behind.
/// Keys that the schema does not name are skipped unparsed. Formats must be self-describing, since columns
/// ask them with `deserialize_any`.
///
/// # Examples
/// ```
/// use flow::{Collect, Collection, Field, Records, Schema, Type};
///
/// let schema = Schema::new(vec![Field::new("device", Type::String), Field::new("celsius", Type::Float64)]);
/// let mut records = Records::new(&schema);
/// records.collect(&mut serde_json::Deserializer::from_str(r#"{"device": "pump", "x": 1, "celsius": 51.5}"#))?;
///
/// let mut out = Vec::new();
/// Collection::serialize(&records, 0, &mut serde_json::Serializer::new(&mut out))?;
/// assert_eq!(out, br#"{"device":"pump","celsius":51.5}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug)]
pub struct Records {
    /// What is decoded by.
    input: Arc<Schema>,
    /// What the records look like after the transforms so far.
    schema: Arc<Schema>,
    decoded: Struct,
    /// Columns that transforms have added.
    computed: Vec<Column>,
    /// Those of the batch before, the first on top, so that their memory is used again.
    spare_columns: Vec<Column>,
    /// For each column of `schema`, its position among the decoded and the computed columns.
    output: Vec<usize>,
    /// The payload that each row came from.
    origins: Vec<u32>,
    /// The rows that are left, in order; all of them as long as nothing was dropped.
    selection: Vec<u32>,
    spare_selection: Vec<u32>,
    narrowed: bool,
    filtered: usize,
    rejections: Rejections,
    metadata: Vec<MetaColumn>,
    /// The keys that lead to columns.
    keys: Arc<[String]>,
    fault: Option<RecordError>,
}

impl Records {
    /// No records yet, of this schema.
    ///
    /// # Panics
    /// Where [`Schema::check`] would fail because a path cannot be read.
    pub fn new(schema: &Arc<Schema>) -> Self {
        let decoded = Struct::new(schema.fields());
        Self {
            input: Arc::clone(schema),
            schema: Arc::clone(schema),
            keys: decoded.keys().map(str::to_owned).collect(),
            decoded,
            computed: Vec::new(),
            spare_columns: Vec::new(),
            output: (0..schema.fields().len()).collect(),
            origins: Vec::new(),
            selection: Vec::new(),
            spare_selection: Vec::new(),
            narrowed: false,
            filtered: 0,
            rejections: Rejections::default(),
            metadata: MetaColumn::of(schema.fields()),
            fault: None,
        }
    }

    /// The schema of the records as they stand, after the transforms so far.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// How many records [`Records::retain`] has dropped since the last [`CollectBatch::clear`].
    pub fn filtered(&self) -> usize {
        self.filtered
    }

    /// The index of the payload that the record at `index` came from.
    pub fn origin(&self, index: usize) -> usize {
        self.origins[self.row(index)] as usize
    }

    fn collect_row<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        for meta in &self.metadata {
            meta.push(&mut self.decoded.columns).map_err(|error| seed::refuse(&mut self.fault, error))?;
        }
        deserializer.deserialize_any(RecordVisitor { columns: &mut self.decoded, fault: &mut self.fault })
    }
}

impl Collect for Records {
    fn collect<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        self.fault = None;
        match self.collect_row(deserializer) {
            Ok(()) => {
                if self.narrowed {
                    self.selection.push(position(self.origins.len()));
                }
                self.origins.push(position(self.rejections.payload()));
                Ok(())
            }
            Err(error) => {
                self.decoded.drop_partial();
                Err(error)
            }
        }
    }

    fn fault(&mut self) -> Option<RecordError> {
        self.fault.take()
    }

    fn keys(&self) -> Option<&Arc<[String]>> {
        Some(&self.keys)
    }

    fn reject(&mut self, error: RecordError) {
        self.rejections.push(error, self.origins.len());
    }

    fn len(&self) -> usize {
        if self.narrowed { self.selection.len() } else { self.origins.len() }
    }

    fn truncate(&mut self, len: usize) {
        if len < Collect::len(self) {
            let rows = self.row(len);
            self.selection.truncate(len);
            self.origins.truncate(rows);
            self.decoded.truncate(rows);
            for column in &mut self.computed {
                column.truncate(rows);
            }
        }
        self.rejections.truncate(self.origins.len());
    }
}

impl CollectBatch for Records {
    fn clear(&mut self) {
        if !Arc::ptr_eq(&self.schema, &self.input) {
            self.schema = Arc::clone(&self.input);
        }
        self.decoded.clear();
        while let Some(mut column) = self.computed.pop() {
            column.clear();
            self.spare_columns.push(column);
        }
        self.output.clear();
        self.output.extend(0..self.decoded.columns.len());
        self.origins.clear();
        self.selection.clear();
        self.narrowed = false;
        self.filtered = 0;
        self.rejections.clear();
        self.fault = None;
    }

    fn begin_payload(&mut self, index: usize, payload: Payload<'_>) {
        self.rejections.begin_payload(index, self.origins.len());
        for meta in &mut self.metadata {
            meta.begin_payload(payload);
        }
    }

    fn rejected(&self) -> &[(usize, RecordError)] {
        self.rejections.entries()
    }
}

impl Collection for Records {
    fn len(&self) -> usize {
        Collect::len(self)
    }

    fn serialize<S: Serializer>(&self, index: usize, serializer: S) -> Result<S::Ok, S::Error> {
        let row = self.row(index);
        let columns = self.output.iter().map(|column| self.physical(*column));
        write::map(self.schema.fields().iter().map(|field| field.name.as_str()).zip(columns), row, serializer)
    }

    fn render(&self, index: usize, template: &Template, out: &mut String) -> Result<(), RecordError> {
        let row = self.row(index);
        template.render(out, |name, out| match self.schema.index_of(name) {
            Some(column) => {
                write::text(self.column(column), row, out).map_err(|error| error.with_field(name))
            }
            None => {
                let message = format!("no such column; {}", self.schema.suggest(name));
                Err(RecordError::new(Reason::Route, message).with_field(name))
            }
        })
    }
}

/// Batches are far smaller than 2^32 records: the offsets of their columns end earlier.
fn position(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
