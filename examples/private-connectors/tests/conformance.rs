//! The components against the contracts of their roles, with a gateway in memory on the other side.

#![allow(clippy::unwrap_used, reason = "what these helpers unwrap is what the tests are about")]

use std::sync::Arc;

use acme::gateway::Gateway;
use acme::{AcmeDecoder, AcmeEncoder, AcmeSink, AcmeSource, Reading};
use flow::testkit::{self, SinkFixture, SourceFixture};
use flow::{BuildContext, Component, Schema};
use serde_json::{Value, json};

flow::conformance! {
    source from_gateway => testkit::source(Fixture::new);
    sink to_gateway => testkit::sink(Fixture::new);
    decoder frames => testkit::decoder(build::<AcmeDecoder>).schema(schema()).payloads([frame(1), two(), frame(2)]);
    encoder written_frames => testkit::encoder(build::<AcmeEncoder>).schema(schema()).decoder(build::<AcmeDecoder>);
}

fn build<C: Component>() -> C {
    with(json!({}))
}

fn with<C: Component>(config: Value) -> C {
    C::build(serde_json::from_value(config).unwrap(), &BuildContext::new("test/acme", "")).unwrap()
}

fn schema() -> Arc<Schema> {
    let schema = json!({ "device_id": "string", "celsius": "float64", "ts": "timestamp(ms)" });
    Schema::from_value(&schema).unwrap()
}

fn frame(number: usize) -> Vec<u8> {
    let (device, mut frame) = (format!("pump-{number}"), Vec::new());
    let reading = Reading { device: &device, celsius: 0.1 + number as f64, time: 1_764_000_000_000 };
    reading.write_frame(&mut frame).unwrap();
    frame
}

/// A frame with two readings.
fn two() -> Vec<u8> {
    let (one, other) = (frame(7), frame(8));
    let bodies = [&one[4..one.len() - 4], &other[4..other.len() - 4]].concat();
    let mut frame = vec![0xac, 1];
    frame.extend_from_slice(&u16::try_from(bodies.len()).unwrap().to_be_bytes());
    frame.extend_from_slice(&bodies);
    let checksum = crc32fast::hash(&frame);
    frame.extend_from_slice(&checksum.to_be_bytes());
    frame
}

struct Fixture(Gateway);

impl Fixture {
    fn new() -> Self {
        Self(Gateway::start().unwrap())
    }
}

impl SourceFixture for Fixture {
    type Source = AcmeSource;

    async fn source(&mut self) -> AcmeSource {
        with(json!({ "address": self.0.address() }))
    }

    async fn offer(&mut self, payloads: Vec<Vec<u8>>) {
        self.0.send(payloads);
    }

    fn payload(&self, number: usize) -> Vec<u8> {
        frame(number)
    }

    async fn acknowledged(&mut self) -> Option<usize> {
        Some(self.0.answered())
    }

    fn redelivers(&self) -> bool {
        true
    }

    async fn cut(&mut self) -> bool {
        self.0.cut();
        true
    }
}

impl SinkFixture for Fixture {
    type Sink = AcmeSink;

    async fn sink(&mut self) -> AcmeSink {
        with(json!({ "address": self.0.address(), "window": 64 }))
    }

    async fn received(&mut self) -> Option<Vec<Vec<u8>>> {
        Some(self.0.received())
    }

    fn payload(&self, number: usize) -> Vec<u8> {
        frame(number)
    }

    async fn stall(&mut self) -> bool {
        self.0.stall(true);
        true
    }

    async fn resume(&mut self) {
        self.0.stall(false);
    }

    fn refused(&self) -> Option<Vec<u8>> {
        Some(b"no frame".to_vec())
    }

    async fn cut(&mut self) -> bool {
        self.0.cut();
        true
    }
}
