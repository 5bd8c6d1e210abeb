//! What a source has subscribed to, and what of it the broker has confirmed.

use std::mem;
use std::time::{Duration, Instant};

use super::event::Event;
use super::outbox::IDS;
use super::reason::{self, Lost};
use super::{Profile, handshake};
use crate::connector::mqtt::config::MqttRetainHandling;

/// The packet id of every SUBSCRIBE: one at a time is enough, and no publish has it.
pub(super) const SUBSCRIBE_ID: u16 = IDS + 1;

/// How long a refused subscription rests before it is asked for again.
const SUBSCRIBE_AGAIN: Duration = Duration::from_secs(30);

/// How a source wants its messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asking {
    pub(crate) qos: u8,
    /// Less than QoS 1 is no good.
    pub(crate) at_least_once: bool,
    /// Of MQTT 5, as are the others.
    pub(crate) no_local: bool,
    pub(crate) retain_as_published: bool,
    pub(crate) retain_handling: MqttRetainHandling,
}

struct Filter {
    text: String,
    refused: bool,
}

pub(super) struct Subscriptions {
    filters: Vec<Filter>,
    asking: Asking,
    /// The broker has confirmed the subscriptions of its present session.
    confirmed: bool,
    /// The filters of a SUBSCRIBE without answer, and when that must be here.
    waiting: Option<(Vec<usize>, Instant)>,
    /// When refused filters are asked for again.
    again: Option<Instant>,
}

impl Subscriptions {
    pub(super) fn new(filters: Vec<String>, asking: Asking) -> Self {
        let filters = filters.into_iter().map(|text| Filter { text, refused: false }).collect();
        Self { filters, asking, confirmed: false, waiting: None, again: None }
    }

    /// A connection is up. A resumed session has its subscriptions only where the broker has confirmed them since
    /// it forgot the last.
    pub(super) fn connected(
        &mut self,
        resumed: bool,
        profile: &Profile,
        now: Instant,
        out: &mut Vec<u8>,
    ) -> Result<(), Lost> {
        self.confirmed &= resumed;
        let all = !self.confirmed;
        self.subscribe(profile, now, out, |filter| all || filter.refused)
    }

    /// Has the broker kept messages for this client, as far as this process knows?
    pub(super) fn are_confirmed(&self) -> bool {
        self.confirmed
    }

    pub(super) fn disconnected(&mut self) {
        self.waiting = None;
        self.again = None;
    }

    /// The broker cannot be heard: its answer has more time.
    pub(super) fn excuse(&mut self, until: Instant) {
        if let Some((_, deadline)) = &mut self.waiting {
            *deadline = until;
        }
    }

    pub(super) fn tick(&mut self, profile: &Profile, now: Instant, out: &mut Vec<u8>) -> Result<(), Lost> {
        if self.waiting.as_ref().is_some_and(|(_, deadline)| now >= *deadline) {
            return Err(Lost::new("the broker did not answer SUBSCRIBE in time"));
        }
        if self.again.is_some_and(|at| now >= at) {
            self.again = None;
            self.subscribe(profile, now, out, |filter| filter.refused)?;
        }
        Ok(())
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let waiting = self.waiting.as_ref().map(|(_, deadline)| *deadline);
        [waiting, self.again].into_iter().flatten().min()
    }

    fn subscribe(
        &mut self,
        profile: &Profile,
        now: Instant,
        out: &mut Vec<u8>,
        wanted: impl Fn(&Filter) -> bool,
    ) -> Result<(), Lost> {
        let indices: Vec<usize> = (0..self.filters.len()).filter(|&at| wanted(&self.filters[at])).collect();
        if indices.is_empty() {
            return Ok(());
        }
        let filters = indices.iter().map(|&at| self.filters[at].text.as_str());
        let packet = handshake::subscribe(profile.version, SUBSCRIBE_ID, filters, self.asking)?;
        out.extend_from_slice(&packet);
        self.waiting = Some((indices, now + profile.answer_timeout));
        Ok(())
    }

    /// The broker has answered. Gives what ends the source for good, where that is so.
    pub(super) fn answered(
        &mut self,
        id: u16,
        codes: &[u8],
        now: Instant,
        events: &mut Vec<Event>,
    ) -> Result<Option<String>, Lost> {
        let Some((indices, _)) = self.waiting.take().filter(|_| id == SUBSCRIBE_ID) else {
            return Err(Lost::protocol("a SUBACK for nothing that was asked"));
        };
        if indices.len() != codes.len() {
            return Err(Lost::protocol("a SUBACK with another number of filters than was asked for"));
        }
        let mut failure = None;
        for (&at, &code) in indices.iter().zip(codes) {
            let filter = &mut self.filters[at];
            let again = mem::replace(&mut filter.refused, code >= 0x80);
            let text = filter.text.clone();
            if code >= 0x80 {
                self.again = Some(now + SUBSCRIBE_AGAIN);
                if !again {
                    events.push(Event::Refused { filter: text, why: reason::reason(code) });
                }
            } else if code < self.asking.qos {
                if code == 0 && self.asking.at_least_once {
                    failure = Some(format!(
                        "the broker grants `{text}` QoS 0 only, and messages can be lost; \
                         set `at_least_once = false` where that may be"
                    ));
                }
                events.push(Event::Lowered { filter: text, qos: code });
            } else if again || !self.confirmed {
                events.push(Event::Subscribed { filter: text });
            }
        }
        self.confirmed = true;
        Ok(failure)
    }
}
