//! The C header and the Rust structs are the same bytes.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use crate::support::{directory, root};

/// What the layout of the border says, as assertions of a C compiler.
fn assertions(layout: &str) -> String {
    let mut source = String::from("#include <stdalign.h>\n#include \"flow_plugin.h\"\n");
    let mut of = "";
    for line in layout.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            [name, "size", size, "align", align] => {
                of = name;
                writeln!(source, "_Static_assert(sizeof(Flow{name}) == {size}, \"size of {name}\");")
                    .unwrap();
                writeln!(source, "_Static_assert(alignof(Flow{name}) == {align}, \"alignment of {name}\");")
                    .unwrap();
            }
            [field, offset] => {
                // A word of C.
                let field = if field == "register" { "register_component" } else { field };
                writeln!(
                    source,
                    "_Static_assert(offsetof(Flow{of}, {field}) == {offset}, \"{of}.{field}\");"
                )
                .unwrap();
            }
            _ => panic!("no line of a layout: {line}"),
        }
    }
    source
}

fn compiles(layout: &str) -> bool {
    let folder = directory();
    let file = folder.path().join("layout.c");
    fs::write(&file, assertions(layout)).unwrap();
    let include = root().join("flow/include");
    let compiled =
        Command::new("cc").args(["-std=c11", "-fsyntax-only", "-I"]).arg(include).arg(file).output();
    compiled.unwrap().status.success()
}

#[test]
#[cfg(target_pointer_width = "64")]
fn the_header_is_laid_out_as_the_rust_side() {
    let layout = fs::read_to_string(root().join("flow/src/plugin/abi/layout.txt")).unwrap();
    assert!(layout.lines().count() > 80);
    assert!(compiles(&layout), "flow/include/flow_plugin.h does not follow flow/src/plugin/abi/layout.txt");
    // It would be seen.
    assert!(!compiles(&layout.replace("message_len 36", "message_len 40")));
}
