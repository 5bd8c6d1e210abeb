//! Retained messages, wills, shared subscriptions, rendered topics, refusals.

use flow::{Checkpoint, PayloadBatch, SinkConnector, SourceConnector};
use serde_json::{Value, json};

use super::{batch, confirmed, logged, open_sink, open_source, options, publish, subscribed, take, texts};
use crate::support::Broker;
use crate::support::mosquitto::{Mosquitto, password_file};
use crate::support::{in_time, log};

#[tokio::test(flavor = "multi_thread")]
async fn a_retained_message_waits_for_later_subscribers() {
    let Some(broker) = Mosquitto::start() else { return };
    let mut sink =
        open_sink("retain", options(&broker.url(), "retain", &json!({ "qos": 1, "retain": true }))).await;
    publish(&mut sink, 1, ["kept"]).await;
    let mut source = subscribed("retain-source", options(&broker.url(), "retain", &json!({}))).await;
    assert_eq!(texts(&mut source, 1).await, ["kept"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_will_is_published_when_there_was_no_good_bye() {
    let Some(broker) = Mosquitto::start() else { return };
    for version in ["3.1.1", "5"] {
        let label = format!("will-{version}");
        let mut source = subscribed(&label, options(&broker.url(), &label, &json!({}))).await;
        let will = json!({ "topic": label, "payload": "gone", "qos": 1 });
        let other = json!({ "version": version, "will": will });
        let dead = subscribed(&format!("{label}-dead"), options(&broker.url(), "other", &other)).await;
        let polite = subscribed(&format!("{label}-polite"), options(&broker.url(), "other", &other)).await;
        in_time("the good-bye", polite.close()).await.expect("it closes");
        drop(dead);
        assert_eq!(texts(&mut source, 1).await, ["gone"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_subscription_is_shared() {
    let Some(broker) = Mosquitto::start() else { return };
    let extra = json!({ "qos": 1 });
    let mut one = subscribed("share-1", options(&broker.url(), "$share/g/share/#", &extra)).await;
    let mut two = subscribed("share-2", options(&broker.url(), "$share/g/share/#", &extra)).await;
    let mut sink = open_sink("share-sink", options(&broker.url(), "share/t", &extra)).await;
    let sent: Vec<String> = (100..200).map(|number| number.to_string()).collect();
    publish(&mut sink, 1, sent.iter().map(String::as_str)).await;
    let mut all = Vec::new();
    let mut counts = [0, 0];
    while all.len() < sent.len() {
        let (which, got) = tokio::select! {
            got = texts(&mut one, 1) => (0, got),
            got = texts(&mut two, 1) => (1, got),
        };
        counts[which] += got.len();
        all.extend(got);
    }
    all.sort();
    assert_eq!(all, sent);
    assert!(counts[0] > 0 && counts[1] > 0, "{counts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_payload_goes_to_the_topic_that_was_rendered_for_it() {
    let Some(broker) = Mosquitto::start() else { return };
    let list: Value = json!(["route/+/alert", "other/#"]);
    let mut source = subscribed(
        "route",
        super::with(options(&broker.url(), "", &json!({ "qos": 1 })), &json!({ "topic": list })),
    )
    .await;
    let mut sink =
        open_sink("route-sink", options(&broker.url(), "route/{device}/alert", &json!({ "qos": 1 }))).await;
    assert_eq!(sink.route().expect("a template").fields().collect::<Vec<_>>(), ["device"]);
    let mut payloads = PayloadBatch::new();
    for (index, topic) in ["route/a/alert", "other/b", "route/#", "route/c/alert"].iter().enumerate() {
        payloads.push(topic.as_bytes());
        payloads
            .set_topic(index, |out| {
                out.push_str(topic);
                Ok::<_, ()>(())
            })
            .expect("a topic");
    }
    let error = sink.write(&payloads, Checkpoint(1)).await.unwrap_err();
    assert_eq!(error.payload(), Some(2));
    assert!(error.to_string().contains("wildcards"), "{error}");
    payloads.drop_front(3);
    sink.write(&payloads, Checkpoint(1)).await.expect("it is taken");
    confirmed(&mut sink, 1).await;
    let (all, _) = take(&mut source, 3).await;
    assert!(all.iter().all(|(topic, text)| topic == text), "{all:?}");
    let error = sink.write(&batch(["without a topic"]), Checkpoint(2)).await.unwrap_err();
    assert!(error.to_string().contains("no topic"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_over_the_limit_comes_as_a_fault_without_losing_the_connection() {
    let Some(broker) = Mosquitto::start() else { return };
    let extra = json!({ "qos": 1, "max_packet_size": 1000, "client_id": "over" });
    let mut source = subscribed("over", options(&broker.url(), "over", &extra)).await;
    let mut sink = open_sink("over-sink", options(&broker.url(), "over", &json!({ "qos": 1 }))).await;
    let big = "x".repeat(200_000);
    publish(&mut sink, 1, ["a", &big, "b"]).await;
    assert_eq!(texts(&mut source, 3).await, ["a", &big[..1024], "b"]);
    logged("over", "read past a message larger than `max_packet_size` on `over`").await;
    source.close().await.expect("it closes");
    let mut source = subscribed("over-again", options(&broker.url(), "over", &extra)).await;
    publish(&mut sink, 2, ["c"]).await;
    assert_eq!(texts(&mut source, 1).await, ["c"]);
    let lines = log::lines("over-again").join("\n");
    assert!(!lines.contains("read past"), "it was acknowledged: {lines}");
    assert!(!lines.contains("lost"), "{lines}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_named_and_never_shown() {
    let Some(passwords) = password_file("flow", "right") else { return };
    let listener = "allow_anonymous false\npassword_file DIR/passwords\n";
    let Some(broker) = Mosquitto::start_with(listener, &[("passwords", &passwords)]) else { return };
    for version in ["3.1.1", "5"] {
        let label = format!("password-{version}");
        let url = broker.url().replace("mqtt://", "mqtt://flow:hush-hush@");
        let _source = open_source(&label, options(&url, "t", &json!({ "version": version }))).await;
        logged(&label, "refused the connection: not authorized; check `username`").await;
        assert!(!log::lines(&label).iter().any(|line| line.contains("hush-hush")));
        let right = json!({ "version": version, "username": "flow", "password": "right" });
        subscribed(&format!("{label}-right"), options(&broker.url(), "t", &right)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_the_broker_refuses_for_good_ends_the_sink() {
    let listener = "allow_anonymous true\nacl_file DIR/acl\n";
    let Some(broker) = Mosquitto::start_with(listener, &[("acl", "topic readwrite allowed\n")]) else {
        return;
    };
    let extra = json!({ "version": "5", "qos": 1 });
    let mut sink = open_sink("refused", options(&broker.url(), "forbidden", &extra)).await;
    in_time("a write", sink.write(&batch(["a"]), Checkpoint(1))).await.expect("it is taken");
    let error = in_time("the refusal", sink.confirmed()).await.unwrap_err();
    assert!(!error.is_temporary());
    assert!(error.to_string().contains("the broker refused a message for good: not authorized"), "{error}");
    let mut sink = open_sink("allowed", options(&broker.url(), "allowed", &extra)).await;
    publish(&mut sink, 1, ["a"]).await;
}
