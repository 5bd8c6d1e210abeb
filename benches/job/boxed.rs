//! The same job the way of a run-time registry: every part in a box, found by its name in a map.

use std::collections::HashMap;

use flow::PayloadBatch;
use serde::Serialize;
use serde_json::{Value, json};

use crate::Failure;
use crate::job::input::{Input, LIMIT, Reading, Supply, TINY_LIMIT, Tiny};

pub(crate) trait Source {
    fn next(&mut self, batch: &mut PayloadBatch);
}

pub(crate) trait Decoder<T> {
    fn decode(&mut self, payload: &[u8], out: &mut Vec<T>) -> Result<(), Failure>;
}

pub(crate) trait Encoder<T> {
    fn encode(&mut self, records: &[T], out: &mut PayloadBatch) -> Result<(), Failure>;
}

pub(crate) trait Sink {
    fn write(&mut self, batch: &PayloadBatch);
}

pub(crate) type NewDecoder<T> = fn() -> Box<dyn Decoder<T>>;
pub(crate) type NewEncoder<T> = fn() -> Box<dyn Encoder<T>>;

/// Builds the boxes of a pipeline whose records come in as `In` and go out as `Out`.
pub(crate) struct Registry<In, Out> {
    pub(crate) decoders: HashMap<&'static str, NewDecoder<In>>,
    pub(crate) encoders: HashMap<&'static str, NewEncoder<Out>>,
}

impl<T: Reading> Registry<T, T::Alert> {
    /// Records are the application's own structs.
    pub(crate) fn typed() -> Self {
        Self {
            decoders: HashMap::from([
                ("json", (|| Box::new(Json)) as NewDecoder<T>),
                ("tiny", || Box::new(Bytes)),
            ]),
            encoders: HashMap::from([
                ("json", (|| Box::new(Json)) as NewEncoder<T::Alert>),
                ("tiny", || Box::new(Bytes)),
            ]),
        }
    }
}

impl Registry<Value, Value> {
    /// Records are trees of values, whatever the codec.
    pub(crate) fn values() -> Self {
        Self {
            decoders: HashMap::from([
                ("json", (|| Box::new(Json)) as NewDecoder<Value>),
                ("tiny", || Box::new(BytesAsValue)),
            ]),
            encoders: HashMap::from([
                ("json", (|| Box::new(Json)) as NewEncoder<Value>),
                ("tiny", || Box::new(BytesAsValue)),
            ]),
        }
    }
}

/// What [`Reading::alert`] does, over a tree.
pub(crate) fn alert(input: Input, mut record: Value) -> Option<Value> {
    let (device, temperature) = match input {
        Input::Flat => (record["device_id"].take(), record["temperature"].take()),
        Input::Nested => (record["device"]["id"].take(), record["climate"]["temperature"].take()),
        Input::Tiny => {
            return (record["celsius"].as_i64()? > i64::from(TINY_LIMIT)).then_some(record);
        }
    };
    (temperature.as_f64()? > LIMIT)
        .then(|| json!({ "device_id": device, "temperature": temperature, "ts": record["ts"].take() }))
}

impl Source for Supply {
    fn next(&mut self, batch: &mut PayloadBatch) {
        self.fill(batch);
    }
}

/// Drops what it gets.
pub(crate) struct Drop;

impl Sink for Drop {
    fn write(&mut self, _: &PayloadBatch) {}
}

struct Json;

impl<T: serde::de::DeserializeOwned> Decoder<T> for Json {
    fn decode(&mut self, payload: &[u8], out: &mut Vec<T>) -> Result<(), Failure> {
        out.push(serde_json::from_str(std::str::from_utf8(payload)?)?);
        Ok(())
    }
}

impl<T: Serialize> Encoder<T> for Json {
    fn encode(&mut self, records: &[T], out: &mut PayloadBatch) -> Result<(), Failure> {
        for record in records {
            serde_json::to_writer(out.buffer(), record)?;
            out.finish();
        }
        Ok(())
    }
}

struct Bytes;

impl<T: Reading> Decoder<T> for Bytes {
    fn decode(&mut self, payload: &[u8], out: &mut Vec<T>) -> Result<(), Failure> {
        out.push(T::from_bytes(payload)?);
        Ok(())
    }
}

impl<T: crate::job::input::ToBytes> Encoder<T> for Bytes {
    fn encode(&mut self, records: &[T], out: &mut PayloadBatch) -> Result<(), Failure> {
        for record in records {
            record.write_bytes(out.buffer())?;
            out.finish();
        }
        Ok(())
    }
}

struct BytesAsValue;

impl Decoder<Value> for BytesAsValue {
    fn decode(&mut self, payload: &[u8], out: &mut Vec<Value>) -> Result<(), Failure> {
        let Tiny { device, celsius, ts } = Tiny::from_bytes(payload)?;
        out.push(json!({ "device": device, "celsius": celsius, "ts": ts }));
        Ok(())
    }
}

impl Encoder<Value> for BytesAsValue {
    fn encode(&mut self, records: &[Value], out: &mut PayloadBatch) -> Result<(), Failure> {
        for record in records {
            let field = |name: &str| record[name].as_i64().ok_or_else(|| format!("`{name}` is no number"));
            out.buffer().extend_from_slice(&u16::try_from(field("device")?)?.to_le_bytes());
            out.buffer().extend_from_slice(&i16::try_from(field("celsius")?)?.to_le_bytes());
            out.buffer().extend_from_slice(&u32::try_from(field("ts")?)?.to_le_bytes());
            out.finish();
        }
        Ok(())
    }
}
