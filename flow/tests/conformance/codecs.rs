//! The built-in codecs.

use std::sync::Arc;

use flow::codec::json::{JsonDecoder, JsonDecoderFraming, JsonEncoder, JsonEncoderFraming};
use flow::codec::raw::{RawDecoder, RawEncoder, RawEncoderConfig};
use flow::testkit::{decoder, encoder};
use flow::{BuildContext, Component, Schema};
use serde_json::json;

flow::conformance! {
    decoder json_auto => decoder(|| JsonDecoder::new(JsonDecoderFraming::Auto)).schema(rich())
        .payloads([OBJECT, r#"[{"text": "a"}, {"text": "b", "list": []}]"#]);
    decoder json_lines => decoder(|| JsonDecoder::new(JsonDecoderFraming::Lines)).schema(rich())
        .payloads([OBJECT, "{\"text\": \"a\"}\n\n{\"int\": 5}\n"]);
    decoder raw_bytes => decoder(|| raw(false)).schema(payload("binary")).payloads([&b"\x00\xff"[..], b""]);
    decoder raw_text => decoder(|| raw(true)).schema(payload("string")).payloads(["grün", ""]);
    encoder json_objects => encoder(|| JsonEncoder::new(JsonEncoderFraming::Object)).schema(rich())
        .decoder(|| JsonDecoder::new(JsonDecoderFraming::Object));
    encoder json_array => encoder(|| JsonEncoder::new(JsonEncoderFraming::Array)).schema(rich())
        .decoder(|| JsonDecoder::new(JsonDecoderFraming::Array));
    encoder json_written_lines => encoder(|| JsonEncoder::new(JsonEncoderFraming::Lines)).schema(rich())
        .decoder(|| JsonDecoder::new(JsonDecoderFraming::Lines));
    encoder raw_written => encoder(raw_encoder).schema(payload("binary")).decoder(|| raw(false));
}

const OBJECT: &str = r#"{"text": "grün \"x\"", "int": -7, "float": 0.1, "bytes": "aGk=", "list": [1, null], "in": {"b": true}}"#;

/// A column of every kind.
fn rich() -> Arc<Schema> {
    Schema::from_value(&json!({
        "text": { "type": "string", "required": false }, "int": "int8", "big": "uint64", "float": "float64",
        "single": "float32", "flag": "bool", "bytes": "binary", "at": "timestamp(ms)", "when": "timestamp(s, rfc3339)",
        "list": "list(int32)", "in": { "type": "struct", "fields": { "b": "bool", "t": "string" } },
    }))
    .unwrap()
}

fn payload(kind: &str) -> Arc<Schema> {
    Schema::from_value(&json!({ "payload": kind })).unwrap()
}

fn raw(text: bool) -> RawDecoder {
    let config = serde_json::from_value(json!({ "text": text })).unwrap();
    RawDecoder::build(config, &BuildContext::default()).unwrap()
}

fn raw_encoder() -> RawEncoder {
    RawEncoder::build(RawEncoderConfig::default(), &BuildContext::default()).unwrap()
}
