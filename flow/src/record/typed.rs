//! The application's own structs as records.

use serde::de::DeserializeOwned;
use serde::{Deserializer, Serialize, Serializer};

use crate::error::RecordError;
use crate::record::collection::{Collect, CollectBatch, Collection};
use crate::record::fields;
use crate::record::payload::Payload;
use crate::record::rejections::Rejections;
use crate::record::template::Template;

/// Records of the application's own type, with what was rejected between them.
#[derive(Debug)]
pub struct TypedRecords<T> {
    items: Vec<T>,
    origins: Vec<u32>,
    rejections: Rejections,
}

impl<T> TypedRecords<T> {
    /// No records.
    pub fn new() -> Self {
        Self { items: Vec::new(), origins: Vec::new(), rejections: Rejections::default() }
    }

    /// Takes out the records, each with the index of the payload it came from.
    pub fn drain(&mut self) -> impl Iterator<Item = (usize, T)> {
        self.origins.drain(..).map(|origin| origin as usize).zip(self.items.drain(..))
    }

    /// Forgets records and rejections and keeps the memory.
    pub fn empty(&mut self) {
        self.items.clear();
        self.origins.clear();
        self.rejections.clear();
    }

    /// Appends a record that came from the payload at `origin`.
    pub fn push(&mut self, origin: usize, item: T) {
        self.origins.push(u32::try_from(origin).unwrap_or(u32::MAX));
        self.items.push(item);
    }

    /// The index of the payload that the record at `index` came from.
    pub fn origin(&self, index: usize) -> usize {
        self.origins[index] as usize
    }
}

impl<T> Default for TypedRecords<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: DeserializeOwned> Collect for TypedRecords<T> {
    fn collect<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        let item = T::deserialize(deserializer)?;
        self.push(self.rejections.payload(), item);
        Ok(())
    }

    fn reject(&mut self, error: RecordError) {
        self.rejections.push(error, self.items.len());
    }

    fn len(&self) -> usize {
        self.items.len()
    }

    fn truncate(&mut self, len: usize) {
        self.items.truncate(len);
        self.origins.truncate(len);
        self.rejections.truncate(self.items.len());
    }
}

impl<T: DeserializeOwned> CollectBatch for TypedRecords<T> {
    fn clear(&mut self) {
        self.empty();
    }

    fn begin_payload(&mut self, index: usize, _: Payload<'_>) {
        self.rejections.begin_payload(index, self.items.len());
    }

    fn rejected(&self) -> &[(usize, RecordError)] {
        self.rejections.entries()
    }
}

impl<T: Serialize> Collection for TypedRecords<T> {
    fn len(&self) -> usize {
        self.items.len()
    }

    fn serialize<S: Serializer>(&self, index: usize, serializer: S) -> Result<S::Ok, S::Error> {
        self.items[index].serialize(serializer)
    }

    fn render(&self, index: usize, template: &Template, out: &mut String) -> Result<(), RecordError> {
        template.render(out, |name, out| fields::append(&self.items[index], name, out))
    }
}
