//! An MQTT session without input and output: bytes, commands and time go in; bytes, events and the next deadline
//! come out. There is no socket, no clock and no task in here.

mod handshake;
mod inbox;
mod incoming;
mod liveness;
mod outbox;
mod packet;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::mem;
use std::time::{Duration, Instant};

use self::handshake::Granted;
pub(crate) use self::handshake::Profile;
use self::inbox::Inbox;
use self::liveness::Liveness;
pub(crate) use self::outbox::{IDS, Publishing};
use self::outbox::{Outbox, Window};
use crate::error::{Error, ErrorKind};
use crate::record::{Checkpoint, PayloadBatch};

/// The packet id of every SUBSCRIBE: one at a time is enough, and no publish has it.
const SUBSCRIBE_ID: u16 = IDS + 1;

/// How long a refused subscription rests before it is asked for again.
const SUBSCRIBE_AGAIN: Duration = Duration::from_secs(30);

/// Why a connection ended, in words for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lost(Cow<'static, str>);

impl Lost {
    pub(crate) fn new(why: impl Into<Cow<'static, str>>) -> Self {
        Self(why.into())
    }

    fn protocol(what: &str) -> Self {
        Self(format!("the broker broke the protocol: {what}").into())
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a session asks for beside its connection.
pub(crate) enum Part {
    /// Subscribes to `filters` with `qos`.
    Source { filters: Vec<String>, qos: u8 },
    /// Publishes.
    Sink(Publishing),
}

/// What whoever reads the log wants to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// The broker accepted us; `resumed` says whether it still had the session.
    Connected { resumed: bool },
    /// A filter is subscribed to in a new session, or after it was refused.
    Subscribed { filter: String },
    /// The broker refuses a filter.
    Refused { filter: String, why: Cow<'static, str> },
    /// The broker grants a filter less than was asked for.
    Lowered { filter: String },
    /// A message over the limit was read past; `count` is how many so far.
    Oversized { topic: String, bytes: usize, count: u64 },
    /// A message came that no subscription of ours asks for; `count` is how many so far.
    Unasked { topic: String, count: u64 },
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

struct Filter {
    text: String,
    refused: bool,
}

/// The state machine of one client, across its connections.
pub(crate) struct Session {
    profile: Profile,
    state: State,
    filters: Vec<Filter>,
    qos: u8,
    /// The broker has confirmed the subscriptions of its present session.
    subscribed: bool,
    /// The filters of a SUBSCRIBE without answer, and when that must be here.
    subscribing: Option<(Vec<usize>, Instant)>,
    /// When refused filters are asked for again.
    subscribe_again: Option<Instant>,
    inbox: Inbox,
    outbox: Option<Outbox>,
    granted: Option<Granted>,
    /// Packets other than publishes that wait to be sent.
    control: Vec<u8>,
    /// Bytes of an oversized packet that are still to be read past.
    skipping: usize,
    oversized: u64,
    unasked: u64,
    liveness: Liveness,
    /// Reading stopped because the inbox was full.
    stalled: bool,
    /// The broker waited for acknowledgements at the last tick.
    owed: bool,
    closing: bool,
    failure: Option<(ErrorKind, Cow<'static, str>)>,
    events: Vec<Event>,
    /// Something changed that the component waits for.
    news: bool,
}

impl Session {
    pub(crate) fn new(profile: Profile, part: Part, now: Instant) -> Self {
        let (filters, qos, outbox) = match part {
            Part::Source { filters, qos } => (filters, qos, None),
            Part::Sink(publishing) => (Vec::new(), 0, Some(Outbox::new(profile.version, publishing))),
        };
        let liveness = Liveness::new(profile.keep_alive, now);
        Self {
            profile,
            state: State::Offline,
            filters: filters.into_iter().map(|text| Filter { text, refused: false }).collect(),
            qos,
            subscribed: false,
            subscribing: None,
            subscribe_again: None,
            inbox: Inbox::default(),
            outbox,
            granted: None,
            control: Vec::new(),
            skipping: 0,
            oversized: 0,
            unasked: 0,
            liveness,
            stalled: false,
            owed: false,
            closing: false,
            failure: None,
            events: Vec::new(),
            news: false,
        }
    }

    /// A transport is up: CONNECT goes out.
    pub(crate) fn start(&mut self, now: Instant) -> Result<(), Lost> {
        self.control.clear();
        self.control.extend_from_slice(&handshake::connect(&self.profile)?);
        self.state = State::Connecting(now + self.profile.answer_timeout);
        self.liveness = Liveness::new(self.profile.keep_alive, now);
        Ok(())
    }

    /// The transport is gone, and with it everything that belonged to this connection alone.
    pub(crate) fn lost(&mut self) {
        self.state = State::Offline;
        self.control.clear();
        self.subscribing = None;
        self.subscribe_again = None;
        self.granted = None;
        self.skipping = 0;
        self.stalled = false;
        self.inbox.disconnected();
        if let Some(outbox) = &mut self.outbox {
            outbox.rewind();
        }
    }

    /// Appends to `out` what is to be sent. Call again after [`Session::written`].
    pub(crate) fn output(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.control);
        if let (State::Online, Some(outbox), Some(granted)) = (self.state, &mut self.outbox, &self.granted) {
            let window = Window { publishes: granted.receive_maximum, packet: granted.max_packet_size };
            if let Err(size) = outbox.send(out, window) {
                let limit = granted.max_packet_size;
                let why = format!(
                    "a message of {size} bytes is larger than the {limit} bytes that the broker takes"
                );
                self.fail(ErrorKind::Refused, why.into());
            }
        }
        if self.closing && self.state == State::Online {
            out.extend_from_slice(&packet::DISCONNECT);
            self.state = State::Leaving;
        }
        if !out.is_empty() {
            self.liveness.writing();
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
        let owed = mem::replace(&mut self.owed, self.inbox.owes_receipts());
        if self.stalled || self.owed || owed {
            // The silence may be our own doing: what the broker says waits behind messages that we do not read, and
            // some brokers (rumqttd) answer no PINGREQ while their window of unacknowledged messages is full. PINGREQ
            // still goes out; a peer that is gone is noticed after the acknowledgements, or by TCP.
            self.liveness.heard(now);
        }
        if self.stalled {
            if let Some((_, deadline)) = &mut self.subscribing {
                *deadline = now + self.profile.answer_timeout;
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
        if self.subscribing.as_ref().is_some_and(|(_, deadline)| now >= *deadline) {
            return Err(Lost::new("the broker did not answer SUBSCRIBE in time"));
        }
        if self.subscribe_again.is_some_and(|at| now >= at) {
            self.subscribe_again = None;
            self.subscribe(now, |filter| filter.refused)?;
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
                let subscribing = self.subscribing.as_ref().map(|(_, deadline)| *deadline);
                [self.liveness.deadline(), subscribing, self.subscribe_again].into_iter().flatten().min()
            }
        }
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
        let limit = self.packet_limit();
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

    fn packet_limit(&self) -> u32 {
        let granted = self.granted.as_ref().map_or(u32::MAX, |granted| granted.max_packet_size);
        granted.min(self.profile.max_packet_size)
    }
}
