//! Loaded components at work: their errors, their panics, their waiting, and how the command line shows them.

use std::fs;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use flow::connector::mock::{MockSink, MockSource};
use flow::{Builtins, Pipeline};

use crate::support::{directory, load, put_built, put_mistaken, put_station};

fn flow(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_private-flow")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A pipeline from a mock to a mock.
fn pipeline(name: &str, decoder: &str, schema: &str) -> String {
    format!(
        "name = \"{name}\"\non_error = {{ dead_letter = {{ connector = \"mock\", name = \"{name}-dead\" }} }}\n\
         [source]\nconnector = \"mock\"\nname = \"{name}\"\ndecoder = {decoder}\n[source.schema]\n{schema}\n\
         [sink]\nconnector = \"mock\"\nname = \"{name}\"\nencoder = \"json\"\n"
    )
}

#[tokio::test]
async fn a_decoder_in_c_does_its_work_and_says_what_is_wrong() {
    let plugins = directory();
    put_station(plugins.path());
    let (runtime, _) = load(plugins.path());
    let schema = "station = \"string\"\ncelsius = \"float64\"\nline = \"int8\"\ntime = { type = \"timestamp(ms)\", from = \"meta.time\" }";
    let payloads = ["roof,21.5", "cellar", "garden,warm", "x,1", "\u{e9}t\u{e9},-3"];
    MockSource::handle("in-c").payloads(payloads).payloads([[0xff, b',', b'1']]).end();
    let running =
        Pipeline::<Builtins>::load().with(&runtime).text("c.toml", &pipeline("in-c", "\"station\"", schema));
    running.unwrap().run(std::future::pending()).await.unwrap();
    assert_eq!(
        MockSink::handle("in-c").texts(),
        [
            r#"{"station":"roof","celsius":21.5,"line":1,"time":null}"#,
            r#"{"station":"x","celsius":1.0,"line":2,"time":null}"#,
            r#"{"station":"été","celsius":-3.0,"line":3,"time":null}"#,
        ]
    );
    let dead: Vec<serde_json::Value> = MockSink::handle("in-c-dead")
        .texts()
        .iter()
        .map(|letter| serde_json::from_str(letter).unwrap())
        .collect();
    let why: Vec<_> =
        dead.iter().map(|letter| (letter["reason"].as_str(), letter["message"].as_str())).collect();
    assert_eq!(
        why,
        [
            (Some("syntax"), Some("no comma in the line")),
            (Some("type"), Some("no number follows the comma at byte 7")),
            (Some("type"), Some("text in a row is not UTF-8")),
        ]
    );
}

#[tokio::test]
async fn rows_that_are_none_are_errors_of_their_record() {
    let rows: [(&str, &str); 4] = [
        ("ROW={10,1,0,0,0}", "the row ends too early"),
        ("ROW={99}", "a row has no tag 99"),
        ("ROW={10,0,0,0,0,0}", "bytes follow the end of the row"),
        ("ROW={3,1,0,0,0,0,0,0,0}", "a record is an object, not 1"),
    ];
    for (index, (row, why)) in rows.into_iter().enumerate() {
        let plugins = directory();
        let id = format!("ID=\"row-{index}\"");
        put_mistaken(plugins.path(), "mistaken", &[row, &id]);
        let (runtime, report) = load(plugins.path());
        assert_eq!(report.refused, []);
        let name = format!("row-{index}");
        MockSource::handle(&name).payloads(["x"]).end();
        let text = pipeline(&name, "\"first\"", "a = \"string\"");
        let running = Pipeline::<Builtins>::load().with(&runtime).text("rows.toml", &text).unwrap();
        running.run(std::future::pending()).await.unwrap();
        let letters = MockSink::handle(&format!("{name}-dead")).texts();
        let letter: serde_json::Value = serde_json::from_str(&letters[0]).unwrap();
        assert_eq!(letter["message"].as_str(), Some(why));
    }
}

#[tokio::test]
async fn a_panic_fails_its_own_pipeline_and_no_other() {
    let plugins = directory();
    put_built(plugins.path(), "faulty_plugin");
    let (runtime, _) = load(plugins.path());
    let start = |name: &str, payloads: &[&str]| {
        MockSource::handle(name).payloads(payloads).end();
        let text = pipeline(name, "\"faulty\"", "a = \"string\"");
        Pipeline::<Builtins>::load()
            .with(&runtime)
            .text("panics.toml", &text)
            .unwrap()
            .run(std::future::pending())
    };
    let (bad, good) =
        tokio::join!(start("panic-bad", &["x", "panic", "x"]), start("panic-good", &["x", "x"]));
    let bad = bad.unwrap_err().to_string();
    assert!(
        bad.contains(
            "the decoder cannot go on: the plugin panicked: assertion `left != right` failed: told to"
        ),
        "{bad}"
    );
    assert_eq!(good.unwrap().delivered, 2);

    // Whatever `on_error` says: an encoder that is gone rejects no good records.
    MockSource::handle("panic-encoder").payloads(["1", "2", "3"]).end();
    let text = "on_error = \"skip\"\n[batch]\nmax_records = 1\n[source]\nconnector = \"mock\"\nname = \"panic-encoder\"\n\
                decoder = \"raw\"\n[source.schema]\npayload = \"binary\"\n[sink]\nconnector = \"nop\"\nencoder = \"faulty\"\n";
    let failed = Pipeline::<Builtins>::load().with(&runtime).text("panics.toml", text).unwrap();
    let failed = failed.run(std::future::pending()).await.unwrap_err().to_string();
    let why = "the encoder cannot go on: the plugin panicked: not a second time";
    assert!(failed.starts_with(why), "{failed}");

    let text = "[source]\nconnector = \"panicking\"\ndecoder = \"raw\"\n[source.schema]\npayload = \"binary\"\n\
                [sink]\nconnector = \"nop\"\nencoder = \"raw\"\n";
    let failed = Pipeline::<Builtins>::load().with(&runtime).text("panics.toml", text).unwrap();
    let failed = failed.run(std::future::pending()).await.unwrap_err().to_string();
    assert!(failed.starts_with("the plugin panicked: no batch today"), "{failed}");

    let text = pipeline("panic-build", "{ codec = \"faulty\", panic = true }", "a = \"string\"");
    let refused =
        Pipeline::<Builtins>::load().with(&runtime).text("panics.toml", &text).map(|_| ()).unwrap_err();
    assert_eq!(refused.to_string(), "panics.toml:6: source.decoder: the plugin panicked: not built today");
}

#[tokio::test]
async fn fifty_waiting_sources_do_not_hold_up_the_program() {
    let plugins = directory();
    put_built(plugins.path(), "faulty_plugin");
    let (runtime, _) = load(plugins.path());
    let text = "[source]\nconnector = \"waiting\"\ndecoder = \"raw\"\n[source.schema]\npayload = \"binary\"\n\
                [sink]\nconnector = \"nop\"\nencoder = \"raw\"\n";
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let running: Vec<_> = (0..50)
        .map(|_| {
            let mut stopped = stopped.clone();
            let pipeline = Pipeline::<Builtins>::load().with(&runtime).text("waiting.toml", text).unwrap();
            tokio::spawn(pipeline.run(async move { drop(stopped.wait_for(|stop| *stop).await) }))
        })
        .collect();
    // All on one thread: a poll that blocked would hold these up for good.
    let began = Instant::now();
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    stop.send(true).unwrap();
    for pipeline in running {
        pipeline.await.unwrap().unwrap();
    }
}

#[test]
fn the_command_line_knows_plugins() {
    let plugins = directory();
    put_station(plugins.path());
    put_built(plugins.path(), "pump_plugin");
    put_mistaken(plugins.path(), "old", &["MAJOR=7"]);
    let path = plugins.path().to_str().unwrap();

    let listed = flow(&["list", "--plugins", path]);
    let (out, err) = (text(&listed.stdout), text(&listed.stderr));
    assert!(
        out.lines().any(|line| line.starts_with("decoder")
            && line.contains("station")
            && line.contains("libstation.so")),
        "{out}{err}"
    );
    // `acme` stands in this program's list: the whole plugin that brings it again is refused.
    assert!(
        err.contains("warning: the plugin")
            && err.contains("libpump_plugin.so` is refused: duplicate id: the decoder `acme`"),
        "{err}"
    );
    assert!(err.contains("libold.so` speaks ABI 7.1"), "{err}");
    let listed = flow(&["--plugins", path, "list", "--json"]);
    let rows: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    let row = rows.as_array().unwrap().iter().find(|row| row["id"] == "station").unwrap();
    assert_eq!(row["library"], format!("{path}/libstation.so"));
    let strict = flow(&["list", "--plugins", path, "--strict-plugins"]);
    assert_eq!((strict.status.code(), text(&strict.stdout)), (Some(2), String::new()));
    assert!(text(&flow(&["schema", "--plugins", path]).stdout).contains("\"const\": \"station\""));

    // The key of a file does the same for that file, and an id that is not there may be in what was refused.
    let file = plugins.path().join("x.toml");
    let body = pipeline("cli", "\"station\"", "station = \"string\"");
    fs::write(&file, format!("plugins = \"{path}\"\n{body}")).unwrap();
    let checked = flow(&["check", file.to_str().unwrap()]);
    assert_eq!(checked.status.code(), Some(0), "{}", text(&checked.stderr));
    assert!(text(&checked.stderr).contains("libold.so` speaks ABI 7.1"));
    fs::write(&file, format!("plugins = \"{path}\"\n{}", body.replace("\"station\"\n[", "\"statoin\"\n[")))
        .unwrap();
    let checked = text(&flow(&["check", file.to_str().unwrap()]).stderr);
    assert!(checked.contains("unknown decoder `statoin`: did you mean `station`?"), "{checked}");
    assert!(checked.contains("; the plugin `") && checked.contains("libold.so` speaks ABI 7.1"), "{checked}");
    fs::write(&file, format!("plugins = {{ directory = \"{path}\", strict = true }}\n{body}")).unwrap();
    let checked = text(&flow(&["check", file.to_str().unwrap()]).stderr);
    assert!(checked.contains("x.toml:1: plugins: the plugin `"), "{checked}");
}

#[tokio::test]
async fn faults_of_a_config_come_with_their_keys() {
    let plugins = directory();
    put_built(plugins.path(), "pump_plugin");
    let (runtime, _) = load(plugins.path());
    let text = "[source]\nconnector = \"pump\"\ncount = \"many\"\nevery_ms = 70000\nevery = 3\ndecoder = \"pairs\"\n\
                [source.schema]\ndevice_id = \"string\"\n\
                [sink]\nconnector = \"spool\"\ndirectory = \"x\"\nfile = \"{device\"\n\
                encoder = { codec = \"text\", template = \"{nothing}\" }\n";
    let problems =
        Pipeline::<Builtins>::load().with(&runtime).text("x.toml", text).map(|_| ()).unwrap_err().to_string();
    let lines: Vec<&str> = problems.lines().collect();
    assert_eq!(lines.len(), 3, "{problems}");
    assert_eq!(lines[0], "x.toml:3: source.count: invalid type: string \"many\", expected u64");
    assert!(
        lines[1].starts_with("x.toml:5: source.every: unknown key (known: `count`, `every_ms`"),
        "{problems}"
    );
    assert_eq!(lines[2], "x.toml:12: sink.file: `{` is never closed; write `{{` for a brace that stays");
    let text = text.replace("\"many\"", "3").replace("every = 3\n", "").replace("{device\"", "{device_id}\"");
    let problems = Pipeline::<Builtins>::load()
        .with(&runtime)
        .text("x.toml", &text)
        .map(|_| ())
        .unwrap_err()
        .to_string();
    assert!(problems.contains("source.every_ms: more than a minute"), "{problems}");
}
