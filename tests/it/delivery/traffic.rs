//! Numbered messages: who sends them and who takes them down.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use flow::connector::mqtt::{MqttSink, MqttSource};
use flow::{Checkpoint, Metadata, PayloadBatch, Progress, SinkConnector, SourceConnector};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::ledger::Ledger;
use crate::mqtt::build;
use crate::support::{PATIENCE, log, until};

/// Waits until the listener has seen `count` different numbers. Where it sees no new one for a long time it fails, with
/// what the processes have written to their logs.
pub(super) async fn until_seen(count: usize, ledger: &Mutex<Ledger>, logs: impl Fn() -> String) {
    let seen = || ledger.lock().expect("the ledger").distinct();
    let mut last = (seen(), Instant::now());
    while last.0 < count {
        let waited = last.1.elapsed();
        let ledger = ledger.lock().expect("the ledger");
        assert!(
            waited < PATIENCE,
            "{} have arrived, and no new one for {PATIENCE:?}; missing: {}\n{}",
            last.0,
            ledger.first_missing(),
            logs()
        );
        drop(ledger);
        tokio::time::sleep(Duration::from_millis(2)).await;
        if seen() != last.0 {
            last = (seen(), Instant::now());
        }
    }
}

/// What the log calls the publisher.
pub(super) const PUBLISHER: &str = "ledger-publisher";

/// What the log calls the listener.
pub(super) fn listener_at(url: &str) -> String {
    format!("listener at {url}")
}

/// Whoever takes the numbers down, when the broker has confirmed its subscription.
pub(super) async fn subscribe(url: &str) -> MqttSource {
    log::collect();
    let label = listener_at(url);
    let options = json!({ "url": url, "client_id": "ledger-listener", "topic": "out/+", "qos": 1 });
    let mut source: MqttSource = build(&label, options);
    source.open().await.expect("it opens");
    until("the listener's subscription", || {
        log::lines(&label).iter().any(|line| line.contains("subscribed"))
    })
    .await;
    source
}

/// Records every number that comes out of the pipeline.
pub(super) fn listen(mut source: MqttSource, ledger: Arc<Mutex<Ledger>>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut batch = PayloadBatch::new();
        loop {
            batch.clear();
            let Progress::Batch(checkpoint) = source.next(&mut batch).await.expect("a batch") else { return };
            for payload in batch.iter() {
                let record: Value = serde_json::from_slice(payload.bytes()).expect("JSON");
                let number = record["number"].as_u64().expect("a number");
                ledger.lock().expect("the ledger").record(usize::try_from(number).expect("a small number"));
            }
            source.acknowledge(checkpoint).await.expect("an acknowledgement");
        }
    })
}

/// How fast the numbers are sent.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pace {
    /// As fast as they come out, and so many ahead of it.
    Ahead(usize),
    /// So many a second, whatever comes out.
    PerSecond(usize),
}

/// Sends every number once, and ends when the broker has confirmed them all.
pub(super) async fn publish(
    url: &str,
    ledger: Arc<Mutex<Ledger>>,
    total: usize,
    pace: Pace,
) -> JoinHandle<()> {
    let mut sink: MqttSink = build(PUBLISHER, json!({ "url": url, "topic": "in/{device}", "qos": 1 }));
    sink.open().await.expect("it opens");
    tokio::spawn(async move {
        let mut batch = PayloadBatch::new();
        let (mut sent, start) = (0, Instant::now());
        while sent < total {
            let due = match pace {
                Pace::Ahead(ahead) => ledger.lock().expect("the ledger").distinct() + ahead,
                Pace::PerSecond(rate) => (start.elapsed().as_secs_f64() * rate as f64) as usize,
            };
            if sent >= due {
                tokio::time::sleep(Duration::from_millis(1)).await;
                continue;
            }
            batch.clear();
            let until = (sent + 50).min(total);
            for number in sent..until {
                let payload = format!("{{\"n\":{number},\"device\":\"d{}\",\"noise\":[1,2,3]}}", number % 7);
                let topic = format!("in/d{}", number % 7);
                batch.push_with(payload.as_bytes(), Metadata { topic: Some(&topic), ..Metadata::default() });
            }
            sink.write(&batch, Checkpoint(until as u64)).await.expect("written");
            sent = until;
        }
        while sink.confirmed().await.expect("a confirmation") < Checkpoint(total as u64) {}
        sink.close().await.expect("good-bye");
    })
}
