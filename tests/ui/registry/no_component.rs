//! An element of the list is no component.

use flow::{Cons, Nil};

struct NoComponent;

const _: () = flow::assert_registry::<Cons<NoComponent, Nil>>();

fn main() {}
