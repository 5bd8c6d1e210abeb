//! A function needs a component that the registry does not list.

use flow::{BuildContext, Checkpoint, Component, Error, PayloadBatch, SinkConnector, role};
use flow::{Has, Nil, Registry};

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

fn needs_mine<R: Registry + Has<Mine, Index>, Index>() {}

fn main() {
    needs_mine::<Nil, _>();
}
