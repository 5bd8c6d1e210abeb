//! The recording sink.

use std::collections::VecDeque;
use std::fmt;
use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::component::{BuildContext, Component, role};
use crate::connector::SinkConnector;
use crate::connector::mock::shared::{Named, Shared, named};
use crate::error::{Error, ErrorKind};
use crate::record::payload::{Checkpoint, Payload, PayloadBatch};
use crate::record::template::Template;

static HANDLES: LazyLock<Named<Record>> = LazyLock::new(Named::default);

/// What a pipeline file may say about the `mock` sink.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MockSinkConfig {
    /// The handle to share: `MockSink::handle("…")` in Rust steers and watches this sink.
    /// Without it the sink accepts everything and nobody sees what it got.
    pub name: Option<String>,
    /// The topic of each payload, with columns in braces: `alerts/{device_id}`.
    pub topic: Option<String>,
}

/// Records every payload in memory and does what its handle says: for tests, not for long runs.
/// One sink at a time uses a handle.
#[derive(Debug)]
pub struct MockSink {
    record: Shared<Record>,
    route: Option<Template>,
    /// The newest that [`SinkConnector::confirmed`] has returned.
    told: Option<Checkpoint>,
}

impl MockSink {
    /// A sink that takes everything, and the handle that can change that.
    pub fn new() -> (Self, MockSinkHandle) {
        let record = Shared::default();
        (Self { record: record.clone(), route: None, told: None }, MockSinkHandle { record })
    }

    /// The handle of the sinks that pipeline files call `name`, before or after they are built.
    pub fn handle(name: &str) -> MockSinkHandle {
        MockSinkHandle { record: named(&HANDLES, name) }
    }
}

/// A payload that a [`MockSink`] has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MockPayload {
    /// The bytes on the wire.
    pub bytes: Vec<u8>,
    /// Its topic.
    pub topic: Option<String>,
    /// Its key.
    pub key: Option<String>,
    /// When it arrived at the source, in microseconds since 1970.
    pub time: Option<i64>,
    /// Its headers, in order.
    pub headers: Vec<(String, String)>,
    /// The checkpoint that it was written under.
    pub checkpoint: Checkpoint,
}

impl MockPayload {
    fn new(payload: Payload<'_>, checkpoint: Checkpoint) -> Self {
        let metadata = payload.metadata();
        Self {
            bytes: payload.bytes().to_vec(),
            topic: metadata.topic.map(str::to_owned),
            key: metadata.key.map(str::to_owned),
            time: metadata.time,
            headers: payload.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            checkpoint,
        }
    }

    /// The bytes as text; what is not UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

type Refuses = Box<dyn Fn(Payload<'_>) -> Option<String> + Send>;

#[derive(Default)]
struct Record {
    written: Vec<MockPayload>,
    /// The newest checkpoint of which nothing is left to come.
    complete: Option<Checkpoint>,
    held: bool,
    /// While confirmations are held: the newest that is let through.
    allowed: Option<Checkpoint>,
    stalled: bool,
    waiting: bool,
    refuses: Option<Refuses>,
    failures: VecDeque<Error>,
    opened: usize,
    closed: usize,
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record").field("written", &self.written.len()).finish_non_exhaustive()
    }
}

/// Steers a [`MockSink`] and shows what it got.
#[derive(Debug, Clone)]
pub struct MockSinkHandle {
    record: Shared<Record>,
}

impl MockSinkHandle {
    /// Every payload taken so far, in order.
    pub fn written(&self) -> Vec<MockPayload> {
        self.record.read(|record| record.written.clone())
    }

    /// Every payload taken so far, as text.
    pub fn texts(&self) -> Vec<String> {
        self.record.read(|record| record.written.iter().map(MockPayload::text).collect())
    }

    /// Waits until at least `count` payloads were taken.
    ///
    /// # Cancel safety
    /// Cancel safe, as everything here that waits.
    pub async fn until_written(&self, count: usize) {
        self.record.until(|record| (record.written.len() >= count).then_some(())).await;
    }

    /// From now on nothing is confirmed but what [`MockSinkHandle::confirm`] names.
    pub fn hold_confirmations(&self) {
        self.record.change(|record| {
            record.held = true;
            record.allowed = None;
        });
    }

    /// Confirms everything up to `checkpoint` as soon as it is written.
    pub fn confirm(&self, checkpoint: Checkpoint) {
        self.record.change(|record| record.allowed = record.allowed.max(Some(checkpoint)));
    }

    /// Confirms everything again, what was held too.
    pub fn release_confirmations(&self) {
        self.record.change(|record| record.held = false);
    }

    /// From now on `write` waits, as for a slow other side.
    pub fn stall(&self) {
        self.record.change(|record| record.stalled = true);
    }

    /// Ends the stall.
    pub fn resume(&self) {
        self.record.change(|record| record.stalled = false);
    }

    /// Waits until a `write` is stalled.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn until_stalled(&self) {
        self.record.until(|record| record.waiting.then_some(())).await;
    }

    /// From now on, payloads for which `refuses` has a reason are refused for good.
    pub fn refuse(&self, refuses: impl Fn(Payload<'_>) -> Option<String> + Send + 'static) {
        self.record.change(|record| record.refuses = Some(Box::new(refuses)));
    }

    /// The next `write` that has no failure before it fails and takes nothing.
    pub fn fail(&self, error: Error) {
        self.record.change(|record| record.failures.push_back(error));
    }

    /// The next `times` writes fail for now.
    pub fn fail_temporarily(&self, times: usize) {
        for _ in 0..times {
            self.fail(Error::temporary(ErrorKind::Connection, "the mock sink was told to fail"));
        }
    }

    /// How many sinks were opened with this handle.
    pub fn opened(&self) -> usize {
        self.record.read(|record| record.opened)
    }

    /// How many sinks were closed with this handle.
    pub fn closed(&self) -> usize {
        self.record.read(|record| record.closed)
    }
}

impl Component for MockSink {
    const ID: &'static str = "mock";
    const DESCRIPTION: &'static str = "records what it gets, for tests";
    type Role = role::Sink;
    type Config = MockSinkConfig;

    fn build(config: MockSinkConfig, _: &BuildContext) -> Result<Self, Error> {
        let parse =
            |topic: String| Template::parse(&topic, |_| Ok(())).map_err(|why| Error::config("topic", why));
        let route = config.topic.map(parse).transpose()?;
        let record = config.name.map_or_else(Shared::default, |name| named(&HANDLES, &name));
        Ok(Self { record, route, told: None })
    }
}

impl Record {
    fn take(&mut self, batch: &PayloadBatch, checkpoint: Checkpoint) -> Result<(), Error> {
        if let Some(error) = self.failures.pop_front() {
            return Err(error);
        }
        for (index, payload) in batch.iter().enumerate() {
            if let Some(why) = self.refuses.as_ref().and_then(|refuses| refuses(payload)) {
                return Err(Error::refused_payload(index, why));
            }
            self.written.push(MockPayload::new(payload, checkpoint));
        }
        self.complete = Some(checkpoint);
        Ok(())
    }

    fn confirmed(&self) -> Option<Checkpoint> {
        if self.held { self.complete.min(self.allowed) } else { self.complete }
    }
}

impl SinkConnector for MockSink {
    async fn open(&mut self) -> Result<(), Error> {
        self.record.change(|record| {
            record.opened += 1;
            // Another run counts its checkpoints from the beginning.
            record.complete = None;
        });
        Ok(())
    }

    fn route(&self) -> Option<&Template> {
        self.route.as_ref()
    }

    async fn write(&mut self, batch: &PayloadBatch, checkpoint: Checkpoint) -> Result<(), Error> {
        self.record.change(|record| record.waiting = record.stalled);
        self.record.until(|record| (!record.stalled).then(|| record.waiting = false)).await;
        self.record.change(|record| record.take(batch, checkpoint))
    }

    async fn confirmed(&mut self) -> Result<Checkpoint, Error> {
        let told = self.told;
        let confirmed =
            self.record.until(|record| record.confirmed().filter(|newest| Some(*newest) > told)).await;
        self.told = Some(confirmed);
        Ok(confirmed)
    }

    async fn close(self) -> Result<(), Error> {
        self.record.change(|record| record.closed += 1);
        Ok(())
    }
}
