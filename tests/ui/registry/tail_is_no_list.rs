//! The tail of the list is a component and no list.

use flow::Cons;
use flow::{BuildContext, Checkpoint, Component, Error, PayloadBatch, SinkConnector, role};

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Config {}

struct Mine;

impl Component for Mine {
    const ID: &'static str = "my-sink";
    type Role = role::Sink;
    type Config = Config;
    fn build(_: Config, _: &BuildContext) -> Result<Self, Error> {
        Ok(Mine)
    }
}

impl SinkConnector for Mine {
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

struct Last;

impl Component for Last {
    const ID: &'static str = "last";
    type Role = role::Sink;
    type Config = Config;
    fn build(_: Config, _: &BuildContext) -> Result<Self, Error> {
        Ok(Last)
    }
}

impl SinkConnector for Last {
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

fn main() {
    flow::assert_registry::<Cons<Mine, Last>>();
}
