//! The role is none of the five.

use flow::{BuildContext, Component, Error, NoConfig};

struct Mine;

impl Component for Mine {
    const ID: &'static str = "mine";
    type Role = u32;
    type Config = NoConfig;

    fn build(_: NoConfig, _: &BuildContext) -> Result<Self, Error> {
        Ok(Self)
    }
}

fn main() {}
