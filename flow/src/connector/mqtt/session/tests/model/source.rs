//! A broker that sends.

use std::collections::{BTreeSet, VecDeque};

use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

use super::{Wire, config, part, version};
use crate::connector::mqtt::config::MqttVersion;
use crate::connector::mqtt::session::packet::{Answer, DUP, Outgoing, kind, put_answer};
use crate::connector::mqtt::session::tests::subscribing;
use crate::record::{Checkpoint, PayloadBatch};

#[derive(Debug, Clone)]
enum Step {
    /// Somebody publishes a message with this QoS.
    Publish(u8),
    /// The broker sends what its window allows.
    Send,
    /// A share of what is under way to the session arrives.
    Arrive(u8),
    /// The pipeline takes a batch.
    Take,
    /// The pipeline settles the oldest batches, so many of them.
    Settle(u8),
    /// The session says what it has to; a share of that reaches the broker.
    Answer(u8),
    /// The connection is lost; a share of what was under way to each side still arrives.
    Lose(u8, u8),
    /// The broker forgets the session, which must not be connected.
    Forget,
    Connect,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..3_u8).prop_map(Step::Publish),
        6 => Just(Step::Send),
        6 => any::<u8>().prop_map(Step::Arrive),
        4 => Just(Step::Take),
        4 => (1..4_u8).prop_map(Step::Settle),
        4 => any::<u8>().prop_map(Step::Answer),
        2 => (any::<u8>(), any::<u8>()).prop_map(|(up, down)| Step::Lose(up, down)),
        1 => Just(Step::Forget),
        4 => Just(Step::Connect),
    ]
}

struct Message {
    number: usize,
    qos: u8,
    id: u16,
    sent: bool,
    received: bool,
}

struct Model {
    wire: Wire,
    published: usize,
    /// What the broker keeps, in order: QoS 0 until it is sent, QoS 1 and 2 until the end of the handshake.
    kept: VecDeque<Message>,
    /// The broker has the session.
    session: bool,
    subscribed: bool,
    last_id: u16,
    /// What the pipeline holds and has not settled.
    taken: VecDeque<(Checkpoint, Vec<usize>)>,
    /// The QoS of each message, and how often it was handed out.
    handed_out: Vec<(u8, usize)>,
    /// The newest message that was handed out: no other comes for the first time after it.
    first: usize,
    settled: BTreeSet<usize>,
    forgotten: BTreeSet<usize>,
}

/// The broker sends so many that are not acknowledged.
const WINDOW: usize = 5;

impl Model {
    fn new(version: MqttVersion) -> Self {
        Self {
            wire: Wire::new(version, subscribing(&["t/#"], 2)),
            published: 0,
            kept: VecDeque::new(),
            session: false,
            subscribed: false,
            last_id: 0,
            taken: VecDeque::new(),
            handed_out: Vec::new(),
            first: 0,
            settled: BTreeSet::new(),
            forgotten: BTreeSet::new(),
        }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Publish(qos) if self.subscribed => {
                self.kept.push_back(Message {
                    number: self.published,
                    qos,
                    id: 0,
                    sent: false,
                    received: false,
                });
                self.published += 1;
                self.handed_out.push((qos, 0));
            }
            Step::Send if self.wire.is_online() => self.send(),
            Step::Arrive(share) if self.wire.is_online() => self.wire.arrive(share),
            Step::Take => self.take(),
            Step::Settle(count) => {
                for _ in 0..count {
                    let Some((checkpoint, numbers)) = self.taken.pop_front() else { break };
                    self.settled.extend(numbers);
                    self.wire.rig.session.acknowledge(checkpoint);
                }
            }
            Step::Answer(share) if self.wire.is_online() => {
                self.wire.send();
                self.answers(share);
            }
            Step::Lose(up, down) if self.wire.is_online() => {
                self.wire.send();
                self.answers(up);
                let arrives = part(self.wire.down.len(), down);
                self.wire.down.truncate(arrives);
                self.wire.arrive(255);
                self.wire.lose();
                self.kept.iter_mut().for_each(|message| message.sent = false);
            }
            Step::Forget if !self.wire.is_online() => {
                self.forgotten.extend(self.kept.drain(..).map(|message| message.number));
                (self.session, self.subscribed) = (false, false);
            }
            Step::Connect if !self.wire.is_online() => {
                self.wire.connect(self.session, &[]);
                self.session = true;
                self.answers(255);
            }
            _ => {}
        }
    }

    fn send(&mut self) {
        let in_flight = self.kept.iter().filter(|message| message.qos > 0 && message.sent).count();
        let mut room = WINDOW - in_flight;
        let used: BTreeSet<u16> = self.kept.iter().map(|message| message.id).collect();
        for message in self.kept.iter_mut().filter(|message| !message.sent) {
            if message.qos > 0 {
                if room == 0 {
                    break;
                }
                room -= 1;
            }
            message.sent = true;
            if message.received {
                put_answer(kind::PUBREL, message.id, &mut self.wire.down);
                continue;
            }
            let again = message.id != 0;
            if message.qos > 0 && !again {
                // Few ids, so that they come round.
                while used.contains(&self.last_id) || self.last_id == 0 {
                    self.last_id = self.last_id % 7 + 1;
                }
                message.id = self.last_id;
                self.last_id = self.last_id % 7 + 1;
            }
            let text = message.number.to_string();
            let at = self.wire.down.len();
            let outgoing = Outgoing {
                qos: message.qos,
                retain: false,
                id: message.id,
                topic: "t/1",
                properties: &[],
                payload: text.as_bytes(),
            };
            outgoing.write(self.wire.version, &mut self.wire.down);
            if again {
                self.wire.down[at] |= DUP;
            }
            if message.qos > 0 && !again {
                // Each new id is one of its own.
                break;
            }
        }
        self.kept.retain(|message| message.qos > 0 || !message.sent);
    }

    fn take(&mut self) {
        let mut batch = PayloadBatch::with_capacity(3);
        let Some(checkpoint) = self.wire.rig.session.take(&mut batch) else { return };
        let number = |bytes: &[u8]| std::str::from_utf8(bytes).unwrap().parse::<usize>().unwrap();
        let numbers: Vec<usize> = batch.iter().map(|payload| number(payload.bytes())).collect();
        for &number in &numbers {
            let (qos, times) = &mut self.handed_out[number];
            *times += 1;
            let again = *times > 1 && !self.forgotten.contains(&number);
            assert!(*qos != 2 || !again, "message {number} of QoS 2 comes a second time");
            self.first = self.first.max(number);
            assert!(
                number == self.first || again || *times > 1,
                "message {number} comes after {}",
                self.first
            );
        }
        self.taken.push_back((checkpoint, numbers));
    }

    fn answers(&mut self, share: u8) {
        for (header, packet) in self.wire.packets(share) {
            let body = &packet[header.body..];
            match header.kind() {
                8 => {
                    self.subscribed = true;
                    let properties: &[u8] = if self.wire.version == MqttVersion::V5 { &[0] } else { &[] };
                    let length = 3 + properties.len() as u8;
                    let suback = [&[0x90, length, body[0], body[1]], properties, &[2]].concat();
                    self.wire.down.extend_from_slice(&suback);
                }
                kind => {
                    let answer = Answer::read(self.wire.version, body).unwrap();
                    self.answer(kind, answer.id);
                }
            }
        }
    }

    fn answer(&mut self, kind: u8, id: u16) {
        let at = self.kept.iter().position(|message| message.id == id && message.sent);
        let at = at.unwrap_or_else(|| panic!("an answer of kind {kind} to {id}, which is not in flight"));
        let message = &mut self.kept[at];
        assert!(self.settled.contains(&message.number), "confirmed before it was settled");
        match (kind, message.qos, message.received) {
            (kind::PUBACK, 1, _) | (kind::PUBCOMP, 2, true) => {
                self.kept.remove(at);
            }
            (kind::PUBREC, 2, false) => {
                message.received = true;
                put_answer(kind::PUBREL, id, &mut self.wire.down);
            }
            (kind::PUBREC, 2, true) => {}
            other => panic!("{other:?} is no answer"),
        }
    }

    /// Lets everything come to its end, and looks at what it was.
    fn finish(mut self) {
        self.step(&Step::Connect);
        for round in 0.. {
            assert!(round < 1000, "it does not come to an end");
            for step in [Step::Send, Step::Arrive(255), Step::Take, Step::Settle(255), Step::Answer(255)] {
                self.step(&step);
            }
            if self.kept.is_empty() && self.wire.down.is_empty() && self.taken.is_empty() {
                break;
            }
        }
        for (number, (qos, times)) in self.handed_out.iter().enumerate() {
            let kept = *qos > 0 && !self.forgotten.contains(&number);
            assert!(!kept || *times > 0, "message {number} is lost");
        }
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn nothing_is_lost_or_confirmed_too_early_or_handed_out_twice_at_qos_2(
        version in version(),
        steps in proptest::collection::vec(step(), 1..150),
    ) {
        let mut model = Model::new(version);
        for step in &steps {
            model.step(step);
        }
        model.finish();
    }
}
