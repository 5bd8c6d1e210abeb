//! A session that is fed whatever bytes there are.

use std::time::{Duration, Instant};

use super::packet::Header;
use super::{Asking, Part, Profile, Publishing, Session};
use crate::connector::mqtt::config::{MqttRetainHandling, MqttVersion};
use crate::record::{Checkpoint, Payload, PayloadBatch};

/// Lets `script` play the broker, the pipeline and the time, against two sessions: one gets the broker's bytes as they come,
/// the other one by one. What each says and hands out must be the same, whole packets only, and neither may panic.
pub(crate) fn play(script: &[u8]) {
    let mut script = Script(script);
    let setup = script.byte();
    let version = if setup & 1 == 0 { MqttVersion::V311 } else { MqttVersion::V5 };
    let (qos, is_source) = (setup >> 1 & 3, setup & 8 == 0);
    let now = Instant::now();
    let session = || Player::new(version, qos.min(2), is_source, now);
    let (mut whole, mut split) = (session(), session());
    while !script.0.is_empty() {
        let (step, amount) = (script.byte(), usize::from(script.byte()));
        for (player, at_once) in [(&mut whole, true), (&mut split, false)] {
            match step % 8 {
                0 | 1 => player.hear(script.peek(amount), at_once),
                2 => player.hear(&player.connack(amount), at_once),
                3 => player.take(),
                4 => player.settle(amount),
                5 => player.publish(amount),
                6 => player.pass(Duration::from_secs(amount as u64)),
                _ => player.lose(),
            }
            player.say();
        }
        if step % 8 < 2 {
            script.0 = &script.0[amount.min(script.0.len())..];
        }
        assert_eq!(whole.log, split.log);
        whole.log.clear();
        split.log.clear();
    }
}

struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn peek(&self, amount: usize) -> &'a [u8] {
        &self.0[..amount.min(self.0.len())]
    }
}

struct Player {
    version: MqttVersion,
    session: Session,
    input: Vec<u8>,
    now: Instant,
    taken: Vec<Checkpoint>,
    published: u64,
    log: Vec<String>,
}

impl Player {
    fn new(version: MqttVersion, qos: u8, is_source: bool, now: Instant) -> Self {
        let profile = Profile {
            version,
            client_id: "me".into(),
            clean_session: false,
            session_expiry: None,
            login: None,
            keep_alive: 10,
            // So that a short script can go beyond it.
            max_packet_size: 64,
            receive_maximum: 8,
            will: None,
            answer_timeout: Duration::from_secs(5),
        };
        let asking = Asking {
            qos,
            at_least_once: false,
            no_local: false,
            retain_as_published: false,
            retain_handling: MqttRetainHandling::Always,
        };
        let part = if is_source {
            Part::Source { filters: vec!["t/#".into()], asking }
        } else {
            Part::Sink(Publishing { qos, retain: false, max_in_flight: 8, properties: Vec::new() })
        };
        let mut session = Session::new(profile, part, now);
        session.start(now).expect("CONNECT is written");
        let input = Vec::new();
        Self { version, session, input, now, taken: Vec::new(), published: 0, log: Vec::new() }
    }

    fn connack(&self, flags: usize) -> Vec<u8> {
        let resumed = (flags & 1) as u8;
        match self.version {
            MqttVersion::V311 => vec![0x20, 2, resumed, 0],
            // With a receive maximum of 2 and as many aliases, where the flags say so.
            MqttVersion::V5 if flags & 2 != 0 => vec![0x20, 9, resumed, 0, 6, 0x21, 0, 2, 0x22, 0, 2],
            MqttVersion::V5 => vec![0x20, 3, resumed, 0, 0],
        }
    }

    fn hear(&mut self, bytes: &[u8], at_once: bool) {
        for chunk in bytes.chunks(if at_once { bytes.len().max(1) } else { 1 }) {
            self.input.extend_from_slice(chunk);
            match self.session.receive(&self.input, self.now, 42) {
                Ok(taken) => drop(self.input.drain(..taken)),
                Err(lost) => {
                    self.log.push(lost.to_string());
                    return self.lose();
                }
            }
        }
    }

    fn take(&mut self) {
        let mut batch = PayloadBatch::new();
        if let Some(checkpoint) = self.session.take(&mut batch) {
            self.taken.push(checkpoint);
            let shown = |payload: Payload<'_>| {
                let headers: Vec<_> = payload.headers().collect();
                format!("{:?} {:?} {headers:?} {:?}", payload.bytes(), payload.metadata(), payload.fault())
            };
            self.log.extend(batch.iter().map(shown));
        }
    }

    fn settle(&mut self, amount: usize) {
        if let Some(checkpoint) = self.taken.get(amount).or(self.taken.last()).copied() {
            self.taken.retain(|taken| *taken > checkpoint);
            self.session.acknowledge(checkpoint);
        }
    }

    fn publish(&mut self, amount: usize) {
        let topic = ["topic/a", "topic/b", "topic/c"][amount % 3];
        let taken = self.session.publish(topic, &vec![b'x'; amount / 3]);
        self.log.push(format!("{taken:?}"));
        self.published += 1;
        self.session.mark(Checkpoint(self.published));
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        if let Err(lost) = self.session.tick(self.now) {
            self.log.push(lost.to_string());
            self.lose();
        }
        // Where time has made room, reading goes on, as it does in a driver.
        self.hear(&[0xd0, 0], true);
    }

    fn lose(&mut self) {
        self.session.lost();
        self.input.clear();
        self.session.start(self.now).expect("CONNECT is written");
    }

    fn say(&mut self) {
        let mut out = Vec::new();
        self.session.output(self.now, &mut out);
        let mut rest = &out[..];
        while let Some(header) = Header::read(rest).expect("a packet of ours") {
            rest = rest.get(header.len..).expect("a whole packet");
        }
        assert!(rest.is_empty(), "half a header");
        if !out.is_empty() {
            self.session.written(self.now);
        }
        self.session.deadline();
        let (news, confirmed) = (self.session.news(), self.session.confirmed());
        let failure = self.session.failure().map(|error| error.to_string());
        self.log.push(format!("{out:?} {news} {confirmed:?} {failure:?} {:?}", self.session.events()));
        if self.session.is_leaving() {
            self.lose();
        }
    }
}
