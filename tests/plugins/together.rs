//! A plugin and the program around it: what they claim, what they log, what they skip, and which border they speak.

use std::fs;
use std::process::Command;

use flow::connector::mock::{MockSink, MockSource};
use flow::{Builtins, Pipeline};

use crate::support::{directory, load, put, put_built, put_mistaken, put_station};

#[test]
fn what_one_component_claims_no_other_has_on_whichever_side() {
    let plugins = directory();
    put_built(plugins.path(), "pump_plugin");
    let (runtime, _) = load(plugins.path());
    let place = fs::canonicalize(plugins.path()).unwrap();
    let spool = format!(
        "connector = \"spool\"\ndirectory = \"{}\"\nfile = \"out.txt\"\nencoder = {{ codec = \"text\", template = \"x\" }}\n",
        place.display()
    );
    let file = format!("connector = \"file\"\npath = \"{}/out.txt\"\nencoder = \"json\"\n", place.display());
    let problems = |first: &str, second: &str| {
        let text = format!(
            "[source]\nconnector = \"pump\"\ncount = 1\ndecoder = \"pairs\"\n[source.schema]\ndevice_id = \"string\"\n\
             [[sink]]\n{first}[[sink]]\n{second}"
        );
        let read = Pipeline::<Builtins>::load().with(&runtime).text("two.toml", &text);
        read.map(|_| ()).unwrap_err().to_string()
    };
    let used = |line: u32, key: &str, by: &str| {
        format!(
            "two.toml:{line}: sink[1].{key}: the file {}/out.txt is used by `{by}` already",
            place.display()
        )
    };
    assert_eq!(problems(&spool, &spool), used(15, "file", "two/sink[0].spool"));
    assert_eq!(problems(&file, &spool), used(14, "file", "two/sink[0].file"));
    assert_eq!(problems(&spool, &file), used(14, "path", "two/sink[0].spool"));
}

#[test]
fn what_a_plugin_logs_stands_in_the_programs_log() {
    let plugins = directory();
    put_built(plugins.path(), "faulty_plugin");
    let file = plugins.path().join("log.toml");
    let text = "[source]\nconnector = \"mock\"\npayloads = [\"x\"]\ndecoder = \"faulty\"\n[source.schema]\na = \"string\"\n\
                [sink]\nconnector = \"nop\"\nencoder = \"json\"\n";
    fs::write(&file, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_private-flow"));
    command.args(["run", "--log", "trace", "--plugins"]).arg(plugins.path()).arg(&file);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let line = said.lines().find(|line| line.contains("decoding bytes=1"));
    let line = line.unwrap_or_else(|| panic!("no line of the plugin in {said}"));
    assert!(line.contains("DEBUG") && line.contains("faulty_plugin"), "{line}");
    assert!(!said.contains("finer than what crosses"), "{said}");
}

#[tokio::test]
async fn a_plugin_of_the_first_minor_still_runs() {
    let plugins = directory();
    put_mistaken(plugins.path(), "old", &["MINOR=0", "MANIFEST_SIZE=200", "ID=\"old\""]);
    put_station(plugins.path());
    let (runtime, report) = load(plugins.path());
    assert_eq!(report.refused, []);
    let compilers: Vec<(&str, bool)> = report
        .loaded
        .iter()
        .map(|plugin| (plugin.name.as_str(), plugin.compiler.starts_with("cc ")))
        .collect();
    assert_eq!(compilers, [("mistaken", false), ("station", true)]);
    MockSource::handle("old").payloads(["x"]).end();
    let text = "name = \"old\"\n[source]\nconnector = \"mock\"\nname = \"old\"\ndecoder = \"old\"\n[source.schema]\na = \"string\"\n\
                [sink]\nconnector = \"mock\"\nname = \"old\"\nencoder = \"json\"\n";
    let running = Pipeline::<Builtins>::load().with(&runtime).text("old.toml", text).unwrap();
    running.run(std::future::pending()).await.unwrap();
    assert_eq!(MockSink::handle("old").texts(), [r#"{"a":null}"#]);
}

/// What a file is called says less than what it is.
#[test]
fn a_library_of_this_system_is_loaded_as_dylib_too() {
    let (built, plugins) = (directory(), directory());
    put(plugins.path(), "station.dylib", &fs::read(put_station(built.path())).unwrap());
    let (_, report) = load(plugins.path());
    assert_eq!((report.loaded.len(), report.refused.len()), (1, 0));
}

#[test]
fn a_rust_plugin_says_what_built_it() {
    let plugins = directory();
    put_built(plugins.path(), "pump_plugin");
    let (_, report) = load(plugins.path());
    assert!(report.loaded[0].compiler.starts_with("rustc 1."), "{:?}", report.loaded[0].compiler);
}
