//! An element of the list is no component.

use flow::{Cons, Nil};

struct NoComponent;

fn main() {
    flow::assert_registry::<Cons<NoComponent, Nil>>();
}
