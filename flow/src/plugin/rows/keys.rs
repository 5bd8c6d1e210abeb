//! The keys of a record that are read, on their way to the decoder: it need not hand over the others. And the entries of
//! maps, with and without such keys.

use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use crate::plugin::rows::writer::{RowVisitor, RowWriter};
use crate::plugin::rows::{Cursor, RowError, Token};

/// The program's side: the keys as a row, written where they change.
#[derive(Default)]
pub(crate) struct KeyRow {
    of: Option<Arc<[String]>>,
    row: Vec<u8>,
}

impl KeyRow {
    /// None: all are read.
    pub(crate) fn of(&mut self, keys: Option<&Arc<[String]>>) -> Option<&[u8]> {
        let keys = keys?;
        if !self.of.as_ref().is_some_and(|of| Arc::ptr_eq(of, keys)) {
            self.row.clear();
            let writer = RowWriter { out: &mut self.row, for_people: false };
            serde::Serialize::serialize(&**keys, writer).ok()?;
            self.of = Some(Arc::clone(keys));
        }
        Some(&self.row)
    }
}

/// The library's side: the keys of a row, read where it changes.
#[derive(Default)]
pub(crate) struct KeyList {
    row: Vec<u8>,
    keys: Option<Arc<[String]>>,
}

impl KeyList {
    /// None: all are read. So they are where the row is none.
    pub(crate) fn of(&mut self, row: Option<&[u8]>) -> Option<&Arc<[String]>> {
        let row = row?;
        if self.row != row {
            self.row = row.to_vec();
            self.keys = read(row).ok();
        }
        self.keys.as_ref()
    }
}

fn read(row: &[u8]) -> Result<Arc<[String]>, RowError> {
    let mut cursor = Cursor(row);
    let Token::List(len) = cursor.token()? else { return Err(RowError::new("keys are a list")) };
    let key = |_| match cursor.token()? {
        Token::Text(key) => Ok(key.to_owned()),
        _ => Err(RowError::new("a key is text")),
    };
    (0..len).map(key).collect()
}

/// Writes all entries of a map. Returns how many there were.
#[inline]
pub(super) fn all_entries<'de, A: MapAccess<'de>>(mut map: A, out: &mut Vec<u8>) -> Result<u32, A::Error> {
    let mut len = 0_u32;
    while map.next_key_seed(RowVisitor::plain(out))?.is_some() {
        map.next_value_seed(RowVisitor::plain(out))?;
        len = len.checked_add(1).ok_or_else(|| A::Error::custom("a map of 2^32 entries"))?;
    }
    Ok(len)
}

/// Writes the entries of a record whose keys are read, and passes over the others. Returns how many were written.
#[inline]
pub(super) fn entries<'de, A: MapAccess<'de>>(
    mut map: A,
    out: &mut Vec<u8>,
    keys: &[String],
) -> Result<u32, A::Error> {
    let (mut len, mut likely) = (0_u32, 0);
    while let Some(found) = map.next_key_seed(KeySeed { out, keys, likely })? {
        let Some(found) = found else {
            map.next_value::<IgnoredAny>()?;
            continue;
        };
        likely = found + 1;
        map.next_value_seed(RowVisitor::plain(out))?;
        len = len.checked_add(1).ok_or_else(|| A::Error::custom("a map of 2^32 entries"))?;
    }
    Ok(len)
}

/// Writes a key that is read, and says of any other that its value can be passed over.
struct KeySeed<'a> {
    out: &'a mut Vec<u8>,
    keys: &'a [String],
    /// Where it is likely to stand: records repeat their order.
    likely: usize,
}

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    /// Its position among the keys that are read.
    type Value = Option<usize>;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl KeySeed<'_> {
    /// What is no text goes over as it is: the program says what is wrong with it.
    fn other<E: serde::de::Error>(
        self,
        write: impl FnOnce(RowVisitor<'_>) -> Result<(), E>,
    ) -> Result<Option<usize>, E> {
        write(RowVisitor::plain(self.out))?;
        Ok(Some(self.likely))
    }
}

impl Visitor<'_> for KeySeed<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    #[inline]
    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Option<usize>, E> {
        let found = match self.keys.get(self.likely) {
            Some(key) if key == name => Some(self.likely),
            _ => self.keys.iter().position(|key| key == name),
        };
        if found.is_some() {
            RowVisitor::plain(self.out).visit_str(name)?;
        }
        Ok(found)
    }

    fn visit_bool<E: serde::de::Error>(self, key: bool) -> Result<Option<usize>, E> {
        self.other(|row| row.visit_bool(key))
    }

    fn visit_i64<E: serde::de::Error>(self, key: i64) -> Result<Option<usize>, E> {
        self.other(|row| row.visit_i64(key))
    }

    fn visit_u64<E: serde::de::Error>(self, key: u64) -> Result<Option<usize>, E> {
        self.other(|row| row.visit_u64(key))
    }

    fn visit_f64<E: serde::de::Error>(self, key: f64) -> Result<Option<usize>, E> {
        self.other(|row| row.visit_f64(key))
    }

    fn visit_bytes<E: serde::de::Error>(self, key: &[u8]) -> Result<Option<usize>, E> {
        self.other(|row| row.visit_bytes(key))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Option<usize>, E> {
        self.other(|row| row.visit_unit())
    }
}
