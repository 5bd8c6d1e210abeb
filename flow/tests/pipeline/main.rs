//! What a running pipeline owes: order, conservation, acknowledgement after delivery, and errors as the file says.

mod rejections;

use std::future::pending;
use std::time::Duration;

use flow::connector::mock::MockSink;
use flow::connector::mock::MockSource;
use flow::{Builtins, Checkpoint, Error, ErrorKind, Pipeline, Reason, Report, RunError};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// How long anything may take before a test fails.
const PATIENCE: Duration = Duration::from_secs(20);

const SCHEMA: &str = "schema = { device = \"string\", celsius = { type = \"float64\", required = true } }";

fn pipeline(text: &str) -> Pipeline<Builtins> {
    Pipeline::from_text("test.toml", text).unwrap_or_else(|problems| panic!("{problems}"))
}

/// A mock source, JSON in and out, and a mock sink, both with the handle `name`; `extra` stands at the top of the file.
fn mock_to_mock(name: &str, extra: &str) -> Pipeline<Builtins> {
    pipeline(&format!(
        "{extra}
        [source]
        connector = \"mock\"
        name = \"{name}\"
        decoder = \"json\"
        {SCHEMA}
        [[sink]]
        connector = \"mock\"
        name = \"{name}\"
        encoder = \"json\""
    ))
}

/// Runs until the source ends.
async fn run(pipeline: Pipeline<Builtins>) -> Result<Report, RunError> {
    tokio::time::timeout(PATIENCE, pipeline.run(pending())).await.expect("the pipeline ends in time")
}

fn spawn(pipeline: Pipeline<Builtins>) -> (oneshot::Sender<()>, JoinHandle<Result<Report, RunError>>) {
    let (stop, stopped) = oneshot::channel();
    let shutdown = async move { drop(stopped.await) };
    (stop, tokio::spawn(pipeline.run(shutdown)))
}

async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("{what} does not happen"));
}

fn conserved(report: &Report) {
    let settled =
        report.filtered + report.delivered + report.skipped + report.dead_lettered + report.in_flight;
    assert_eq!(report.records_in, settled, "{report}");
}

#[tokio::test]
async fn records_go_through_in_order_and_are_acknowledged() {
    let source = MockSource::handle("order");
    for batch in 0..50 {
        let readings = (0..7).map(|n| format!("{{\"device\":\"d\",\"celsius\":{}}}", batch * 7 + n));
        source.payloads(readings.collect::<Vec<_>>());
    }
    source.end();
    let report = run(mock_to_mock("order", "")).await.unwrap();
    let expected: Vec<String> = (0..350).map(|n| format!("{{\"device\":\"d\",\"celsius\":{n}.0}}")).collect();
    assert_eq!(MockSink::handle("order").texts(), expected);
    assert_eq!(source.acknowledged().last(), Some(&source.handed_out()));
    assert_eq!((report.delivered, report.in_flight), (350, 0));
    conserved(&report);
    assert_eq!((source.closed(), MockSink::handle("order").closed()), (1, 1));
}

#[tokio::test]
async fn nothing_is_acknowledged_before_the_sink_confirms() {
    let (source, sink) = (MockSource::handle("ack"), MockSink::handle("ack"));
    sink.hold_confirmations();
    source.payloads(["{\"celsius\":1}"]).payloads(["{\"celsius\":2}"]);
    let (stop, running) = spawn(mock_to_mock("ack", "[batch]\nmax_records = 1"));
    until("both payloads arrive", || sink.written().len() == 2).await;
    assert_eq!(source.acknowledged(), []);
    let first = sink.written()[0].checkpoint;
    sink.confirm(first);
    until("the first acknowledgement", || source.acknowledged() == [Checkpoint(1)]).await;
    sink.release_confirmations();
    until("the second acknowledgement", || source.acknowledged().last() == Some(&Checkpoint(2))).await;
    stop.send(()).unwrap();
    assert_eq!(running.await.unwrap().unwrap().delivered, 2);
}

#[tokio::test]
async fn a_batch_waits_for_the_slower_of_two_sinks() {
    let source = MockSource::handle("two");
    let (fast, slow) = (MockSink::handle("two-fast"), MockSink::handle("two-slow"));
    slow.hold_confirmations();
    source.payloads(["{\"celsius\":1}"]);
    let (stop, running) = spawn(pipeline(&format!(
        "[source]
        connector = \"mock\"
        name = \"two\"
        decoder = \"json\"
        {SCHEMA}
        [[sink]]
        connector = \"mock\"
        name = \"two-fast\"
        encoder = \"json\"
        [[sink]]
        connector = \"mock\"
        name = \"two-slow\"
        encoder = {{ codec = \"json\", framing = \"array\" }}"
    )));
    until("both sinks have it", || fast.written().len() == 1 && slow.written().len() == 1).await;
    assert_eq!(source.acknowledged(), []);
    slow.release_confirmations();
    until("the acknowledgement", || source.acknowledged() == [Checkpoint(1)]).await;
    assert_eq!(
        (fast.texts(), slow.texts()),
        (
            vec!["{\"device\":null,\"celsius\":1.0}".to_owned()],
            vec!["[{\"device\":null,\"celsius\":1.0}]".to_owned()]
        )
    );
    stop.send(()).unwrap();
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn two_sources_fan_in() {
    for name in ["fan-a", "fan-b"] {
        MockSource::handle(name).payloads(["{\"celsius\":1}", "{\"celsius\":2}"]).end();
    }
    let source = |name: &str| {
        format!("[[source]]\nconnector = \"mock\"\nname = \"{name}\"\ndecoder = \"json\"\n{SCHEMA}\n")
    };
    let sink = "[[sink]]\nconnector = \"mock\"\nname = \"fan\"\nencoder = \"json\"";
    let report = run(pipeline(&format!("{}{}{sink}", source("fan-a"), source("fan-b")))).await.unwrap();
    assert_eq!((report.delivered, MockSink::handle("fan").written().len()), (4, 4));
    for name in ["fan-a", "fan-b"] {
        assert_eq!(MockSource::handle(name).acknowledged(), [Checkpoint(1)]);
    }
}

const MIXED: [&str; 4] = ["{\"celsius\":1}", "{\"celsius\":\"wet\"}", "{\"device\":\"d\"}", "{\"celsius\":4"];

#[tokio::test(start_paused = true)]
async fn temporary_errors_are_tried_again() {
    let source = MockSource::handle("retry");
    source.fail(Error::temporary(ErrorKind::Connection, "gone")).payloads(["{\"celsius\":1}"]).end();
    MockSink::handle("retry").fail_temporarily(3);
    let report = run(mock_to_mock("retry", "")).await.unwrap();
    // One of the source, three of the sink.
    assert_eq!((report.delivered, report.retries), (1, 4));
    assert_eq!(source.acknowledged(), [Checkpoint(1)]);
}

#[tokio::test]
async fn a_permanent_error_ends_the_pipeline_and_says_where() {
    MockSource::handle("broken").payloads(["{\"celsius\":1}"]);
    MockSink::handle("broken").fail(Error::permanent(ErrorKind::Refused, "not allowed"));
    let error = run(mock_to_mock("broken", "")).await.unwrap_err();
    assert_eq!(error.to_string(), "not allowed (at test/sink.mock)");
    assert_eq!(MockSource::handle("broken").acknowledged(), []);
}

#[tokio::test]
async fn stopping_drains_what_is_in_flight() {
    let (source, sink) = (MockSource::handle("drain"), MockSink::handle("drain"));
    sink.hold_confirmations();
    source.payloads(["{\"celsius\":1}"]);
    let (stop, running) = spawn(mock_to_mock("drain", ""));
    until("the payload arrives", || sink.written().len() == 1).await;
    stop.send(()).unwrap();
    // It must not end before the confirmation: a payload that comes now is not read any more.
    source.payloads(["{\"celsius\":2}"]);
    assert!(!running.is_finished());
    sink.release_confirmations();
    let report = tokio::time::timeout(PATIENCE, running).await.unwrap().unwrap().unwrap();
    assert_eq!((report.delivered, report.in_flight), (1, 0));
    assert_eq!(source.acknowledged(), [Checkpoint(1)]);
}

#[tokio::test(start_paused = true)]
async fn a_stalled_sink_holds_a_stop_up_no_longer_than_the_deadline() {
    let (source, sink) = (MockSource::handle("stall"), MockSink::handle("stall"));
    sink.stall();
    source.payloads(["{\"celsius\":1}"]);
    let (stop, stopped) = oneshot::channel::<()>();
    let pipeline = mock_to_mock("stall", "").drain_within(Duration::from_secs(2));
    let metrics = pipeline.metrics();
    let running = tokio::spawn(pipeline.run(async move { drop(stopped.await) }));
    until("the payload is read", || metrics.report().payloads_in == 1).await;
    stop.send(()).unwrap();
    let error = running.await.unwrap().unwrap_err();
    assert!(error.to_string().starts_with("stopped with 1 record(s) not confirmed within 2 s"), "{error}");
    assert_eq!(source.acknowledged(), []);
}

#[tokio::test]
async fn what_is_in_flight_is_bounded() {
    let (source, sink) = (MockSource::handle("bound"), MockSink::handle("bound"));
    sink.hold_confirmations();
    for _ in 0..20 {
        source.payloads(["{\"celsius\":1}"]);
    }
    source.end();
    let bounds = "[batch]\nmax_records = 1\nmax_in_flight = 4";
    let (_stop, running) = spawn(mock_to_mock("bound", bounds));
    until("four are written", || sink.written().len() == 4).await;
    tokio::task::yield_now().await;
    assert_eq!(source.handed_out(), Checkpoint(4));
    sink.release_confirmations();
    let report = tokio::time::timeout(PATIENCE, running).await.unwrap().unwrap().unwrap();
    assert_eq!(report.delivered, 20);
}

#[tokio::test]
async fn topics_come_from_columns_and_records_of_different_topics_share_no_payload() {
    let readings = [
        "{\"device\":\"a\",\"celsius\":1}",
        "{\"device\":\"b\",\"celsius\":2}",
        "{\"device\":\"a\",\"celsius\":3}",
    ];
    MockSource::handle("topics").payloads(readings).payloads(["{\"celsius\":4}"]).end();
    let report = run(pipeline(&format!(
        "[source]
        connector = \"mock\"
        name = \"topics\"
        decoder = \"json\"
        {SCHEMA}
        [[transform]]
        kind = \"rename\"
        columns = {{ device = \"id\" }}
        [[sink]]
        connector = \"mock\"
        name = \"topics\"
        topic = \"alerts/{{id}}\"
        encoder = {{ codec = \"json\", framing = \"lines\" }}"
    )))
    .await
    .unwrap();
    let written = MockSink::handle("topics").written();
    let seen: Vec<_> = written
        .iter()
        .map(|payload| (payload.topic.as_deref().unwrap_or_default(), payload.text()))
        .collect();
    let line = |id: &str, celsius: &str| format!("{{\"id\":\"{id}\",\"celsius\":{celsius}}}\n");
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert_eq!(seen[0].0, "alerts/a");
    assert_eq!(seen[0].1.trim_end(), (line("a", "1.0") + &line("a", "3.0")).trim_end());
    assert_eq!((seen[1].0, seen[1].1.trim_end()), ("alerts/b", line("b", "2.0").trim_end()));
    // A record without a device has no topic.
    assert_eq!((report.delivered, report.skipped), (3, 1));
    assert_eq!(report.rejected, [(Reason::Route, 1)]);
}

#[tokio::test]
async fn the_typed_door_runs_the_same_file() {
    #[derive(serde::Deserialize)]
    struct Reading {
        device: Option<String>,
        celsius: f64,
    }
    #[derive(serde::Serialize)]
    struct Alert {
        device: String,
        fahrenheit: f64,
    }
    MockSource::handle("typed")
        .payloads(["{\"device\":\"a\",\"celsius\":100}", "{\"celsius\":1}", "{\"celsius\":\"wet\"}"])
        .end();
    let typed = mock_to_mock("typed", "").filter_map(|reading: Reading| {
        let device = reading.device?;
        Some(Alert { device, fahrenheit: reading.celsius * 1.8 + 32.0 })
    });
    let report = tokio::time::timeout(PATIENCE, typed.run(pending())).await.unwrap().unwrap();
    assert_eq!(MockSink::handle("typed").texts(), ["{\"device\":\"a\",\"fahrenheit\":212.0}"]);
    assert_eq!((report.delivered, report.filtered, report.skipped), (1, 1, 1));
    conserved(&report);
}

#[tokio::test]
async fn components_do_not_share_what_only_one_can_use() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("clash.toml");
    let text = "[source]\nconnector = \"file\"\npath = \"./loop\"\nstate = \"s\"\ndecoder = \"raw\"\nschema = { a = \"string\" }\n\
                [[sink]]\nconnector = \"file\"\npath = \"loop\"\nencoder = \"raw\"\n\
                [[sink]]\nconnector = \"file\"\npath = \"s\"\nencoder = \"raw\"\n";
    let problems = Pipeline::<Builtins>::from_text(&file, text).map(|_| ()).unwrap_err().to_string();
    assert!(
        problems.contains("sink[0].path") && problems.contains("loop is used by `clash/source.file` already")
    );
    assert!(problems.contains("s is used by `clash/source.file` already"), "{problems}");
}

#[tokio::test]
async fn a_pipeline_that_never_waits_can_be_stopped() {
    let endless = "[source]\nconnector = \"mock\"\npayloads = [\"{}\"]\nrepeat = 1000000000\ndecoder = \"json\"\n\
                   schema = { celsius = \"float64\" }\n[sink]\nconnector = \"nop\"\nencoder = \"json\"";
    let (stop, running) = spawn(pipeline(endless));
    tokio::task::yield_now().await;
    stop.send(()).unwrap();
    let report = tokio::time::timeout(PATIENCE, running).await.unwrap().unwrap().unwrap();
    assert_eq!(report.in_flight, 0);
}
