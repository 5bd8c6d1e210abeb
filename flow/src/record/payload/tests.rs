use super::{Metadata, Payload, PayloadBatch};
use crate::error::{Reason, RecordError};

#[test]
fn a_payload_keeps_its_metadata_and_headers() {
    let mut batch = PayloadBatch::new();
    batch.push_with(b"a", Metadata { topic: Some("t/1"), key: None, time: Some(7) });
    batch.push_header("trace", "x");
    batch.push(b"b");
    batch.push_header("trace", "y");
    let (a, b) = (batch.get(0).unwrap(), batch.get(1).unwrap());
    assert_eq!((a.bytes(), a.metadata().topic, a.metadata().time), (&b"a"[..], Some("t/1"), Some(7)));
    assert_eq!((a.header("trace"), b.header("trace")), (Some("x"), Some("y")));
    assert_eq!((b.bytes(), b.metadata()), (&b"b"[..], Metadata::default()));

    let mut copy = PayloadBatch::new();
    copy.push_payload(a);
    assert_eq!((copy.get(0).unwrap().bytes(), copy.get(0).unwrap().header("trace")), (&b"a"[..], Some("x")));
}

#[test]
fn a_fault_stays_with_its_payload() {
    let mut batch = PayloadBatch::new();
    batch.reject(RecordError::new(Reason::Size, "of none"));
    for text in ["a", "b", "c"] {
        batch.push(text.as_bytes());
        if text != "b" {
            batch.reject(RecordError::new(Reason::Size, text));
        }
    }
    batch.drop_front(1);
    let mut copy = PayloadBatch::new();
    batch.iter().for_each(|payload| copy.push_payload(payload));
    for batch in [&batch, &copy] {
        let faults: Vec<_> = batch.iter().map(|payload| payload.fault().map(RecordError::message)).collect();
        assert_eq!(faults, [None, Some("c")]);
    }
    copy.clear();
    copy.push(b"d");
    assert_eq!(copy.get(0).unwrap().fault(), None);
}

#[test]
fn what_is_not_finished_is_no_payload() {
    let mut batch = PayloadBatch::new();
    batch.push(b"one");
    batch.buffer().extend_from_slice(b"half");
    batch.discard_open();
    batch.buffer().extend_from_slice(b"two");
    batch.finish();
    batch.buffer().extend_from_slice(b"half");
    batch.push(b"three");
    let all: Vec<_> = batch.iter().map(Payload::bytes).collect();
    assert_eq!(all, [&b"one"[..], b"two", b"three"]);
    batch.truncate(1);
    batch.finish();
    let all: Vec<_> = batch.iter().map(Payload::bytes).collect();
    assert_eq!(all, [&b"one"[..], b""]);
    batch.drop_front(1);
    assert_eq!(batch.get(0).unwrap().bytes(), b"");
    batch.clear();
    assert!(batch.is_empty());
}

#[test]
fn a_topic_that_cannot_be_written_leaves_the_old_one() {
    let mut batch = PayloadBatch::new();
    batch.push_with(b"a", Metadata { topic: Some("old"), ..Metadata::default() });
    let refused = batch.set_topic(0, |text| {
        text.push_str("half");
        Err("no")
    });
    assert_eq!(refused, Err("no"));
    assert_eq!(batch.get(0).unwrap().metadata().topic, Some("old"));
    batch
        .set_topic(0, |text| {
            text.push_str("new");
            Ok::<_, ()>(())
        })
        .unwrap();
    assert_eq!(batch.get(0).unwrap().metadata().topic, Some("new"));
}

#[test]
fn what_comes_with_a_payload_counts_towards_the_limit_of_a_batch() {
    let mut batch = PayloadBatch::new();
    let value = "x".repeat(PayloadBatch::MAX_BYTES / 8);
    let mut payloads = 0;
    while !batch.is_full() {
        batch.push(b"1");
        batch.push_header("name", &value);
        payloads += 1;
    }
    assert_eq!(payloads, 8);
    batch.clear();
    // Empty ones have a place in memory, too.
    batch.push(b"1");
    let mut headers = 0;
    while !batch.is_full() {
        batch.push_header("", "");
        headers += 1;
    }
    assert!(headers <= PayloadBatch::MAX_BYTES / 32 + 1, "{headers}");
}
