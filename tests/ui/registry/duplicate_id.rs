//! Two decoders share an id.

use flow::{BuildContext, Collect, Component, Cons, DecodeError, Error, Nil, NoConfig, RecordDecoder};

#[derive(Component)]
#[component(decoder, id = "mine")]
struct First;

impl First {
    fn new(_: NoConfig, _: &BuildContext) -> Result<Self, Error> {
        Ok(Self)
    }
}

impl RecordDecoder for First {
    fn decode<C: Collect>(&mut self, _: &[u8], _: &mut C) -> Result<(), DecodeError> {
        Ok(())
    }
}

#[derive(Component)]
#[component(decoder, id = "mine")]
struct Second;

impl Second {
    fn new(_: NoConfig, _: &BuildContext) -> Result<Self, Error> {
        Ok(Self)
    }
}

impl RecordDecoder for Second {
    fn decode<C: Collect>(&mut self, _: &[u8], _: &mut C) -> Result<(), DecodeError> {
        Ok(())
    }
}

const _: () = flow::assert_registry::<Cons<First, Cons<Second, Nil>>>();

fn main() {}
