//! Every way in which a payload can be refused, with its text.

use serde_json::json;

use super::{decode, encode, records, refused, round_trip};
use crate::codec::contract::RecordDecoder;
use crate::codec::json::{JsonDecoder, JsonDecoderFraming, JsonEncoderFraming};
use crate::error::Reason;
use crate::record::collection::Collect;

#[track_caller]
fn refuse(kind: &str, value: &str, reason: Reason, message: &str) {
    let schema = json!({ "v": kind });
    let (found, text) = refused(&schema, &format!(r#"{{"v":{value}}}"#));
    assert_eq!((found, text.as_str()), (reason, format!("field `v`: {message}").as_str()));
}

#[test]
fn a_value_of_the_wrong_type_is_shown() {
    refuse("float64", r#""wet""#, Reason::Type, "expected float64, got \"wet\" at byte 9");
    refuse("string", "5", Reason::Type, "expected string, got 5 at byte 5");
    refuse("bool", "1", Reason::Type, "expected bool, got 1 at byte 5");
    refuse("int64", "true", Reason::Type, "expected int64, got true at byte 8");
    refuse("int64", "1.0", Reason::Type, "expected int64, got 1.0 at byte 7");
    refuse("int64", "1e3", Reason::Type, "expected int64, got 1000.0 at byte 7");
    refuse("int8", "[1]", Reason::Type, "expected int8, got an array at byte 5");
    refuse("int8", r#"{"a":1}"#, Reason::Type, "expected int8, got an object at byte 5");
    refuse("list(int8)", "1", Reason::Type, "expected list(int8), got 1 at byte 5");
    refuse("timestamp(ms)", r#""2026""#, Reason::Type, "expected timestamp(ms), got \"2026\" at byte 10");
    refuse("timestamp(ms, rfc3339)", "5", Reason::Type, "expected timestamp(ms, rfc3339), got 5 at byte 5");
    refuse(
        "timestamp(ms, rfc3339)",
        r#""yesterday""#,
        Reason::Type,
        "expected RFC 3339 text such as `2026-11-23T10:15:00Z` for timestamp(ms, rfc3339), got \"yesterday\" at byte 15",
    );
    refuse("binary", r#""a b""#, Reason::Type, "expected base64 text for binary, got \"a b\" at byte 9");
    let long = format!("\"{}\"", "ü".repeat(100));
    refuse("bool", &long, Reason::Type, &format!("expected bool, got \"{}\"… at byte 206", "ü".repeat(40)));
}

#[test]
fn a_number_out_of_range_is_shown() {
    refuse("int8", "128", Reason::Range, "128 is out of range for int8 (-128 to 127) at byte 7");
    refuse("uint8", "-1", Reason::Range, "-1 is out of range for uint8 (0 to 255) at byte 6");
    refuse(
        "uint64",
        "18446744073709551616",
        Reason::Range,
        "1.8446744073709552e19 is out of range for uint64 (0 to 18446744073709551615) at byte 24",
    );
    refuse(
        "timestamp(s)",
        "18446744073709551615",
        Reason::Range,
        "18446744073709551615 is out of range for timestamp(s) at byte 24",
    );
    refuse("float32", "1e39", Reason::Range, "1e39 is out of range for float32 at byte 8");
    refuse(
        "timestamp(ns, rfc3339)",
        r#""1600-01-01T00:00:00Z""#,
        Reason::Range,
        "\"1600-01-01T00:00:00Z\" is out of range for timestamp(ns, rfc3339) at byte 26",
    );
    let (reason, text) = refused(&json!({ "v": "float64" }), r#"{"v":1e400}"#);
    assert_eq!((reason, text.as_str()), (Reason::Range, "number out of range at byte 9"));
}

#[test]
fn integers_keep_all_their_bits() {
    for (kind, low, high) in [
        ("int8", i128::from(i8::MIN), i128::from(i8::MAX)),
        ("int16", i16::MIN.into(), i16::MAX.into()),
        ("int32", i32::MIN.into(), i32::MAX.into()),
        ("int64", i64::MIN.into(), i64::MAX.into()),
        ("uint8", 0, u8::MAX.into()),
        ("uint16", 0, u16::MAX.into()),
        ("uint32", 0, u32::MAX.into()),
        ("uint64", 0, u64::MAX.into()),
        ("timestamp(ns)", i64::MIN.into(), i64::MAX.into()),
    ] {
        for value in [low, high] {
            let payload = format!(r#"{{"v":{value}}}"#);
            assert_eq!(round_trip(&json!({ "v": kind }), &payload), payload);
        }
        for value in [low - 1, high + 1] {
            let (reason, _) = refused(&json!({ "v": kind }), &format!(r#"{{"v":{value}}}"#));
            assert_eq!(reason, Reason::Range, "{value} in {kind}");
        }
    }
}

#[test]
fn what_is_missing_is_named() {
    let schema = json!({
        "v": { "type": "int8", "required": true },
        "w": { "type": "int8", "required": true, "from": "a.b[1]" },
        "s": { "type": "struct", "fields": { "x": { "type": "int8", "required": true } } },
        "l": { "type": "list", "items": { "type": "int8", "required": true } },
    });
    let text = |payload| refused(&schema, payload);
    let missing = |text: &str| (Reason::Missing, text.to_owned());
    assert_eq!(
        text(r#"{"a":{"b":[0,1]}}"#),
        missing("field `v`: absent, and the schema says `required` at byte 16")
    );
    assert_eq!(text(r#"{"v":null}"#), missing("field `v`: null where the schema says `required` at byte 8"));
    assert_eq!(
        text(r#"{"v":1,"a":{"b":[0]}}"#),
        missing("field `a.b[1]`: absent, and the schema says `required` at byte 20")
    );
    assert_eq!(
        text(r#"{"v":1,"a":{"b":[0,1]},"s":{}}"#),
        missing("field `s.x`: absent, and the schema says `required` at byte 28")
    );
    assert_eq!(
        text(r#"{"v":1,"a":{"b":[0,1]},"l":[1,null]}"#),
        missing("field `l[1]`: null where the schema says `required` at byte 33")
    );
    // Nothing is missing in a struct that is not there.
    assert_eq!(
        round_trip(&schema, r#"{"v":1,"a":{"b":[0,2]},"s":null}"#),
        r#"{"v":1,"w":2,"s":null,"l":null}"#
    );
}

#[test]
fn a_key_that_stands_twice_is_named() {
    let schema = json!({
        "v": "int8",
        "x": { "type": "int8", "from": "a.x" },
        "y": { "type": "int8", "from": "a.y" },
        "s": { "type": "struct", "fields": { "z": "int8" } },
    });
    for (payload, field) in [
        (r#"{"v":1,"v":1}"#, "v"),
        (r#"{"v":null,"v":1}"#, "v"),
        (r#"{"a":{"x":1},"a":{"y":1}}"#, "a"),
        (r#"{"a":{"x":1,"x":1}}"#, "a.x"),
        (r#"{"s":{"z":1,"z":1}}"#, "s.z"),
    ] {
        let (reason, text) = refused(&schema, payload);
        assert_eq!(reason, Reason::Duplicate, "{payload}");
        assert!(text.starts_with(&format!("field `{field}`: the key stands twice in one object")), "{text}");
    }
    // Keys that nobody asked for are not looked at.
    assert!(decode(JsonDecoderFraming::Auto, r#"{"u":1,"u":2}"#, &mut records(&schema)).is_ok());
}

#[test]
fn a_field_is_named_by_its_path() {
    let schema = json!({
        "readings": { "type": "list", "items": { "type": "struct", "fields": { "value": "float64" } } },
        "deep": { "type": "int8", "from": "a[1].b.c" },
        "grid": "list(list(int8))",
    });
    for (payload, field) in [
        (r#"{"readings":[{"value":1},{},{"value":2},{"value":"wet"}]}"#, "readings[3].value"),
        (r#"{"a":[0,{"b":{"c":"x"}}]}"#, "a[1].b.c"),
        (r#"{"a":{"b":1}}"#, "a"),
        (r#"{"a":[0,{"b":[]}]}"#, "a[1].b"),
        (r#"{"grid":[[1],[2,300]]}"#, "grid[1][1]"),
    ] {
        let (_, text) = refused(&schema, payload);
        assert!(text.starts_with(&format!("field `{field}`: ")), "{text}");
    }
    assert_eq!(refused(&schema, r#"{"a":5}"#).1, "field `a`: expected an array, got 5 at byte 5");
    assert_eq!(
        refused(&schema, r#"{"a":[0,[]]}"#).1,
        "field `a[1]`: expected an object, got an array at byte 9"
    );
}

#[test]
fn a_payload_that_is_no_record_is_refused() {
    let schema = json!({ "v": "int8" });
    let syntax = |text: &str| (Reason::Syntax, text.to_owned());
    assert_eq!(refused(&schema, ""), syntax("the payload is empty, expected JSON"));
    assert_eq!(refused(&schema, " \r\n"), syntax("the payload is empty, expected JSON"));
    assert_eq!(refused(&schema, r#"{"v":1"#), syntax("EOF while parsing an object at byte 5"));
    assert_eq!(refused(&schema, r#"{"v" 1}"#), syntax("expected `:` at byte 5"));
    assert_eq!(refused(&schema, "{\n\n  \"v\": x}"), syntax("expected value at byte 10"));
    assert_eq!(refused(&schema, "5"), (Reason::Type, "a record is an object, not 5 at byte 0".to_owned()));
    let deep = format!(r#"{{"v":{}"#, "[".repeat(300));
    assert_eq!(refused(&json!({ "v": "list(int8)" }), &deep).0, Reason::Type);
    let mut records = records(&schema);
    let error =
        JsonDecoder::new(JsonDecoderFraming::Auto).decode(b"{\"v\":\"\xff\"}", &mut records).unwrap_err();
    assert_eq!(error.record().to_string(), "the payload is not UTF-8 text at byte 6");
    assert_eq!(error.record().reason(), Reason::Utf8);
    assert!(!error.is_fatal());
    let error = decode(JsonDecoderFraming::Array, r#"{"v":1}"#, &mut records).unwrap_err();
    assert_eq!(error.to_string(), "invalid type: map, expected an array of objects at byte 0");
}

#[test]
fn what_follows_an_object_is_refused() {
    let mut records = records(&json!({ "v": "int8" }));
    let error = decode(JsonDecoderFraming::Auto, "{\"v\":1}\n{\"v\":2}", &mut records).unwrap_err();
    assert_eq!(
        error.to_string(),
        "another object follows the first; write `framing = \"lines\"` where there is one on each line at byte 8"
    );
    let error = decode(JsonDecoderFraming::Auto, "{\"v\":1} x", &mut records).unwrap_err();
    assert_eq!(error.to_string(), "characters follow the end of the JSON value at byte 8");
}

#[test]
fn a_byte_order_mark_is_skipped() {
    let mut records = records(&json!({ "v": "int8" }));
    decode(JsonDecoderFraming::Auto, "\u{feff}{\"v\":1}", &mut records).unwrap();
    let error = decode(JsonDecoderFraming::Auto, "\u{feff}{\"v\":x}", &mut records).unwrap_err();
    assert_eq!(error.offset(), Some(8));
}

#[test]
fn deep_nesting_is_a_reason_of_its_own() {
    #[derive(serde::Deserialize)]
    #[serde(transparent)]
    struct Any(#[allow(dead_code, reason = "only the depth counts")] serde_json::Value);
    let mut records = crate::record::typed::TypedRecords::<Any>::new();
    let deep = format!(r#"{{"v":{}"#, "[".repeat(20_000));
    let error = decode(JsonDecoderFraming::Auto, &deep, &mut records).unwrap_err();
    assert_eq!((error.reason(), error.message()), (Reason::Depth, "nested deeper than 128 levels"));
}

#[test]
fn a_record_that_fails_leaves_nothing_behind() {
    let schema = json!({
        "a": "list(string)",
        "b": { "type": "list", "items": { "type": "struct", "fields": { "c": "list(int8)", "d": "string" } } },
        "e": { "type": "struct", "fields": { "f": "list(binary)", "g": "int8" } },
        "h": { "type": "int8", "from": "p.q[0]" },
    });
    let good = r#"{"a":["x",null],"b":[{"c":[1,2],"d":"y"},{"c":null,"d":"z"}],"e":{"f":["aGk="],"g":5},"p":{"q":[6]}}"#;
    let mut records = records(&schema);
    let expected = round_trip(&schema, good);
    // Cut off at each byte, and with each value replaced by one of the wrong type.
    for cut in 0..good.len() {
        assert!(decode(JsonDecoderFraming::Auto, &good[..cut], &mut records).is_err());
        let wrong = format!("{}true{}", &good[..cut], &good[cut + 1..]);
        let before = Collect::len(&records);
        let taken = decode(JsonDecoderFraming::Auto, &wrong, &mut records).is_ok();
        assert_eq!(Collect::len(&records), before + usize::from(taken));
        records.truncate(before);
        decode(JsonDecoderFraming::Auto, good, &mut records).unwrap();
    }
    let all = encode(JsonEncoderFraming::Object, &records).unwrap();
    assert_eq!(all.len(), good.len());
    assert!(all.iter().all(|text| *text == expected));
}
