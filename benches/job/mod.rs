//! One job in many ways: source → decode → filter → encode → a sink that drops.
//!
//! The loops without `flow` read their payloads from the same [`Supply`] into the same `PayloadBatch` as the pipelines
//! and encode into another, so that what differs is what `flow` adds: the runner, the dispatch, the records, and the
//! counting.

mod boxed;
mod components;
pub(crate) mod input;
mod registries;
mod tiny;
mod write;

use std::fmt;
use std::future::pending;
use std::str::FromStr;

use flow::codec::json::{JsonDecoder, JsonDecoderFraming};
use flow::{Collect, CollectBatch, PayloadBatch, Pipeline, RecordDecoder, Records, Registry, Report, Schema};
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::Failure;
use components::MyRegistry;
use input::{Flat, Input, Nested, Reading, Supply, Tiny, ToBytes};

/// How the job is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// A loop over typed structs, with serde_json; each payload is checked for UTF-8 once, then parsed as text.
    Hand,
    /// The same with `serde_json::from_slice`, which checks each string.
    HandSlice,
    /// `Pipeline::filter_map` with the same structs.
    Typed,
    /// The same over a registry of this size, with the job's components in this place.
    TypedIn(Size, Place),
    /// `Pipeline::run` with the schema and the transforms of a pipeline file.
    Columnar,
    /// The loop by hand with every part in a box.
    Boxed,
    /// The same with trees of values as records.
    Value,
    /// serde_json skips each payload: what its syntax alone costs. Nothing comes out.
    Ignore,
    /// The `json` decoder fills columns. Nothing comes out.
    Decode,
}

/// How many components a registry has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    Eight,
    SixtyFour,
}

/// Where in a registry the job's components stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    First,
    Last,
}

impl Way {
    const ALL: [Way; 12] = [
        Way::Hand,
        Way::HandSlice,
        Way::Typed,
        Way::TypedIn(Size::Eight, Place::First),
        Way::TypedIn(Size::Eight, Place::Last),
        Way::TypedIn(Size::SixtyFour, Place::First),
        Way::TypedIn(Size::SixtyFour, Place::Last),
        Way::Columnar,
        Way::Boxed,
        Way::Value,
        Way::Ignore,
        Way::Decode,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Way::Hand => "hand",
            Way::HandSlice => "hand-slice",
            Way::Typed => "typed",
            Way::TypedIn(Size::Eight, Place::First) => "typed-8-first",
            Way::TypedIn(Size::Eight, Place::Last) => "typed-8-last",
            Way::TypedIn(Size::SixtyFour, Place::First) => "typed-64-first",
            Way::TypedIn(Size::SixtyFour, Place::Last) => "typed-64-last",
            Way::Columnar => "columnar",
            Way::Boxed => "boxed",
            Way::Value => "value",
            Way::Ignore => "ignore",
            Way::Decode => "decode",
        }
    }

    /// Does it do the whole job, for this input?
    pub(crate) fn is_whole(self, input: Input) -> bool {
        match self {
            Way::HandSlice => input != Input::Tiny,
            // What the place costs is a call's part, and shows most where calls are short.
            Way::TypedIn(..) => input == Input::Tiny || (input == Input::Flat && self.is_extreme()),
            Way::Ignore | Way::Decode => false,
            _ => true,
        }
    }

    /// The two registries that differ most.
    fn is_extreme(self) -> bool {
        matches!(self, Way::TypedIn(Size::Eight, Place::First) | Way::TypedIn(Size::SixtyFour, Place::Last))
    }

    /// Every way of doing the whole job, for this input.
    pub(crate) fn whole(input: Input) -> impl Iterator<Item = Way> {
        Way::ALL.into_iter().filter(move |way| way.is_whole(input))
    }
}

/// What is measured. Its name is `INPUT/WAY/BATCH`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) input: Input,
    pub(crate) way: Way,
    /// Payloads a batch.
    pub(crate) batch: usize,
}

/// What came out, to hold the ways against each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Outcome {
    pub(crate) records: u64,
    pub(crate) bytes: u64,
}

impl Job {
    /// Does the job for this number of records.
    pub(crate) fn run(self, records: usize) -> Result<Outcome, Failure> {
        match (self.input, self.way) {
            (Input::Tiny, Way::Ignore | Way::Decode | Way::HandSlice) => {
                Err(format!("`{self}`: this input is no JSON").into())
            }
            (_, Way::TypedIn(..)) if !self.way.is_whole(self.input) => {
                Err(format!("`{self}` is not measured").into())
            }
            (_, Way::Ignore) => self.ignore(records),
            (_, Way::Decode) => self.decode(records),
            (_, Way::Value) => {
                let input = self.input;
                self.boxed(records, &boxed::Registry::values(), |record| boxed::alert(input, record))
            }
            // Each registry is compiled for each type of record, and not within a generic function for all of them.
            (Input::Flat, Way::TypedIn(Size::Eight, _)) => {
                self.typed::<Flat, registries::EightFirst>(records)
            }
            (Input::Flat, Way::TypedIn(Size::SixtyFour, _)) => {
                self.typed::<Flat, registries::SixtyFourLast>(records)
            }
            (Input::Flat, _) => self.run_json::<Flat>(records),
            (Input::Nested, _) => self.run_json::<Nested>(records),
            (Input::Tiny, Way::Hand) => self.by_hand(records, Tiny::from_bytes, Tiny::write_bytes),
            (Input::Tiny, Way::TypedIn(size, place)) => match (size, place) {
                (Size::Eight, Place::First) => self.typed::<Tiny, registries::EightFirst>(records),
                (Size::Eight, Place::Last) => self.typed::<Tiny, registries::EightLast>(records),
                (Size::SixtyFour, Place::First) => self.typed::<Tiny, registries::SixtyFourFirst>(records),
                (Size::SixtyFour, Place::Last) => self.typed::<Tiny, registries::SixtyFourLast>(records),
            },
            (Input::Tiny, _) => self.run_as::<Tiny>(records),
        }
    }

    fn run_json<T: Reading>(self, records: usize) -> Result<Outcome, Failure> {
        let encode = |alert: &T::Alert, out: &mut Vec<u8>| Ok(serde_json::to_writer(out, alert)?);
        match self.way {
            Way::Hand => {
                let decode = |payload: &[u8]| Ok(serde_json::from_str::<T>(std::str::from_utf8(payload)?)?);
                self.by_hand(records, decode, encode)
            }
            Way::HandSlice => {
                self.by_hand(records, |payload| Ok(serde_json::from_slice::<T>(payload)?), encode)
            }
            _ => self.run_as::<T>(records),
        }
    }

    fn run_as<T: Reading>(self, records: usize) -> Result<Outcome, Failure> {
        match self.way {
            Way::Boxed => self.boxed(records, &boxed::Registry::typed(), T::alert),
            Way::Columnar => {
                let pipeline = self.pipeline::<MyRegistry>(records, &self.transforms())?;
                block_on(pipeline.run(pending()))?.try_into()
            }
            _ => self.typed::<T, MyRegistry>(records),
        }
    }

    fn typed<T: Reading, R: Registry>(self, records: usize) -> Result<Outcome, Failure> {
        let pipeline = self.pipeline::<R>(records, "")?;
        block_on(pipeline.filter_map(T::alert).run(pending()))?.try_into()
    }

    fn by_hand<T: Reading>(
        self,
        records: usize,
        decode: impl Fn(&[u8]) -> Result<T, Failure>,
        encode: impl Fn(&T::Alert, &mut Vec<u8>) -> Result<(), Failure>,
    ) -> Result<Outcome, Failure> {
        let mut out = PayloadBatch::new();
        let mut outcome = Outcome::default();
        self.each_batch(records, |payloads| {
            out.clear();
            for payload in payloads.iter() {
                if let Some(alert) = decode(payload.bytes())?.alert() {
                    encode(&alert, out.buffer())?;
                    out.finish();
                }
            }
            outcome.add(&out);
            Ok(())
        })?;
        Ok(outcome)
    }

    fn boxed<In: 'static, Out: 'static>(
        self,
        records: usize,
        registry: &boxed::Registry<In, Out>,
        alert: impl Fn(In) -> Option<Out>,
    ) -> Result<Outcome, Failure> {
        let codec = self.input.codec();
        let mut source: Box<dyn boxed::Source> = Box::new(Supply::new(self.input, records));
        let mut decoder = registry.decoders.get(codec).ok_or("no such decoder")?();
        let mut encoder = registry.encoders.get(codec).ok_or("no such encoder")?();
        let mut sink: Box<dyn boxed::Sink> = Box::new(boxed::Drop);
        let mut payloads = PayloadBatch::with_capacity(self.batch);
        let (mut input, mut output) = (Vec::new(), Vec::new());
        let mut out = PayloadBatch::new();
        let mut outcome = Outcome::default();
        loop {
            payloads.clear();
            source.next(&mut payloads);
            if payloads.is_empty() {
                return Ok(outcome);
            }
            for payload in payloads.iter() {
                decoder.decode(payload.bytes(), &mut input)?;
            }
            output.clear();
            output.extend(input.drain(..).filter_map(&alert));
            out.clear();
            encoder.encode(&output, &mut out)?;
            sink.write(&out);
            outcome.add(&out);
        }
    }

    fn ignore(self, records: usize) -> Result<Outcome, Failure> {
        self.each_batch(records, |payloads| {
            for payload in payloads.iter() {
                serde_json::from_slice::<IgnoredAny>(payload.bytes())?;
            }
            Ok(())
        })?;
        Ok(Outcome::default())
    }

    fn decode(self, records: usize) -> Result<Outcome, Failure> {
        let schema: Value = serde_json::to_value(self.input.schema().parse::<toml::Table>()?)?;
        let schema = Schema::from_value(&schema).map_err(|errors| format!("{errors:?}"))?;
        let mut columns = Records::new(&schema);
        let mut decoder = JsonDecoder::new(JsonDecoderFraming::Auto);
        self.each_batch(records, |payloads| {
            columns.clear();
            for (index, payload) in payloads.iter().enumerate() {
                columns.begin_payload(index, payload);
                decoder.decode(payload.bytes(), &mut columns)?;
            }
            if Collect::len(&columns) == payloads.len() { Ok(()) } else { Err("records are missing".into()) }
        })?;
        Ok(Outcome::default())
    }

    fn each_batch(
        self,
        records: usize,
        mut take: impl FnMut(&PayloadBatch) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut supply = Supply::new(self.input, records);
        let mut payloads = PayloadBatch::with_capacity(self.batch);
        loop {
            payloads.clear();
            supply.fill(&mut payloads);
            if payloads.is_empty() {
                return Ok(());
            }
            take(&payloads)?;
        }
    }

    fn pipeline<R: Registry>(self, records: usize, transforms: &str) -> Result<Pipeline<R>, Failure> {
        let Self { input, batch, .. } = self;
        let file = format!(
            r#"[source]
connector = "supply"
input = "{input}"
records = {records}
decoder = "{codec}"

[source.schema]
{schema}

{transforms}
[sink]
connector = "drop"
encoder = "{codec}"

[batch]
max_records = {batch}
"#,
            schema = input.schema(),
            codec = input.codec(),
        );
        Ok(Pipeline::from_text("zero_cost.toml", &file)?)
    }

    /// What [`Reading::alert`] does, as a pipeline file says it.
    fn transforms(self) -> String {
        let (column, limit, columns) = self.input.filter();
        format!(
            r#"[[transform]]
kind = "filter"
column = "{column}"
op = ">"
value = {limit}

[[transform]]
kind = "select"
columns = {columns:?}
"#
        )
    }
}

impl Outcome {
    fn add(&mut self, out: &PayloadBatch) {
        self.records += out.len() as u64;
        self.bytes += out.bytes() as u64;
    }
}

fn block_on<T, E: Into<Failure>>(run: impl Future<Output = Result<T, E>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    runtime.block_on(run).map_err(Into::into)
}

impl TryFrom<Report> for Outcome {
    type Error = Failure;

    fn try_from(report: Report) -> Result<Self, Failure> {
        if report.errors() > 0 || report.in_flight > 0 {
            return Err(format!("the pipeline has lost records: {report}").into());
        }
        Ok(Self { records: report.delivered, bytes: report.bytes_out })
    }
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.input, self.way.as_str(), self.batch)
    }
}

impl FromStr for Job {
    type Err = Failure;

    fn from_str(name: &str) -> Result<Self, Failure> {
        let wrong = || format!("`{name}` is no job; write INPUT/WAY/BATCH, as in `flat/columnar/64`");
        let [input, way, batch] = name.split('/').collect::<Vec<_>>()[..] else { return Err(wrong().into()) };
        Ok(Self {
            input: Input::ALL.into_iter().find(|known| known.as_str() == input).ok_or_else(wrong)?,
            way: Way::ALL.into_iter().find(|known| known.as_str() == way).ok_or_else(wrong)?,
            batch: batch.parse().map_err(|_| wrong())?,
        })
    }
}
