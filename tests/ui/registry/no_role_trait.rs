//! A component says that it is a decoder, and is none.

use flow::{BuildContext, Component, Cons, Error, Nil, NoConfig};

#[derive(Component)]
#[component(decoder, id = "mine")]
struct Mine;

impl Mine {
    fn new(_: NoConfig, _: &BuildContext) -> Result<Self, Error> {
        Ok(Self)
    }
}

const _: () = flow::assert_registry::<Cons<Mine, Nil>>();

fn main() {}
