//! A component says that it is a decoder, and is none.

use flow::{BuildContext, Component, Cons, Error, Nil, NoConfig, role};

struct Mine;

impl Component for Mine {
    const ID: &'static str = "mine";
    type Role = role::Decoder;
    type Config = NoConfig;

    fn build(_: NoConfig, _: &BuildContext) -> Result<Self, Error> {
        Ok(Self)
    }
}

const _: () = flow::assert_registry::<Cons<Mine, Nil>>();

fn main() {}
