//! The same components, unchanged, through the list, registered and loaded: the same bytes come out.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use flow::plugin::Policy;
use flow::{Builtins, Cons, Pipeline, Registry, Runtime};
use pump_plugin::{PairsDecoder, PumpSource, SpoolSink, TextEncoder};

use crate::support::{directory, put_built};

type Listed = Cons<PumpSource, Cons<PairsDecoder, Cons<TextEncoder, Cons<SpoolSink, Builtins>>>>;

/// Runs all four components, with every way to fail among the records, and returns what stands in the files.
async fn outputs<R: Registry>(runtime: &Runtime) -> BTreeMap<String, String> {
    let directory = directory();
    let spool = |name: &str, template: &str, files: &str| {
        format!(
            "connector = \"spool\"\ndirectory = \"{name}\"\nfile = \"{files}\"\n\
             encoder = {{ codec = \"text\", template = \"{template}\" }}\n"
        )
    };
    let text = format!(
        "name = \"same\"\n\
         on_error = {{ dead_letter = {{ connector = \"file\", path = \"dead.jsonl\" }} }}\n\
         batch = {{ max_records = 16 }}\n\
         [source]\nconnector = \"pump\"\ncount = 200\ndecoder = {{ codec = \"pairs\" }}\n\
         [source.schema]\n\
         device_id = {{ type = \"string\", required = true }}\n\
         temperature = \"float64\"\n\
         topic = {{ type = \"string\", from = \"meta.topic\" }}\n\
         [[transform]]\nkind = \"filter\"\ncolumn = \"temperature\"\nop = \"<\"\nvalue = 70.0\n\
         [[sink]]\n{}\
         [[sink]]\n{}",
        spool("good", "{device_id} is at {temperature}", "{device_id}.txt"),
        // A topic has a slash in it, which the sink refuses in a file's name.
        spool("bad", "{topic}", "{topic}.txt"),
    );
    let file = directory.path().join("same.toml");
    fs::write(&file, &text).unwrap();
    let pipeline = Pipeline::<R>::load().with(runtime).file(&file).unwrap();
    let report = pipeline.run(std::future::pending()).await.unwrap();
    assert!(report.filtered > 0 && report.dead_lettered > 0, "{report}");
    let mut files = BTreeMap::new();
    read(directory.path(), directory.path(), &mut files);
    files.remove("same.toml");
    files
}

fn read(root: &Path, folder: &Path, files: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            read(root, &path, files);
            continue;
        }
        let mut text = fs::read_to_string(&path).unwrap();
        if path.ends_with("dead.jsonl") {
            // When a letter was written is its own.
            let letter = |line: &str| {
                let mut letter: serde_json::Value = serde_json::from_str(line).unwrap();
                letter.as_object_mut().unwrap().remove("time");
                letter.to_string()
            };
            text = text.lines().map(letter).collect::<Vec<_>>().join("\n");
        }
        files.insert(path.strip_prefix(root).unwrap().to_string_lossy().into_owned(), text);
    }
}

#[tokio::test]
async fn three_ways_give_the_same_bytes() {
    let listed = outputs::<Listed>(&Runtime::of::<Listed>()).await;
    assert_eq!(listed["good/pump-0.txt"].lines().next(), Some("pump-0 is at 20.5"));
    assert!(listed["dead.jsonl"].contains("a file's name holds no `/`"), "{}", listed["dead.jsonl"]);

    let mut runtime = Runtime::of::<Builtins>();
    runtime.connectors().register::<PumpSource>().unwrap();
    runtime.connectors().register::<SpoolSink>().unwrap();
    runtime.codecs().register::<PairsDecoder>().unwrap();
    runtime.codecs().register::<TextEncoder>().unwrap();
    assert_eq!(outputs::<Builtins>(&runtime).await, listed, "registered");

    let plugins = directory();
    put_built(plugins.path(), "pump_plugin");
    let mut runtime = Runtime::of::<Builtins>();
    let report = runtime.load_from_dir(plugins.path(), &Policy::default()).unwrap();
    assert_eq!((report.loaded.len(), &report.refused[..]), (1, &[][..]));
    assert_eq!(outputs::<Builtins>(&runtime).await, listed, "loaded");
}
