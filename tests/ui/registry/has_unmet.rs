//! A function needs a component that the registry does not list.

use flow::{Has, Nil, Registry};

struct Mine;

fn needs_mine<R: Registry + Has<Mine, Index>, Index>() {}

fn main() {
    needs_mine::<Nil, _>();
}
