//! A scripted broker: bytes and time by hand.

mod codes;
mod connection;
mod exactly_once;
mod five;
mod model;
mod sink;
mod source;

use std::time::{Duration, Instant};

use bytes::BytesMut;
use rumqttc::mqttbytes::{QoS, v4};

use super::packet::{DUP, put_answer};
use super::{Asking, Part, Profile, Publishing, Session};
use crate::connector::mqtt::config::{MqttRetainHandling, MqttVersion};
use crate::record::{Checkpoint, Payload, PayloadBatch};

const ACCEPTED: [u8; 4] = [0x20, 2, 0, 0];
const RESUMED: [u8; 4] = [0x20, 2, 1, 0];
const NOTHING: [u8; 0] = [];
const NOTHING_TAKEN: [&str; 0] = [];
const SUBACK: [u8; 5] = [0x90, 3, 0xff, 0xff, 1];

/// A session with the broker's side of its connection.
struct Rig {
    session: Session,
    now: Instant,
    input: Vec<u8>,
}

impl Rig {
    fn new(version: MqttVersion, part: Part) -> Self {
        let profile = Profile {
            version,
            client_id: "me".into(),
            clean_session: false,
            session_expiry: None,
            login: None,
            keep_alive: 10,
            max_packet_size: 1000,
            receive_maximum: 8192,
            will: None,
            answer_timeout: Duration::from_secs(5),
        };
        let now = Instant::now();
        Self { session: Session::new(profile, part, now), now, input: Vec::new() }
    }

    fn source() -> Self {
        let mut rig = Self::new(MqttVersion::V311, subscribing(&["t/#"], 1));
        rig.connect(&ACCEPTED);
        rig.hear(&SUBACK).unwrap();
        rig
    }

    fn sink(qos: u8) -> Self {
        Self::new(MqttVersion::V311, publishing(qos, 4))
    }

    /// Connects and gives what came after CONNECT.
    fn connect(&mut self, connack: &[u8]) -> Vec<u8> {
        self.input.clear();
        self.session.start(self.now).unwrap();
        assert_eq!(self.said()[0], 0x10);
        self.hear(connack).unwrap();
        self.said()
    }

    fn hear(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.input.extend_from_slice(bytes);
        let taken = self.session.receive(&self.input, self.now, 42).map_err(|lost| lost.to_string())?;
        self.input.drain(..taken);
        Ok(())
    }

    /// What goes to the broker now.
    fn said(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        self.session.output(self.now, &mut out);
        if !out.is_empty() {
            self.session.written(self.now);
        }
        out
    }

    /// The ids and DUP flags of the publishes that go to the broker now.
    fn published(&mut self) -> Vec<(u16, bool)> {
        let said = self.said();
        ids(&said)
    }

    /// Lets the time pass, a second at a time.
    fn pass(&mut self, seconds: u64) -> Result<(), String> {
        for _ in 0..seconds {
            self.now += Duration::from_secs(1);
            self.session.tick(self.now).map_err(|lost| lost.to_string())?;
        }
        Ok(())
    }

    /// Has been connected with MQTT 5 once: it knows how large a packet may be, without which it publishes nothing.
    fn met(mut self) -> Self {
        self.connect(&[0x20, 3, 0, 0, 0]);
        self.session.lost();
        self
    }

    fn publish(&mut self, count: usize, checkpoint: u64) {
        for _ in 0..count {
            assert_eq!(self.session.publish("t", b"x"), Ok(true));
        }
        self.session.mark(Checkpoint(checkpoint));
    }

    fn taken(&mut self) -> (Option<Checkpoint>, Vec<String>) {
        let mut batch = PayloadBatch::new();
        let checkpoint = self.session.take(&mut batch);
        let text = |payload: Payload<'_>| String::from_utf8(payload.bytes().to_vec()).unwrap();
        (checkpoint, batch.iter().map(text).collect())
    }
}

fn subscribing(filters: &[&str], qos: u8) -> Part {
    let asking = Asking {
        qos,
        at_least_once: false,
        no_local: false,
        retain_as_published: false,
        retain_handling: MqttRetainHandling::Always,
    };
    Part::Source { filters: filters.iter().map(|filter| (*filter).to_owned()).collect(), asking }
}

fn publishing(qos: u8, max_in_flight: u16) -> Part {
    Part::Sink(Publishing { qos, retain: false, max_in_flight, properties: Vec::new() })
}

fn ids(said: &[u8]) -> Vec<(u16, bool)> {
    let mut stream = BytesMut::from(said);
    let mut all = Vec::new();
    while !stream.is_empty() {
        if let v4::Packet::Publish(publish) = v4::Packet::read(&mut stream, 1000).unwrap() {
            all.push((publish.pkid, publish.dup));
        }
    }
    all
}

fn message(id: u16, text: &str) -> Vec<u8> {
    let mut publish =
        v4::Publish::new("t/1", if id == 0 { QoS::AtMostOnce } else { QoS::AtLeastOnce }, text.as_bytes());
    publish.pkid = id;
    let mut out = BytesMut::new();
    publish.write(&mut out).unwrap();
    out.to_vec()
}

/// A message of QoS 2.
fn message2(id: u16, text: &str) -> Vec<u8> {
    let mut packet = message(id, text);
    packet[0] ^= 0b0110;
    packet
}

fn answer(kind: u8, id: u16) -> Vec<u8> {
    let mut out = Vec::new();
    put_answer(kind, id, &mut out);
    out
}

/// The packet as the broker sends it a second time.
fn again(mut packet: Vec<u8>) -> Vec<u8> {
    packet[0] |= DUP;
    packet
}

fn puback(id: u16) -> [u8; 4] {
    let [high, low] = id.to_be_bytes();
    [0x40, 2, high, low]
}
