//! The layout of the border is written down: within a major, nothing in it moves.

use crate::plugin::abi::types::layout;

#[test]
#[cfg(target_pointer_width = "64")]
fn the_layout_is_the_one_that_was_promised() {
    let golden = include_str!("layout.txt");
    let now = layout();
    assert!(golden == now, "the border has changed; within a major, tables only grow at their end:\n{now}");
}
