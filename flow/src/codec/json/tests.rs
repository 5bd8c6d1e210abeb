use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::codec::contract::{CollectionEncoder, Framing, RecordDecoder};
use crate::codec::json::{JsonDecoder, JsonDecoderFraming, JsonEncoder, JsonEncoderFraming};
use crate::error::{EncodeError, Reason, RecordError};
use crate::record::collection::{Collect, CollectBatch, Collection};
use crate::record::payload::{Metadata, Payload, PayloadBatch};
use crate::record::records::Records;
use crate::record::schema::{Field, Schema, Type};
use crate::record::typed::TypedRecords;

mod differential;
mod fuzz;
mod strict;

fn records(schema: &Value) -> Records {
    Records::new(&Schema::from_value(schema).unwrap())
}

fn decode<C: Collect>(framing: JsonDecoderFraming, payload: &str, out: &mut C) -> Result<(), RecordError> {
    JsonDecoder::new(framing).decode(payload.as_bytes(), out).map_err(|error| error.record().clone())
}

/// Decodes one object; the text of its error.
fn refused(schema: &Value, payload: &str) -> (Reason, String) {
    let mut records = records(schema);
    let error = decode(JsonDecoderFraming::Auto, payload, &mut records).expect_err(payload);
    assert_eq!(Collect::len(&records), 0, "{payload} left something behind");
    (error.reason(), error.to_string())
}

fn encode<C: Collection>(framing: JsonEncoderFraming, records: &C) -> Result<Vec<String>, EncodeError> {
    let mut out = PayloadBatch::new();
    let done = JsonEncoder::new(framing).encode(records, &mut out);
    let payloads = out.iter().map(|payload| String::from_utf8(payload.bytes().to_vec()).unwrap()).collect();
    done.map(|()| payloads)
}

fn round_trip(schema: &Value, payload: &str) -> String {
    let mut records = records(schema);
    decode(JsonDecoderFraming::Auto, payload, &mut records).unwrap();
    encode(JsonEncoderFraming::Lines, &records).unwrap().remove(0)
}

#[test]
fn records_come_out_as_they_went_in() {
    let schema = json!({
        "flag": "bool", "small": "int8", "big": "uint64", "single": "float32", "double": "float64",
        "name": "string", "raw": "binary", "at": "timestamp(ms)", "when": "timestamp(ms, rfc3339)",
        "list": "list(list(int16))",
        "place": { "type": "struct", "fields": { "lat": "float64", "tags": "list(string)" } },
    });
    let payload = concat!(
        r#"{"flag":true,"small":-128,"big":18446744073709551615,"single":0.1,"double":0.30000000000000004,"#,
        r#""name":"a\"\\\u0000ü","raw":"aGVsbG8=","at":-1,"when":"2026-11-23T10:15:00.250Z","#,
        r#""list":[[1],[],[-2,3]],"place":{"lat":5e-324,"tags":["x",null]}}"#
    );
    assert_eq!(round_trip(&schema, payload), payload);
    let nulls = r#"{"flag":null,"small":null,"big":null,"single":null,"double":null,"name":null,"raw":null,"at":null,"when":null,"list":null,"place":null}"#;
    assert_eq!(round_trip(&schema, nulls), nulls);
    assert_eq!(round_trip(&schema, "{}"), nulls);
}

#[test]
fn keys_come_in_any_order_and_strangers_are_skipped() {
    let schema = json!({ "a": "int8", "b": "int8" });
    let mut records = records(&schema);
    for payload in [
        r#"{"a":1,"b":2}"#,
        r#"{"b":2,"x":[{"a":7}],"a":1}"#,
        r#"{"x":1,"b":2,"y":{},"a":1}"#,
        r#"{"a":1,"b":2,"c":3}"#,
        r#"{"\u0061":1,"b":2}"#,
    ] {
        decode(JsonDecoderFraming::Auto, payload, &mut records).unwrap();
    }
    assert!(
        encode(JsonEncoderFraming::Object, &records).unwrap().iter().all(|text| text == r#"{"a":1,"b":2}"#)
    );
    assert_eq!(Collect::len(&records), 5);
}

#[test]
fn paths_lead_into_objects_and_arrays() {
    let schema = json!({
        "deep": { "type": "int8", "from": "a.b[1].c" },
        "first": { "type": "string", "from": "a.b[0]" },
        "dotted": { "type": "bool", "from": "'a.b'.'meta'" },
        "grid": { "type": "int8", "from": "grid[1][2]" },
        "plain": "int8",
        "inner": { "type": "struct", "fields": { "x": { "type": "int8", "from": "p.q" } } },
    });
    let payload = r#"{"a":{"z":0,"b":["one",{"c":7},9]},"a.b":{"meta":true},"grid":[[],[1,2,3]],"plain":1,
        "inner":{"p":{"q":4}}}"#;
    assert_eq!(
        round_trip(&schema, payload),
        r#"{"deep":7,"first":"one","dotted":true,"grid":3,"plain":1,"inner":{"x":4}}"#
    );
    assert_eq!(
        round_trip(&schema, r#"{"a":{"b":["one"]},"a.b":null,"inner":{}}"#),
        r#"{"deep":null,"first":"one","dotted":null,"grid":null,"plain":null,"inner":{"x":null}}"#
    );
}

#[test]
fn metadata_fills_columns() {
    let mut records = records(&json!({
        "topic": { "type": "string", "from": "meta.topic" },
        "arrived": { "type": "timestamp(ms)", "from": "meta.time" },
        "trace": { "type": "string", "from": "meta.header.trace", "required": true },
        "value": "int8",
    }));
    let mut batch = PayloadBatch::new();
    batch.push_with(
        br#"[{"value":1},{"value":2}]"#,
        Metadata { topic: Some("t/1"), key: None, time: Some(5_999) },
    );
    batch.push_header("trace", "x");
    batch.push(br#"{"value":3}"#);
    let mut decoder = JsonDecoder::new(JsonDecoderFraming::Auto);
    let mut results = Vec::new();
    for (index, payload) in batch.iter().enumerate() {
        records.begin_payload(index, payload);
        results.push(decoder.decode(payload.bytes(), &mut records).map_err(|error| error.to_string()));
    }
    assert!(results[0].is_ok());
    let message = results[1].as_ref().unwrap_err();
    assert!(
        message.starts_with("field `meta.header.trace`: absent, and the schema says `required`"),
        "{message}"
    );
    assert_eq!(
        encode(JsonEncoderFraming::Object, &records).unwrap(),
        [
            r#"{"topic":"t/1","arrived":5,"trace":"x","value":1}"#,
            r#"{"topic":"t/1","arrived":5,"trace":"x","value":2}"#
        ]
    );
}

#[test]
fn a_bad_element_costs_itself() {
    let mut records = records(&json!({ "v": { "type": "int8", "required": true } }));
    let payload = r#" [{"v":1}, {"v":"x"}, 5, {"v":2}, {"v":2,"v":3}, {}]"#;
    decode(JsonDecoderFraming::Auto, payload, &mut records).unwrap();
    assert_eq!(encode(JsonEncoderFraming::Array, &records).unwrap(), [r#"[{"v":1},{"v":2}]"#]);
    let rejected: Vec<String> = records.rejected().iter().map(|(_, error)| error.to_string()).collect();
    assert_eq!(
        rejected,
        [
            "field `v`: expected int8, got \"x\" at byte 18",
            "a record is an object, not 5 at byte 22",
            "field `v`: the key stands twice in one object at byte 43",
            "field `v`: absent, and the schema says `required` at byte 50",
        ]
    );
}

#[test]
fn a_deep_element_costs_itself() {
    let mut records = records(&json!({ "v": "list(int8)" }));
    let deep = format!(r#"[{{"v":[1]}},{{"v":{}1{}}}]"#, "[".repeat(200), "]".repeat(200));
    decode(JsonDecoderFraming::Auto, &deep, &mut records).unwrap();
    assert_eq!((Collect::len(&records), records.rejected().len()), (1, 1));
    // What the schema does not name is skipped, however deep it is.
    let skipped = format!(r#"{{"x":{}{},"v":[2]}}"#, "[".repeat(100_000), "]".repeat(100_000));
    decode(JsonDecoderFraming::Auto, &skipped, &mut records).unwrap();
    assert_eq!(Collect::len(&records), 2);
}

#[test]
fn an_array_that_breaks_off_leaves_nothing() {
    let mut records = records(&json!({ "v": "int8" }));
    let mut batch = PayloadBatch::new();
    batch.push(br#"[{"v":1},{"v":"x"}]"#);
    batch.push(br#"[{"v":"x"},{"v":2},{"v":"y"},{"v""#);
    for (index, payload) in batch.iter().enumerate() {
        let before = Collect::len(&records);
        records.begin_payload(index, payload);
        if JsonDecoder::new(JsonDecoderFraming::Auto).decode(payload.bytes(), &mut records).is_err() {
            records.truncate(before);
        }
    }
    assert_eq!(Collect::len(&records), 1);
    let origins: Vec<usize> = records.rejected().iter().map(|(origin, _)| *origin).collect();
    assert_eq!(origins, [0]);
}

#[test]
fn a_bad_line_costs_itself() {
    let mut records = records(&json!({ "v": "int8" }));
    let payload = "{\"v\":1}\r\n\n{\"v\":300}\n{\"v\":2} {}\nnonsense\n{\"v\":4}\n{\"v\":5";
    decode(JsonDecoderFraming::Lines, payload, &mut records).unwrap();
    assert_eq!(encode(JsonEncoderFraming::Lines, &records).unwrap(), ["{\"v\":1}\n{\"v\":4}"]);
    let rejected: Vec<_> = records
        .rejected()
        .iter()
        .map(|(_, error)| (error.reason(), error.offset().unwrap(), error.message()))
        .collect();
    assert_eq!(rejected[0], (Reason::Range, 17, "300 is out of range for int8 (-128 to 127)"));
    assert_eq!((rejected[1].0, rejected[1].1), (Reason::Syntax, 28));
    assert_eq!(rejected[2], (Reason::Syntax, 32, "expected ident"));
    assert_eq!(rejected[3], (Reason::Syntax, 53, "EOF while parsing an object"));
}

#[test]
fn typed_records_are_decoded_and_encoded() {
    #[derive(Debug, Serialize, Deserialize)]
    struct Reading {
        id: String,
        v: f64,
        #[serde(default)]
        n: u8,
    }
    let mut records = TypedRecords::<Reading>::new();
    let payload =
        r#"[{"id":"a","v":0.1},{"id":1,"v":0},{"id":"b"},{"id":"c","v":1,"v":2},{"id":"d","v":1,"n":256}]"#;
    decode(JsonDecoderFraming::Array, payload, &mut records).unwrap();
    assert_eq!(encode(JsonEncoderFraming::Object, &records).unwrap(), [r#"{"id":"a","v":0.1,"n":0}"#]);
    let rejected: Vec<_> =
        records.rejected().iter().map(|(_, error)| (error.reason(), error.to_string())).collect();
    let text = |reason, text: &str| (reason, text.to_owned());
    assert_eq!(
        rejected,
        [
            text(Reason::Type, "field `id`: invalid type: integer `1`, expected a string at byte 26"),
            text(Reason::Missing, "missing field `v` at byte 44"),
            text(Reason::Duplicate, "duplicate field `v` at byte 64"),
            text(Reason::Range, "field `n`: invalid value: integer `256`, expected u8 at byte 91"),
        ]
    );
}

#[test]
fn floats_that_json_cannot_hold_are_refused() {
    let schema = Schema::new(vec![Field::new("v", Type::Float64)]);
    let output = schema.with("", Field::new("w", Type::Float32)).unwrap();
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut records = Records::new(&schema);
        for _ in 0..2 {
            decode(JsonDecoderFraming::Auto, r#"{"v":1}"#, &mut records).unwrap();
        }
        records.add_column(&output, |_, index, cell| cell.set(if index == 1 { value } else { 0.5 }));
        let mut out = PayloadBatch::new();
        out.push(b"before");
        let error = JsonEncoder::new(JsonEncoderFraming::Object).encode(&records, &mut out).unwrap_err();
        assert_eq!((error.index(), error.record().reason()), (1, Reason::Encode));
        assert_eq!(
            error.record().to_string(),
            format!("field `w`: {value} cannot be written as a number in text")
        );
        let payloads: Vec<_> = out.iter().map(Payload::bytes).collect();
        assert_eq!(payloads, [&b"before"[..], br#"{"v":1.0,"w":0.5}"#]);
    }
}

#[test]
fn framings_of_the_encoder() {
    let mut records = records(&json!({ "v": "int8" }));
    decode(JsonDecoderFraming::Auto, r#"[{"v":1},{"v":2}]"#, &mut records).unwrap();
    assert_eq!(JsonEncoder::new(JsonEncoderFraming::Object).framing(), Framing::PerRecord);
    for (framing, text) in [
        (JsonEncoderFraming::Array, "[{\"v\":1},{\"v\":2}]"),
        (JsonEncoderFraming::Lines, "{\"v\":1}\n{\"v\":2}"),
    ] {
        assert_eq!(JsonEncoder::new(framing).framing(), Framing::PerBatch);
        assert_eq!(encode(framing, &records).unwrap(), [text]);
    }
}
