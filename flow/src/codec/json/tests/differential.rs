//! The short way against serde_json: what it takes serde_json takes, with the same values.

use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::fuzz::{Random, mutate, schema};
use super::{encode, records};
use crate::codec::contract::RecordDecoder;
use crate::codec::json::reader::Reader;
use crate::codec::json::{JsonDecoder, JsonDecoderFraming, JsonEncoderFraming};
use crate::record::collection::{Collect, CollectBatch};
use crate::record::records::Records;

/// What the short way makes of a text; `None` where it declines.
fn short<T: DeserializeOwned>(text: &str) -> Option<T> {
    let mut scratch = String::new();
    let mut reader = Reader::new(text, &mut scratch);
    let value = T::deserialize(&mut reader).ok()?;
    reader.taken().then_some(value)
}

/// Holds the short way against serde_json. Returns whether it took the text.
fn agrees<T: DeserializeOwned + Serialize>(text: &str) -> bool {
    let Some(value) = short::<T>(text) else { return false };
    let reference = serde_json::from_str::<T>(text);
    let reference = reference.unwrap_or_else(|error| panic!("serde_json refuses `{text}`: {error}"));
    let [short, reference] = [value, reference].map(|value| serde_json::to_string(&value).unwrap());
    assert_eq!(short, reference, "{text}");
    true
}

/// The same where nothing is kept.
fn agrees_to_skip(text: &str) -> bool {
    let taken = short::<IgnoredAny>(text).is_some();
    assert!(!taken || serde_json::from_str::<IgnoredAny>(text).is_ok(), "{text}");
    taken
}

/// Every kind of value that serde asks for by name.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct All {
    id: String,
    n: i8,
    u: u64,
    t: f32,
    on: bool,
    at: i64,
    l: Vec<Option<i16>>,
    s: Place,
    when: Option<Box<str>>,
    o: BTreeMap<String, Value>,
    q: Option<char>,
    raw: Kind,
    w: Option<(u8, i32)>,
    x: (),
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Place {
    x: Option<f64>,
    y: Option<String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
enum Kind {
    #[default]
    #[serde(rename = "aGVsbG8=")]
    Plain,
    Wet(u8),
}

#[test]
fn mutated_payloads_are_taken_only_where_serde_json_takes_them() {
    let mut random = Random(0xd1ff);
    let (mut values, mut structs, mut skipped) = (0, 0, 0);
    for _ in 0..40_000 {
        let bytes = mutate(&mut random);
        let Ok(text) = std::str::from_utf8(&bytes) else { continue };
        values += usize::from(agrees::<Value>(text));
        structs += usize::from(agrees::<All>(text));
        skipped += usize::from(agrees_to_skip(text));
    }
    assert!(values > 5_000 && structs > 1_000 && skipped >= values, "{values} {structs} {skipped}");
}

#[test]
fn the_decoder_takes_and_refuses_what_serde_json_does() {
    let reference = |text: &str, out: &mut Records| {
        let mut json = serde_json::Deserializer::from_str(text);
        out.collect(&mut json).is_ok() && json.end().is_ok()
    };
    let mut random = Random(0xacce);
    let (mut decoded, mut expected) = (records(&schema()), records(&schema()));
    let mut decoder = JsonDecoder::new(JsonDecoderFraming::Object);
    let (mut taken, mut refused) = (0, 0);
    for _ in 0..20_000 {
        let bytes = mutate(&mut random);
        let Ok(text) = std::str::from_utf8(&bytes) else { continue };
        decoded.clear();
        expected.clear();
        let accepts = reference(text, &mut expected);
        assert_eq!(decoder.decode(text.as_bytes(), &mut decoded).is_ok(), accepts, "{text}");
        if accepts {
            let [decoded, expected] =
                [&decoded, &expected].map(|records| encode(JsonEncoderFraming::Lines, records).unwrap());
            assert_eq!(decoded, expected, "{text}");
            taken += 1;
        } else {
            refused += 1;
        }
    }
    assert!(taken > 1_000 && refused > 1_000, "{taken} {refused}");
}

#[test]
fn numbers_are_the_same_bit_for_bit() {
    let mut random = Random(0x1234);
    let parts = [
        "0",
        "1",
        "9",
        "25",
        "007",
        "123456789",
        ".",
        ".",
        "-",
        "e",
        "E",
        "+",
        "00000000",
        "18446744073709551615",
    ];
    for _ in 0..100_000 {
        let mut text: String = (0..=random.below(6)).map(|_| parts[random.below(parts.len())]).collect();
        // Where nothing follows, the last bytes go another way than where something does.
        for end in ["", "        "] {
            text.push_str(end);
            agrees::<Value>(&text);
            agrees::<f32>(&text);
            agrees::<f64>(&text);
            agrees::<i64>(&text);
            agrees::<u8>(&text);
            agrees_to_skip(&text);
        }
    }
    for text in [
        "0",
        "-0",
        "-0.0",
        "0.1",
        "51.3",
        "9007199254740992",
        "9007199254740993.0",
        "9223372036854775807",
        "-9223372036854775808",
        "-9223372036854775809",
        "18446744073709551615",
        "18446744073709551616",
        "0.30000000000000004",
        "1e22",
        "1e23",
        "5e-324",
        "2.2250738585072011e-308",
        "1.7976931348623157e308",
        "1234567.",
        "12345678",
        "123456789012345678",
        "0.000000000000000000000000001",
        "1e-400",
        "0e999999999999",
    ] {
        for padded in [text.to_owned(), format!("{text}        "), format!("[{text},{text}]")] {
            let refused = text.ends_with('.');
            assert_eq!(agrees::<Value>(&padded), !refused, "{padded}");
            assert_eq!(agrees_to_skip(&padded), !refused, "{padded}");
        }
    }
    assert!(
        short::<Value>("1e400").is_none() && short::<Value>("01").is_none() && short::<Value>("1e").is_none()
    );
}

#[test]
fn strings_are_the_same_wherever_an_escape_stands() {
    let escapes = [
        "\\\"",
        "\\\\",
        "\\/",
        "\\b\\f\\n\\r\\t",
        "\\u00e9",
        "\\uD83D\\uDE00",
        "ü",
        "😀",
        "\u{7f}",
        "\u{80}",
    ];
    for before in 0..20 {
        for after in [0, 1, 7, 8, 9] {
            for escape in escapes {
                let text = format!("[\"{}{escape}{}\"]", "a".repeat(before), "b".repeat(after));
                assert!(agrees::<Value>(&text) && agrees_to_skip(&text), "{text}");
            }
            // A lone surrogate is no text, but may be skipped; the others are nothing.
            let bad = [
                "\\ud800",
                "\\udc00",
                "\\ud800\\u0041",
                "\\uD83D\\n",
                "\\x",
                "\\u12g4",
                "\\u+123",
                "\n",
                "\u{1f}",
            ];
            for escape in bad {
                let text = format!("[\"{}{escape}{}\"]", "a".repeat(before), "b".repeat(after));
                assert!(!agrees::<Value>(&text), "{text}");
                assert_eq!(
                    agrees_to_skip(&text),
                    serde_json::from_str::<IgnoredAny>(&text).is_ok(),
                    "{text}"
                );
            }
        }
        for cut in ["\"aaaa", "\"aaaa\\", "\"aaaa\\u00", "[\"aaaa\"", "{\"a\":1", "tru", "nul"] {
            assert!(!agrees::<Value>(&cut[..cut.len().min(before + 1)]) && !agrees_to_skip(cut), "{cut}");
        }
    }
}

#[test]
fn depth_ends_where_serde_json_ends() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        for depth in [1, 64, 126, 127, 128, 129, 200] {
            let text = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            assert_eq!(agrees::<Value>(&text), serde_json::from_str::<Value>(&text).is_ok(), "{depth}");
            assert_eq!(
                agrees_to_skip(&text),
                depth <= 127,
                "what nests deeper is left to serde_json: {depth}"
            );
        }
    }
}

#[test]
fn what_is_declined_for_its_type_is_decoded_all_the_same() {
    #[derive(Deserialize)]
    struct Rare {
        raw: Box<RawValue>,
        wide: i128,
        kind: Kind,
        by_number: BTreeMap<u8, bool>,
    }
    let text = r#"{"raw": [1,  2], "wide": 170141183460469231731687303715884105727, "kind": {"Wet": 7}, "by_number": {"1": true}}"#;
    assert!(short::<Rare>(text).is_none());
    let mut records = crate::record::typed::TypedRecords::<Rare>::new();
    JsonDecoder::new(JsonDecoderFraming::Auto).decode(text.as_bytes(), &mut records).unwrap();
    let (_, rare) = records.drain().next().unwrap();
    assert_eq!((rare.raw.get(), rare.wide), ("[1,  2]", i128::MAX));
    assert!(matches!(rare.kind, Kind::Wet(7)) && rare.by_number[&1]);
}

#[test]
fn an_error_that_a_type_swallows_is_none_of_the_short_way() {
    /// Takes what is no number of 128 bits as 0: the short way declines all of them, serde_json reads them.
    #[derive(Debug, Deserialize)]
    struct Lenient {
        #[serde(deserialize_with = "or_zero")]
        n: i128,
    }

    fn or_zero<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<i128, D::Error> {
        Ok(i128::deserialize(deserializer).unwrap_or_default())
    }

    assert!(short::<Lenient>(r#"{"n":5}"#).is_none());
    let mut records = crate::record::typed::TypedRecords::<Lenient>::new();
    JsonDecoder::new(JsonDecoderFraming::Auto).decode(br#"{"n":5}"#, &mut records).unwrap();
    assert_eq!(records.items()[0].n, 5);
}
