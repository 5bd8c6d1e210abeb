//! The conformance kit on the `mqtt` source and sink, over a proxy that can break their connections.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use flow::connector::mqtt::{MqttSink, MqttSource};
use flow::testkit::{self, SinkFixture, SourceFixture};
use flow::{Payload, PayloadBatch, Progress, SourceConnector};
use serde_json::json;

use super::{build, logged, open_sink, options, publish, subscribed};
use crate::support::broker::Rumqttd;
use crate::support::proxy::Proxy;
use crate::support::{PATIENCE, in_time, log};

flow::conformance! {
    source source => testkit::source(Side::new).patience(PATIENCE);
    sink sink => testkit::sink(Side::new).patience(PATIENCE);
}

static BROKER: LazyLock<Rumqttd> = LazyLock::new(Rumqttd::start);

/// A topic of its own on the broker, with clients of the test on the other side.
struct Side {
    label: String,
    proxy: Option<Proxy>,
    publisher: Option<MqttSink>,
    published: u64,
    listener: Option<MqttSource>,
    received: Vec<Vec<u8>>,
}

impl Side {
    fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let label = format!("conformance-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        Self { label, proxy: None, publisher: None, published: 0, listener: None, received: Vec::new() }
    }

    fn broker() -> String {
        BROKER.url("3.1.1")
    }

    /// The broker's address for the component under test.
    async fn url(&mut self) -> String {
        log::collect();
        if self.proxy.is_none() {
            let broker = Self::broker();
            let port = broker.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
            self.proxy = Some(Proxy::start(port).await);
        }
        self.proxy.as_ref().map(Proxy::url).expect("a proxy")
    }

    async fn publish(&mut self, payloads: &[Vec<u8>]) {
        if self.publisher.is_none() {
            let label = format!("{}-publisher", self.label);
            let options = options(&Self::broker(), &self.label, &json!({ "qos": 1 }));
            self.publisher = Some(open_sink(&label, options).await);
        }
        let sink = self.publisher.as_mut().expect("a publisher");
        self.published += 1;
        publish(sink, self.published, payloads.iter().map(|payload| str::from_utf8(payload).expect("text")))
            .await;
    }
}

impl SourceFixture for Side {
    type Source = MqttSource;

    async fn source(&mut self) -> MqttSource {
        let extra = json!({ "qos": 1, "client_id": self.label });
        let (url, topic) = (self.url().await, self.label.clone());
        build(&self.label, options(&url, &topic, &extra))
    }

    async fn offer(&mut self, payloads: Vec<Vec<u8>>) {
        // What is published before the first subscription goes to nobody.
        logged(&self.label, "subscribed").await;
        self.publish(&payloads).await;
    }

    async fn cut(&mut self) -> bool {
        self.proxy.as_ref().expect("a proxy").cut();
        true
    }
}

impl SinkFixture for Side {
    type Sink = MqttSink;

    async fn sink(&mut self) -> MqttSink {
        let label = format!("{}-listener", self.label);
        let listening = options(&Self::broker(), &self.label, &json!({ "qos": 1 }));
        self.listener = Some(subscribed(&label, listening).await);
        let extra = json!({ "qos": 1, "max_in_flight": 64, "max_packet_size": 200 });
        let (url, topic) = (self.url().await, self.label.clone());
        build(&self.label, options(&url, &topic, &extra))
    }

    /// Everything that came before a message which is published now.
    async fn received(&mut self) -> Option<Vec<Vec<u8>>> {
        let last = format!("last-{}", self.published).into_bytes();
        self.publish(std::slice::from_ref(&last)).await;
        let listener = self.listener.as_mut().expect("a listener");
        let mut batch = PayloadBatch::new();
        loop {
            batch.clear();
            let Progress::Batch(checkpoint) =
                in_time("what was published", listener.next(&mut batch)).await.expect("no failure")
            else {
                panic!("the listener has ended");
            };
            listener.acknowledge(checkpoint).await.expect("no failure");
            for payload in batch.iter().map(Payload::bytes) {
                if payload == last {
                    return Some(self.received.clone());
                }
                self.received.push(payload.to_vec());
            }
        }
    }

    fn refused(&self) -> Option<Vec<u8>> {
        Some(vec![b'x'; 300])
    }

    async fn cut(&mut self) -> bool {
        self.proxy.as_ref().expect("a proxy").cut();
        true
    }
}
