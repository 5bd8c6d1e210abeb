//! A tree from JSON. serde_json has no spans; raw values are slices of the text, so their addresses tell their places.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::pipeline::spec::tree::{Node, NodeValue};

/// Each level is parsed by itself, so depth costs time.
const DEEPEST: usize = 32;

/// The first syntax error, with its place in bytes.
pub(crate) fn parse(text: &str) -> Result<Node, Vec<(usize, String)>> {
    let raw: &RawValue = serde_json::from_str(text).map_err(|error| {
        let line_start: usize =
            text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
        let message = error.to_string();
        let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
        vec![(line_start + error.column().saturating_sub(1), message.to_owned())]
    })?;
    let mut errors = Vec::new();
    let root = node(text, raw, 0, &mut errors);
    if errors.is_empty() { Ok(root) } else { Err(errors) }
}

fn node(text: &str, raw: &RawValue, depth: usize, errors: &mut Vec<(usize, String)>) -> Node {
    let start = raw.get().as_ptr().addr() - text.as_ptr().addr();
    if depth > DEEPEST {
        errors.push((start, format!("nested deeper than {DEEPEST} levels")));
        return Node::new(start..start + raw.get().len(), NodeValue::Scalar(Value::Null));
    }
    let mut broken = |error: serde_json::Error| {
        errors.push((start, error.to_string()));
        NodeValue::Scalar(Value::Null)
    };
    let value = match raw.get().as_bytes().first() {
        Some(b'{') => match serde_json::from_str::<RawTable<'_>>(raw.get()) {
            Ok(table) => {
                let mut entries: Vec<(String, Node)> = Vec::new();
                for (key, value) in table.0 {
                    let value = node(text, value, depth + 1, errors);
                    if entries.iter().any(|(earlier, _)| *earlier == key) {
                        errors
                            .push((value.span.start, format!("the key `{key}` stands twice in one object")));
                    }
                    entries.push((key, value));
                }
                NodeValue::Table(entries)
            }
            Err(error) => broken(error),
        },
        Some(b'[') => match serde_json::from_str::<Vec<&RawValue>>(raw.get()) {
            Ok(items) => {
                NodeValue::Array(items.into_iter().map(|item| node(text, item, depth + 1, errors)).collect())
            }
            Err(error) => broken(error),
        },
        _ => serde_json::from_str(raw.get()).map_or_else(broken, NodeValue::Scalar),
    };
    Node::new(start..start + raw.get().len(), value)
}

/// An object's entries in the order of the text, twins included.
struct RawTable<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for RawTable<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = RawTable<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(RawTable(entries))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}
