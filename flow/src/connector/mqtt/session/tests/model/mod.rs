//! Random interleavings of messages, acknowledgements, losses and reconnects, against brokers that are small enough to be
//! right at a glance.

mod sink;
mod source;

use std::time::Instant;

use proptest::prelude::{ProptestConfig, Strategy, any, proptest};

use super::{Part, Rig};
use crate::connector::mqtt::config::MqttVersion;
use crate::connector::mqtt::session::fuzz;
use crate::connector::mqtt::session::packet::Header;

/// Small enough for every day; `PROPTEST_CASES` in the environment asks for more.
fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

fn version() -> impl Strategy<Value = MqttVersion> {
    any::<bool>().prop_map(|five| if five { MqttVersion::V5 } else { MqttVersion::V311 })
}

/// A session, and the bytes that are under way between it and the broker.
struct Wire {
    rig: Rig,
    version: MqttVersion,
    up: Vec<u8>,
    down: Vec<u8>,
}

impl Wire {
    fn new(version: MqttVersion, part: Part) -> Self {
        Self { rig: Rig::new(version, part), version, up: Vec::new(), down: Vec::new() }
    }

    fn is_online(&self) -> bool {
        self.rig.session.is_online()
    }

    /// A new connection. `properties` are those of the CONNACK with MQTT 5.
    fn connect(&mut self, resumed: bool, properties: &[u8]) {
        let mut connack = vec![0x20, 2, u8::from(resumed), 0];
        if self.version == MqttVersion::V5 {
            connack[1] = 3 + properties.len() as u8;
            connack.push(properties.len() as u8);
            connack.extend_from_slice(properties);
        }
        self.up = self.rig.connect(&connack);
    }

    /// What the session has to say goes on its way.
    fn send(&mut self) {
        self.up.append(&mut self.rig.said());
    }

    /// The first bytes of what is under way to the session arrive, all of it where `share` is 255.
    fn arrive(&mut self, share: u8) {
        let bytes: Vec<u8> = self.down.drain(..part(self.down.len(), share)).collect();
        self.rig.hear(&bytes).expect("the broker follows the protocol");
    }

    /// Takes the whole packets out of the first bytes that are under way to the broker.
    fn packets(&mut self, share: u8) -> Vec<(Header, Vec<u8>)> {
        let within = part(self.up.len(), share);
        let (mut at, mut packets) = (0, Vec::new());
        while let Some(header) = Header::read(&self.up[at..within]).expect("a packet") {
            if at + header.len > within {
                break;
            }
            packets.push((header, self.up[at..at + header.len].to_vec()));
            at += header.len;
        }
        self.up.drain(..at);
        packets
    }

    /// The connection is gone, with what is under way.
    fn lose(&mut self) {
        self.up.clear();
        self.down.clear();
        self.rig.input = Vec::new();
        self.rig.session.lost();
        self.rig.now = Instant::now();
    }
}

fn part(length: usize, share: u8) -> usize {
    length * usize::from(share) / 255
}

proptest! {
    #![proptest_config(config())]

    // The fuzzer goes deeper; this keeps what it plays in good order.
    #[test]
    fn whatever_the_bytes_and_however_they_are_split(script in proptest::collection::vec(any::<u8>(), 0..300)) {
        fuzz::play(&script);
    }
}
