//! The engines, each doing the same two tasks.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use arrow_json::ReaderBuilder;
use arrow_json::writer::{LineDelimited, WriterBuilder};
use arrow_schema::{DataType, Field, Fields};
use flow::codec::json::{JsonDecoder, JsonDecoderFraming, JsonEncoder, JsonEncoderFraming};
use flow::{
    Collect, CollectBatch, CollectionEncoder, PayloadBatch, RecordDecoder, Records, Schema, TypedRecords,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::Failure;
use crate::input::{Input, Supply};

/// Records that are kept before they are forgotten.
const BATCH: usize = 64;

/// Who does the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    /// `flow` into and out of columns by a schema at run time.
    Columns,
    /// `flow` into and out of structs.
    Structs,
    /// serde_json over text that is checked for UTF-8 once.
    SerdeJson,
    SonicRs,
    /// It writes into its input, so that the copy of each payload is a part of it.
    SimdJson,
    /// Arrow's own reader and writer, a record batch a batch.
    ArrowJson,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    Decode,
    Encode,
}

/// What is measured. Its name is `ENGINE/INPUT/TASK`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Job {
    pub(crate) engine: Engine,
    pub(crate) input: Input,
    pub(crate) task: Task,
}

impl Engine {
    pub(crate) const ALL: [Engine; 6] = [
        Engine::Columns,
        Engine::Structs,
        Engine::SerdeJson,
        Engine::SonicRs,
        Engine::SimdJson,
        Engine::ArrowJson,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Engine::Columns => "flow-columns",
            Engine::Structs => "flow-structs",
            Engine::SerdeJson => "serde_json",
            Engine::SonicRs => "sonic-rs",
            Engine::SimdJson => "simd-json",
            Engine::ArrowJson => "arrow-json",
        }
    }
}

impl Task {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Task::Decode => "decode",
            Task::Encode => "encode",
        }
    }
}

/// [`Input::Flat`] with all of its fields, for both tasks.
#[derive(Debug, Serialize, Deserialize)]
struct Flat {
    device_id: String,
    site: String,
    ts: i64,
    temperature: f64,
    humidity: f64,
    pressure: f64,
    voltage: f64,
    sequence: i64,
}

/// Three fields of [`Input::Nested`].
#[derive(Debug, Serialize, Deserialize)]
struct Nested {
    device: Device,
    climate: Climate,
    ts: i64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Device {
    id: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Climate {
    temperature: f64,
}

/// The same fields as the structs have, so that all engines write the same.
fn schema(input: Input) -> Result<Arc<Schema>, Failure> {
    let text = match input {
        Input::Nested => {
            r#"device = { type = "struct", fields = { id = "string" } }
climate = { type = "struct", fields = { temperature = "float64" } }
ts = "int64""#
        }
        flat => flat.schema(),
    };
    let schema = serde_json::to_value(text.parse::<toml::Table>()?)?;
    Schema::from_value(&schema).map_err(|errors| format!("{errors:?}").into())
}

fn arrow_schema(input: Input) -> Arc<arrow_schema::Schema> {
    let text = |name| Field::new(name, DataType::Utf8, true);
    let float = |name| Field::new(name, DataType::Float64, true);
    let whole = |name| Field::new(name, DataType::Int64, true);
    let group = |name, field| Field::new(name, DataType::Struct(Fields::from(vec![field])), true);
    Arc::new(arrow_schema::Schema::new(match input {
        Input::Nested => {
            vec![group("device", text("id")), group("climate", float("temperature")), whole("ts")]
        }
        _ => vec![
            text("device_id"),
            text("site"),
            whole("ts"),
            float("temperature"),
            float("humidity"),
            float("pressure"),
            float("voltage"),
            whole("sequence"),
        ],
    }))
}

impl Job {
    /// Does the task for this number of records and gives the bytes that were read or written.
    pub(crate) fn run(self, records: usize) -> Result<usize, Failure> {
        match self.input {
            Input::Nested => self.run_as::<Nested>(records),
            _ => self.run_as::<Flat>(records),
        }
    }

    fn run_as<T: DeserializeOwned + Serialize>(self, records: usize) -> Result<usize, Failure> {
        match self.task {
            Task::Decode => self.decode::<T>(records),
            Task::Encode => self.encode::<T>(records),
        }
    }

    fn decode<T: DeserializeOwned>(self, records: usize) -> Result<usize, Failure> {
        let mut columns = Records::new(&schema(self.input)?);
        let mut structs = TypedRecords::<T>::new();
        let mut decoder = JsonDecoder::new(JsonDecoderFraming::Auto);
        let mut arrow =
            ReaderBuilder::new(arrow_schema(self.input)).with_batch_size(BATCH).build_decoder()?;
        let mut kept: Vec<T> = Vec::new();
        let mut copy = Vec::new();
        self.each_batch(records, |payloads| {
            columns.clear();
            structs.empty();
            kept.clear();
            for payload in payloads.iter() {
                let bytes = payload.bytes();
                match self.engine {
                    Engine::Columns => decoder.decode(bytes, &mut columns)?,
                    Engine::Structs => decoder.decode(bytes, &mut structs)?,
                    Engine::SerdeJson => kept.push(serde_json::from_str(std::str::from_utf8(bytes)?)?),
                    Engine::SonicRs => kept.push(sonic_rs::from_slice(bytes)?),
                    Engine::SimdJson => {
                        copy.clear();
                        copy.extend_from_slice(bytes);
                        kept.push(simd_json::from_slice(&mut copy)?);
                    }
                    Engine::ArrowJson => {
                        arrow.decode(bytes)?;
                    }
                }
            }
            let taken = match self.engine {
                Engine::ArrowJson => arrow.flush()?.map_or(0, |batch| batch.num_rows()),
                _ => Collect::len(&columns) + Collect::len(&structs) + kept.len(),
            };
            if taken == payloads.len() { Ok(payloads.bytes()) } else { Err("records are missing".into()) }
        })
    }

    fn encode<T: DeserializeOwned + Serialize>(self, records: usize) -> Result<usize, Failure> {
        let mut columns = Records::new(&schema(self.input)?);
        let mut structs = TypedRecords::<T>::new();
        let mut decoder = JsonDecoder::new(JsonDecoderFraming::Auto);
        let mut encoder = JsonEncoder::new(JsonEncoderFraming::Object);
        let mut arrow =
            ReaderBuilder::new(arrow_schema(self.input)).with_batch_size(BATCH).build_decoder()?;
        let mut payloads = PayloadBatch::with_capacity(BATCH);
        Supply::new(self.input, BATCH).fill(&mut payloads);
        for payload in payloads.iter() {
            decoder.decode(payload.bytes(), &mut columns)?;
            decoder.decode(payload.bytes(), &mut structs)?;
            arrow.decode(payload.bytes())?;
        }
        let batch = arrow.flush()?.ok_or("arrow-json has read nothing")?;
        let mut out = PayloadBatch::new();
        let mut written = 0;
        for _ in 0..records / BATCH {
            out.clear();
            match self.engine {
                Engine::Columns => encoder.encode(&columns, &mut out)?,
                Engine::Structs => encoder.encode(&structs, &mut out)?,
                Engine::SerdeJson => {
                    for record in structs.items() {
                        serde_json::to_writer(out.buffer(), record)?;
                        out.finish();
                    }
                }
                Engine::SonicRs => {
                    for record in structs.items() {
                        sonic_rs::to_writer(out.buffer(), record)?;
                        out.finish();
                    }
                }
                Engine::SimdJson => {
                    for record in structs.items() {
                        simd_json::to_writer(out.buffer(), record)?;
                        out.finish();
                    }
                }
                Engine::ArrowJson => {
                    let mut writer = WriterBuilder::new().build::<_, LineDelimited>(out.buffer());
                    writer.write(&batch)?;
                    writer.finish()?;
                    out.finish();
                }
            }
            written += out.bytes();
        }
        Ok(written)
    }

    fn each_batch(
        self,
        records: usize,
        mut take: impl FnMut(&PayloadBatch) -> Result<usize, Failure>,
    ) -> Result<usize, Failure> {
        let mut supply = Supply::new(self.input, records);
        let mut payloads = PayloadBatch::with_capacity(BATCH);
        let mut bytes = 0;
        loop {
            payloads.clear();
            supply.fill(&mut payloads);
            if payloads.is_empty() {
                return Ok(bytes);
            }
            bytes += take(&payloads)?;
        }
    }
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.engine.as_str(), self.input, self.task.as_str())
    }
}

impl FromStr for Job {
    type Err = Failure;

    fn from_str(name: &str) -> Result<Self, Failure> {
        let wrong = || format!("`{name}` is no job; write ENGINE/INPUT/TASK, as in `sonic-rs/flat/decode`");
        let [engine, input, task] = name.split('/').collect::<Vec<_>>()[..] else {
            return Err(wrong().into());
        };
        Ok(Self {
            engine: Engine::ALL.into_iter().find(|known| known.as_str() == engine).ok_or_else(wrong)?,
            input: Input::ALL.into_iter().find(|known| known.as_str() == input).ok_or_else(wrong)?,
            task: [Task::Decode, Task::Encode]
                .into_iter()
                .find(|known| known.as_str() == task)
                .ok_or_else(wrong)?,
        })
    }
}
