//! The `mqtt` source and sink against rumqttd and Mosquitto.

mod conformance;
mod faults;
mod features;
mod pace;
mod round_trip;
mod scripted;
mod tls;

use flow::connector::mqtt::{MqttSink, MqttSource};
use flow::{
    BuildContext, Checkpoint, Component, Metadata, PayloadBatch, Progress, SinkConnector, SourceConnector,
};
use serde_json::{Value, json};

use crate::support::{in_time, log, until};

pub(crate) fn build<C: Component>(label: &str, options: Value) -> C {
    let config: C::Config = serde_json::from_value(options).expect("options");
    C::build(config, &BuildContext::new(label, "")).expect("a component")
}

/// `base` with the keys of `extra`.
fn with(mut base: Value, extra: &Value) -> Value {
    for (key, value) in extra.as_object().expect("an object") {
        base[key] = value.clone();
    }
    base
}

/// A source. Without a client id it is one that may lose messages: what most of these tests look at never does.
async fn open_source(label: &str, mut options: Value) -> MqttSource {
    log::collect();
    if options.get("client_id").is_none() {
        options["at_least_once"] = json!(false);
    }
    let mut source: MqttSource = build(label, options);
    source.open().await.expect("it opens");
    source
}

/// A source whose subscription the broker has confirmed.
async fn subscribed(label: &str, options: Value) -> MqttSource {
    let source = open_source(label, options).await;
    logged(label, "subscribed").await;
    source
}

async fn open_sink(label: &str, options: Value) -> MqttSink {
    log::collect();
    let mut sink: MqttSink = build(label, options);
    sink.open().await.expect("it opens");
    sink
}

/// Waits for a log line of `label` that holds `words`.
async fn logged(label: &str, words: &str) {
    until(&format!("`{words}` in the log of {label}"), || {
        log::lines(label).iter().any(|line| line.contains(words))
    })
    .await;
}

fn batch<'a>(texts: impl IntoIterator<Item = &'a str>) -> PayloadBatch {
    let mut batch = PayloadBatch::new();
    for text in texts {
        batch.push(text.as_bytes());
    }
    batch
}

/// Publishes and waits until it is confirmed.
async fn publish<'a>(sink: &mut MqttSink, checkpoint: u64, texts: impl IntoIterator<Item = &'a str>) {
    in_time("a write", sink.write(&batch(texts), Checkpoint(checkpoint))).await.expect("it is taken");
    confirmed(sink, checkpoint).await;
}

async fn confirmed(sink: &mut MqttSink, checkpoint: u64) {
    while in_time("a confirmation", sink.confirmed()).await.expect("no failure") < Checkpoint(checkpoint) {}
}

/// The topics and texts of the next `count` messages or a few more, and their last checkpoint. Acknowledges nothing.
async fn take(source: &mut MqttSource, count: usize) -> (Vec<(String, String)>, Checkpoint) {
    let mut all = Vec::new();
    let mut last = Checkpoint(0);
    let mut batch = PayloadBatch::new();
    while all.len() < count {
        batch.clear();
        let what = format!("message {} of {count}", all.len() + 1);
        match in_time(&what, source.next(&mut batch)).await.expect("no failure") {
            Progress::Batch(checkpoint) => last = checkpoint,
            _ => panic!("the source has ended"),
        }
        for payload in batch.iter() {
            let Metadata { topic, time, .. } = payload.metadata();
            assert!(time.is_some_and(|time| time > 1_600_000_000_000_000), "microseconds since 1970");
            let text = String::from_utf8(payload.bytes().to_vec()).expect("text");
            all.push((topic.expect("a topic").to_owned(), text));
        }
    }
    (all, last)
}

/// The texts alone, acknowledged as they come: a broker sends only so many that are not.
async fn texts(source: &mut MqttSource, count: usize) -> Vec<String> {
    let mut texts = Vec::new();
    while texts.len() < count {
        let (some, checkpoint) = take(source, 1).await;
        source.acknowledge(checkpoint).await.expect("no failure");
        texts.extend(some.into_iter().map(|(_, text)| text));
    }
    texts
}

fn options(url: &str, topic: &str, extra: &Value) -> Value {
    with(json!({ "url": url, "topic": topic }), extra)
}
