//! An element of the list is no component.

use flow::{Builtins, Cons};

struct NoComponent;

fn main() {
    flow::cli::main::<Cons<NoComponent, Builtins>>();
}
