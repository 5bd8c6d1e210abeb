//! An id with capital letters, written by hand.

use flow::{BuildContext, Collect, Component, Cons, DecodeError, Error, Nil, NoConfig, RecordDecoder, role};

struct Mine;

impl Component for Mine {
    const ID: &'static str = "My_Decoder";
    type Role = role::Decoder;
    type Config = NoConfig;

    fn build(_: NoConfig, _: &BuildContext) -> Result<Self, Error> {
        Ok(Self)
    }
}

impl RecordDecoder for Mine {
    fn decode<C: Collect>(&mut self, _: &[u8], _: &mut C) -> Result<(), DecodeError> {
        Ok(())
    }
}

const _: () = flow::assert_registry::<Cons<Mine, Nil>>();

fn main() {}
