//! Brokers that go away, connections that are cut or fall silent, and pipelines that stand still.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use flow::connector::mqtt::{MqttSink, MqttSource};
use flow::{Checkpoint, PayloadBatch, Progress, SinkConnector, SourceConnector};
use serde_json::json;

use super::{batch, confirmed, logged, open_sink, options, publish, subscribed, take, texts};
use crate::support::broker::Rumqttd;
use crate::support::mosquitto::Mosquitto;
use crate::support::proxy::Proxy;
use crate::support::{Broker, in_time, log, until};

/// Publishes the numbers `from..to` as texts, in batches of 50; the checkpoint is how many.
async fn publish_numbers(sink: &mut MqttSink, from: u64, to: u64) {
    for start in (from..to).step_by(50) {
        let end = (start + 50).min(to);
        let numbers: Vec<String> = (start..end).map(|number| number.to_string()).collect();
        let numbers = batch(numbers.iter().map(String::as_str));
        in_time("a write", sink.write(&numbers, Checkpoint(end))).await.expect("it is taken");
        confirmed(sink, end).await;
    }
}

/// Reads until every number below `count` has come, and says how often each has.
async fn read_numbers(source: &mut MqttSource, count: u64) -> BTreeMap<u64, usize> {
    let mut seen = BTreeMap::new();
    let mut batch = PayloadBatch::new();
    while seen.len() < count as usize {
        batch.clear();
        let what = format!("number {} of {count}", seen.len() + 1);
        let Progress::Batch(checkpoint) = in_time(&what, source.next(&mut batch)).await.expect("no failure")
        else {
            panic!("the source has ended");
        };
        for payload in batch.iter() {
            let text = std::str::from_utf8(payload.bytes()).expect("text");
            *seen.entry(text.parse().expect("a number")).or_default() += 1;
        }
        source.acknowledge(checkpoint).await.expect("no failure");
    }
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_broker_costs_nothing() {
    let Some(mut broker) = Mosquitto::start() else { return };
    for version in ["3.1.1", "5"] {
        let label = format!("restart-{version}");
        let extra = json!({ "version": version, "qos": 1, "client_id": label });
        let mut source = subscribed(&label, options(&broker.url(), &label, &extra)).await;
        let sink_label = format!("{label}-sink");
        let extra = json!({ "version": version, "qos": 1, "client_id": sink_label });
        let mut sink = open_sink(&sink_label, options(&broker.url(), &label, &extra)).await;
        let reading = tokio::spawn(async move { read_numbers(&mut source, 3000).await });
        for part in 0..3 {
            publish_numbers(&mut sink, part * 1000, (part + 1) * 1000 - 500).await;
            let writing = tokio::spawn(async move {
                publish_numbers(&mut sink, (part + 1) * 1000 - 500, (part + 1) * 1000).await;
                sink
            });
            broker.stop();
            broker.run();
            sink = in_time("the rest", writing).await.expect("no panic");
        }
        in_time("every number", reading).await.expect("no panic");
        logged(&label, "connection lost").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_forgets_is_subscribed_to_again() {
    let Some(mut broker) = Mosquitto::start() else { return };
    let mut source = subscribed("forget", options(&broker.url(), "forget", &json!({ "qos": 1 }))).await;
    broker.stop();
    broker.run();
    until("a new subscription", || broker.log().contains("Sending SUBACK")).await;
    let mut sink = open_sink("forget-sink", options(&broker.url(), "forget", &json!({ "qos": 1 }))).await;
    publish(&mut sink, 1, ["after"]).await;
    assert_eq!(texts(&mut source, 1).await, ["after"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_connections_lose_nothing() {
    let Some(broker) = Mosquitto::start() else { return };
    let proxy = Proxy::start(broker.port()).await;
    let extra = json!({ "qos": 1, "client_id": "cut" });
    let mut source = subscribed("cut", options(&proxy.url(), "cut", &extra)).await;
    let extra = json!({ "qos": 1, "client_id": "cut-sink" });
    let mut sink = open_sink("cut-sink", options(&proxy.url(), "cut", &extra)).await;
    // Both outlive their numbers: every cut is followed by two new connections.
    let reading = tokio::spawn(async move { (read_numbers(&mut source, 5000).await, source) });
    let writing = tokio::spawn(async move {
        publish_numbers(&mut sink, 0, 5000).await;
        sink
    });
    for _ in 0..5 {
        let before = proxy.connections();
        proxy.cut();
        until("two new connections", || proxy.connections() >= before + 2).await;
    }
    let _sink = in_time("writing", writing).await.expect("no panic");
    let (seen, _source) = in_time("every number", reading).await.expect("no panic");
    assert_eq!(seen.len(), 5000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standing_pipeline_does_not_cost_the_connection() {
    for broker in ["rumqttd", "mosquitto"] {
        let mosquitto;
        let url = if broker == "mosquitto" {
            mosquitto = Mosquitto::start();
            let Some(mosquitto) = &mosquitto else { return };
            mosquitto.url()
        } else {
            Rumqttd::start().url("3.1.1")
        };
        let label = format!("stand-{broker}");
        let extra = json!({ "qos": 1, "keep_alive": 2, "client_id": label });
        let mut source = subscribed(&label, options(&url, &label, &extra)).await;
        let mut sink = open_sink(&format!("{label}-sink"), options(&url, &label, &json!({ "qos": 1 }))).await;
        // More bytes than the source keeps, so that it stops reading.
        let payload = "x".repeat(20_000);
        let sent: Vec<&str> = vec![&payload; 300];
        in_time("a write", sink.write(&batch(sent), Checkpoint(1))).await.expect("it is taken");
        // The pipeline holds some messages, and does not come back for more.
        let (held, checkpoint) = take(&mut source, 1).await;
        // The time itself is what is tested here: three times the keep-alive, and more.
        let stands = Instant::now() + Duration::from_secs(7);
        tokio::time::sleep_until(stands.into()).await;
        source.acknowledge(checkpoint).await.expect("no failure");
        let rest = 300 - held.len();
        assert_eq!(texts(&mut source, rest).await.len(), rest, "none twice: the connection was never lost");
        let lines = log::lines(&label);
        assert!(!lines.iter().any(|line| line.contains("lost")), "{lines:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_connection_is_given_up_and_made_again() {
    let Some(broker) = Mosquitto::start() else { return };
    let proxy = Proxy::start(broker.port()).await;
    let extra = json!({ "qos": 1, "keep_alive": 1, "client_id": "silent" });
    let mut source = subscribed("silent", options(&proxy.url(), "silent", &extra)).await;
    proxy.stall();
    logged("silent", "silent for one and a half times the keep-alive").await;
    proxy.cut();
    let mut sink = open_sink("silent-sink", options(&broker.url(), "silent", &json!({ "qos": 1 }))).await;
    publish(&mut sink, 1, ["after"]).await;
    assert_eq!(texts(&mut source, 1).await, ["after"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_component_ends_its_connection() {
    let Some(broker) = Mosquitto::start() else { return };
    let source = subscribed(
        "dropped",
        options(&broker.url(), "dropped", &json!({ "client_id": "dropped", "clean_session": true })),
    )
    .await;
    drop(source);
    until("the end of the connection", || broker.log().contains("Client dropped closed its connection"))
        .await;
    let source = subscribed(
        "closed",
        options(&broker.url(), "closed", &json!({ "client_id": "closed", "clean_session": true })),
    )
    .await;
    in_time("the good-bye", source.close()).await.expect("it closes");
    until("the good-bye", || broker.log().contains("Received DISCONNECT from closed")).await;
}
