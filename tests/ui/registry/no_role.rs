//! The role is none of the five.

use flow::{BuildContext, Component, Error};

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Config {}

struct Mine;

impl Component for Mine {
    const ID: &'static str = "my-sink";
    type Role = u32;
    type Config = Config;
    fn build(_: Config, _: &BuildContext) -> Result<Self, Error> {
        Ok(Mine)
    }
}

fn main() {}
