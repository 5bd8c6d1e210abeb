use serde_json::{Value, json};

use crate::component::{BuildContext, Component};
use crate::error::Error;
use crate::record::collection::Collect;
use crate::record::records::Records;
use crate::record::schema::Schema;
use crate::transform::contract::RecordTransform;
use crate::transform::filter::Filter;

const SCHEMA: &str = r#"{"i":"int32","u":"uint64","f":"float32","s":"string","b":"bool","t":"timestamp(ms)",
    "raw":"binary"}"#;

fn bind(config: Value) -> Result<(Filter, Records), Error> {
    let schema = Schema::from_value(&serde_json::from_str(SCHEMA).unwrap()).unwrap();
    let config = serde_json::from_value(config).unwrap();
    let mut filter = Filter::build(config, &BuildContext::default())?;
    filter.bind(&schema)?;
    Ok((filter, Records::new(&schema)))
}

/// The positions of the records that stay.
fn kept(column: &str, op: &str, value: Value) -> Vec<usize> {
    let mut config = json!({ "column": column, "op": op });
    if value != Value::Null {
        config["value"] = value;
    }
    let (mut filter, mut records) = bind(config).unwrap();
    for record in [
        json!({ "i": -1, "u": 1, "f": 0.1, "s": "a", "b": true, "t": 999 }),
        json!({ "i": 0, "u": u64::MAX, "f": 2, "s": "b", "b": false, "t": 1000 }),
        json!({}),
        json!({ "i": 7, "u": 7, "f": 1e30, "s": "ü", "b": true, "t": 2000 }),
    ] {
        records.collect(record).unwrap();
    }
    filter.apply(&mut records);
    assert_eq!(records.filtered() + records.len(), 4);
    records.rows().collect()
}

#[test]
fn every_comparison_holds_where_it_should() {
    for (op, rows) in
        [("==", &[1][..]), ("!=", &[0, 3]), ("<", &[0]), ("<=", &[0, 1]), (">", &[3]), (">=", &[1, 3])]
    {
        assert_eq!(kept("i", op, json!(0)), rows, "{op}");
    }
    assert_eq!(kept("i", "is_null", Value::Null), [2]);
    assert_eq!(kept("raw", "is_not_null", Value::Null), [0; 0]);
    assert_eq!(kept("u", ">", json!(i64::MAX)), [1]);
    assert_eq!(kept("u", ">", json!(-1)), [0, 1, 3]);
    assert_eq!(kept("f", "==", json!(0.1)), [0]);
    assert_eq!(kept("f", ">=", json!(2)), [1, 3]);
    assert_eq!(kept("s", ">", json!("a")), [1, 3]);
    assert_eq!(kept("b", "!=", json!(true)), [1]);
    assert_eq!(kept("t", ">=", json!("1970-01-01T00:00:01Z")), [1, 3]);
    assert_eq!(kept("t", "<", json!(1000)), [0]);
}

#[test]
fn a_value_of_another_type_is_an_error_at_start_up() {
    let error = |column: &str, op: &str, value: Value| {
        let error = bind(json!({ "column": column, "op": op, "value": value })).unwrap_err();
        (error.key().unwrap().to_owned(), error.message().to_owned())
    };
    let pair = |key: &str, message: &str| (key.to_owned(), message.to_owned());
    let value = |message| pair("value", message);
    assert_eq!(
        error("i", "==", json!("five")),
        value("a `int32` column is compared with a whole number, not with \"five\"")
    );
    assert_eq!(
        error("i", "==", json!(1.5)),
        value("a `int32` column is compared with a whole number, not with 1.5")
    );
    assert_eq!(error("s", "==", json!(5)), value("a `string` column is compared with text, not with 5"));
    assert_eq!(
        error("f", "==", json!("x")),
        value("a `float32` column is compared with a number, not with \"x\"")
    );
    assert_eq!(
        error("b", "==", json!(1)),
        value("a `bool` column is compared with true or false, not with 1")
    );
    assert_eq!(
        error("t", "==", json!("noon")),
        value(
            "a `timestamp(ms)` column is compared with a whole number of its units or RFC 3339 text, not with \"noon\""
        )
    );
    assert_eq!(
        error("raw", "==", json!("x")),
        value("a `binary` column is only compared by `is_null` and `is_not_null`")
    );
    assert_eq!(
        error("b", "<", json!(true)),
        pair("op", "true and false are only equal or not; write `==` or `!=`")
    );
    assert_eq!(
        error("i", "is_null", json!(1)),
        value("`is_null` and `is_not_null` compare with nothing; leave `value` out")
    );
    assert!(error("temp", "==", json!(1)).1.starts_with("there is no column `temp`; "));
    let error = bind(json!({ "column": "i", "op": "==" })).unwrap_err();
    assert_eq!((error.key(), error.message()), (Some("value"), "the comparison needs a `value`"));
}
