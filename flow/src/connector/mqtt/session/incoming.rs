//! What a session does with the packets that the broker sends.

use std::mem;
use std::time::Instant;

use bytes::{Buf, BytesMut};

use super::handshake::{self, Granted};
use super::outbox::Outbox;
use super::packet::{self, Header, Publish, kind};
use super::{Event, Filter, Lost, SUBSCRIBE_AGAIN, SUBSCRIBE_ID, Session, State};
use crate::error::ErrorKind;

impl Session {
    /// Takes what the broker sent, packet by packet, until there is no whole one or no room for its message.
    /// `time` is the time of arrival in µs since 1970.
    pub(crate) fn receive(&mut self, input: &mut BytesMut, now: Instant, time: i64) -> Result<(), Lost> {
        self.liveness.heard(now);
        loop {
            let skipped = self.skipping.min(input.len());
            input.advance(skipped);
            self.skipping -= skipped;
            let Some(header) = Header::read(input).map_err(Lost::protocol)? else { return Ok(()) };
            if header.len > self.profile.max_packet_size as usize {
                if !self.skip(header, input)? {
                    return Ok(());
                }
                continue;
            }
            if input.len() < header.len {
                return Ok(());
            }
            if header.kind() == kind::PUBLISH && self.inbox.is_full() {
                self.stalled = true;
                return Ok(());
            }
            self.packet(header, &input[..header.len], now, time)?;
            input.advance(header.len);
        }
    }

    fn packet(&mut self, header: Header, packet: &[u8], now: Instant, time: i64) -> Result<(), Lost> {
        let body = &packet[header.body..];
        if let State::Connecting(_) = self.state {
            let granted = handshake::connack(self.profile.version, header, packet)?;
            return self.connected(granted, now);
        }
        match header.kind() {
            kind::PUBLISH => {
                let publish = Publish::read(self.profile.version, header, packet).map_err(Lost::protocol)?;
                if self.filters.is_empty() {
                    self.unasked += 1;
                    let (topic, count) = (publish.topic.to_owned(), self.unasked);
                    self.events.push(Event::Unasked { topic, count });
                } else {
                    self.news |= self.inbox.push(publish, time, &mut self.control);
                }
            }
            kind::PUBACK => {
                let (id, code) = packet::read_puback(body).map_err(Lost::protocol)?;
                self.puback(id, code);
            }
            kind::SUBACK => {
                let (id, codes) = packet::read_suback(self.profile.version, body).map_err(Lost::protocol)?;
                self.suback(id, codes, now)?;
            }
            kind::PINGRESP => {}
            kind::DISCONNECT => return Err(handshake::disconnected(body)),
            other => return Err(Lost::protocol(&format!("a packet of kind {other} was not asked for"))),
        }
        Ok(())
    }

    fn connected(&mut self, granted: Granted, now: Instant) -> Result<(), Lost> {
        if let Some(publishing) = self.outbox.as_ref().map(Outbox::publishing) {
            if publishing.qos > granted.max_qos {
                return Err(Lost::new("the broker takes no QoS 1; set `qos = 0`"));
            }
            if publishing.retain && !granted.retain_available {
                return Err(Lost::new("the broker keeps no retained messages; set `retain = false`"));
            }
        }
        let resumed = granted.session_present;
        if !resumed {
            self.inbox.forgotten();
        }
        if let Some(seconds) = granted.keep_alive {
            self.liveness.set(seconds);
        }
        self.state = State::Online;
        self.granted = Some(granted);
        self.events.push(Event::Connected { resumed });
        // A resumed session has its subscriptions only where the broker has confirmed them since it forgot the last.
        self.subscribed &= resumed;
        let all = !self.subscribed;
        self.subscribe(now, |filter| all || filter.refused)?;
        Ok(())
    }

    pub(super) fn subscribe(&mut self, now: Instant, wanted: impl Fn(&Filter) -> bool) -> Result<(), Lost> {
        let indices: Vec<usize> = (0..self.filters.len()).filter(|&at| wanted(&self.filters[at])).collect();
        if indices.is_empty() {
            return Ok(());
        }
        let filters = indices.iter().map(|&at| self.filters[at].text.as_str());
        let packet = handshake::subscribe(self.profile.version, SUBSCRIBE_ID, filters, self.qos)?;
        self.control.extend_from_slice(&packet);
        self.subscribing = Some((indices, now + self.profile.answer_timeout));
        Ok(())
    }

    fn suback(&mut self, id: u16, codes: &[u8], now: Instant) -> Result<(), Lost> {
        if id != SUBSCRIBE_ID {
            return Err(Lost::protocol("a SUBACK for nothing that was asked"));
        }
        let Some((indices, _)) = self.subscribing.take() else {
            return Err(Lost::protocol("a SUBACK for nothing that was asked"));
        };
        if indices.len() != codes.len() {
            return Err(Lost::protocol("a SUBACK with another number of filters than was asked for"));
        }
        for (&at, &code) in indices.iter().zip(codes) {
            let filter = &mut self.filters[at];
            let again = mem::replace(&mut filter.refused, code >= 0x80);
            let text = filter.text.clone();
            if code >= 0x80 {
                self.subscribe_again = Some(now + SUBSCRIBE_AGAIN);
                if !again {
                    self.events.push(Event::Refused { filter: text, why: handshake::reason(code) });
                }
            } else if code < self.qos {
                self.events.push(Event::Lowered { filter: text });
            } else if again || !self.subscribed {
                self.events.push(Event::Subscribed { filter: text });
            }
        }
        self.subscribed = true;
        Ok(())
    }

    fn puback(&mut self, id: u16, code: u8) {
        let Some(outbox) = &mut self.outbox else { return };
        if code >= 0x80 {
            let why = format!("the broker refused a message for good: {}", handshake::reason(code));
            self.fail(ErrorKind::Refused, why.into());
        } else if outbox.acknowledge(id) {
            self.news = true;
        }
    }

    /// Reads past a packet over the limit. False where its beginning is not there yet.
    fn skip(&mut self, header: Header, input: &mut BytesMut) -> Result<bool, Lost> {
        if header.kind() != kind::PUBLISH || self.state != State::Online {
            return Err(Lost::protocol("a packet larger than `max_packet_size`"));
        }
        let known = input.len().min(header.len);
        let Some(body) = input.get(header.body..known) else { return Ok(false) };
        let Some((id, topic, _)) = Publish::read_front(header, body).map_err(Lost::protocol)? else {
            return Ok(false);
        };
        self.oversized += 1;
        let (topic, bytes, count) = (topic.to_owned(), header.len, self.oversized);
        self.events.push(Event::Oversized { topic, bytes, count });
        if !self.filters.is_empty() {
            self.inbox.skip(id, &mut self.control);
        }
        self.skipping = header.len;
        Ok(true)
    }
}
