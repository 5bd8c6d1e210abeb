//! One job, four ways: source → JSON decode → filter → JSON encode → a sink that drops.
//!
//! The loop by hand reads its payloads from the same [`Supply`] into the same `PayloadBatch` as the pipelines and encodes
//! into another, so that what differs is what `flow` adds: the runner, the dispatch, the records, and the counting.

use std::fmt;
use std::future::pending;
use std::str::FromStr;

use flow::{PayloadBatch, Pipeline, Report};

use crate::Failure;
use crate::components::MyRegistry;
use crate::input::{Flat, Input, LIMIT, Nested, Reading, Supply};

/// How the job is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// A loop over typed structs; each payload is checked for UTF-8 once, then parsed as text.
    Hand,
    /// The same with `serde_json::from_slice`, which checks each string.
    HandSlice,
    /// `Pipeline::filter_map` with the same structs.
    Typed,
    /// `Pipeline::run` with the schema and the transforms of a pipeline file.
    Columnar,
}

impl Way {
    pub(crate) const ALL: [Way; 4] = [Way::Hand, Way::HandSlice, Way::Typed, Way::Columnar];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Way::Hand => "hand",
            Way::HandSlice => "hand-slice",
            Way::Typed => "typed",
            Way::Columnar => "columnar",
        }
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
        match self.input {
            Input::Flat => self.run_as::<Flat>(records),
            Input::Nested => self.run_as::<Nested>(records),
        }
    }

    fn run_as<T: Reading>(self, records: usize) -> Result<Outcome, Failure> {
        match self.way {
            Way::Hand => {
                self.by_hand::<T>(records, |payload| Ok(serde_json::from_str(std::str::from_utf8(payload)?)?))
            }
            Way::HandSlice => self.by_hand::<T>(records, |payload| Ok(serde_json::from_slice(payload)?)),
            Way::Typed => {
                let pipeline = self.pipeline(records, "")?;
                block_on(pipeline.filter_map(T::alert).run(pending()))?.try_into()
            }
            Way::Columnar => {
                let pipeline = self.pipeline(records, &transforms())?;
                block_on(pipeline.run(pending()))?.try_into()
            }
        }
    }

    fn by_hand<T: Reading>(
        self,
        records: usize,
        decode: impl Fn(&[u8]) -> Result<T, Failure>,
    ) -> Result<Outcome, Failure> {
        let mut supply = Supply::new(self.input, records);
        let mut payloads = PayloadBatch::with_capacity(self.batch);
        let mut out = PayloadBatch::new();
        let mut outcome = Outcome::default();
        loop {
            payloads.clear();
            supply.fill(&mut payloads);
            if payloads.is_empty() {
                return Ok(outcome);
            }
            out.clear();
            for payload in payloads.iter() {
                if let Some(alert) = decode(payload.bytes())?.alert() {
                    serde_json::to_writer(out.buffer(), &alert)?;
                    out.finish();
                }
            }
            outcome.records += out.len() as u64;
            outcome.bytes += out.bytes() as u64;
        }
    }

    fn pipeline(self, records: usize, transforms: &str) -> Result<Pipeline<MyRegistry>, Failure> {
        let Self { input, batch, .. } = self;
        let file = format!(
            r#"[source]
connector = "supply"
input = "{input}"
records = {records}
decoder = "json"

[source.schema]
{schema}

{transforms}
[sink]
connector = "drop"
encoder = "json"

[batch]
max_records = {batch}
"#,
            schema = input.schema(),
        );
        Ok(Pipeline::from_text("zero_cost.toml", &file)?)
    }
}

/// What [`Reading::alert`] does, as a pipeline file says it.
fn transforms() -> String {
    format!(
        r#"[[transform]]
kind = "filter"
column = "temperature"
op = ">"
value = {LIMIT:?}

[[transform]]
kind = "select"
columns = ["device_id", "temperature", "ts"]
"#
    )
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
