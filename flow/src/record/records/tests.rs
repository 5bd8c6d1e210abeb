use std::sync::Arc;

use serde_json::json;

use crate::error::{Reason, RecordError};
use crate::record::collection::{Collect, CollectBatch, Collection, Subset};
use crate::record::payload::PayloadBatch;
use crate::record::records::{Records, Value};
use crate::record::schema::{Field, Schema, Type};
use crate::record::template::Template;

/// Records `{"n": 0, "t": "r0"}` and so on, each from a payload of its own; every third `n` is null.
fn numbered(count: usize) -> Records {
    let schema = Schema::new(vec![Field::new("n", Type::Int32), Field::new("t", Type::String)]);
    let mut records = Records::new(&schema);
    fill(&mut records, count);
    records
}

fn fill(records: &mut Records, count: usize) {
    let mut batch = PayloadBatch::new();
    batch.push(b"");
    for index in 0..count {
        records.begin_payload(index, batch.get(0).unwrap());
        let n = if index % 3 == 2 { json!(null) } else { json!(index) };
        records.collect(json!({ "n": n, "t": format!("r{index}") })).unwrap();
    }
}

fn texts(records: &Records) -> Vec<String> {
    (0..records.len())
        .map(|index| {
            let mut out = Vec::new();
            Collection::serialize(records, index, &mut serde_json::Serializer::new(&mut out)).unwrap();
            String::from_utf8(out).unwrap()
        })
        .collect()
}

#[test]
fn what_is_dropped_is_counted_and_origins_stay() {
    let mut records = numbered(7);
    records.retain(|records, index| records.value(index, 0) != Value::Null);
    assert_eq!((records.len(), records.filtered()), (5, 2));
    records.retain(|records, index| records.value(index, 0) != Value::Int(3));
    assert_eq!((records.len(), records.filtered()), (4, 3));
    let origins: Vec<usize> = (0..4).map(|index| records.origin(index)).collect();
    assert_eq!(origins, [0, 1, 4, 6]);
    assert_eq!(records.rows().collect::<Vec<_>>(), [0, 1, 4, 6]);
    assert_eq!(texts(&records)[2], r#"{"n":4,"t":"r4"}"#);

    records.clear();
    fill(&mut records, 2);
    assert_eq!((records.len(), records.filtered()), (2, 0));
}

#[test]
fn a_row_that_cannot_go_on_is_rejected_in_its_place() {
    let mut records = numbered(4);
    records.reject_row(2, RecordError::new(Reason::Encode, "late"));
    records.reject_row(0, RecordError::new(Reason::Encode, "early"));
    assert_eq!(records.len(), 2);
    let rejected: Vec<_> =
        records.rejected().iter().map(|(origin, error)| (*origin, error.message())).collect();
    assert_eq!(rejected, [(0, "early"), (2, "late")]);
    assert_eq!((records.origin(0), records.origin(1), records.filtered()), (1, 3, 0));
}

#[test]
fn rows_of_one_payload_that_are_rejected_late_stand_in_their_order() {
    let mut records = Records::new(&Schema::new(vec![Field::new("n", Type::Int32)]));
    let mut batch = PayloadBatch::new();
    batch.push(b"");
    records.begin_payload(0, batch.get(0).unwrap());
    for n in 0..4 {
        records.collect(json!({ "n": n })).unwrap();
    }
    for row in [3, 1] {
        records.reject_row(row, RecordError::new(Reason::Encode, row.to_string()));
    }
    let rejected: Vec<_> = records.rejected().iter().map(|(_, error)| error.message()).collect();
    assert_eq!(rejected, ["1", "3"]);
}

#[test]
fn columns_are_picked_and_renamed_without_copies() {
    let mut records = numbered(2);
    let swapped = Schema::new(vec![Field::new("text", Type::String), Field::new("number", Type::Int32)]);
    records.project(&swapped, &[1, 0]);
    let twice = Schema::new(vec![
        Field::new("a", Type::Int32),
        Field::new("b", Type::Int32),
        Field::new("text", Type::String),
    ]);
    records.project(&twice, &[1, 1, 0]);
    assert_eq!(texts(&records)[1], r#"{"a":1,"b":1,"text":"r1"}"#);
    assert_eq!(records.schema(), &twice);

    records.clear();
    fill(&mut records, 1);
    assert_eq!(texts(&records), [r#"{"n":0,"t":"r0"}"#]);
}

#[test]
fn a_computed_column_stands_beside_the_others() {
    let mut records = numbered(7);
    for _ in 0..2 {
        records.retain(|records, index| records.value(index, 0) != Value::Int(1));
        let output = records.schema().with("", Field::new("double", Type::Int8)).unwrap();
        records.add_column(&output, |records, index, cell| match records.value(index, 0) {
            Value::Int(3) => Err(RecordError::new(Reason::Encode, "three is no number")),
            Value::Int(n) => cell.set(n * 30),
            _ => Ok(()),
        });
        // 4 * 30 and 0 fit an int8, 6 * 30 does not.
        let upper = records.schema().with("", Field::new("upper", Type::String).required()).unwrap();
        records.add_column(&upper, |records, index, cell| match records.value(index, 1) {
            Value::Text("r5") => Ok(()),
            Value::Text(text) => cell.set(text.to_uppercase().as_str()),
            _ => unreachable!(),
        });
        assert_eq!(
            texts(&records),
            [
                r#"{"n":0,"t":"r0","double":0,"upper":"R0"}"#,
                r#"{"n":null,"t":"r2","double":null,"upper":"R2"}"#,
                r#"{"n":4,"t":"r4","double":120,"upper":"R4"}"#,
            ]
        );
        let rejected: Vec<_> =
            records.rejected().iter().map(|(origin, error)| (*origin, error.to_string())).collect();
        assert_eq!(
            rejected,
            [
                (3, "field `double`: three is no number".to_owned()),
                (5, "field `upper`: absent, and the schema says `required`".to_owned()),
                (6, "field `double`: 180 is out of range for int8 (-128 to 127)".to_owned()),
            ]
        );
        assert_eq!(records.filtered(), 1);
        records.clear();
        fill(&mut records, 7);
    }
}

#[test]
fn a_cell_is_set_once_for_all() {
    let mut records = numbered(1);
    let output = records.schema().with("", Field::new("x", Type::Float32)).unwrap();
    records.add_column(&output, |_, _, cell| {
        cell.set(1.5)?;
        assert!(cell.set("text").is_err());
        cell.set(Some(2.5_f32))
    });
    assert_eq!(texts(&records), [r#"{"n":0,"t":"r0","x":2.5}"#]);
}

#[test]
fn lists_and_structs_can_be_read() {
    let schema = Schema::from_value(&json!({
        "l": "list(float64)",
        "s": { "type": "struct", "fields": { "x": "uint8" } },
    }))
    .unwrap();
    let mut records = Records::new(&schema);
    records.collect(json!({ "l": [1.5], "s": { "x": 1 } })).unwrap();
    records.collect(json!({ "l": [2.5, 3.5], "s": { "x": 2 } })).unwrap();
    let (items, rows) = records.column(0).list(1).unwrap();
    assert_eq!(&items.values::<f64>().unwrap()[rows], [2.5, 3.5]);
    let field = records.column(1).field("x").unwrap();
    assert_eq!((field.value(1), field.values::<u8>()), (Value::UInt(2), Some(&[1, 2][..])));
    assert_eq!((records.value(0, 0), records.value(0, 1)), (Value::Nested, Value::Nested));
    assert!(records.column(1).field("y").is_none() && records.column(0).values::<i64>().is_none());
}

#[test]
fn templates_take_values_of_columns() {
    let schema = Schema::from_value(&json!({
        "id": "string", "n": "int8", "f": "float32", "at": "timestamp(s, rfc3339)", "ok": "bool", "raw": "binary",
    }))
    .unwrap();
    let mut records = Records::new(&schema);
    records
        .collect(
            json!({ "id": "pump", "n": -7, "f": 0.1, "at": "2026-11-23T10:15:00Z", "ok": true, "raw": "" }),
        )
        .unwrap();
    let check = |value: &str| if value == "pump" { Err("is a pump") } else { Ok(()) };
    let render = |text: &str, check| {
        let template = Template::parse(text, check).unwrap();
        let mut out = String::from("t/");
        Collection::render(&records, 0, &template, &mut out).map(|()| out).map_err(|error| error.to_string())
    };
    assert_eq!(
        render("{id}/{n}/{f}/{at}/{ok}", |_| Ok(())).unwrap(),
        "t/pump/-7/0.1/2026-11-23T10:15:00Z/true"
    );
    assert_eq!(render("{id}", check).unwrap_err(), "field `id`: is a pump");
    assert_eq!(render("{raw}", check).unwrap_err(), "field `raw`: bytes cannot stand here");

    let check = |text: &str| Template::parse(text, |_| Ok(())).unwrap().check(&schema);
    assert_eq!(check("{id}/{n}"), Ok(()));
    assert_eq!(
        check("{di}").unwrap_err(),
        "`{di}` names no column; did you mean `id`? (known: `id`, `n`, `f`, `at`, `ok`, `raw`)"
    );
    assert_eq!(check("{raw}").unwrap_err(), "`{raw}` is a `binary` column, which has no place in text");

    records.clear();
    records.collect(json!({})).unwrap();
    let template = Template::parse("{id}", |_| Ok(())).unwrap();
    let error = Collection::render(&records, 0, &template, &mut String::new()).unwrap_err();
    assert_eq!(
        (error.reason(), error.to_string().as_str()),
        (Reason::Route, "field `id`: null cannot stand here")
    );
}

#[test]
fn truncation_takes_rejections_back() {
    let mut records = numbered(0);
    let mut batch = PayloadBatch::new();
    batch.push(b"");
    let payload = batch.get(0).unwrap();
    let bad = || RecordError::new(Reason::Type, "bad");
    records.begin_payload(0, payload);
    records.collect(json!({ "n": 1 })).unwrap();
    records.reject(bad());
    records.collect(json!({ "n": 2 })).unwrap();
    records.reject(bad());
    records.truncate(1);
    assert_eq!((records.len(), records.rejected().len()), (1, 1));
    records.begin_payload(1, payload);
    records.reject(bad());
    records.truncate(1);
    assert_eq!((records.len(), records.rejected().len()), (1, 1));
    assert_eq!(texts(&records), [r#"{"n":1,"t":null}"#]);
}

#[test]
fn nulls_come_and_go_with_truncation() {
    let mut records = numbered(3);
    records.truncate(2);
    records.collect(json!({ "n": 5 })).unwrap();
    records.truncate(0);
    assert!(records.is_empty());
    records.collect(json!({ "t": "x" })).unwrap();
    assert_eq!(texts(&records), [r#"{"n":null,"t":"x"}"#]);
    let subset = Subset::new(&records, &[0, 0]);
    assert_eq!(subset.len(), 2);
}

#[test]
fn bytes_are_bytes_where_the_format_has_them() {
    use serde::de::value::{BytesDeserializer, Error, MapDeserializer};
    let schema = Schema::new(vec![Field::new("b", Type::Binary), Field::new("t", Type::String)]);
    let mut records = Records::new(&schema);
    let record = |b: &'static [u8], t: &'static [u8]| {
        let entries = [("b", BytesDeserializer::<Error>::new(b)), ("t", BytesDeserializer::new(t))];
        MapDeserializer::new(entries.into_iter())
    };
    records.collect(record(&[0, 255], b"text")).unwrap();
    assert_eq!((records.value(0, 0), records.value(0, 1)), (Value::Bytes(&[0, 255]), Value::Text("text")));
    assert!(records.collect(record(&[0], &[255])).is_err());
    let fault = records.fault().unwrap();
    assert_eq!(
        (fault.reason(), fault.to_string().as_str()),
        (Reason::Utf8, "field `t`: the bytes are not UTF-8 text")
    );
    assert!(records.fault().is_none());
    assert_eq!(records.len(), 1);
}

#[test]
#[should_panic(expected = "there is no record 1")]
fn a_record_that_is_not_there_is_the_callers_mistake() {
    numbered(1).origin(1);
}

#[test]
fn clearing_goes_back_to_the_schema_that_decodes() {
    let mut records = numbered(1);
    let input = Arc::clone(records.schema());
    records.project(&Schema::new(vec![Field::new("x", Type::String)]), &[1]);
    records.clear();
    assert!(Arc::ptr_eq(records.schema(), &input));
}
