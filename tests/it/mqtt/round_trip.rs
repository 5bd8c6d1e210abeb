//! What goes in comes out, whatever the version, the QoS and the broker.

use flow::{Checkpoint, SinkConnector, SourceConnector};
use serde_json::json;

use super::{confirmed, open_sink, options, publish, subscribed, take, texts};
use crate::support::broker::Rumqttd;
use crate::support::mosquitto::Mosquitto;
use crate::support::{Broker, in_time};

#[tokio::test(flavor = "multi_thread")]
async fn through_rumqttd() {
    let broker = Rumqttd::start();
    for version in ["3.1.1", "5"] {
        for qos in [0, 1, 2] {
            round_trip("rumqttd", &broker.url(version), version, qos).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn through_mosquitto() {
    let Some(broker) = Mosquitto::start() else { return };
    for version in ["3.1.1", "5"] {
        for qos in [0, 1, 2] {
            round_trip("mosquitto", &broker.url(), version, qos).await;
        }
    }
}

async fn round_trip(broker: &str, url: &str, version: &str, qos: u8) {
    let topic = format!("trip/{broker}/{version}/{qos}");
    let extra = json!({ "version": version, "qos": qos });
    let mut source = subscribed(&topic, options(url, &format!("{topic}/#"), &extra)).await;
    let mut sink = open_sink(&topic, options(url, &format!("{topic}/a"), &extra)).await;
    // As many as fit the brokers' queues for QoS 0 at once; several batches and both ways at the same time.
    let big = "x".repeat(100_000);
    let sent: Vec<String> = (0..2000).map(|number| number.to_string()).chain([String::new(), big]).collect();
    let writing = async {
        for (number, chunk) in sent.chunks(100).enumerate() {
            publish(&mut sink, number as u64 + 1, chunk.iter().map(String::as_str)).await;
        }
    };
    let reading = texts(&mut source, sent.len());
    let ((), read) = tokio::join!(writing, reading);
    assert_eq!(read, sent, "{topic}");
    in_time("the sink's good-bye", sink.close()).await.expect("it closes");
    in_time("the source's good-bye", source.close()).await.expect("it closes");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_acknowledged_comes_again() {
    let Some(broker) = Mosquitto::start() else { return };
    for version in ["3.1.1", "5"] {
        let extra = json!({ "version": version, "qos": 1, "client_id": format!("again-{version}") });
        let options_ = options(&broker.url(), &format!("again/{version}"), &extra);
        let mut source = subscribed(&format!("again-{version}"), options_.clone()).await;
        let extra = json!({ "version": version, "qos": 1 });
        let mut sink =
            open_sink("again-sink", options(&broker.url(), &format!("again/{version}"), &extra)).await;
        publish(&mut sink, 1, ["a", "b", "c"]).await;
        let (all, _) = take(&mut source, 3).await;
        assert_eq!(all.len(), 3);
        // Dropped without a word, as if the process was killed.
        drop(source);
        let mut source = subscribed(&format!("again-{version}-2"), options_.clone()).await;
        assert_eq!(texts(&mut source, 3).await, ["a", "b", "c"]);
        source.close().await.expect("it closes");
        let mut source = subscribed(&format!("again-{version}-3"), options_).await;
        publish(&mut sink, 2, ["d"]).await;
        assert_eq!(texts(&mut source, 1).await, ["d"], "what was acknowledged does not come again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sink_brings_everything_out_before_it_closes() {
    let broker = Rumqttd::start();
    let extra = json!({ "qos": 1 });
    let mut source = subscribed("close", options(&broker.url("3.1.1"), "close", &extra)).await;
    let mut sink = open_sink("close-sink", options(&broker.url("3.1.1"), "close", &extra)).await;
    let sent: Vec<String> = (0..500).map(|number| number.to_string()).collect();
    in_time("a write", sink.write(&super::batch(sent.iter().map(String::as_str)), Checkpoint(1)))
        .await
        .expect("it is taken");
    in_time("the good-bye", sink.close()).await.expect("it closes");
    assert_eq!(texts(&mut source, 500).await, sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ring_bounds_what_is_taken_while_the_broker_is_away() {
    let extra = json!({ "qos": 1, "max_in_flight": 10 });
    let mut sink = open_sink("away", options("mqtt://127.0.0.1:1", "away", &extra)).await;
    let ten: Vec<String> = (0..10).map(|number| number.to_string()).collect();
    in_time("a write", sink.write(&super::batch(ten.iter().map(String::as_str)), Checkpoint(1)))
        .await
        .expect("it is taken");
    let more = super::batch(["one too many"]);
    let waiting =
        tokio::time::timeout(std::time::Duration::from_millis(200), sink.write(&more, Checkpoint(2))).await;
    assert!(waiting.is_err(), "write waits");
    super::logged("away", "not connected: cannot connect").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_over_the_limit_is_refused_and_the_rest_goes_on() {
    let broker = Rumqttd::start();
    let extra = json!({ "qos": 1, "max_packet_size": 100 });
    let mut source =
        subscribed("refuse", options(&broker.url("5"), "refuse", &json!({ "version": "5" }))).await;
    let mut sink = open_sink(
        "refuse-sink",
        options(&broker.url("5"), "refuse", &super::with(extra, &json!({ "version": "5" }))),
    )
    .await;
    let big = "x".repeat(200);
    let mut payloads = super::batch(["a", &big, "b", &big]);
    let error = sink.write(&payloads, Checkpoint(1)).await.unwrap_err();
    assert_eq!(error.payload(), Some(1));
    assert!(error.to_string().contains("`max_packet_size`"), "{error}");
    payloads.drop_front(2);
    assert_eq!(sink.write(&payloads, Checkpoint(1)).await.unwrap_err().payload(), Some(1));
    payloads.drop_front(2);
    sink.write(&payloads, Checkpoint(1)).await.expect("nothing is left, and the checkpoint ends");
    confirmed(&mut sink, 1).await;
    assert_eq!(texts(&mut source, 2).await, ["a", "b"]);
}
