//! Everything a registry may hold: a private component, and one that replaces a built-in.

use flow::{BuildContext, Checkpoint, Component, Error, PayloadBatch, SinkConnector, role};
use flow::{Builtins, Cons, Has, Override, Registry};

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

struct MyNop;

impl Component for MyNop {
    const ID: &'static str = "nop";
    type Role = role::Sink;
    type Config = Config;
    fn build(_: Config, _: &BuildContext) -> Result<Self, Error> {
        Ok(MyNop)
    }
}

impl SinkConnector for MyNop {
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

type MyRegistry = Cons<Mine, Cons<Override<MyNop>, Builtins>>;

const _: () = flow::assert_registry::<MyRegistry>();

fn needs<R: Registry + Has<Mine, Index>, Index>() {}

fn main() {
    needs::<MyRegistry, _>();
    let sinks = MyRegistry::ids(role::Kind::Sink);
    assert_eq!(sinks[..2], ["my-sink", "nop"]);
    assert_eq!(sinks.iter().filter(|id| **id == "nop").count(), 1);
}
