//! Payloads that went wrong on their way, by the thousand.

use serde_json::json;

use super::{encode, records, round_trip};
use crate::codec::contract::RecordDecoder;
use crate::codec::json::{JsonDecoder, JsonDecoderFraming, JsonEncoderFraming};
use crate::record::collection::{Collect, CollectBatch};
use crate::record::payload::PayloadBatch;

/// xorshift64*: small, seeded, and the same on every machine.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).unwrap()
    }
}

const VALID: [&str; 4] = [
    r#"{"id":"pump-7","n":-42,"u":18446744073709551615,"t":21.5,"on":true,"at":1763892900250,"l":[1,2,3],"s":{"x":1.5,"y":"z"}}"#,
    r#"[{"id":"a","n":1},{"id":"b","l":[],"s":{"x":null}},{"w":{"d":[{"e":"f"}]},"t":-0.0}]"#,
    r#"{"when":"2026-11-23T10:15:00.250Z","raw":"aGVsbG8=","o":{"p":[9,{"q":"deep"}]},"skip":[[[{"x":1}]]]}"#,
    "{\"id\":\"a\"}\n{\"id\":\"b\",\"n\":2}\n\n{\"id\":\"\\u00fc\\n\"}",
];

const SCRAPS: [&str; 16] = [
    "\"wet\"",
    "null",
    "true",
    "1e999",
    "99999999999999999999",
    "-1",
    "1.0",
    "{}",
    "[]",
    "[[[[",
    "{\"a\":",
    "\\u",
    "\"",
    "}",
    "]",
    ",",
];

pub(super) fn mutate(random: &mut Random) -> Vec<u8> {
    let mut bytes = VALID[random.below(VALID.len())].as_bytes().to_vec();
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len());
        match random.below(8) {
            0 => bytes.truncate(at),
            1 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
            2 if !bytes.is_empty() => {
                bytes.remove(at);
            }
            3 => {
                let end = at + random.below(bytes.len() - at + 1);
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
            4 => {
                let deep = random.below(400);
                let bracket = if random.below(2) == 0 { b'[' } else { b'{' };
                bytes.splice(at..at, std::iter::repeat_n(bracket, deep));
            }
            5 => {
                let value =
                    bytes.iter().skip(at).position(|byte| *byte == b':').map_or(at, |colon| at + colon + 1);
                let value = value.min(bytes.len());
                bytes.splice(value..value, SCRAPS[random.below(SCRAPS.len())].bytes());
            }
            6 => {
                // A value of another type in place of a number.
                if let Some(digit) = bytes.iter().skip(at).position(u8::is_ascii_digit) {
                    bytes.splice(at + digit..=at + digit, SCRAPS[random.below(SCRAPS.len())].bytes());
                }
            }
            _ => {
                let long = 10_000 * usize::from(random.below(50) == 0);
                bytes.splice(at..at, std::iter::repeat_n(b'9', long));
            }
        }
    }
    bytes
}

pub(super) fn schema() -> serde_json::Value {
    json!({
        "id": "string", "n": "int8", "u": "uint64", "t": "float64", "on": "bool", "at": "timestamp(ms)",
        "when": "timestamp(ms, rfc3339)", "raw": "binary", "l": "list(int16)",
        "s": { "type": "struct", "fields": { "x": "float32", "y": "string" } },
        "q": { "type": "string", "from": "o.p[1].q" },
    })
}

#[test]
fn no_payload_panics_and_each_is_accounted_for() {
    let mut random = Random(0x5eed);
    let mut records = records(&schema());
    let (mut taken, mut refused, mut rejected) = (0, 0, 0);
    for round in 0..100 {
        records.clear();
        let mut batch = PayloadBatch::new();
        for _ in 0..1_000 {
            batch.push(&mutate(&mut random));
        }
        let framing = if round % 4 == 0 { JsonDecoderFraming::Lines } else { JsonDecoderFraming::Auto };
        let mut decoder = JsonDecoder::new(framing);
        for (index, payload) in batch.iter().enumerate() {
            let before = (Collect::len(&records), records.rejected().len());
            records.begin_payload(index, payload);
            if let Err(error) = decoder.decode(payload.bytes(), &mut records) {
                assert!(!error.to_string().is_empty());
                assert!(error.record().offset().is_none_or(|offset| offset <= payload.bytes().len()));
                records.truncate(before.0);
                assert_eq!((Collect::len(&records), records.rejected().len()), before);
                refused += 1;
            } else {
                let now = (Collect::len(&records), records.rejected().len());
                let empty = serde_json::from_slice::<[(); 0]>(payload.bytes()).is_ok();
                assert!(now != before || empty, "{} is lost", String::from_utf8_lossy(payload.bytes()));
                taken += now.0 - before.0;
                rejected += now.1 - before.1;
            }
        }
        // Whatever came through is whole: it is written, and what is written reads back the same.
        for text in encode(JsonEncoderFraming::Object, &records).unwrap() {
            assert_eq!(round_trip(&names(), &text), text);
        }
    }
    assert!(taken > 10_000 && refused > 10_000 && rejected > 1_000, "{taken} {refused} {rejected}");
}

/// The schema of what is written: paths have become names.
fn names() -> serde_json::Value {
    let mut schema = schema();
    schema["q"] = json!("string");
    schema
}

#[test]
fn floats_come_back_bit_for_bit() {
    let mut random = Random(7);
    let (mut doubles, mut singles) =
        (records(&json!({ "v": "float64" })), records(&json!({ "v": "float32" })));
    let mut decoder = JsonDecoder::new(JsonDecoderFraming::Auto);
    for _ in 0..20_000 {
        let (double, single) = (f64::from_bits(random.next()), f32::from_bits((random.next() >> 32) as u32));
        if !double.is_finite() || !single.is_finite() {
            continue;
        }
        doubles.clear();
        decoder.decode(format!("{{\"v\":{double:e}}}").as_bytes(), &mut doubles).unwrap();
        let found = doubles.column(0).values::<f64>().unwrap()[0];
        assert_eq!(found.to_bits(), double.to_bits());
        singles.clear();
        decoder.decode(format!("{{\"v\":{single:e}}}").as_bytes(), &mut singles).unwrap();
        let found = singles.column(0).values::<f32>().unwrap()[0];
        assert_eq!(found.to_bits(), single.to_bits());
    }
}
