use serde_json::{Value, json};

use crate::error::Error;
use crate::record::schema::{Field, Schema, TimeForm, TimeUnit, Type, json_schema};

fn errors(value: &Value) -> Vec<(String, String)> {
    let describe = |error: &Error| (error.key().unwrap_or("none").to_owned(), error.message().to_owned());
    Schema::from_value(value).expect_err("the schema is wrong").iter().map(describe).collect()
}

#[track_caller]
fn error(value: &Value, key: &str, message: &str) {
    assert_eq!(errors(value), [(key.to_owned(), message.to_owned())]);
}

#[test]
fn every_way_to_write_a_column_is_read() {
    let schema = Schema::from_value(&json!({
        "z": "float64",
        "a": { "type": "int8", "required": true, "from": "x.y[2].z" },
        "time": "timestamp(ms)",
        "text_time": { "type": "timestamp(us, rfc3339)" },
        "short": "list(list(uint16))",
        "long": { "type": "list", "items": { "type": "string", "required": true } },
        "at": { "type": "struct", "fields": { "lat": "float32", "lon": { "type": "float32", "from": "l.o" } } },
        "topic": { "type": "string", "from": "meta.topic" },
        "arrived": { "type": "timestamp(s)", "from": "meta.time" },
        "meta_key": { "type": "bool", "from": "'meta'.'it''s'[0][1].'a.b'" },
    }))
    .unwrap();
    let item = |kind| Box::new(Field::new("item", kind));
    let time = |unit, form| Type::Timestamp(unit, form);
    let expected = Schema::new(vec![
        Field::new("z", Type::Float64),
        Field::new("a", Type::Int8).required().from_path("x.y[2].z"),
        Field::new("time", time(TimeUnit::Millisecond, TimeForm::Number)),
        Field::new("text_time", time(TimeUnit::Microsecond, TimeForm::Rfc3339)),
        Field::new("short", Type::List(item(Type::List(item(Type::UInt16))))),
        Field::new("long", Type::List(Box::new(Field::new("item", Type::String).required()))),
        Field::new(
            "at",
            Type::Struct(vec![
                Field::new("lat", Type::Float32),
                Field::new("lon", Type::Float32).from_path("l.o"),
            ]),
        ),
        Field::new("topic", Type::String).from_path("meta.topic"),
        Field::new("arrived", time(TimeUnit::Second, TimeForm::Number)).from_path("meta.time"),
        Field::new("meta_key", Type::Bool).from_path("'meta'.'it''s'[0][1].'a.b'"),
    ]);
    assert_eq!(schema, expected);

    // What is written as TOML is read back as the same schema.
    let toml: toml::Table = schema.to_toml().parse().unwrap();
    assert_eq!(Schema::from_value(&serde_json::to_value(toml).unwrap()).unwrap(), schema);
}

#[test]
fn a_type_reads_like_the_schema() {
    let list = Type::List(Box::new(Field::new("item", Type::Int8)));
    assert_eq!(list.to_string(), "list(int8)");
    assert_eq!(
        Type::Timestamp(TimeUnit::Nanosecond, TimeForm::Rfc3339).to_string(),
        "timestamp(ns, rfc3339)"
    );
    assert_eq!(
        Type::Struct(vec![Field::new("a", Type::Bool), Field::new("b", list)]).to_string(),
        "struct(a: bool, b: list(int8))"
    );
}

#[test]
fn a_wrong_type_is_named_with_the_nearest() {
    let known = "known: `bool`, `int8`, `int16`, `int32`, `int64`, `uint8`, `uint16`, `uint32`, `uint64`, `float32`, \
                 `float64`, `string`, `binary`, `timestamp(ms)`, `list`, `struct`";
    error(
        &json!({ "t": "flaot64" }),
        "t",
        &format!("there is no type `flaot64`; did you mean `float64`? ({known})"),
    );
    error(&json!({ "t": { "type": "map" } }), "t.type", &format!("there is no type `map`; {known}"));
    error(
        &json!({ "t": "timestamp" }),
        "t",
        "a `timestamp` needs its unit; write `timestamp(ms)` (s, ms, us or ns) for a number, \
         `timestamp(ms, rfc3339)` for text",
    );
    error(&json!({ "t": "timestamp(h)" }), "t", "a timestamp has no unit `h`; write s, ms, us or ns");
    error(
        &json!({ "t": "timestamp(s, iso)" }),
        "t",
        "a timestamp has no form `iso`; leave it out for a number, or write `rfc3339`",
    );
    error(&json!({ "t": "list(float64" }), "t", "`list(float64` has a `(` that is never closed");
    error(
        &json!({ "t": "list" }),
        "t",
        "a list needs the type of its items; write `list(float64)` or another",
    );
}

#[test]
fn a_wrong_option_is_named() {
    error(
        &json!({ "t": { "type": "bool", "requierd": true } }),
        "t.requierd",
        "a column has no option `requierd`; did you mean `required`? \
         (known: `type`, `required`, `from`, `items`, `fields`)",
    );
    error(
        &json!({ "t": { "type": "bool", "required": 1 } }),
        "t.required",
        "expected true or false, not a number",
    );
    error(&json!({ "t": { "type": "bool", "from": 1 } }), "t.from", "expected text, not a number");
    error(&json!({ "t": { "type": 1 } }), "t.type", "expected text, not a number");
    error(
        &json!({ "t": { "required": true } }),
        "t",
        "the column has no `type`; write `type = \"float64\"` or another",
    );
    error(
        &json!({ "t": 5 }),
        "t",
        "a column is a type such as `\"float64\"` or a table with `type`, not a number",
    );
    error(
        &json!({ "t": { "type": "bool", "items": "bool" } }),
        "t.items",
        "`items` belongs to a `list`, not to `bool`",
    );
    error(
        &json!({ "t": { "type": "list", "items": "bool", "fields": {} } }),
        "t.fields",
        "`fields` belongs to a `struct`, not to `list`",
    );
    error(
        &json!({ "t": { "type": "struct", "fields": {} } }),
        "t.fields",
        "a struct needs at least one field",
    );
    error(&json!([1]), "", "a schema is a table of columns, not an array");
    error(&json!({}), "", "the schema has no columns; name at least one, as in `device_id = \"string\"`");
}

#[test]
fn a_path_that_leads_nowhere_is_named() {
    let from = |path: &str| json!({ "t": { "type": "bool", "from": path } });
    for (path, message) in [
        ("", "the path `` has an empty key"),
        ("a..b", "the path `a..b` has an empty key"),
        ("a.", "the path `a.` has an empty key"),
        ("[0]", "the path `[0]` has an empty key"),
        ("a[x]", "the path `a[x]` has something other than a position in `[]`"),
        ("a[-1]", "the path `a[-1]` has something other than a position in `[]`"),
        ("a[0", "the path `a[0` has a `[` that is never closed"),
        ("a[0]b", "the path `a[0]b` goes on without a `.` after `]` or a closing quote"),
        ("'a", "the path `'a` has a quote that is never closed"),
        ("a'b", "the path `a'b` has a quote or bracket inside a key; put the key in single quotes"),
        (
            "meta",
            "`meta` names no metadata; write `meta.topic`, `meta.key`, `meta.time` or `meta.header.NAME`, \
             or `'meta'` for a key of that name",
        ),
    ] {
        error(&from(path), "t.from", message);
    }
}

#[test]
fn a_place_fills_one_column() {
    let overlap = "takes the same place in the payload as `a`, or a part of it; a place fills one column";
    for path in ["a", "a.b", "a[0]", "'a'.b.c"] {
        error(&json!({ "a": "string", "b": { "type": "string", "from": path } }), "b.from", overlap);
    }
    for (a, b) in [("x.y", "x[0]"), ("x.y.z", "x.y"), ("x[1]", "x[1].y")] {
        let schema = json!({ "a": { "type": "bool", "from": a }, "b": { "type": "bool", "from": b } });
        error(&schema, "b.from", overlap);
    }
    let apart = json!({ "a": { "type": "bool", "from": "x.y" }, "b": { "type": "bool", "from": "x.z[0]" },
        "c": { "type": "bool", "from": "x.z[1]" } });
    assert!(Schema::from_value(&apart).is_ok());
}

#[test]
fn metadata_has_its_types() {
    error(
        &json!({ "t": { "type": "int8", "from": "meta.topic" } }),
        "t.type",
        "`meta.topic` is text; write `type = \"string\"` instead of `int8`",
    );
    error(
        &json!({ "t": { "type": "string", "from": "meta.time" } }),
        "t.type",
        "`meta.time` is a timestamp; write `type = \"timestamp(ms)\"` instead of `string`",
    );
    error(
        &json!({ "t": { "type": "struct", "fields": { "x": { "type": "string", "from": "meta.topic" } } } }),
        "t.fields.x.from",
        "metadata belongs to the whole payload; give it a column of its own",
    );
}

#[test]
fn everything_is_reported_at_once() {
    let keys: Vec<String> = errors(&json!({
        "a": "strin",
        "b": { "type": "list", "items": { "type": "struct", "fields": { "c": "boool", "d": "int8" } } },
        "e": { "type": "int8", "from": "x..y", "requird": true },
    }))
    .into_iter()
    .map(|(key, _)| key)
    .collect();
    assert_eq!(keys, ["a", "b.items.fields.c", "e.requird", "e.from"]);
}

#[test]
fn a_missing_column_is_named_with_the_nearest() {
    let schema = Schema::new(vec![Field::new("temperature", Type::Float64), Field::new("id", Type::String)]);
    assert_eq!(schema.require("column", "id").unwrap(), 1);
    let error = schema.require("column", "temprature").unwrap_err();
    assert_eq!(error.key(), Some("column"));
    assert_eq!(
        error.message(),
        "there is no column `temprature`; did you mean `temperature`? (known: `temperature`, `id`)"
    );
    let error = schema.with("column", Field::new("id", Type::Bool)).unwrap_err();
    assert_eq!(error.message(), "there is already a column `id`; choose another name");
}

#[test]
fn two_columns_of_one_name_are_an_error() {
    let schema = Schema::new(vec![Field::new("a", Type::Bool), Field::new("a", Type::Bool).from_path("b")]);
    let errors = schema.check().unwrap_err();
    assert_eq!((errors[0].key(), errors[0].message()), (Some("a"), "there are two columns `a`"));
}

#[test]
fn editors_learn_what_may_stand_there() {
    let text = serde_json::to_string(&json_schema()).unwrap();
    for part in ["timestamp(ns, rfc3339)", "\"float64\"", "\"required\"", "meta.topic", "#/$defs/Column"] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
}

#[test]
fn types_do_not_nest_without_end() {
    let deep = |levels: usize| format!("{}int8{}", "list(".repeat(levels), ")".repeat(levels));
    assert!(Schema::from_value(&json!({ "a": deep(32) })).is_ok());
    error(&json!({ "a": deep(20_000) }), "a", "types nest up to 32 deep");
}
