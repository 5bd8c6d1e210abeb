//! A component says that it is a sink, and is none.

use flow::{BuildContext, Component, Error, role};
use flow::{Cons, Nil};

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

fn main() {
    flow::assert_registry::<Cons<Mine, Nil>>();
}
