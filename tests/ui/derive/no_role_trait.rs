//! A derived component says that it is a transform, and is none; it is listed nowhere yet.

use flow::{BuildContext, Component, Error, NoConfig};

#[derive(Component)]
#[component(transform, id = "mine")]
struct Mine;

impl Mine {
    fn new(_: NoConfig, _: &BuildContext) -> Result<Self, Error> {
        Ok(Self)
    }
}

fn main() {}
