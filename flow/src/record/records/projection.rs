//! Which parts of an object go into which columns; the rest is skipped unparsed.

use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::error::{Reason, RecordError};
use crate::record::records::column::Column;
use crate::record::records::seed::{ColumnSeed, below, refuse};
use crate::record::records::shown::Quoted;
use crate::record::schema::path::Step;

/// The keys of one object that lead to columns.
#[derive(Debug, Default)]
pub(super) struct Projection {
    keys: Vec<Key>,
    /// The key that came first in the last object, then the key that came after each: records of a stream
    /// repeat their order, so that the next key is found with one comparison.
    next: Vec<usize>,
}

#[derive(Debug)]
struct Key {
    name: String,
    node: Node,
    /// The object in which it was last seen.
    seen: u64,
}

#[derive(Debug)]
enum Node {
    Column(usize),
    Object(Projection),
    /// Elements by position, in ascending order.
    Array(Vec<(usize, Node)>),
}

impl Projection {
    /// Leads `path` to a column. Paths do not overlap.
    pub(super) fn insert(&mut self, path: &[Step], column: usize) {
        let [Step::Key(name), rest @ ..] = path else { return };
        let found = self.keys.iter().position(|key| key.name == *name).unwrap_or_else(|| {
            self.keys.push(Key { name: name.clone(), node: Node::empty(rest), seen: 0 });
            self.next = (0..=self.keys.len()).map(|key| key.min(self.keys.len() - 1)).collect();
            self.keys.len() - 1
        });
        self.keys[found].node.insert(rest, column);
    }

    /// The keys, in the order in which they were inserted.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|key| key.name.as_str())
    }

    /// How many columns it leads to.
    pub(super) fn columns(&self) -> usize {
        self.keys.iter().map(|key| key.node.columns()).sum()
    }

    /// Reads one object and says how many columns it filled.
    pub(super) fn read<'de, A: MapAccess<'de>>(
        &mut self,
        mut map: A,
        columns: &mut [Column],
        visit: u64,
        fault: &mut Option<RecordError>,
    ) -> Result<usize, A::Error> {
        let mut filled = 0;
        let mut after = 0;
        loop {
            let expected = self.next.get(after).copied().unwrap_or_default();
            match map.next_key_seed(KeySeed { keys: &self.keys, expected })? {
                None => return Ok(filled),
                Some(None) => {
                    map.next_value::<IgnoredAny>()?;
                }
                Some(Some(found)) => {
                    if found != expected {
                        self.next[after] = found;
                    }
                    after = found + 1;
                    let key = &mut self.keys[found];
                    if key.seen == visit {
                        let error = RecordError::new(Reason::Duplicate, "the key stands twice in one object");
                        return Err(refuse(fault, error.with_field(key.name.as_str())));
                    }
                    key.seen = visit;
                    let result = match &mut key.node {
                        Node::Column(column) => map
                            .next_value_seed(ColumnSeed { column: &mut columns[*column], fault })
                            .map(|()| 1),
                        node => map.next_value_seed(NodeSeed { node, columns, visit, fault }),
                    };
                    match result {
                        Ok(columns) => filled += columns,
                        Err(error) => {
                            below(fault, key.name.as_str());
                            return Err(error);
                        }
                    }
                }
            }
        }
    }
}

impl Node {
    fn empty(path: &[Step]) -> Self {
        match path {
            [] => Node::Column(0),
            [Step::Key(_), ..] => Node::Object(Projection::default()),
            [Step::Index(_), ..] => Node::Array(Vec::new()),
        }
    }

    fn columns(&self) -> usize {
        match self {
            Node::Column(_) => 1,
            Node::Object(object) => object.columns(),
            Node::Array(elements) => elements.iter().map(|(_, node)| node.columns()).sum(),
        }
    }

    fn insert(&mut self, path: &[Step], column: usize) {
        match (self, path) {
            (Node::Column(at), []) => *at = column,
            (Node::Object(object), path) => object.insert(path, column),
            (Node::Array(elements), [Step::Index(index), rest @ ..]) => {
                let at = elements.binary_search_by_key(index, |(index, _)| *index).unwrap_or_else(|at| {
                    elements.insert(at, (*index, Node::empty(rest)));
                    at
                });
                elements[at].1.insert(rest, column);
            }
            _ => {}
        }
    }
}

/// Finds out which key comes next, and keeps nothing of its text.
struct KeySeed<'a> {
    keys: &'a [Key],
    expected: usize,
}

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = Option<usize>;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for KeySeed<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key that is text")
    }

    #[inline]
    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        match self.keys.get(self.expected) {
            Some(key) if key.name == name => Ok(Some(self.expected)),
            _ => Ok(self.keys.iter().position(|key| key.name == name)),
        }
    }

    fn visit_bytes<E>(self, name: &[u8]) -> Result<Self::Value, E> {
        Ok(self.keys.iter().position(|key| key.name.as_bytes() == name))
    }
}

/// Goes on along a path, into an object or an array.
struct NodeSeed<'a> {
    node: &'a mut Node,
    columns: &'a mut [Column],
    visit: u64,
    fault: &'a mut Option<RecordError>,
}

impl NodeSeed<'_> {
    fn mismatch<E: Error>(self, got: &dyn fmt::Display) -> E {
        let wanted = if matches!(self.node, Node::Array(_)) { "an array" } else { "an object" };
        refuse(self.fault, RecordError::new(Reason::Type, format!("expected {wanted}, got {got}")))
    }
}

impl<'de> DeserializeSeed<'de> for NodeSeed<'_> {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        match &mut *self.node {
            Node::Column(column) => ColumnSeed { column: &mut self.columns[*column], fault: self.fault }
                .deserialize(deserializer)
                .map(|()| 1),
            _ => deserializer.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for NodeSeed<'_> {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<usize, A::Error> {
        match self.node {
            Node::Object(object) => object.read(map, self.columns, self.visit, self.fault),
            _ => Err(self.mismatch(&"an object")),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<usize, A::Error> {
        let Node::Array(elements) = self.node else {
            return Err(self.mismatch(&"an array"));
        };
        let mut filled = 0;
        let mut wanted = elements.iter_mut().peekable();
        for position in 0.. {
            let more = match wanted.next_if(|(index, _)| *index == position) {
                Some((_, node)) => {
                    let seed = NodeSeed { node, columns: self.columns, visit: self.visit, fault: self.fault };
                    seq.next_element_seed(seed).inspect_err(|_| below(self.fault, position))?
                }
                None => seq.next_element::<IgnoredAny>()?.map(|_| 0),
            };
            match more {
                Some(columns) => filled += columns,
                None => break,
            }
        }
        Ok(filled)
    }

    /// What lies below null is missing.
    fn visit_unit<E: Error>(self) -> Result<usize, E> {
        Ok(0)
    }

    fn visit_none<E: Error>(self) -> Result<usize, E> {
        Ok(0)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<usize, E> {
        Err(self.mismatch(&value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<usize, E> {
        Err(self.mismatch(&value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<usize, E> {
        Err(self.mismatch(&value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<usize, E> {
        Err(self.mismatch(&value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<usize, E> {
        Err(self.mismatch(&Quoted(value)))
    }

    fn visit_bytes<E: Error>(self, value: &[u8]) -> Result<usize, E> {
        Err(self.mismatch(&format_args!("{} bytes", value.len())))
    }
}
