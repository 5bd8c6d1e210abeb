//! The source of `docs/connector.md` and the decoder of `docs/codec.md`: they are what stands there, they are short, and
//! they run from a pipeline file.

#![allow(clippy::unwrap_used, reason = "what these helpers unwrap is what the tests are about")]
#![allow(unreachable_pub, reason = "as they stand in the documents")]

#[path = "docs/decoder.rs"]
mod decoder;
#[path = "docs/source.rs"]
mod source;

use decoder::MillidegreesDecoder;
use flow::connector::mock::MockSink;
use flow::{Builtins, Cons, Pipeline};
use source::SensorSource;

type MyRegistry = Cons<SensorSource, Cons<MillidegreesDecoder, Builtins>>;

#[test]
fn the_documents_show_them_as_they_are() {
    let (source, decoder) = (include_str!("docs/source.rs"), include_str!("docs/decoder.rs"));
    assert!(include_str!("../docs/connector.md").contains(source), "docs/connector.md has another source");
    assert!(include_str!("../docs/codec.md").contains(decoder), "docs/codec.md has another decoder");
    let lines = source.lines().count() + decoder.lines().count();
    assert!(lines < 80, "{lines} lines are too many for a first source and decoder");
}

#[tokio::test]
async fn they_run_from_a_pipeline_file_by_id() {
    let directory = tempfile::tempdir().unwrap();
    let sensor = directory.path().join("temp");
    std::fs::write(&sensor, "51500\n").unwrap();
    let file = directory.path().join("sensor.toml");
    let text = format!(
        r#"
[source]
connector = "sensor"
path = "{}"
every_ms = 1
decoder = "millidegrees"
[source.schema]
celsius = "float64"
[sink]
connector = "mock"
name = "docs-sensor"
encoder = "json"
"#,
        sensor.display()
    );
    std::fs::write(&file, text).unwrap();
    let sink = MockSink::handle("docs-sensor");
    let pipeline = Pipeline::<MyRegistry>::load().columnar().file(&file).unwrap();
    let report = pipeline.run(async { sink.until_written(3).await }).await.unwrap();
    assert!(report.delivered >= 3, "{report}");
    assert_eq!(sink.texts()[..2], [r#"{"celsius":51.5}"#; 2]);
}
