//! What a session does with the packets that the broker sends.

use std::time::Instant;

use super::event::Event;
use super::handshake::{self, Granted};
use super::outbox::Outbox;
use super::packet::{self, Answer, Front, Header, Publish, kind, put_answer};
use super::properties::{Properties, Value, id};
use super::reason::{self, Lost, Said};
use super::subscriptions::Subscriptions;
use super::{Session, State};
use crate::connector::mqtt::config::MqttVersion;
use crate::error::{ErrorKind, Reason, RecordError};

/// The part of a message over the limit that is kept, in bytes.
const KEPT: usize = 1024;

/// Properties of a message over the limit that are waited for, in bytes.
const WAITED_FOR: usize = 64 << 10;

impl Session {
    /// Takes what the broker sent, packet by packet, until there is no whole one or no room for its message. Returns how
    /// many bytes it took from the beginning of `input`; the others are to be there again with the next.
    /// `time` is the time of arrival in µs since 1970.
    pub(crate) fn receive(&mut self, input: &[u8], now: Instant, time: i64) -> Result<usize, Lost> {
        self.liveness.heard(now);
        let mut at = self.skipping.min(input.len());
        self.skipping -= at;
        while let Some(len) = self.packet(&input[at..], now, time)? {
            if len > input.len() - at {
                self.skipping = len - (input.len() - at);
                return Ok(input.len());
            }
            at += len;
            self.packets += 1;
        }
        Ok(at)
    }

    /// Takes the packet at the beginning of `input`. Its length, which is more than is there where the rest is to be
    /// read past; or nothing where it must wait.
    fn packet(&mut self, input: &[u8], now: Instant, time: i64) -> Result<Option<usize>, Lost> {
        let Some(header) = Header::read(input).map_err(Lost::protocol)? else { return Ok(None) };
        let oversized = header.len > self.profile.max_packet_size as usize;
        if oversized && (header.kind() != kind::PUBLISH || self.state != State::Online) {
            return Err(Lost::protocol("a packet larger than `max_packet_size`"));
        }
        if header.kind() == kind::PUBLISH && self.inbox.is_full() {
            self.stalled = true;
            return Ok(None);
        }
        if oversized {
            return Ok(self.oversized(header, input, time)?.then_some(header.len));
        }
        let Some(packet) = input.get(..header.len) else { return Ok(None) };
        if let State::Connecting(_) = self.state {
            let granted = handshake::connack(self.profile.version, header, packet)?;
            self.connected(granted, now)?;
        } else {
            self.whole(header, packet, now, time)?;
        }
        Ok(Some(header.len))
    }

    fn whole(&mut self, header: Header, packet: &[u8], now: Instant, time: i64) -> Result<(), Lost> {
        let version = self.profile.version;
        let body = &packet[header.body..];
        match header.kind() {
            kind::PUBLISH => {
                let publish = Publish::read(version, header, packet).map_err(Lost::protocol)?;
                self.arrived(publish, time, None)?;
            }
            kind::PUBREL => {
                let answer = Answer::read(version, body).map_err(Lost::protocol)?;
                self.inbox.released(version, answer.id, &mut self.control);
            }
            kind @ (kind::PUBACK | kind::PUBREC | kind::PUBCOMP) => {
                self.answered(kind, Answer::read(version, body).map_err(Lost::protocol)?)?;
            }
            kind::SUBACK => {
                let (id, codes) = packet::read_suback(version, body).map_err(Lost::protocol)?;
                let Some(subscriptions) = &mut self.subscriptions else {
                    return Err(Lost::protocol("a SUBACK for nothing that was asked"));
                };
                if let Some(why) = subscriptions.answered(id, codes, now, &mut self.events)? {
                    self.fail(ErrorKind::Refused, why.into());
                }
            }
            kind::PINGRESP => {}
            kind::DISCONNECT => return Err(handshake::disconnected(version, body)),
            other => return Err(Lost::protocol(&format!("a packet of kind {other} was not asked for"))),
        }
        Ok(())
    }

    fn connected(&mut self, granted: Granted, now: Instant) -> Result<(), Lost> {
        if let Some(publishing) = self.outbox.as_ref().map(Outbox::publishing) {
            if publishing.qos > granted.max_qos {
                let (no, set) = (publishing.qos, granted.max_qos);
                return Err(Lost::to_mend(format!("the broker takes no QoS {no}; set `qos = {set}`")));
            }
            if publishing.retain && !granted.retain_available {
                return Err(Lost::to_mend("the broker keeps no retained messages; set `retain = false`"));
            }
        }
        self.state = State::Online;
        if std::mem::take(&mut self.begins_clean) && self.profile.version == MqttVersion::V311 {
            self.sweeping = true;
            return Ok(());
        }
        let resumed = granted.session_present;
        if !resumed {
            let kept = self.subscriptions.as_ref().is_some_and(Subscriptions::are_confirmed);
            if kept && !self.profile.clean_session {
                self.events.push(Event::Forgotten);
            }
            self.inbox.forgotten();
            if let Some(outbox) = &mut self.outbox {
                outbox.forgotten();
            }
        }
        if let Some(seconds) = granted.keep_alive {
            self.liveness.set(seconds);
        }
        self.events.push(Event::Connected { resumed });
        if let (Some(asked), Some(seconds)) = (self.profile.session_expiry, granted.session_expiry)
            && seconds < asked
            && self.subscriptions.is_some()
        {
            self.events.push(Event::Shortened { seconds });
        }
        // A sink may wait for it.
        self.news |= self.packet_limit.replace(granted.max_packet_size).is_none();
        self.granted = Some(granted);
        match &mut self.subscriptions {
            Some(subscriptions) => subscriptions.connected(resumed, &self.profile, now, &mut self.control),
            None => Ok(()),
        }
    }

    fn arrived(&mut self, publish: Publish<'_>, time: i64, fault: Option<RecordError>) -> Result<(), Lost> {
        let Publish { front, properties, payload } = publish;
        // Of MQTT 3.1.1 and of most messages there are none.
        let alias = if properties.is_empty() { None } else { alias(properties).map_err(Lost::protocol)? };
        let topic = self.aliases.resolve(front.topic, alias).map_err(Lost::protocol)?;
        if self.subscriptions.is_some() {
            let publish = Publish { front: Front { topic, ..front }, properties, payload };
            self.news |= self.inbox.push(publish, time, fault, &mut self.control);
        } else {
            // Acknowledged all the same: otherwise the broker would keep it and everything after it.
            match front.qos {
                0 => {}
                1 => put_answer(kind::PUBACK, front.id, &mut self.control),
                _ => put_answer(kind::PUBREC, front.id, &mut self.control),
            }
            self.unasked += 1;
            let (topic, count) = (topic.to_owned(), self.unasked);
            self.events.push(Event::Unasked { topic, count });
        }
        Ok(())
    }

    /// PUBACK, PUBREC or PUBCOMP.
    fn answered(&mut self, kind: u8, answer: Answer<'_>) -> Result<(), Lost> {
        let Some(outbox) = &mut self.outbox else { return Ok(()) };
        let Answer { id, code, properties } = answer;
        // A PUBCOMP can only say that the id is not known: then the one before it was lost.
        if code >= 0x80 && kind != kind::PUBCOMP {
            if !outbox.is_in_flight(id) {
                return Ok(());
            }
            let why = format!("{}{}", reason::reason(code), Said::of(properties));
            if reason::passes(code) {
                return Err(Lost::new(format!("the broker cannot take a message now: {why}")));
            }
            self.fail(ErrorKind::Refused, format!("the broker refused a message for good: {why}").into());
            return Ok(());
        }
        match (kind, outbox.publishing().qos) {
            (kind::PUBREC, _) => outbox.received(id, &mut self.control),
            (kind::PUBACK, 1) | (kind::PUBCOMP, 2) => self.news |= outbox.acknowledge(id),
            _ => {}
        }
        Ok(())
    }

    /// Hands out the beginning of a message over the limit, as one that nobody can use; the rest is read past. False
    /// where the beginning is not there yet.
    ///
    /// A broker of MQTT 5 knows the limit and should not send it. To close the connection with the reason for
    /// that, as its section 3.14.2.1 allows, would only make the broker send it again.
    fn oversized(&mut self, header: Header, input: &[u8], time: i64) -> Result<bool, Lost> {
        let known = &input[..input.len().min(header.len)];
        let complete = known.len() == header.len;
        let Some(body) = known.get(header.body..) else { return Ok(false) };
        let Some((front, rest)) = Front::read(header, body).map_err(Lost::protocol)? else {
            return Ok(false);
        };
        let (properties, payload) = match Properties::split(self.profile.version, rest) {
            Ok(Some(split)) => split,
            Ok(None) if !complete && rest.len() < WAITED_FOR => return Ok(false),
            Ok(None) => (Properties::default(), &rest[..0]),
            Err(why) => return Err(Lost::protocol(why)),
        };
        if payload.len() < KEPT && !complete {
            return Ok(false);
        }
        let payload = &payload[..payload.len().min(KEPT)];
        self.oversized += 1;
        let (topic, bytes, count) = (front.topic.to_owned(), header.len, self.oversized);
        self.events.push(Event::Oversized { topic, bytes, count });
        let limit = self.profile.max_packet_size;
        let why = format!(
            "the message of {bytes} bytes is larger than `max_packet_size` = {limit}; \
             its payload's first {} bytes are kept",
            payload.len()
        );
        let fault = RecordError::new(Reason::Size, why);
        self.arrived(Publish { front, properties, payload }, time, Some(fault))?;
        Ok(true)
    }
}

/// The topic alias among properties, all of which are looked at.
pub(super) fn alias(mut properties: Properties<'_>) -> Result<Option<u32>, packet::Malformed> {
    let mut alias = None;
    while let Some((property, value)) = properties.next()? {
        if let (id::TOPIC_ALIAS, Value::Number(number)) = (property, value) {
            alias = Some(number);
        }
    }
    Ok(alias)
}
