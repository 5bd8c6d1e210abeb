//! The tail of the list is a component and no list.

use flow::{BuildContext, Collect, Component, Cons, DecodeError, Error, NoConfig, RecordDecoder};

#[derive(Component)]
#[component(decoder, id = "mine")]
struct Mine;

impl Mine {
    fn new(_: NoConfig, _: &BuildContext) -> Result<Self, Error> {
        Ok(Self)
    }
}

impl RecordDecoder for Mine {
    fn decode<C: Collect>(&mut self, _: &[u8], _: &mut C) -> Result<(), DecodeError> {
        Ok(())
    }
}

#[derive(Component)]
#[component(decoder, id = "last")]
struct Last;

impl Last {
    fn new(_: NoConfig, _: &BuildContext) -> Result<Self, Error> {
        Ok(Self)
    }
}

impl RecordDecoder for Last {
    fn decode<C: Collect>(&mut self, _: &[u8], _: &mut C) -> Result<(), DecodeError> {
        Ok(())
    }
}

const _: () = flow::assert_registry::<Cons<Mine, Last>>();

fn main() {}
