//! The scripted source.

use std::collections::VecDeque;
use std::num::NonZeroU64;
use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::component::{BuildContext, Component, role};
use crate::connector::mock::shared::{Named, Shared, named};
use crate::connector::{Progress, SourceConnector};
use crate::error::Error;
use crate::record::payload::{Checkpoint, Metadata, PayloadBatch};

static HANDLES: LazyLock<Named<Stage>> = LazyLock::new(Named::default);

/// What a pipeline file may say about the `mock` source.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MockSourceConfig {
    /// The handle to share: `MockSource::handle("…")` in Rust scripts and watches this source.
    pub name: Option<String>,
    /// What it delivers, before anything that the handle's script says.
    #[serde(default)]
    pub payloads: Vec<String>,
    /// How often it delivers them. Default: once.
    #[serde(default = "once")]
    pub repeat: NonZeroU64,
    /// The topic of each of them.
    pub topic: Option<String>,
    /// What follows the payloads: `end`, or `wait` for the script. Default: `end` where there are payloads.
    pub then: Option<MockEnd>,
}

/// What a mock source does after the payloads of its config.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum MockEnd {
    /// It ends.
    End,
    /// It goes on with the handle's script, and waits where that has nothing.
    Wait,
}

fn once() -> NonZeroU64 {
    NonZeroU64::MIN
}

/// Plays a script. One source at a time uses a handle; one that is built later goes on where the last one was.
/// Where the script has no next step, it waits for one: for ever, if none comes.
#[derive(Debug)]
pub struct MockSource {
    stage: Shared<Stage>,
    /// Goes to the front of the script when the source is opened.
    prologue: Vec<Step>,
}

impl MockSource {
    /// A source with an empty script, and the handle that fills it.
    pub fn new() -> (Self, MockSourceHandle) {
        let stage = Shared::default();
        (Self { stage: stage.clone(), prologue: Vec::new() }, MockSourceHandle { stage })
    }

    /// The handle of the sources that pipeline files call `name`, before or after they are built.
    pub fn handle(name: &str) -> MockSourceHandle {
        MockSourceHandle { stage: named(&HANDLES, name) }
    }
}

#[derive(Debug, Default)]
struct Stage {
    steps: VecDeque<Step>,
    resumes: usize,
    asked: bool,
    opened: usize,
    closed: usize,
    checkpoint: u64,
    acknowledged: Vec<Checkpoint>,
}

#[derive(Debug)]
enum Step {
    /// `batch` from its payload `at` on, then the whole batch `more` times.
    Deliver {
        batch: PayloadBatch,
        at: usize,
        more: u64,
    },
    Pause,
    Fail(Error),
    End,
}

/// Writes the script of a [`MockSource`] and watches it. Steps can be added while the source runs.
#[derive(Debug, Clone)]
pub struct MockSourceHandle {
    stage: Shared<Stage>,
}

impl MockSourceHandle {
    /// Next, these payloads come, without metadata, in one batch where the caller's has room.
    pub fn payloads(&self, payloads: impl IntoIterator<Item: AsRef<[u8]>>) -> &Self {
        let mut batch = PayloadBatch::new();
        for payload in payloads {
            batch.push(payload.as_ref());
        }
        self.batch(batch)
    }

    /// Next, this batch comes, with metadata and headers, in one piece where the caller's has room.
    pub fn batch(&self, batch: PayloadBatch) -> &Self {
        // A batch without payloads is no progress; the contract knows no such thing.
        if batch.is_empty() {
            return self;
        }
        self.step(Step::Deliver { batch, at: 0, more: 0 })
    }

    /// Next, the source waits for one call of [`MockSourceHandle::resume`], which may come before.
    pub fn pause(&self) -> &Self {
        self.step(Step::Pause)
    }

    /// Next, one call of `next` fails.
    pub fn fail(&self, error: Error) -> &Self {
        self.step(Step::Fail(error))
    }

    /// Next, the source ends. It stays so: the script goes no further.
    pub fn end(&self) -> &Self {
        self.step(Step::End)
    }

    fn step(&self, step: Step) -> &Self {
        self.stage.change(|stage| stage.steps.push_back(step));
        self
    }

    /// Ends one pause.
    pub fn resume(&self) {
        self.stage.change(|stage| stage.resumes += 1);
    }

    /// Waits until the source is at a pause and somebody has asked it for more.
    ///
    /// # Cancel safety
    /// Cancel safe, as everything here that waits.
    pub async fn paused(&self) {
        self.stage.until(|stage| stage.is_paused().then_some(())).await;
    }

    /// The checkpoints that were acknowledged, in the order in which that happened.
    pub fn acknowledged(&self) -> Vec<Checkpoint> {
        self.stage.read(|stage| stage.acknowledged.clone())
    }

    /// Waits until `checkpoint`, or a later one, is acknowledged.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn until_acknowledged(&self, checkpoint: Checkpoint) {
        self.stage
            .until(|stage| stage.acknowledged.iter().any(|done| *done >= checkpoint).then_some(()))
            .await;
    }

    /// The newest checkpoint that was handed out; 0 where there is none.
    pub fn handed_out(&self) -> Checkpoint {
        self.stage.read(|stage| Checkpoint(stage.checkpoint))
    }

    /// How many sources were opened with this handle.
    pub fn opened(&self) -> usize {
        self.stage.read(|stage| stage.opened)
    }

    /// How many sources were closed with this handle.
    pub fn closed(&self) -> usize {
        self.stage.read(|stage| stage.closed)
    }
}

impl Component for MockSource {
    const ID: &'static str = "mock";
    const DESCRIPTION: &'static str = "plays a script, for tests";
    type Role = role::Source;
    type Config = MockSourceConfig;

    fn build(config: MockSourceConfig, _: &BuildContext) -> Result<Self, Error> {
        if config.payloads.is_empty() && config.name.is_none() {
            let message =
                "nothing would ever come; add `payloads`, or a `name` under which Rust code scripts it";
            return Err(Error::config("payloads", message));
        }
        let mut batch = PayloadBatch::new();
        for payload in &config.payloads {
            let topic = config.topic.as_deref();
            batch.push_with(payload.as_bytes(), Metadata { topic, ..Metadata::default() });
        }
        let then = config.then.unwrap_or(if batch.is_empty() { MockEnd::Wait } else { MockEnd::End });
        let mut prologue = Vec::new();
        if !batch.is_empty() {
            prologue.push(Step::Deliver { batch, at: 0, more: config.repeat.get() - 1 });
        }
        if then == MockEnd::End {
            prologue.push(Step::End);
        }
        let stage = config.name.map_or_else(Shared::default, |name| named(&HANDLES, &name));
        Ok(Self { stage, prologue })
    }
}

impl Stage {
    fn is_paused(&self) -> bool {
        self.asked && self.resumes == 0 && matches!(self.steps.front(), Some(Step::Pause))
    }

    /// What `next` returns, where it need not wait.
    fn advance(&mut self, batch: &mut PayloadBatch) -> Option<Result<Progress, Error>> {
        loop {
            match self.steps.front_mut()? {
                Step::Pause if self.resumes == 0 => return None,
                Step::Pause => {
                    self.resumes -= 1;
                    self.steps.pop_front();
                }
                Step::Deliver { batch: script, at, more } => {
                    if deliver(script, at, more, batch) {
                        self.steps.pop_front();
                    }
                    self.checkpoint += 1;
                    return Some(Ok(Progress::Batch(Checkpoint(self.checkpoint))));
                }
                Step::End => return Some(Ok(Progress::End)),
                Step::Fail(_) => {
                    if let Some(Step::Fail(error)) = self.steps.pop_front() {
                        return Some(Err(error));
                    }
                }
            }
        }
    }
}

/// Fills `batch`. Returns whether that was all.
fn deliver(script: &PayloadBatch, at: &mut usize, more: &mut u64, batch: &mut PayloadBatch) -> bool {
    while !batch.is_full() {
        if *at == script.len() {
            if *more == 0 {
                return true;
            }
            (*at, *more) = (0, *more - 1);
        }
        if let Some(payload) = script.get(*at) {
            batch.push_payload(payload);
        }
        *at += 1;
    }
    *at == script.len() && *more == 0
}

impl SourceConnector for MockSource {
    async fn open(&mut self) -> Result<(), Error> {
        let prologue = std::mem::take(&mut self.prologue);
        self.stage.change(|stage| {
            stage.opened += 1;
            for step in prologue.into_iter().rev() {
                stage.steps.push_front(step);
            }
        });
        Ok(())
    }

    async fn next(&mut self, batch: &mut PayloadBatch) -> Result<Progress, Error> {
        self.stage.change(|stage| stage.asked = true);
        // The script goes on in the poll that returns: a dropped future has taken nothing.
        self.stage
            .until(|stage| {
                let step = stage.advance(batch)?;
                stage.asked = false;
                Some(step)
            })
            .await
    }

    async fn acknowledge(&mut self, checkpoint: Checkpoint) -> Result<(), Error> {
        self.stage.change(|stage| stage.acknowledged.push(checkpoint));
        Ok(())
    }

    async fn close(self) -> Result<(), Error> {
        self.stage.change(|stage| stage.closed += 1);
        Ok(())
    }
}
