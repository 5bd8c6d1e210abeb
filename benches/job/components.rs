//! A source and a sink that cost next to nothing, in front of what ships with `flow`.

use flow::{
    BuildContext, Builtins, Checkpoint, Component, Cons, Error, PayloadBatch, Progress, SinkConnector,
    SourceConnector, assert_registry, role,
};
use serde::Deserialize;

use crate::job::input::{Input, Supply};
use crate::job::tiny::{TinyDecoder, TinyEncoder};

/// What the pipelines are measured over.
pub(crate) type MyRegistry =
    Cons<SupplySource, Cons<DropSink, Cons<TinyDecoder, Cons<TinyEncoder, Builtins>>>>;
const _: () = assert_registry::<MyRegistry>();

/// Hands out the payloads of a [`Supply`], as fast as they are asked for.
#[derive(Debug)]
pub(crate) struct SupplySource {
    supply: Supply,
    batches: u64,
}

/// The options of [`SupplySource`].
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SupplyConfig {
    input: Input,
    records: usize,
}

impl Component for SupplySource {
    const ID: &'static str = "supply";
    const DESCRIPTION: &'static str = "hands out the payloads of a benchmark";
    type Role = role::Source;
    type Config = SupplyConfig;

    fn build(config: SupplyConfig, _: &BuildContext) -> Result<Self, Error> {
        Ok(Self { supply: Supply::new(config.input, config.records), batches: 0 })
    }
}

impl SourceConnector for SupplySource {
    async fn next(&mut self, batch: &mut PayloadBatch) -> Result<Progress, Error> {
        self.supply.fill(batch);
        if batch.is_empty() {
            return Ok(Progress::End);
        }
        self.batches += 1;
        Ok(Progress::Batch(Checkpoint(self.batches)))
    }

    async fn acknowledge(&mut self, _: Checkpoint) -> Result<(), Error> {
        Ok(())
    }

    async fn close(self) -> Result<(), Error> {
        Ok(())
    }
}

/// Drops every batch and confirms it at once. The pipeline counts what it has given.
#[derive(Debug)]
pub(crate) struct DropSink {
    newest: Checkpoint,
}

/// [`DropSink`] has no options.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DropConfig {}

impl Component for DropSink {
    const ID: &'static str = "drop";
    const DESCRIPTION: &'static str = "drops what it gets";
    type Role = role::Sink;
    type Config = DropConfig;

    fn build(_: DropConfig, _: &BuildContext) -> Result<Self, Error> {
        Ok(Self { newest: Checkpoint(0) })
    }
}

impl SinkConnector for DropSink {
    async fn write(&mut self, _: &PayloadBatch, checkpoint: Checkpoint) -> Result<(), Error> {
        self.newest = checkpoint;
        Ok(())
    }

    async fn confirmed(&mut self) -> Result<Checkpoint, Error> {
        Ok(self.newest)
    }

    async fn close(self) -> Result<(), Error> {
        Ok(())
    }
}
