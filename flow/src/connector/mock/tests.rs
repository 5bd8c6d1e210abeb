use futures_util::FutureExt;
use serde_json::json;

use crate::component::{BuildContext, Component};
use crate::connector::mock::{MockSink, MockSource};
use crate::connector::{Progress, SinkConnector, SourceConnector};
use crate::error::{Error, ErrorKind};
use crate::record::payload::{Checkpoint, Metadata, PayloadBatch};

fn build<C: Component>(config: serde_json::Value) -> Result<C, Error> {
    C::build(serde_json::from_value(config).unwrap(), &BuildContext::new("p/mock", ""))
}

async fn texts(source: &mut MockSource, capacity: usize) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    let mut batch = PayloadBatch::with_capacity(capacity);
    while source.next(&mut batch).await.unwrap() != Progress::End {
        all.push(batch.iter().map(|payload| String::from_utf8(payload.bytes().to_vec()).unwrap()).collect());
        batch.clear();
    }
    all
}

fn batch(payloads: &[&str]) -> PayloadBatch {
    let mut batch = PayloadBatch::new();
    for payload in payloads {
        batch.push(payload.as_bytes());
    }
    batch
}

#[tokio::test]
async fn the_payloads_of_a_pipeline_file_come_as_often_as_it_says() {
    let mut source: MockSource =
        build(json!({ "payloads": ["a", "b", "c"], "repeat": 2, "topic": "t" })).unwrap();
    source.open().await.unwrap();
    let mut first = PayloadBatch::with_capacity(2);
    assert_eq!(source.next(&mut first).await.unwrap(), Progress::Batch(Checkpoint(1)));
    assert_eq!(first.get(1).unwrap().metadata().topic, Some("t"));
    assert_eq!(texts(&mut source, 2).await, [["c", "a"], ["b", "c"]]);
    assert!(matches!(source.next(&mut PayloadBatch::new()).await, Ok(Progress::End)), "the end stays");
}

#[tokio::test]
async fn a_script_plays_in_order_and_shows_its_acknowledgements() {
    let (mut source, script) = MockSource::new();
    let mut rich = PayloadBatch::new();
    rich.push_with(b"rich", Metadata { topic: Some("t"), key: Some("k"), time: Some(7) });
    rich.push_header("h", "v");
    script
        .batch(rich)
        .fail(Error::temporary(ErrorKind::Connection, "later"))
        .fail(Error::permanent(ErrorKind::Protocol, "never"))
        .payloads(["x"])
        .end();
    source.open().await.unwrap();
    let mut batch = PayloadBatch::new();
    assert_eq!(source.next(&mut batch).await.unwrap(), Progress::Batch(Checkpoint(1)));
    let payload = batch.get(0).unwrap();
    assert_eq!((payload.bytes(), payload.header("h")), (&b"rich"[..], Some("v")));
    assert_eq!(payload.metadata(), Metadata { topic: Some("t"), key: Some("k"), time: Some(7) });
    batch.clear();
    let error = source.next(&mut batch).await.unwrap_err();
    assert!(error.is_temporary() && batch.is_empty());
    assert!(!source.next(&mut batch).await.unwrap_err().is_temporary());
    assert_eq!(texts(&mut source, 9).await, [["x"]]);
    source.acknowledge(Checkpoint(1)).await.unwrap();
    source.acknowledge(Checkpoint(2)).await.unwrap();
    script.until_acknowledged(Checkpoint(2)).await;
    assert_eq!(script.acknowledged(), [Checkpoint(1), Checkpoint(2)]);
    assert_eq!(script.handed_out(), Checkpoint(2));
    source.close().await.unwrap();
    assert_eq!((script.opened(), script.closed()), (1, 1));
}

#[tokio::test]
async fn a_pause_waits_for_its_signal_and_a_dropped_call_takes_nothing() {
    let (mut source, script) = MockSource::new();
    script.payloads(["a"]).pause().payloads(["b"]).end();
    source.open().await.unwrap();
    let mut batch = PayloadBatch::new();
    source.next(&mut batch).await.unwrap();
    assert!(script.paused().now_or_never().is_none(), "nobody has asked for more");
    batch.clear();
    for _ in 0..10 {
        assert!(source.next(&mut batch).now_or_never().is_none());
        assert!(batch.is_empty());
    }
    script.paused().await;
    let rest = tokio::spawn(async move { texts(&mut source, 9).await });
    script.resume();
    assert_eq!(rest.await.unwrap(), [["b"]]);
}

#[tokio::test]
async fn a_script_without_an_end_waits_for_more() {
    let (mut source, script) = MockSource::new();
    source.open().await.unwrap();
    let rest = tokio::spawn(async move { texts(&mut source, 9).await });
    tokio::task::yield_now().await;
    script.payloads(["late"]);
    script.end();
    assert_eq!(rest.await.unwrap(), [["late"]]);
}

#[tokio::test]
async fn components_of_a_pipeline_file_share_their_handles_by_name() {
    let mut source: MockSource =
        build(json!({ "name": "tests-share", "payloads": ["a"], "then": "wait" })).unwrap();
    let mut sink: MockSink = build(json!({ "name": "tests-share", "topic": "out/{device}" })).unwrap();
    MockSource::handle("tests-share").payloads(["b"]).end();
    source.open().await.unwrap();
    sink.open().await.unwrap();
    assert_eq!(sink.route().unwrap().fields().collect::<Vec<_>>(), ["device"]);
    let mut batch = PayloadBatch::new();
    while let Progress::Batch(checkpoint) = source.next(&mut batch).await.unwrap() {
        sink.write(&batch, checkpoint).await.unwrap();
        batch.clear();
    }
    assert_eq!(MockSink::handle("tests-share").texts(), ["a", "b"]);
    assert_eq!(MockSink::handle("tests-other").texts(), [""; 0]);
}

#[test]
fn a_mock_that_could_do_nothing_is_refused() {
    let error = build::<MockSource>(json!({})).unwrap_err();
    assert_eq!(error.key(), Some("payloads"));
    assert_eq!(
        error.message(),
        "nothing would ever come; add `payloads`, or a `name` under which Rust code scripts it"
    );
    assert_eq!(build::<MockSink>(json!({ "topic": "{" })).unwrap_err().key(), Some("topic"));
}

#[tokio::test]
async fn confirmations_come_in_order_when_they_are_let_through() {
    let (mut sink, record) = MockSink::new();
    sink.open().await.unwrap();
    record.hold_confirmations();
    for checkpoint in 1..=3 {
        sink.write(&batch(&["a"]), Checkpoint(checkpoint)).await.unwrap();
    }
    assert!(sink.confirmed().now_or_never().is_none());
    record.confirm(Checkpoint(2));
    assert_eq!(sink.confirmed().await.unwrap(), Checkpoint(2));
    assert!(sink.confirmed().now_or_never().is_none(), "2 is told already");
    let waiting = tokio::spawn(async move { sink.confirmed().await });
    tokio::task::yield_now().await;
    record.release_confirmations();
    assert_eq!(waiting.await.unwrap().unwrap(), Checkpoint(3));
}

#[tokio::test]
async fn a_stalled_write_waits_and_takes_nothing_meanwhile() {
    let (mut sink, record) = MockSink::new();
    record.stall();
    let writing = tokio::spawn(async move {
        let mut both = batch(&["a"]);
        both.push_header("h", "v");
        sink.write(&both, Checkpoint(1)).await
    });
    record.until_stalled().await;
    assert!(record.written().is_empty());
    record.resume();
    record.until_written(1).await;
    writing.await.unwrap().unwrap();
    let written = record.written();
    assert_eq!(written[0].headers, [("h".to_owned(), "v".to_owned())]);
    assert_eq!(written[0].checkpoint, Checkpoint(1));
}

#[tokio::test]
async fn injected_failures_take_nothing() {
    let (mut sink, record) = MockSink::new();
    record.fail_temporarily(2);
    record.fail(Error::permanent(ErrorKind::Refused, "no"));
    for temporary in [true, true, false] {
        let error = sink.write(&batch(&["a"]), Checkpoint(1)).await.unwrap_err();
        assert_eq!(error.is_temporary(), temporary);
    }
    assert!(record.written().is_empty());
    assert!(sink.confirmed().now_or_never().is_none());
    sink.write(&batch(&["a"]), Checkpoint(1)).await.unwrap();
    assert_eq!(record.texts(), ["a"]);
}

#[tokio::test]
async fn a_refused_payload_is_named_and_those_before_it_are_taken() {
    let (mut sink, record) = MockSink::new();
    record.refuse(|payload| (payload.bytes() == b"bad").then(|| "it is bad".to_owned()));
    let error = sink.write(&batch(&["a", "bad", "b", "bad"]), Checkpoint(1)).await.unwrap_err();
    assert_eq!((error.payload(), error.message()), (Some(1), "it is bad"));
    assert_eq!(record.texts(), ["a"]);
    assert!(sink.confirmed().now_or_never().is_none(), "the rest is still to come");
    let error = sink.write(&batch(&["b", "bad"]), Checkpoint(1)).await.unwrap_err();
    assert_eq!(error.payload(), Some(1));
    assert!(sink.confirmed().now_or_never().is_none(), "nobody has said that nothing more comes");
    sink.write(&batch(&[]), Checkpoint(1)).await.unwrap();
    assert_eq!(sink.confirmed().await.unwrap(), Checkpoint(1));
    assert_eq!(record.texts(), ["a", "b"]);
}
