//! What is wrong with a pipeline file is said all at once, with line and key, and nothing connects.

#![allow(clippy::unwrap_used, reason = "what these helpers unwrap is what the tests are about")]

use flow::connector::mock::MockSink;
use flow::{Builtins, Pipeline};

fn problems(file: &str, text: &str) -> String {
    let problems = Pipeline::<Builtins>::from_text(file, text).map(|_| ()).unwrap_err();
    problems.to_string()
}

#[test]
fn every_problem_of_a_file_is_reported_together() {
    let said = problems(
        "bad.toml",
        r#"onerror = "skip"
[source]
connector = "mqqt"
decoder = { codec = "json", framin = "auto" }
[source.schema]
device_id = "strng"
[[transform]]
kind = "filter"
column = "temperature"
op = ">"
value = 1
[[sink]]
connector = "mqtt"
url = "mqtt://localhost"
topc = "alerts"
qos = "one"
encoder = { codec = "jsn" }
"#,
    );
    let lines: Vec<&str> = said.lines().collect();
    let expected = [
        "bad.toml:1: onerror: unknown key; did you mean `on_error`?",
        "bad.toml:3: source.connector: unknown source `mqqt`: did you mean `mqtt`? (known: `mqtt`, `file`, `stdin`, `mock`)",
        "bad.toml:4: source.decoder.framin: unknown key; did you mean `framing`?",
        "bad.toml:6: source.schema.device_id: there is no type `strng`; did you mean `string`?",
        "bad.toml:12: sink: missing field `topic`",
        "bad.toml:15: sink.topc: unknown key; did you mean `topic`?",
        "bad.toml:16: sink.qos: invalid type: string \"one\", expected",
        "bad.toml:17: sink.encoder.codec: unknown encoder `jsn`: did you mean `json`? (known: `json`, `raw`)",
    ];
    assert_eq!(lines.len(), expected.len(), "{said}");
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.starts_with(expected), "expected {expected}\n     got {line}");
    }
}

#[test]
fn a_filter_and_a_topic_are_checked_against_the_columns() {
    let said = problems(
        "columns.toml",
        r#"[source]
connector = "mock"
name = "columns"
decoder = "json"
schema = { device = "string", celsius = "float64" }
[[transform]]
kind = "rename"
columns = { celsius = "temperature" }
[[sink]]
connector = "mock"
topic = "alerts/{devise}"
encoder = "json"
"#,
    );
    assert_eq!(
        said,
        "columns.toml:11: sink.topic: `{devise}` names no column; did you mean `device`? (known: `device`, `temperature`)"
    );
    let said = problems(
        "columns.toml",
        r#"[source]
connector = "mock"
name = "columns"
decoder = "json"
schema = { celsius = "float64" }
[[transform]]
kind = "filter"
column = "celsius"
op = ">"
value = "hot"
[[sink]]
connector = "nop"
encoder = "json"
"#,
    );
    assert!(said.starts_with("columns.toml:10: transform.value: "), "{said}");
}

#[test]
fn json_files_have_lines_too() {
    let said = problems(
        "bad.json",
        "{\n  \"source\": {\n    \"connector\": \"mock\",\n    \"nane\": 1\n  },\n  \"sink\": []\n}",
    );
    assert_eq!(
        said,
        "bad.json:2: source: the key `decoder` is missing, such as `decoder = { codec = \"json\" }`\n\
         bad.json:6: sink: a table `[sink]` or several `[[sink]]` are expected, not an array"
    );
    assert_eq!(problems("bad.json", "{\n  \"source\": {,\n}"), "bad.json:2: key must be a string");
    assert!(
        problems("bad.json", "{\n \"name\": 1,\n \"name\": 2}")
            .contains("bad.json:3: the key `name` stands twice")
    );
}

#[test]
fn a_slip_in_a_key_that_must_be_there_is_shown_where_it_is() {
    let said = problems(
        "slips.toml",
        "[source]\nconnector = \"mock\"\ndecodr = \"json\"\n[[sink]]\nconector = \"nop\"\nencoder = \"json\"",
    );
    assert_eq!(
        said,
        "slips.toml:3: source.decodr: unknown key; did you mean `decoder`?\n\
         slips.toml:5: sink.conector: unknown key; did you mean `connector`?"
    );
}

#[test]
fn syntax_errors_and_missing_tables_are_named() {
    assert_eq!(
        problems("x.toml", "[source]\nconnector = \"mqtt"),
        "x.toml:2: invalid basic string, expected `\"`"
    );
    let said = problems("x.toml", "");
    assert!(
        said.contains("x.toml: no `[source]` table") && said.contains("x.toml: no `[sink]` table"),
        "{said}"
    );
    let missing = Pipeline::<Builtins>::from_file("no-such-file.toml").map(|_| ()).unwrap_err().to_string();
    assert!(missing.starts_with("no-such-file.toml: cannot be read: "), "{missing}");
}

#[test]
fn an_unset_variable_is_an_error_and_a_default_is_none() {
    let file = |payload: &str| {
        format!(
            "[source]\nconnector = \"mock\"\npayloads = [\"{payload}\"]\nrepeat = \"${{FLOW_TEST_UNSET:-3}}\"\n\
             decoder = \"json\"\nschema = {{ a = \"int64\" }}\n[sink]\nconnector = \"nop\"\nencoder = \"json\"\n"
        )
    };
    assert_eq!(
        problems("env.toml", &file("${FLOW_TEST_UNSET}")),
        "env.toml:3: source.payloads[0]: the environment variable `FLOW_TEST_UNSET` is not set; \
         set it, or give a default: `${FLOW_TEST_UNSET:-…}`"
    );
    assert!(Pipeline::<Builtins>::from_text("env.toml", &file("x")).is_ok());
}

#[tokio::test]
async fn doors_refuse_what_they_would_ignore() {
    let text = "[source]\nconnector = \"mock\"\npayloads = [\"1\"]\ndecoder = \"json\"\n\
                [[transform]]\nkind = \"select\"\ncolumns = [\"a\"]\n[sink]\nconnector = \"nop\"\nencoder = \"json\"\n";
    let open = || Pipeline::<Builtins>::from_text("door.toml", text).unwrap();
    let columnar = open().run(std::future::pending()).await.unwrap_err().to_string();
    assert!(columnar.starts_with("door.toml:1: source: no schema: name the columns"), "{columnar}");
    let typed = open().map(|value: i64| value).run(std::future::pending()).await.unwrap_err().to_string();
    assert!(typed.starts_with("door.toml:5: transform: transforms work on columnar records"), "{typed}");
}

#[tokio::test]
async fn a_topic_is_checked_against_the_fields_that_leave() {
    let text = "[source]\nconnector = \"mock\"\npayloads = [\"1\", \"2\"]\ndecoder = \"json\"\nschema = { a = \"int64\" }\n\
                [sink]\nconnector = \"mock\"\nname = \"leave\"\ntopic = \"alerts/{celsius}\"\nencoder = \"json\"\n";
    let open = || Pipeline::<Builtins>::from_text("leave.toml", text).unwrap();
    let columnar = open().run(std::future::pending()).await.unwrap_err().to_string();
    assert!(columnar.contains("leave.toml:9: sink.topic: `{celsius}` names no column"), "{columnar}");
    let alert = |celsius: i64| std::collections::BTreeMap::from([("celsius", celsius)]);
    let typed = open().map(alert).run(std::future::pending()).await.unwrap();
    assert_eq!(typed.delivered, 2);
    let topics: Vec<_> =
        MockSink::handle("leave").written().into_iter().map(|sent| sent.topic.unwrap()).collect();
    assert_eq!(topics, ["alerts/1", "alerts/2"]);
}

#[test]
fn json_under_a_toml_name_is_one_problem_and_a_flood_of_them_is_cut() {
    let said = problems("x.toml", "{ \"source\": {},\n \"sink\": {} }");
    assert_eq!(said, "x.toml:1: this looks like JSON, and the name says TOML: let it end in `.json`");
    let said = problems("x.toml", &"no key here\n".repeat(5_000));
    assert!(said.lines().count() < 15 && said.contains("more syntax errors"), "{said}");
}

/// The first TOML block of a page.
fn toml_block(page: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let text = std::fs::read_to_string(path).unwrap();
    let (_, block) = text.split_once("```toml\n").unwrap();
    block.split_once("```").unwrap().0.to_owned()
}

#[test]
fn the_files_in_the_documentation_are_good() {
    let readme = Pipeline::<Builtins>::from_text("README.toml", &toml_block("../README.md"));
    readme.unwrap_or_else(|problems| panic!("{problems}"));
    let source = "[source]\nconnector = \"mock\"\nname = \"documentation\"\ndecoder = \"json\"\n";
    let sink = "[sink]\nconnector = \"nop\"\nencoder = \"json\"\n";
    let page = Pipeline::<Builtins>::from_text(
        "x.toml",
        &format!("{source}{}{sink}", toml_block("docs/pipeline-file.md")),
    );
    page.unwrap_or_else(|problems| panic!("{problems}"));
    let blocks = include_str!("../docs/mqtt.md").split("```toml\n").skip(1);
    for block in blocks.map(|rest| rest.split_once("```").unwrap().0) {
        let text = if block.starts_with("[source]") {
            format!("{block}decoder = \"json\"\nschema = {{ a = \"int64\" }}\n{sink}")
        } else {
            format!("{source}{block}{sink}")
        };
        Pipeline::<Builtins>::from_text("mqtt.toml", &text).unwrap_or_else(|problems| panic!("{problems}"));
    }
}

#[test]
fn a_part_that_cannot_be_built_is_never_left_out_in_silence() {
    let file = |url: &str| {
        format!(
            "[source]\nconnector = \"mock\"\npayloads = [\"1\"]\ndecoder = \"json\"\nschema = {{ a = \"int64\" }}\n\
             [sink]\nconnector = \"mqtt\"\ntopic = \"t\"\nurl = \"{url}\"\nencoder = \"json\"\n"
        )
    };
    assert!(problems("x.toml", &file("${FLOW_TEST_UNSET:-${OTHER}}")).contains("nests variables"));
    assert!(problems("x.toml", &file("$${x}")).starts_with("x.toml:9: sink.url: "));
}

#[test]
fn there_is_a_limit_to_sinks_and_to_nesting() {
    let sink = "[[sink]]\nconnector = \"nop\"\nencoder = \"json\"\n";
    let source = "[source]\nconnector = \"mock\"\npayloads = [\"1\"]\ndecoder = \"json\"\nschema = { a = \"int64\" }\n";
    assert_eq!(
        problems("x.toml", &(source.to_owned() + &sink.repeat(64))),
        "x.toml: sink: 64 sinks; a pipeline has 63 at most, put the others into a second file"
    );
    let deep = format!("{{\"source\":{}{}}}", "[".repeat(100), "]".repeat(100));
    assert!(problems("x.json", &deep).contains("nested deeper than 32 levels"));
}
