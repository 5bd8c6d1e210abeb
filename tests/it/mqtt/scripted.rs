//! Brokers that misbehave, over real sockets. What needs no socket is tested at the session itself, with a time of its own.

use std::time::Duration;

use flow::connector::mqtt::MqttSource;
use flow::{Checkpoint, PayloadBatch, Progress, SinkConnector, SourceConnector};
use serde_json::json;
use tokio::sync::mpsc;

use super::{batch, confirmed, logged, open_sink, open_source, options, publish, subscribed, take, texts};
use crate::support::mosquitto::Mosquitto;
use crate::support::scripted::{Scripted, message};
use crate::support::{in_time, log, until};

const ACCEPTED: [u8; 4] = [0x20, 2, 0, 0];
const RESUMED: [u8; 4] = [0x20, 2, 1, 0];
const ACCEPTED5: [u8; 5] = [0x20, 3, 0, 0, 0];

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_breaks_off_comes_whole_on_the_next_connection() {
    let broker = Scripted::start(|number, mut peer| async move {
        peer.accept(if number == 0 { &ACCEPTED } else { &RESUMED }).await?;
        if number == 0 {
            peer.grant(1, &[]).await?;
            let whole = message(0x32, 1, &[], "whole");
            return peer.send(&whole[..whole.len() - 2]).await;
        }
        peer.send(&message(0x3a, 1, &[], "whole")).await?;
        assert_eq!(peer.expect(4).await?, [0x40, 2, 0, 1]);
        peer.listen().await
    })
    .await;
    let extra = json!({ "qos": 1, "client_id": "break" });
    let mut source = open_source("break", options(&broker.url(), "t", &extra)).await;
    assert_eq!(texts(&mut source, 1).await, ["whole"]);
    in_time("the good-bye", source.close()).await.expect("it closes");
    broker.check();
}

#[tokio::test(flavor = "multi_thread")]
async fn packets_may_come_byte_by_byte_and_qos_2_goes_through() {
    let broker = Scripted::start(|number, mut peer| async move {
        peer.expect(1).await?;
        for byte in if number == 0 { ACCEPTED } else { RESUMED } {
            peer.send(&[byte]).await?;
        }
        if number == 0 {
            peer.grant(2, &[]).await?;
            for byte in [message(0x34, 1, &[], "a"), message(0x34, 2, &[], "b")].concat() {
                peer.send(&[byte]).await?;
            }
            assert_eq!(peer.expect(5).await?, [0x50, 2, 0, 1]);
            assert_eq!(peer.expect(5).await?, [0x50, 2, 0, 2]);
            // The second handshake breaks off, and the broker has not seen its PUBREC.
            peer.send(&[0x62, 2, 0, 1]).await?;
            assert_eq!(peer.expect(7).await?, [0x70, 2, 0, 1]);
            return Ok(());
        }
        peer.send(&message(0x3c, 2, &[], "b")).await?;
        assert_eq!(peer.expect(5).await?, [0x50, 2, 0, 2]);
        peer.send(&[&[0x62, 2, 0, 2][..], &message(0x34, 1, &[], "c")].concat()).await?;
        assert_eq!(peer.expect(7).await?, [0x70, 2, 0, 2]);
        assert_eq!(peer.expect(5).await?, [0x50, 2, 0, 1]);
        peer.listen().await
    })
    .await;
    let extra = json!({ "qos": 2, "client_id": "bytes" });
    let mut source = open_source("bytes", options(&broker.url(), "t", &extra)).await;
    assert_eq!(texts(&mut source, 3).await, ["a", "b", "c"], "each once");
    in_time("the good-bye", source.close()).await.expect("it closes");
    broker.check();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_says_nothing_is_left_in_time() {
    let broker = Scripted::start(|_, mut peer| async move { peer.listen().await }).await;
    let extra = json!({ "connect_timeout": 1 });
    let _source = open_source("mute", options(&broker.url(), "t", &extra)).await;
    logged("mute", "the broker did not answer CONNECT in time").await;
    until("another attempt", || broker.connections() >= 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_broker_does_there_are_ten_attempts_in_ten_seconds_at_most() {
    let broker = Scripted::start(|number, mut peer| async move {
        match number % 4 {
            0 => Ok(()),
            1 => peer.accept(&ACCEPTED).await,
            2 => peer.send(&ACCEPTED[..3]).await,
            // It is busy.
            _ => peer.accept(&[0x20, 2, 0, 3]).await,
        }
    })
    .await;
    let twins = Scripted::start(|_, mut peer| async move { peer.accept(&ACCEPTED).await }).await;
    let _source = open_source("hasty", options(&broker.url(), "t", &json!({}))).await;
    let _twin = open_source("twin", options(&twins.url(), "t", &json!({}))).await;
    logged("twin", "does another client use the same `client_id`?").await;
    // The time itself is what is tested here.
    tokio::time::sleep(Duration::from_secs(5)).await;
    for broker in [&broker, &twins] {
        assert!((3..=10).contains(&broker.connections()), "{} attempts", broker.connections());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_a_broker_closes_the_connection_for_is_named_by_its_size() {
    let broker = Scripted::start(|_, mut peer| async move {
        peer.accept(&ACCEPTED).await?;
        peer.expect(3).await.map(drop)
    })
    .await;
    let mut sink = open_sink("giant", options(&broker.url(), "t", &json!({ "qos": 1 }))).await;
    let giant = "x".repeat(1000);
    in_time("a write", sink.write(&batch([giant.as_str()]), Checkpoint(1))).await.expect("it is taken");
    logged("giant", "is a message of 1008 bytes too large for it, or does another client").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_of_mqtt_5_is_told_what_it_broke() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let broker = Scripted::start(move |_, mut peer| {
        let tell = tell.clone();
        async move {
            peer.accept(&ACCEPTED5).await?;
            peer.grant(1, &[0]).await?;
            // A topic alias that was never set.
            peer.send(&[0x30, 6, 0, 0, 3, 0x23, 0, 1]).await?;
            // Nobody listens any more where the test has failed.
            let _ = tell.send(peer.packet().await?);
            Ok(())
        }
    })
    .await;
    let _source = open_source("broken", options(&broker.url(), "t", &json!({ "version": "5" }))).await;
    logged("broken", "the broker broke the protocol").await;
    assert_eq!(in_time("the last packet", told.recv()).await, Some(vec![0xe0, 1, 0x82]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_client_id_is_not_fought_for() {
    let broker = Scripted::start(|_, mut peer| async move {
        peer.accept(&ACCEPTED5).await?;
        peer.send(&[0xe0, 2, 0x8e, 0]).await
    })
    .await;
    let _source = open_source("taken", options(&broker.url(), "t", &json!({ "version": "5" }))).await;
    logged("taken", "another client with the same client id has connected; give each its own `client_id`")
        .await;
    // Any other loss would be followed by another attempt within a tenth of a second.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(broker.connections(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_the_broker_does_not_take_now_comes_again() {
    let broker = Scripted::start(|number, mut peer| async move {
        peer.accept(&ACCEPTED5).await?;
        let publish = peer.expect(3).await?;
        assert_eq!(publish[0], if number == 0 { 0x32 } else { 0x3a });
        // Quota exceeded, with a word about it.
        let refusal = [0x40, 8, 0, 1, 0x97, 4, 0x1f, 0, 1, b'!'];
        peer.send(if number == 0 { &refusal } else { &[0x40, 2, 0, 1] }).await?;
        peer.listen().await
    })
    .await;
    let extra = json!({ "version": "5", "qos": 1 });
    let mut sink = open_sink("quota", options(&broker.url(), "t", &extra)).await;
    publish(&mut sink, 1, ["a"]).await;
    assert_eq!(broker.connections(), 2);
    logged("quota", "the broker cannot take a message now: quota exceeded (\"!\")").await;
    broker.check();
}

#[tokio::test(flavor = "multi_thread")]
async fn late_and_unknown_acknowledgements_confirm_nothing() {
    let broker = Scripted::start(|number, mut peer| async move {
        peer.accept(&ACCEPTED).await?;
        for id in [1, 2] {
            let publish = peer.expect(3).await?;
            assert_eq!(publish[5..7], [0, id], "in order");
        }
        if number == 0 {
            return Ok(());
        }
        // Of nothing, of an id beyond all, and of the second before the first.
        for id in [99, 0, 0xffff, 2, 2, 1_u16] {
            let [high, low] = id.to_be_bytes();
            peer.send(&[0x40, 2, high, low]).await?;
        }
        peer.listen().await
    })
    .await;
    let mut sink = open_sink("late", options(&broker.url(), "t", &json!({ "qos": 1 }))).await;
    publish(&mut sink, 1, ["a", "b"]).await;
    assert_eq!(broker.connections(), 2);
    broker.check();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receive_maximum_of_1_is_held() {
    let broker = Scripted::start(|_, mut peer| async move {
        peer.accept(&[0x20, 6, 0, 0, 3, 0x21, 0, 1]).await?;
        for id in 1..=20 {
            peer.expect(3).await?;
            if id < 3 {
                let more = tokio::time::timeout(Duration::from_millis(50), peer.packet()).await;
                assert!(more.is_err(), "a second one: {more:?}");
            }
            peer.send(&[0x40, 2, 0, id]).await?;
        }
        peer.listen().await
    })
    .await;
    let extra = json!({ "version": "5", "qos": 1 });
    let mut sink = open_sink("one", options(&broker.url(), "t", &extra)).await;
    let all: Vec<String> = (0..20).map(|number| number.to_string()).collect();
    in_time("a write", sink.write(&batch(all.iter().map(String::as_str)), Checkpoint(1)))
        .await
        .expect("it is taken");
    confirmed(&mut sink, 1).await;
    broker.check();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_of_mqtt_5_that_ignores_the_limit_costs_one_message_and_no_connection() {
    let broker = Scripted::start(|_, mut peer| async move {
        peer.accept(&ACCEPTED5).await?;
        peer.grant(1, &[0]).await?;
        // The first sets an alias for its topic, the second only has that.
        let big = message(0x32, 1, &[3, 0x23, 0, 1], &"x".repeat(300_000));
        peer.send(&big).await?;
        peer.send(&[0x32, 9, 0, 0, 0, 2, 3, 0x23, 0, 1, b'a']).await?;
        assert_eq!(peer.expect(4).await?, [0x40, 2, 0, 1]);
        assert_eq!(peer.expect(4).await?, [0x40, 2, 0, 2]);
        peer.listen().await
    })
    .await;
    let extra = json!({ "version": "5", "qos": 1, "max_packet_size": 1000, "client_id": "big" });
    let mut source = open_source("big", options(&broker.url(), "t", &extra)).await;
    let (faults, topics) = faults(&mut source, 2).await;
    assert!(faults[0].as_ref().is_some_and(|fault| fault.contains("larger than `max_packet_size`")));
    assert_eq!((&faults[1], topics), (&None, vec!["t".to_owned(), "t".to_owned()]));
    in_time("the good-bye", source.close()).await.expect("it closes");
    assert_eq!(broker.connections(), 1);
    broker.check();
}

/// The faults and topics of the next messages, which are acknowledged.
async fn faults(source: &mut MqttSource, count: usize) -> (Vec<Option<String>>, Vec<String>) {
    let (mut faults, mut topics) = (Vec::new(), Vec::new());
    let mut batch = PayloadBatch::new();
    while faults.len() < count {
        batch.clear();
        let Progress::Batch(checkpoint) = in_time("a batch", source.next(&mut batch)).await.expect("a batch")
        else {
            panic!("the source has ended")
        };
        faults.extend(batch.iter().map(|payload| payload.fault().map(ToString::to_string)));
        topics.extend(batch.iter().map(|payload| payload.metadata().topic.expect("a topic").to_owned()));
        source.acknowledge(checkpoint).await.expect("no failure");
    }
    (faults, topics)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lesser_grant_than_at_least_once_ends_the_source() {
    let broker = Scripted::start(|_, mut peer| async move {
        peer.accept(&ACCEPTED).await?;
        peer.grant(0, &[]).await?;
        peer.listen().await
    })
    .await;
    let extra = json!({ "qos": 1, "client_id": "less" });
    let mut source = open_source("less", options(&broker.url(), "t", &extra)).await;
    let error = in_time("the end", source.next(&mut PayloadBatch::new())).await.unwrap_err();
    assert!(
        error.to_string().contains("the broker grants `t` QoS 0 only") && !error.is_temporary(),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_of_this_machine_serves_as_well() {
    let listener = "allow_anonymous true\nlistener 0 DIR/socket\n";
    let Some(broker) = Mosquitto::start_with(listener, &[]) else { return };
    let url = format!("unix://{}", broker.file("socket"));
    let extra = json!({ "qos": 2, "client_id": "socket" });
    let mut source = subscribed("socket", options(&url, "socket", &extra)).await;
    let mut sink = open_sink("socket-sink", options(&url, "socket", &json!({ "qos": 2 }))).await;
    publish(&mut sink, 1, ["a", "b"]).await;
    assert_eq!(take(&mut source, 2).await.0.len(), 2);
    in_time("the good-bye", sink.close()).await.expect("it closes");
    let url = format!("unix://{}", broker.file("absent"));
    let _source = open_source("absent", options(&url, "t", &json!({}))).await;
    logged("absent", "cannot connect: No such file or directory").await;
    assert!(log::lines("absent")[0].contains("/absent"), "the log names the path");
}
