//! An MQTT session without input and output: bytes, commands and time go in; bytes, events and the next deadline
//! come out. There is no socket, no clock and no task in here.

mod aliases;
mod event;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod handshake;
mod inbox;
mod incoming;
mod liveness;
mod outbox;
mod packet;
mod properties;
mod reason;
mod subscriptions;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::mem;
use std::time::Instant;

pub(crate) use self::event::Event;
use self::handshake::Granted;
pub(crate) use self::handshake::Profile;
use self::inbox::Inbox;
use self::liveness::Liveness;
pub(crate) use self::outbox::{IDS, Publishing};
use self::outbox::{Outbox, Window};
pub(crate) use self::properties::{id as property, put_bytes, put_pair};
pub(crate) use self::reason::{Lost, Remedy};
pub(crate) use self::subscriptions::Asking;
use self::subscriptions::Subscriptions;
use crate::connector::mqtt::config::MqttVersion;
use crate::error::{Error, ErrorKind};
use crate::record::{Checkpoint, PayloadBatch};

/// What a session asks for beside its connection.
pub(crate) enum Part {
    /// Subscribes to `filters`.
    Source { filters: Vec<String>, asking: Asking },
    /// Publishes.
    Sink(Publishing),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// There is no connection.
    Offline,
    /// CONNECT is on its way; its answer must be here at this time.
    Connecting(Instant),
    Online,
    /// DISCONNECT is on its way; nothing comes after it.
    Leaving,
}

/// The state machine of one client, across its connections.
pub(crate) struct Session {
    profile: Profile,
    state: State,
    /// Of a source.
    subscriptions: Option<Subscriptions>,
    inbox: Inbox,
    /// Of a sink.
    outbox: Option<Outbox>,
    granted: Option<Granted>,
    /// The largest packet that the broker takes, in bytes; of the last connection while there is none.
    packet_limit: Option<u32>,
    /// The broker's, of this connection.
    aliases: aliases::Incoming,
    /// Packets other than publishes that wait to be sent.
    control: Vec<u8>,
    /// Bytes of an oversized packet that are still to be read past.
    skipping: usize,
    /// How many have come, on all connections.
    packets: u64,
    oversized: u64,
    unasked: u64,
    liveness: Liveness,
    /// Reading stopped because the inbox was full.
    stalled: bool,
    /// The broker waited for acknowledgements at the last tick.
    owed: bool,
    /// The first connection makes the broker forget what it has of an earlier process: at QoS 2 it would take our
    /// publishes for those of that process that have the same ids.
    begins_clean: bool,
    /// It has, and with MQTT 3.1.1 only another connection begins a session that is kept.
    sweeping: bool,
    closing: bool,
    failure: Option<(ErrorKind, Cow<'static, str>)>,
    events: Vec<Event>,
    /// Something changed that the component waits for.
    news: bool,
}

impl Session {
    pub(crate) fn new(profile: Profile, part: Part, now: Instant) -> Self {
        let (subscriptions, outbox) = match part {
            Part::Source { filters, asking } => (Some(Subscriptions::new(filters, asking)), None),
            Part::Sink(publishing) => (None, Some(Outbox::new(profile.version, publishing))),
        };
        let liveness = Liveness::new(profile.keep_alive, now);
        let exactly_once = outbox.as_ref().is_some_and(|outbox| outbox.publishing().qos == 2);
        Self {
            state: State::Offline,
            subscriptions,
            inbox: Inbox::default(),
            outbox,
            granted: None,
            packet_limit: None,
            aliases: aliases::Incoming::default(),
            control: Vec::new(),
            skipping: 0,
            packets: 0,
            oversized: 0,
            unasked: 0,
            liveness,
            stalled: false,
            owed: false,
            begins_clean: exactly_once && !profile.clean_session,
            sweeping: false,
            closing: false,
            failure: None,
            events: Vec::new(),
            news: false,
            profile,
        }
    }

    /// A transport is up: CONNECT goes out.
    pub(crate) fn start(&mut self, now: Instant) -> Result<(), Lost> {
        self.control.clear();
        let clean = self.profile.clean_session || self.begins_clean;
        self.control.extend_from_slice(&handshake::connect(&self.profile, clean)?);
        self.state = State::Connecting(now + self.profile.answer_timeout);
        self.liveness = Liveness::new(self.profile.keep_alive, now);
        Ok(())
    }

    /// The transport is gone, and with it everything that belonged to this connection alone.
    pub(crate) fn lost(&mut self) {
        self.state = State::Offline;
        self.control.clear();
        self.granted = None;
        self.aliases.clear();
        self.skipping = 0;
        self.stalled = false;
        self.sweeping = false;
        if let Some(subscriptions) = &mut self.subscriptions {
            subscriptions.disconnected();
        }
        self.inbox.disconnected();
        if let Some(outbox) = &mut self.outbox {
            outbox.rewind();
        }
    }

    /// What the broker is told before the connection is closed because of `lost`, after whole packets only.
    pub(crate) fn last_words(&self, lost: &Lost) -> Option<[u8; 3]> {
        let listens = self.profile.version == MqttVersion::V5 && self.state == State::Online;
        lost.code().filter(|_| listens).map(packet::disconnect_because)
    }

    /// The size in bytes of the largest publish that some connection was given and no broker has confirmed.
    pub(crate) fn largest_unconfirmed(&self) -> Option<usize> {
        self.outbox.as_ref().and_then(Outbox::largest_unconfirmed)
    }

    /// Appends to `out` what is to be sent. Call again after [`Session::written`].
    pub(crate) fn output(&mut self, now: Instant, out: &mut Vec<u8>) {
        out.append(&mut self.control);
        if let (State::Online, Some(outbox), Some(granted)) = (self.state, &mut self.outbox, &self.granted) {
            let window = Window {
                publishes: granted.receive_maximum,
                packet: granted.max_packet_size,
                aliases: granted.topic_aliases,
            };
            if let Err(size) = outbox.send(out, window) {
                let limit = granted.max_packet_size;
                let why = format!(
                    "a message of {size} bytes is larger than the {limit} bytes that the broker takes"
                );
                self.fail(ErrorKind::Refused, why.into());
            }
        }
        if (self.closing || self.sweeping) && self.state == State::Online {
            // A sink that has brought everything out has no more use for its session.
            let for_good =
                self.profile.version == MqttVersion::V5 && self.outbox.as_ref().is_some_and(Outbox::is_empty);
            out.extend_from_slice(if for_good {
                &packet::DISCONNECT_FOR_GOOD
            } else {
                &packet::DISCONNECT[..]
            });
            self.state = State::Leaving;
        }
        if !out.is_empty() {
            self.liveness.writing(now);
        }
    }

    /// A part of what [`Session::output`] gave is with the operating system.
    pub(crate) fn progressed(&mut self, now: Instant) {
        self.liveness.wrote(now, false);
    }

    /// All that [`Session::output`] gave is with the operating system.
    pub(crate) fn written(&mut self, now: Instant) {
        self.liveness.wrote(now, true);
        if let Some(outbox) = &mut self.outbox {
            let before = outbox.confirmed();
            outbox.written();
            self.news |= outbox.publishing().qos == 0 || outbox.confirmed() != before;
        }
    }

    /// Does what is due at `now`.
    pub(crate) fn tick(&mut self, now: Instant) -> Result<(), Lost> {
        let owed = mem::replace(&mut self.owed, self.inbox.owed() > 0);
        if self.stalled || self.owed || owed {
            // The silence may be our own doing: what the broker says waits behind messages that we do not read, and
            // some brokers (rumqttd) answer no PINGREQ while their window of unacknowledged messages is full. PINGREQ
            // still goes out; a peer that is gone is noticed after the acknowledgements, or by TCP.
            self.liveness.heard(now);
        }
        if self.stalled {
            if let Some(subscriptions) = &mut self.subscriptions {
                subscriptions.excuse(now + self.profile.answer_timeout);
            }
            self.stalled = self.inbox.is_full();
        }
        match self.state {
            State::Connecting(deadline) if now >= deadline => {
                return Err(Lost::new("the broker did not answer CONNECT in time"));
            }
            State::Offline | State::Connecting(_) => return Ok(()),
            State::Online | State::Leaving => {}
        }
        if let Some(subscriptions) = &mut self.subscriptions {
            subscriptions.tick(&self.profile, now, &mut self.control)?;
        }
        if self.liveness.tick(now)? {
            self.control.extend_from_slice(&packet::PINGREQ);
        }
        Ok(())
    }

    /// When [`Session::tick`] has something to do.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Offline => None,
            State::Connecting(deadline) => Some(deadline),
            State::Online | State::Leaving => {
                let subscriptions = self.subscriptions.as_ref().and_then(Subscriptions::deadline);
                [self.liveness.deadline(), subscriptions].into_iter().flatten().min()
            }
        }
    }

    /// How many packets have come, on all connections.
    pub(crate) fn packets(&self) -> u64 {
        self.packets
    }

    /// How many messages wait for an acknowledgement on this connection, ours and the broker's.
    pub(crate) fn open(&self) -> usize {
        self.inbox.owed() + self.outbox.as_ref().map_or(0, Outbox::in_flight)
    }

    /// Must reading wait until messages are taken?
    pub(crate) fn is_stalled(&self) -> bool {
        self.stalled
    }

    pub(crate) fn is_online(&self) -> bool {
        self.state == State::Online
    }

    /// Is DISCONNECT the last thing that [`Session::output`] gave?
    pub(crate) fn is_leaving(&self) -> bool {
        self.state == State::Leaving
    }

    /// Was [`Session::close`] called?
    pub(crate) fn is_closing(&self) -> bool {
        self.closing
    }

    /// Says good-bye as soon as everything that may be sent is.
    pub(crate) fn close(&mut self) {
        self.closing = true;
    }

    /// What happened since the last call.
    pub(crate) fn events(&mut self) -> Vec<Event> {
        mem::take(&mut self.events)
    }

    /// Has anything happened since the last call that the component waits for?
    pub(crate) fn news(&mut self) -> bool {
        mem::take(&mut self.news)
    }

    /// Moves the messages that have arrived into `batch`, which is empty.
    pub(crate) fn take(&mut self, batch: &mut PayloadBatch) -> Option<Checkpoint> {
        self.inbox.take(batch)
    }

    /// Sends the receipts of everything up to `checkpoint` that came over this connection.
    /// True where there is something to send now.
    pub(crate) fn acknowledge(&mut self, checkpoint: Checkpoint) -> bool {
        self.inbox.acknowledge(checkpoint, &mut self.control);
        !self.control.is_empty()
    }

    /// Takes a publish, where there is room: otherwise false.
    ///
    /// # Errors
    /// Why the publish can never be taken.
    pub(crate) fn publish(&mut self, topic: &str, payload: &[u8]) -> Result<bool, String> {
        // With MQTT 5 the broker says how large a packet may be: what is taken before could turn out to be too large.
        if self.profile.version == MqttVersion::V5 && self.packet_limit.is_none() {
            return Ok(false);
        }
        let limit = self.packet_limit.unwrap_or(u32::MAX).min(self.profile.max_packet_size);
        let Some(outbox) = self.outbox.as_mut() else { return Ok(false) };
        if !outbox.has_room() {
            return Ok(false);
        }
        outbox.push(topic, payload, limit).map(|()| true).map_err(|size| {
            format!("the packet of {size} bytes is larger than the limit of {limit} bytes (`max_packet_size`, or the broker's)")
        })
    }

    /// Everything that was published up to now belongs to `checkpoint` or to one before it.
    pub(crate) fn mark(&mut self, checkpoint: Checkpoint) {
        if let Some(outbox) = &mut self.outbox {
            outbox.mark(checkpoint);
        }
    }

    /// The newest checkpoint all of whose publishes are confirmed, and all before.
    pub(crate) fn confirmed(&self) -> Option<Checkpoint> {
        self.outbox.as_ref().and_then(Outbox::confirmed)
    }

    /// Is nothing published that is not confirmed?
    pub(crate) fn is_drained(&self) -> bool {
        self.outbox.as_ref().is_none_or(Outbox::is_empty)
    }

    /// Records what ends the component for good; the first failure stays.
    pub(crate) fn fail(&mut self, kind: ErrorKind, why: Cow<'static, str>) {
        self.failure.get_or_insert((kind, why));
        self.news = true;
    }

    /// What has ended the component for good.
    pub(crate) fn failure(&self) -> Option<Error> {
        self.failure.as_ref().map(|(kind, why)| Error::permanent(*kind, why.clone()))
    }
}
