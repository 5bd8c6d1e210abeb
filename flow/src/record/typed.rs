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

    /// The record at `index`.
    pub fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        self.items.get_mut(index)
    }

    /// The records, in order.
    pub fn items(&self) -> &[T] {
        &self.items
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Serialize};
    use serde_json::json;

    use crate::error::{Reason, RecordError};
    use crate::record::collection::{Collect, CollectBatch, Collection};
    use crate::record::payload::PayloadBatch;
    use crate::record::template::Template;
    use crate::record::typed::TypedRecords;

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(default)]
    struct Alert {
        device: String,
        n: u64,
        f: f32,
        on: bool,
        level: Option<Level>,
        tags: Vec<String>,
        place: BTreeMap<String, f64>,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Level {
        High,
    }

    fn render<T: Serialize>(record: T, text: &str) -> Result<String, (Reason, String)> {
        let mut records = TypedRecords::new();
        records.push(0, record);
        let mut out = String::new();
        let template = Template::parse(text, |_| Ok(())).unwrap();
        let rendered = records.render(0, &template, &mut out);
        rendered.map(|()| out).map_err(|error| (error.reason(), error.to_string()))
    }

    #[test]
    fn templates_take_fields_that_are_text_or_numbers() {
        let alert =
            || Alert { device: "pump".to_owned(), f: 0.1, level: Some(Level::High), ..Alert::default() };
        assert_eq!(render(alert(), "a/{device}/{n}/{f}/{on}/{level}").unwrap(), "a/pump/0/0.1/false/high");
        assert_eq!(render(BTreeMap::from([("k", 5)]), "{k}").unwrap(), "5");
        let error = |text: &str| render(Alert::default(), text).unwrap_err();
        let route = |text: &str| (Reason::Route, text.to_owned());
        assert_eq!(error("{level}"), route("field `level`: null cannot stand here"));
        assert_eq!(error("{place}"), route("field `place`: a list or struct cannot stand here"));
        assert_eq!(error("{devise}"), route("field `devise`: the record has no such field"));
        let tags = Alert { tags: vec!["x".to_owned()], ..Alert::default() };
        assert_eq!(
            render(tags, "{tags}").unwrap_err(),
            route("field `tags`: a list or struct cannot stand here")
        );
        assert_eq!(render("text", "{x}").unwrap_err(), route("field `x`: the record has no such field"));
    }

    #[test]
    fn truncation_takes_records_and_rejections_back() {
        let mut records = TypedRecords::<Alert>::new();
        let mut batch = PayloadBatch::new();
        batch.push(b"");
        let payload = batch.get(0).unwrap();
        records.begin_payload(0, payload);
        records.collect(json!({ "device": "a" })).unwrap();
        records.reject(RecordError::new(Reason::Type, "kept"));
        records.begin_payload(1, payload);
        records.reject(RecordError::new(Reason::Type, "first of a payload that fails"));
        records.collect(json!({ "device": "b" })).unwrap();
        records.reject(RecordError::new(Reason::Type, "after it"));
        assert!(records.collect(json!({ "n": -1 })).is_err());
        records.truncate(1);
        let rejected: Vec<_> =
            records.rejected().iter().map(|(origin, error)| (*origin, error.message())).collect();
        assert_eq!(rejected, [(0, "kept")]);
        assert_eq!(
            records.drain().map(|(origin, alert)| (origin, alert.device)).collect::<Vec<_>>(),
            [(0, "a".to_owned())]
        );
    }
}
