//! Once its buffers have grown, a pipeline of columnar records allocates nothing per record.
#![cfg(feature = "json")]
#![allow(unsafe_code, reason = "an allocator cannot be written without")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use flow::codec::json::{JsonDecoder, JsonDecoderFraming, JsonEncoder, JsonEncoderFraming};
use flow::{
    CollectBatch, Collection, CollectionEncoder, Field, Metadata, PayloadBatch, RecordDecoder, Records,
    Schema, Template, Type,
};

/// Counts what the thread allocates.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

fn count() {
    // A thread that is ending has no counter any more, and nobody reads it.
    let _ = ALLOCATIONS.try_with(|allocations| allocations.set(allocations.get() + 1));
}

// SAFETY: every call goes on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the promises that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn a_batch_is_decoded_changed_and_encoded_without_an_allocation() {
    let schema = Schema::from_value(&serde_json::json!({
        "device": "string",
        "celsius": "float64",
        "at": "timestamp(ms, rfc3339)",
        "raw": "binary",
        "samples": "list(int16)",
        "place": { "type": "struct", "fields": { "lat": "float64", "name": "string" } },
        "deep": { "type": "bool", "from": "a.b[1]" },
        "topic": { "type": "string", "from": "meta.topic" },
    }))
    .unwrap();
    let with_fahrenheit = schema.with("", Field::new("fahrenheit", Type::Float64)).unwrap();
    let picked: Vec<usize> = (1..with_fahrenheit.fields().len()).collect();
    let output = Schema::new(picked.iter().map(|at| with_fahrenheit.fields()[*at].clone()).collect());
    let template = Template::parse("alerts/{celsius}/{at}", |_| Ok(())).unwrap();

    let mut input = PayloadBatch::new();
    for index in 0..500 {
        let payload = format!(
            r#"{{"device":"pump-{index}","x":5,"celsius":{index}.5,"at":"2026-11-23T10:15:00.250Z","raw":"aGVsbG8=",
            "samples":[1,2,{index}],"place":{{"lat":1.25,"name":null}},"a":{{"b":[0,true]}}}}"#
        );
        input.push_with(payload.as_bytes(), Metadata { topic: Some("t/1"), ..Metadata::default() });
    }
    let mut records = Records::new(&schema);
    let mut out = PayloadBatch::new();
    let mut decoder = JsonDecoder::new(JsonDecoderFraming::Auto);
    let mut encoder = JsonEncoder::new(JsonEncoderFraming::Object);
    let mut topic = String::new();

    let mut counts = Vec::new();
    let mut results = Vec::new();
    for _ in 0..4 {
        let before = ALLOCATIONS.get();
        records.clear();
        out.clear();
        for (index, payload) in input.iter().enumerate() {
            records.begin_payload(index, payload);
            decoder.decode(payload.bytes(), &mut records).unwrap();
        }
        assert_eq!(records.len(), 500);
        let celsius =
            |records: &Records, index| records.column(1).values::<f64>().unwrap()[records.row(index)];
        records.retain(|records, index| celsius(records, index) > 50.0);
        records.add_column(&with_fahrenheit, |records, index, cell| {
            cell.set(celsius(records, index) * 1.8 + 32.0)
        });
        records.project(&output, &picked);
        for index in 0..records.len() {
            topic.clear();
            records.render(index, &template, &mut topic).unwrap();
        }
        encoder.encode(&records, &mut out).unwrap();
        counts.push(ALLOCATIONS.get() - before);
        results.push(out.iter().map(|payload| payload.bytes().to_vec()).collect::<Vec<_>>());
    }
    assert!(counts[0] > 0, "the allocator does not count");
    // Two lists of selected rows take turns, so that the second batch still grows one.
    assert_eq!(counts[2..], [0, 0], "allocations of each batch: {counts:?}");
    assert_eq!(results[0].len(), 450);
    assert!(
        results.iter().all(|batch| *batch == results[0]),
        "a batch that is used again gives other results"
    );
    assert_eq!(
        String::from_utf8_lossy(&results[0][0]),
        r#"{"celsius":50.5,"at":"2026-11-23T10:15:00.250Z","raw":"aGVsbG8=","samples":[1,2,50],"place":{"lat":1.25,"name":null},"deep":true,"topic":"t/1","fahrenheit":122.9}"#
    );
}
