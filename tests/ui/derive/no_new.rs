//! A derived component cannot be built.

use flow::{Collect, Component, DecodeError, RecordDecoder};

#[derive(Component)]
#[component(decoder, id = "mine")]
struct Mine;

impl RecordDecoder for Mine {
    fn decode<C: Collect>(&mut self, _: &[u8], _: &mut C) -> Result<(), DecodeError> {
        Ok(())
    }
}

fn main() {}
