//! Everything that is wrong with the attribute is said at once.

use flow::Component;

#[derive(Component)]
#[component(source, sink, id = "My Source", colour = "red")]
struct Mine;

fn main() {}
