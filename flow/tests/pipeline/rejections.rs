//! Records that cannot go on, and payloads that a sink refuses: settled as the file says, acknowledged after delivery.

use flow::connector::mock::MockSink;
use flow::connector::mock::MockSource;
use flow::{Checkpoint, Reason};

use super::{MIXED, PATIENCE, SCHEMA, conserved, mock_to_mock, pipeline, run, spawn, until};

#[tokio::test]
async fn bad_records_are_skipped_and_counted() {
    MockSource::handle("skip").payloads(MIXED).end();
    let report = run(mock_to_mock("skip", "")).await.unwrap();
    assert_eq!((report.delivered, report.skipped), (1, 3));
    assert_eq!(report.rejected, [(Reason::Syntax, 1), (Reason::Type, 1), (Reason::Missing, 1)]);
    conserved(&report);
    assert_eq!(MockSource::handle("skip").acknowledged(), [Checkpoint(1)]);
}

#[tokio::test]
async fn a_bad_record_can_stop_the_pipeline_and_is_not_acknowledged() {
    MockSource::handle("fail").payloads(["{\"celsius\":0}"]).payloads(MIXED).end();
    let error = run(mock_to_mock("fail", "on_error = \"fail\"")).await.unwrap_err();
    let expected =
        "a record cannot go on, and `on_error` is \"fail\": field `celsius`: expected float64, got \"wet\"";
    assert!(error.to_string().starts_with(expected), "{error}");
    // The batch before it was delivered; this one will come again.
    assert_eq!(MockSource::handle("fail").acknowledged(), [Checkpoint(1)]);
    assert_eq!(MockSink::handle("fail").written().len(), 1);
}

#[tokio::test]
async fn dead_letters_keep_the_bytes_and_the_reason() {
    MockSource::handle("dead").payloads(MIXED).end();
    let policy = "on_error = { dead_letter = { connector = \"mock\", name = \"letters\", topic = \"dead/{reason}\" } }";
    let report = run(mock_to_mock("dead", policy)).await.unwrap();
    assert_eq!((report.delivered, report.dead_lettered, report.skipped), (1, 3, 0));
    conserved(&report);
    let letters = MockSink::handle("letters").written();
    let topics: Vec<_> = letters.iter().map(|letter| letter.topic.clone().unwrap_or_default()).collect();
    assert_eq!(topics, ["dead/type", "dead/missing", "dead/syntax"]);
    let first: serde_json::Value = serde_json::from_str(&letters[0].text()).unwrap();
    // `{"celsius":"wet"}` in base64.
    assert_eq!(first["payload"], "eyJjZWxzaXVzIjoid2V0In0=");
    assert_eq!((first["reason"].as_str(), first["pipeline"].as_str()), (Some("type"), Some("test")));
    assert!(first["message"].as_str().unwrap().starts_with("field `celsius`: expected float64, got \"wet\""));
}

#[tokio::test]
async fn a_batch_with_dead_letters_waits_for_their_confirmation() {
    let (source, letters) = (MockSource::handle("dead-wait"), MockSink::handle("dead-wait-letters"));
    letters.hold_confirmations();
    source.payloads(["{\"celsius\":\"wet\"}"]);
    let policy = "on_error = { dead_letter = { connector = \"mock\", name = \"dead-wait-letters\", \
                  encoder = { codec = \"raw\", column = \"payload\" } } }";
    let (stop, running) = spawn(mock_to_mock("dead-wait", policy));
    until("the letter arrives", || letters.texts() == ["{\"celsius\":\"wet\"}"]).await;
    assert_eq!(source.acknowledged(), []);
    letters.release_confirmations();
    until("the acknowledgement", || source.acknowledged() == [Checkpoint(1)]).await;
    stop.send(()).unwrap();
    assert_eq!(running.await.unwrap().unwrap().dead_lettered, 1);
}

#[tokio::test]
async fn a_payload_that_the_sink_refuses_is_settled_like_a_bad_record() {
    MockSource::handle("refuse").payloads(["{\"celsius\":1}", "{\"celsius\":2}", "{\"celsius\":3}"]).end();
    let sink = MockSink::handle("refuse");
    sink.refuse(|payload| payload.bytes().ends_with(b"2.0}").then(|| "too hot".to_owned()));
    let report = run(mock_to_mock("refuse", "")).await.unwrap();
    assert_eq!((report.delivered, report.skipped), (2, 1));
    assert_eq!(report.rejected, [(Reason::Refused, 1)]);
    conserved(&report);
    assert_eq!(sink.texts(), ["{\"device\":null,\"celsius\":1.0}", "{\"device\":null,\"celsius\":3.0}"]);
}

#[tokio::test]
async fn a_payload_gets_one_dead_letter_however_many_of_its_records_are_bad() {
    MockSource::handle("many").payloads(["[{\"celsius\":1},{},{\"celsius\":\"wet\"},7]"]).end();
    let policy = "on_error = { dead_letter = { connector = \"mock\", name = \"many-letters\" } }";
    let report = run(mock_to_mock("many", policy)).await.unwrap();
    assert_eq!((report.delivered, report.dead_lettered), (1, 3));
    let letters = MockSink::handle("many-letters").texts();
    let letter: serde_json::Value = serde_json::from_str(&letters[0]).unwrap();
    assert_eq!((letters.len(), letter["records"].as_u64()), (1, Some(3)));
}

#[tokio::test]
async fn a_refused_payload_of_several_records_costs_only_the_one_that_is_too_much() {
    MockSource::handle("halve").payloads((0..9).map(|n| format!("{{\"celsius\":{n}}}"))).end();
    let sink = MockSink::handle("halve");
    sink.refuse(|payload| {
        String::from_utf8_lossy(payload.bytes()).contains(":5.0}").then(|| "not five".to_owned())
    });
    let lines = format!(
        "[source]\nconnector = \"mock\"\nname = \"halve\"\ndecoder = \"json\"\n{SCHEMA}\n[sink]\nconnector = \"mock\"\n\
         name = \"halve\"\nencoder = {{ codec = \"json\", framing = \"array\" }}"
    );
    let report = run(pipeline(&lines)).await.unwrap();
    assert_eq!((report.delivered, report.skipped), (8, 1));
    assert_eq!(sink.texts().concat().matches("celsius").count(), 8);
    assert_eq!(MockSource::handle("halve").acknowledged(), [Checkpoint(1)]);
}

#[tokio::test]
async fn what_is_left_of_a_refused_payload_is_not_acknowledged_before_it_is_confirmed() {
    MockSource::handle("halves").payloads((0..9).map(|n| format!("{{\"celsius\":{n}}}"))).end();
    let sink = MockSink::handle("halves");
    sink.hold_confirmations();
    // All nine in one payload are too much; the halves are not.
    sink.refuse(|payload| (payload.bytes().len() > 200).then(|| "too large".to_owned()));
    let lines = format!(
        "[source]\nconnector = \"mock\"\nname = \"halves\"\ndecoder = \"json\"\n{SCHEMA}\n[sink]\nconnector = \"mock\"\n\
         name = \"halves\"\nencoder = {{ codec = \"json\", framing = \"array\" }}"
    );
    let (_stop, running) = spawn(pipeline(&lines));
    tokio::time::timeout(PATIENCE, sink.until_written(2)).await.unwrap();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(MockSource::handle("halves").acknowledged().is_empty(), "acknowledged before it was confirmed");
    sink.release_confirmations();
    let report = tokio::time::timeout(PATIENCE, running).await.unwrap().unwrap().unwrap();
    assert_eq!((report.delivered, report.payloads_out), (9, 2));
    assert_eq!(MockSource::handle("halves").acknowledged(), [Checkpoint(1)]);
}

#[tokio::test]
async fn a_payload_of_very_many_records_goes_out_in_parts_and_is_acknowledged_once() {
    let many: Vec<String> = (0..1_000).map(|n| format!("{{\"celsius\":{n}}}")).collect();
    MockSource::handle("parts").payloads([format!("[{}]", many.join(","))]).end();
    let sink = MockSink::handle("parts");
    // Nothing of the last part goes out: the checkpoint must move all the same.
    sink.refuse(|payload| {
        let text = String::from_utf8_lossy(payload.bytes()).into_owned();
        (96..100).any(|tens| text.contains(&format!("\"celsius\":{tens}"))).then(|| "too hot".to_owned())
    });
    let lines = format!(
        "[source]\nconnector = \"mock\"\nname = \"parts\"\ndecoder = \"json\"\n{SCHEMA}\n[sink]\nconnector = \"mock\"\n\
         name = \"parts\"\nencoder = {{ codec = \"json\", framing = \"array\" }}\n[batch]\nmax_records = 40"
    );
    let report = run(pipeline(&lines)).await.unwrap();
    assert_eq!((report.records_in, report.delivered, report.skipped), (1_000, 956, 44));
    conserved(&report);
    assert!(sink.texts().iter().all(|text| text.matches("celsius").count() <= 40));
    assert_eq!(MockSource::handle("parts").acknowledged(), [Checkpoint(1)]);
}
