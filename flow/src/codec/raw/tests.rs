use serde::{Deserialize, Serialize};

use crate::codec::contract::{CollectionEncoder, RecordDecoder};
use crate::codec::raw::{RawDecoder, RawDecoderConfig, RawEncoder, RawEncoderConfig};
use crate::component::{BuildContext, Component};
use crate::error::{EncodeError, Reason};
use crate::record::collection::{Collect, Collection};
use crate::record::payload::{Payload, PayloadBatch};
use crate::record::records::{Records, Value};
use crate::record::schema::{Field, Schema, Type};
use crate::record::typed::TypedRecords;

const NOT_TEXT: &[u8] = &[0, 159, 146, 150];

fn decoder(text: bool) -> RawDecoder {
    let config = RawDecoderConfig { text, ..RawDecoderConfig::default() };
    RawDecoder::build(config, &BuildContext::default()).unwrap()
}

fn encode<C: Collection>(column: Option<&str>, records: &C) -> Result<Vec<Vec<u8>>, EncodeError> {
    let config = RawEncoderConfig { column: column.map(str::to_owned) };
    let mut out = PayloadBatch::new();
    RawEncoder::build(config, &BuildContext::default()).unwrap().encode(records, &mut out)?;
    Ok(out.iter().map(|payload: Payload<'_>| payload.bytes().to_vec()).collect())
}

fn message(error: &EncodeError) -> (usize, Reason, String) {
    (error.index(), error.record().reason(), error.record().to_string())
}

#[test]
fn bytes_and_text_become_one_column() {
    let mut records = Records::new(&Schema::new(vec![Field::new("payload", Type::Binary)]));
    decoder(false).decode(NOT_TEXT, &mut records).unwrap();
    decoder(false).decode(b"", &mut records).unwrap();
    assert_eq!((records.value(0, 0), records.value(1, 0)), (Value::Bytes(NOT_TEXT), Value::Bytes(b"")));
    assert_eq!(encode(None, &records).unwrap(), [NOT_TEXT, b""]);

    for text in [false, true] {
        let mut records = Records::new(&Schema::new(vec![Field::new("payload", Type::String)]));
        decoder(text).decode("grün".as_bytes(), &mut records).unwrap();
        let error = decoder(text).decode(NOT_TEXT, &mut records).unwrap_err();
        assert_eq!(error.record().reason(), Reason::Utf8);
        assert_eq!(encode(Some("payload"), &records).unwrap(), ["grün".as_bytes()]);
    }
    let mut records = Records::new(&Schema::new(vec![Field::new("payload", Type::Int8)]));
    let error = decoder(false).decode(b"5", &mut records).unwrap_err();
    assert_eq!(error.to_string(), "field `payload`: expected int8, got 1 bytes");
}

#[test]
fn typed_records_take_the_payload_as_they_like() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Line {
        payload: String,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Wrapped(Vec<u8>);

    let mut lines = TypedRecords::<Line>::new();
    decoder(true).decode(b"one", &mut lines).unwrap();
    decoder(false).decode(b"two", &mut lines).unwrap();
    assert!(decoder(false).decode(NOT_TEXT, &mut lines).is_err());
    assert_eq!(encode(None, &lines).unwrap(), [b"one", b"two"]);

    let mut texts = TypedRecords::<String>::new();
    decoder(true).decode(b"one", &mut texts).unwrap();
    assert_eq!(encode(None, &texts).unwrap(), [b"one"]);

    let mut bytes = TypedRecords::<Wrapped>::new();
    decoder(false).decode(NOT_TEXT, &mut bytes).unwrap();
    assert_eq!(encode(None, &bytes).unwrap(), [NOT_TEXT]);
    assert_eq!(bytes.drain().next(), Some((0, Wrapped(NOT_TEXT.to_vec()))));
}

#[test]
fn what_is_no_payload_is_said() {
    let schema = Schema::new(vec![
        Field::new("a", Type::String),
        Field::new("b", Type::Binary),
        Field::new("n", Type::Int8),
    ]);
    let mut records = Records::new(&schema);
    records.collect(serde_json::json!({ "a": "x", "b": "aGk=", "n": 5 })).unwrap();
    assert_eq!(encode(Some("b"), &records).unwrap(), [b"hi"]);
    let error = |column, records: &Records| message(&encode(column, records).unwrap_err());
    let text = |text: &str| (0, Reason::Encode, text.to_owned());
    assert_eq!(
        error(None, &records),
        text("field `b`: a second field of text or bytes; name the one to write with `column`")
    );
    assert_eq!(error(Some("n"), &records), text("field `n`: only text and bytes are payloads as they are"));
    assert_eq!(error(Some("c"), &records), text("field `c`: the record has no such field"));

    let mut records = Records::new(&schema);
    records.collect(serde_json::json!({})).unwrap();
    assert_eq!(error(Some("a"), &records), text("field `a`: null is no payload"));
    assert_eq!(error(None, &records), text("the record has no field of text or bytes to write"));
}

#[test]
fn a_column_without_a_name_is_refused() {
    let config = RawDecoderConfig { column: String::new(), text: false };
    let error = RawDecoder::build(config, &BuildContext::default()).unwrap_err();
    assert_eq!((error.key(), error.message()), (Some("column"), "the column needs a name"));
}
