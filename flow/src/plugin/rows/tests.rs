use std::sync::Arc;

use serde::de::{Deserializer, IgnoredAny};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::{Reason, RecordError};
use crate::plugin::rows::{KeyList, KeyRow, Row, RowValue, RowVisitor, RowWriter};

fn written<T: Serialize>(value: &T) -> Vec<u8> {
    let mut out = Vec::new();
    value.serialize(RowWriter { out: &mut out, for_people: false }).unwrap();
    out
}

fn read<'a, T: Deserialize<'a>>(row: &'a [u8]) -> Result<T, String> {
    let mut reader = Row::new(row, false);
    let value = T::deserialize(&mut reader).map_err(|error| error.to_string())?;
    reader.end().map_err(|error| error.to_string())?;
    Ok(value)
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct All {
    none: Option<i8>,
    some: Option<i8>,
    unit: (),
    tuple: (u8, char),
    text: String,
    narrow: f32,
    list: Vec<Vec<bool>>,
    plain: Kind,
    newtype: Kind,
    pair: Kind,
    fields: Kind,
    wide: u64,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Kind {
    Plain,
    Newtype(i64),
    Pair(u8, u8),
    Fields { a: u8 },
}

fn all() -> All {
    All {
        none: None,
        some: Some(-3),
        unit: (),
        tuple: (1, 'é'),
        text: "text".to_owned(),
        narrow: 0.1,
        list: vec![vec![true, false], vec![]],
        plain: Kind::Plain,
        newtype: Kind::Newtype(i64::MIN),
        pair: Kind::Pair(1, 2),
        fields: Kind::Fields { a: 9 },
        wide: u64::MAX,
    }
}

#[test]
fn what_is_written_is_read_again() {
    let row = written(&all());
    assert_eq!(read::<All>(&row), Ok(all()));
    // Written on, it is the same row.
    assert_eq!(written(&RowValue::new(&row)), row);
    // Out of a format, it says the same as out of a type.
    let text = serde_json::to_string(&all()).unwrap();
    let mut out = Vec::new();
    let mut json = serde_json::Deserializer::from_str(&text);
    json.deserialize_any(RowVisitor::plain(&mut out)).unwrap();
    assert_eq!(read::<All>(&out), Ok(all()));
    assert_eq!(read::<Value>(&out).unwrap(), serde_json::from_str::<Value>(&text).unwrap());
    // What nobody wants is passed over.
    assert!(read::<IgnoredAny>(&row).is_ok());
}

#[test]
fn what_is_not_read_does_not_cross() {
    let keys: Arc<[String]> = ["a", "b", "c"].map(str::to_owned).into();
    let mut key_row = KeyRow::default();
    let row = key_row.of(Some(&keys)).unwrap().to_vec();
    let mut list = KeyList::default();
    let read_keys = list.of(Some(&row)).unwrap();
    assert_eq!(read_keys, &keys);
    let cross = |text: &str| {
        let mut out = Vec::new();
        let visitor = RowVisitor { out: &mut out, finish: None, keys: Some(&**read_keys) };
        serde_json::Deserializer::from_str(text).deserialize_any(visitor).unwrap();
        read::<Value>(&out).unwrap()
    };
    // Nested deeper than a row may be, and passed over.
    let text = format!(r#"{{"x":{}1{},"b":{{"x":1}},"y":[],"a":2,"z":0}}"#, "[".repeat(100), "]".repeat(100));
    assert_eq!(cross(&text), json!({ "b": { "x": 1 }, "a": 2 }));
    assert_eq!(cross(r#"{"a":1,"b":2,"c":3}"#), json!({ "a": 1, "b": 2, "c": 3 }));
    assert_eq!(cross("{}"), json!({}));
    // Other keys, another row; no keys, all are read; no row of keys, too.
    assert_eq!(key_row.of(None), None);
    let fewer: Arc<[String]> = ["z".to_owned()].into();
    let row = key_row.of(Some(&fewer)).unwrap().to_vec();
    assert_eq!(list.of(Some(&row)), Some(&fewer));
    assert_eq!(list.of(None), None);
    assert_eq!(list.of(Some(&[7, 1])), None);
}

#[test]
fn no_row_can_be_cut_anywhere() {
    let row = written(&all());
    for end in 0..row.len() {
        assert!(read::<Value>(&row[..end]).is_err(), "{end}");
        assert!(read::<IgnoredAny>(&row[..end]).is_err(), "{end}");
    }
    let message = |row: &[u8]| read::<Value>(row).unwrap_err();
    assert_eq!(message(&[]), "the row ends too early");
    assert_eq!(message(&[11]), "a row has no tag 11");
    assert_eq!(message(&[0, 0]), "bytes follow the end of the row");
    assert_eq!(message(&[7, 1, 0, 0, 0, 0xff]), "text in a row is not UTF-8");
    // A length that promises four billion values costs nothing.
    assert_eq!(message(&[9, 0xff, 0xff, 0xff, 0xff]), "the row ends too early");
    assert_eq!(message(&[8, 0xff, 0xff, 0xff, 0xff]), "the row ends too early");
}

#[test]
fn depth_is_bounded() {
    let deep = |depth: usize| [[9, 1, 0, 0, 0].repeat(depth), vec![0]].concat();
    assert!(read::<Value>(&deep(128)).is_ok());
    assert_eq!(read::<Value>(&deep(129)).unwrap_err(), "nested deeper than 128 levels");
    let mut out = Vec::new();
    let mut row = deep(10_000);
    assert!(Row::new(&row, false).deserialize_any(RowVisitor::plain(&mut out)).is_err());
    assert!(RowValue::new(&row).serialize(RowWriter { out: &mut out, for_people: false }).is_err());
    assert!(read::<IgnoredAny>(&row).is_ok(), "skipping needs no stack");
    row.truncate(9_999);
    assert!(read::<IgnoredAny>(&row).is_err());
}

#[test]
fn a_record_that_is_refused_is_refused_where_it_ends() {
    let mut refuse = |row: &[u8]| {
        assert_eq!(read::<Value>(row).unwrap(), json!({ "a": 1 }));
        Err(RecordError::new(Reason::Type, "not today"))
    };
    let mut out = Vec::new();
    let mut json = serde_json::Deserializer::from_str(r#"{"a":1} {"b":2}"#);
    let refused = json
        .deserialize_any(RowVisitor { out: &mut out, finish: Some(&mut refuse), keys: None })
        .unwrap_err();
    assert_eq!((refused.to_string().as_str(), refused.column()), ("not today at line 1 column 7", 7));
}
