//! A broker that receives.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

use super::{Wire, config, part, version};
use crate::connector::mqtt::config::MqttVersion;
use crate::connector::mqtt::session::aliases;
use crate::connector::mqtt::session::incoming::alias;
use crate::connector::mqtt::session::packet::{Answer, Publish, kind, put_answer};
use crate::connector::mqtt::session::tests::publishing;
use crate::record::Checkpoint;

#[derive(Debug, Clone)]
enum Step {
    /// The pipeline writes a batch of so many messages.
    Publish(u8),
    /// The session says what it has to; a share of that reaches the broker.
    Send(u8),
    /// The broker answers the oldest packets, so many of them.
    Answer(u8),
    /// A share of what is under way to the session arrives.
    Arrive(u8),
    /// The connection is lost; a share of what was under way to each side still arrives.
    Lose(u8, u8),
    /// The broker forgets the session, which must not be connected.
    Forget,
    Connect,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1..6_u8).prop_map(Step::Publish),
        6 => any::<u8>().prop_map(Step::Send),
        6 => (1..6_u8).prop_map(Step::Answer),
        4 => any::<u8>().prop_map(Step::Arrive),
        2 => (any::<u8>(), any::<u8>()).prop_map(|(up, down)| Step::Lose(up, down)),
        1 => Just(Step::Forget),
        4 => Just(Step::Connect),
    ]
}

/// The broker takes so many that it has not answered.
const WINDOW: u8 = 3;

const TOPICS: [&str; 4] = ["topic/0", "topic/1", "topic/2", "topic/3"];

struct Model {
    wire: Wire,
    qos: u8,
    taken: usize,
    batches: Vec<usize>,
    /// The broker has the session, and in it the messages of QoS 2 that it brings out when they are released.
    session: bool,
    received: BTreeMap<u16, usize>,
    aliases: aliases::Incoming,
    /// Answers that the broker owes on this connection: to which kind of packet, and its id.
    owed: VecDeque<(u8, u16)>,
    /// How often each message was brought out.
    delivered: Vec<usize>,
    forgets: bool,
    newest: usize,
}

impl Model {
    fn new(version: MqttVersion, qos: u8) -> Self {
        Self {
            wire: Wire::new(version, publishing(qos, 8)),
            qos,
            taken: 0,
            batches: Vec::new(),
            session: false,
            received: BTreeMap::new(),
            aliases: aliases::Incoming::default(),
            owed: VecDeque::new(),
            delivered: Vec::new(),
            forgets: false,
            newest: 0,
        }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Publish(count) => {
                let before = self.taken;
                for _ in 0..count {
                    let topic = TOPICS[self.taken % TOPICS.len()];
                    if !self.wire.rig.session.publish(topic, self.taken.to_string().as_bytes()).unwrap() {
                        break;
                    }
                    self.taken += 1;
                    self.delivered.push(0);
                }
                if self.taken > before {
                    self.batches.push(self.taken);
                    self.wire.rig.session.mark(Checkpoint(self.batches.len() as u64));
                }
            }
            Step::Send(share) if self.wire.is_online() => {
                self.wire.send();
                self.take_in(share);
            }
            Step::Answer(count) if self.wire.is_online() => self.answer(count),
            Step::Arrive(share) if self.wire.is_online() => self.wire.arrive(share),
            Step::Lose(up, down) if self.wire.is_online() => {
                self.wire.send();
                self.take_in(up);
                let arrives = part(self.wire.down.len(), down);
                self.wire.down.truncate(arrives);
                self.wire.arrive(255);
                self.wire.lose();
                self.owed.clear();
                self.aliases.clear();
            }
            Step::Forget if !self.wire.is_online() => {
                self.received.clear();
                self.session = false;
                self.forgets = true;
            }
            Step::Connect if !self.wire.is_online() => self.connect(),
            _ => {}
        }
        self.check();
    }

    fn connect(&mut self) {
        // Receive maximum 3, two topic aliases.
        let properties = [0x21, 0, WINDOW, 0x22, 0, 2];
        self.wire.connect(self.session, &properties);
        if self.wire.rig.session.is_leaving() {
            // MQTT 3.1.1 at QoS 2 begins with a clean session and comes back for one that is kept.
            self.wire.lose();
            self.wire.connect(false, &properties);
        }
        self.session = true;
    }

    fn take_in(&mut self, share: u8) {
        for (header, packet) in self.wire.packets(share) {
            if header.kind() == kind::PUBLISH {
                let publish = Publish::read(self.wire.version, header, &packet).unwrap();
                let number: usize = std::str::from_utf8(publish.payload).unwrap().parse().unwrap();
                let alias = alias(publish.properties).unwrap();
                let topic = self.aliases.resolve(publish.front.topic, alias).unwrap();
                assert_eq!(topic, TOPICS[number % TOPICS.len()]);
                assert_eq!(publish.front.qos, self.qos);
                let id = publish.front.id;
                match self.qos {
                    0 => self.deliver(number),
                    1 => {
                        self.deliver(number);
                        self.owed.push_back((kind::PUBLISH, id));
                    }
                    _ => {
                        let known = self.received.insert(id, number);
                        assert!(known.is_none_or(|known| known == number), "an id that is not free");
                        self.owed.push_back((kind::PUBLISH, id));
                    }
                }
            } else {
                assert_eq!((header.kind(), self.qos), (kind::PUBREL, 2));
                let id = Answer::read(self.wire.version, &packet[header.body..]).unwrap().id;
                if let Some(number) = self.received.remove(&id) {
                    self.deliver(number);
                }
                self.owed.push_back((kind::PUBREL, id));
            }
            let in_flight: BTreeSet<u16> = self.owed.iter().map(|(_, id)| *id).collect();
            let most = if self.wire.version == MqttVersion::V5 { WINDOW.into() } else { 8 };
            assert!(in_flight.len() <= most, "more than the receive maximum");
        }
    }

    fn deliver(&mut self, number: usize) {
        self.delivered[number] += 1;
        let again = self.delivered[number] > 1;
        assert!(!again || self.qos < 2 || self.forgets, "message {number} of QoS 2 comes a second time");
        assert!(again || number >= self.newest, "message {number} comes after {}", self.newest);
        self.newest = self.newest.max(number);
    }

    fn answer(&mut self, count: u8) {
        for _ in 0..count {
            let Some((to, id)) = self.owed.pop_front() else { return };
            let kind = match (to, self.qos) {
                (kind::PUBREL, _) => kind::PUBCOMP,
                (_, 1) => kind::PUBACK,
                _ => kind::PUBREC,
            };
            put_answer(kind, id, &mut self.wire.down);
        }
    }

    /// What is confirmed is delivered.
    fn check(&self) {
        let Some(Checkpoint(confirmed)) = self.wire.rig.session.confirmed() else { return };
        let until = self.batches[confirmed as usize - 1];
        // At QoS 0 what is written can be lost on its way.
        assert!(
            self.qos == 0 || self.delivered[..until].iter().all(|times| *times > 0),
            "confirmed too early"
        );
    }

    fn finish(mut self) {
        self.step(&Step::Connect);
        for round in 0.. {
            assert!(round < 1000, "it does not come to an end");
            for step in [Step::Send(255), Step::Answer(255), Step::Arrive(255)] {
                self.step(&step);
            }
            if self.wire.rig.session.is_drained() && self.wire.down.is_empty() {
                break;
            }
        }
        let all = (!self.batches.is_empty()).then_some(Checkpoint(self.batches.len() as u64));
        assert_eq!(self.wire.rig.session.confirmed(), all);
        assert!(self.received.is_empty());
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_is_confirmed_is_delivered_in_order_and_at_qos_2_once(
        version in version(),
        qos in 0..3_u8,
        steps in proptest::collection::vec(step(), 1..150),
    ) {
        let mut model = Model::new(version, qos);
        for step in &steps {
            model.step(step);
        }
        model.finish();
    }
}
