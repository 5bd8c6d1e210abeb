//! Columnar records.

use std::sync::Arc;

use serde::{Deserializer, Serializer};

use crate::error::RecordError;
use crate::record::collection::{Collect, CollectBatch, Collection};
use crate::record::payload::Payload;
use crate::record::schema::Schema;
use crate::record::template::Template;

/// Columnar records: one batch, decoded by a schema, changed by transforms, read by an encoder,
/// and used again for the next batch.
#[derive(Debug)]
pub struct Records {
    schema: Arc<Schema>,
}

impl Records {
    /// No records yet, of this schema.
    pub fn new(schema: &Arc<Schema>) -> Self {
        Self { schema: Arc::clone(schema) }
    }

    /// The schema of the records as they stand, after the transforms so far.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// The index of the payload that the record at `index` came from.
    pub fn origin(&self, _index: usize) -> usize {
        todo!()
    }

    /// Keeps the records for which `keep` holds; the others count as filtered.
    pub fn retain(&mut self, _keep: impl FnMut(&Self, usize) -> bool) {
        todo!()
    }

    /// Takes the record at `index` out, as one that cannot go on.
    pub fn reject_row(&mut self, _index: usize, _error: RecordError) {
        todo!()
    }
}

impl Collect for Records {
    fn collect<'de, D: Deserializer<'de>>(&mut self, _deserializer: D) -> Result<(), D::Error> {
        todo!()
    }

    fn reject(&mut self, _error: RecordError) {
        todo!()
    }

    fn len(&self) -> usize {
        todo!()
    }

    fn truncate(&mut self, _len: usize) {
        todo!()
    }
}

impl CollectBatch for Records {
    fn clear(&mut self) {
        todo!()
    }

    fn begin_payload(&mut self, _index: usize, _: Payload<'_>) {
        todo!()
    }

    fn rejected(&self) -> &[(usize, RecordError)] {
        todo!()
    }
}

impl Collection for Records {
    fn len(&self) -> usize {
        todo!()
    }

    fn serialize<S: Serializer>(&self, _index: usize, _serializer: S) -> Result<S::Ok, S::Error> {
        todo!()
    }

    fn render(&self, _index: usize, _template: &Template, _out: &mut String) -> Result<(), RecordError> {
        todo!()
    }
}
