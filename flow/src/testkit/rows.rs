//! Records for checks: made from a schema, and compared as text.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::codec::RecordDecoder;
use crate::error::DecodeError;
use crate::record::collection::{Collect, CollectBatch, Collection};
use crate::record::payload::PayloadBatch;
use crate::record::records::Records;
use crate::record::schema::{Field, Schema, TimeForm, Type};
use crate::testkit::bytes::Numbers;

/// Every record as JSON. One that JSON cannot hold is the message that says so.
pub(super) fn texts(records: &Records) -> Vec<String> {
    let text = |index| match records.serialize(index, serde_json::value::Serializer) {
        Ok(value) => value.to_string(),
        Err(error) => error.to_string(),
    };
    (0..Collection::len(records)).map(text).collect()
}

/// The records of this JSON.
pub(super) fn collect(schema: &Arc<Schema>, rows: &[Value]) -> Result<Records, String> {
    let mut records = Records::new(schema);
    for row in rows {
        if let Err(error) = records.collect(row) {
            let error = records.fault().map_or_else(|| error.to_string(), |fault| fault.to_string());
            return Err(format!("the record {row} does not fit the schema of the kit: {error}"));
        }
    }
    Ok(records)
}

/// A decoder with the records it decodes into, as a pipeline has them.
pub(super) struct Decoding<D> {
    decoder: D,
    records: Records,
}

impl<D: RecordDecoder> Decoding<D> {
    pub(super) fn new(decoder: D, schema: &Arc<Schema>) -> Self {
        Self { decoder, records: Records::new(schema) }
    }

    /// The records of one payload as text, those that were rejected after them.
    pub(super) fn decode(&mut self, payload: &[u8]) -> Result<Vec<String>, DecodeError> {
        let mut batch = PayloadBatch::new();
        batch.push(payload);
        self.records.clear();
        if let Some(payload) = batch.get(0) {
            self.records.begin_payload(0, payload);
        }
        let decoded = self.decoder.decode(payload, &mut self.records);
        let mut texts = texts(&self.records);
        texts.extend(self.records.rejected().iter().map(|(_, error)| format!("rejected: {error}")));
        decoded.map(|()| texts)
    }
}

/// Records of every value that is hard to write: extremes, nulls, text of all kinds.
pub(super) fn generated(schema: &Schema, count: usize) -> Vec<Value> {
    let mut numbers = Numbers::new(2);
    (0..count).map(|_| object(schema.fields(), &mut numbers)).collect()
}

fn object(fields: &[Field], numbers: &mut Numbers) -> Value {
    let value = |field: &Field, numbers: &mut Numbers| match numbers.below(8) {
        0 if !field.required => Value::Null,
        _ => of_type(&field.kind, numbers),
    };
    Value::Object(Map::from_iter(fields.iter().map(|field| (field.name.clone(), value(field, numbers)))))
}

fn of_type(kind: &Type, numbers: &mut Numbers) -> Value {
    let signed = |bits: u32, numbers: &mut Numbers| {
        let (max, some) = (i64::MAX >> (64 - bits), numbers.next().cast_signed() >> (64 - bits));
        json!([0, 1, -1, max, -max - 1, some][numbers.below(6)])
    };
    let unsigned = |bits: u32, numbers: &mut Numbers| {
        let (max, some) = (u64::MAX >> (64 - bits), numbers.next() >> (64 - bits));
        json!([0, 1, max, some][numbers.below(4)])
    };
    match kind {
        Type::Bool => json!(numbers.below(2) == 1),
        Type::Int8 => signed(8, numbers),
        Type::Int16 => signed(16, numbers),
        Type::Int32 => signed(32, numbers),
        Type::Int64 => signed(64, numbers),
        Type::UInt8 => unsigned(8, numbers),
        Type::UInt16 => unsigned(16, numbers),
        Type::UInt32 => unsigned(32, numbers),
        Type::UInt64 => unsigned(64, numbers),
        Type::Float32 => {
            let some = f32::from_bits((numbers.next() >> 32) as u32);
            let some = if some.is_finite() { some } else { 0.1 };
            json!(f64::from([0.0, -0.0, f32::MAX, f32::MIN_POSITIVE, 0.1, some][numbers.below(6)]))
        }
        Type::Float64 => {
            let some = f64::from_bits(numbers.next());
            let some = if some.is_finite() { some } else { 0.1 };
            json!([0.0, -0.0, f64::MAX, 5e-324, 0.1, some][numbers.below(6)])
        }
        Type::String => {
            let texts = [
                "",
                "pump-7",
                "a b",
                "grün",
                "\u{1f600}",
                "\"quoted\" \\ {x}",
                "a\nb\r\n\tc",
                "a;b=c,d",
                "\0",
            ];
            match numbers.below(texts.len() + 1) {
                at if at < texts.len() => json!(texts[at]),
                _ => json!("x".repeat(300)),
            }
        }
        Type::Binary => {
            let length = numbers.below(20);
            json!(STANDARD.encode(numbers.bytes(length)))
        }
        Type::Timestamp(_, TimeForm::Number) => {
            json!([0, -1, 1_764_000_000_000, i64::MAX, i64::MIN][numbers.below(5)])
        }
        Type::Timestamp(_, TimeForm::Rfc3339) => {
            json!(["1970-01-01T00:00:00Z", "2026-11-23T10:15:00Z", "1969-12-31T23:59:59Z"][numbers.below(3)])
        }
        Type::List(items) => {
            let length = numbers.below(4);
            let item = |numbers: &mut Numbers| match numbers.below(8) {
                0 if !items.required => Value::Null,
                _ => of_type(&items.kind, numbers),
            };
            Value::Array((0..length).map(|_| item(numbers)).collect())
        }
        Type::Struct(fields) => object(fields, numbers),
    }
}
