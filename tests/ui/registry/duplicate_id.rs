//! Two sinks share an id.

use flow::{BuildContext, Checkpoint, Component, Error, PayloadBatch, SinkConnector, role};
use flow::{Cons, Nil};

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Config {}

struct First;

impl Component for First {
    const ID: &'static str = "my-sink";
    type Role = role::Sink;
    type Config = Config;
    fn build(_: Config, _: &BuildContext) -> Result<Self, Error> {
        Ok(First)
    }
}

impl SinkConnector for First {
    async fn write(&mut self, _: &PayloadBatch, _: Checkpoint) -> Result<(), Error> {
        Ok(())
    }
    async fn confirmed(&mut self) -> Result<Checkpoint, Error> {
        Ok(Checkpoint(0))
    }
    async fn close(self) -> Result<(), Error> {
        Ok(())
    }
}

struct Second;

impl Component for Second {
    const ID: &'static str = "my-sink";
    type Role = role::Sink;
    type Config = Config;
    fn build(_: Config, _: &BuildContext) -> Result<Self, Error> {
        Ok(Second)
    }
}

impl SinkConnector for Second {
    async fn write(&mut self, _: &PayloadBatch, _: Checkpoint) -> Result<(), Error> {
        Ok(())
    }
    async fn confirmed(&mut self) -> Result<Checkpoint, Error> {
        Ok(Checkpoint(0))
    }
    async fn close(self) -> Result<(), Error> {
        Ok(())
    }
}

const _: () = flow::assert_registry::<Cons<First, Cons<Second, Nil>>>();

fn main() {}
