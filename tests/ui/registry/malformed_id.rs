//! An id with a capital letter.

use flow::{BuildContext, Checkpoint, Component, Error, PayloadBatch, SinkConnector, role};
use flow::{Cons, Nil};

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Config {}

struct Mine;

impl Component for Mine {
    const ID: &'static str = "My_Sink";
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

const _: () = flow::assert_registry::<Cons<Mine, Nil>>();

fn main() {}
