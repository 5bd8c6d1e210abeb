//! What a connection writes into the log.

use std::time::Duration;

use tracing::{debug, info, warn};

use super::session::{Event, Lost, Remedy};
use crate::component::BuildContext;

/// The log of one connection: each change of state once.
pub(crate) struct Journal {
    broker: String,
    context: BuildContext,
    /// Why the last attempt failed, where no connection has followed.
    last: Option<Lost>,
    /// How many connections in a row have ended soon after they were accepted.
    short: u32,
}

/// A connection that did not live for this long has ended soon.
const SHORT: Duration = Duration::from_secs(2);

/// So many short ones in a row are no accident.
const MANY: u32 = 3;

impl Journal {
    /// `broker` is where it is, without user and password.
    pub(crate) fn new(context: BuildContext, broker: String) -> Self {
        Self { broker, context, last: None, short: 0 }
    }

    pub(crate) fn component(&self) -> &str {
        self.context.label()
    }

    /// A connection has ended that had lived for `lived`, or did not come to be. `largest` is the size in bytes of the
    /// largest message that waits for a confirmation.
    pub(crate) fn lost(&mut self, lost: &Lost, lived: Option<Duration>, largest: Option<usize>) {
        let (component, broker, text) = (self.context.label(), &self.broker, lost.to_string());
        let why = self.context.redact(&text);
        self.short = match lived {
            Some(lived) if lived < SHORT => self.short + 1,
            Some(_) => 0,
            None => self.short,
        };
        if lived.is_some() && self.short >= MANY && lost.remedy() == Remedy::Wait {
            // MQTT 3.1.1 brokers close the connection of a taken client id, and after a message that is too large for
            // them, without a word.
            let short = self.short;
            let large = largest.map(|bytes| format!("is a message of {bytes} bytes too large for it, or "));
            let large = large.unwrap_or_default();
            warn!(
                component,
                broker,
                "connection lost soon after it was accepted, {short} times in a row: {why}; \
                 {large}does another client use the same `client_id`? connecting again"
            );
        } else if lived.is_some() {
            warn!(component, broker, "connection lost: {why}; connecting again");
        } else if self.last.as_ref() == Some(lost) {
            debug!(component, broker, "still not connected: {why}");
        } else {
            warn!(component, broker, "not connected: {why}; trying again");
        }
        self.last = lived.is_none().then(|| lost.clone());
    }

    /// Writes down what a session has to say.
    pub(crate) fn report(&mut self, events: Vec<Event>) {
        let (component, broker) = (self.context.label(), &self.broker);
        for event in events {
            match event {
                Event::Connected { resumed } => {
                    info!(component, broker, resumed, "connected");
                    self.last = None;
                }
                Event::Forgotten => {
                    warn!(
                        component,
                        broker,
                        "the broker has lost the session: what it kept for this client is gone with it"
                    );
                }
                Event::Subscribed { filter } => {
                    info!(component, broker, "subscribed to `{}`", self.context.redact(&filter));
                }
                Event::Refused { filter, why } => {
                    let filter = self.context.redact(&filter);
                    warn!(
                        component,
                        broker,
                        "the broker refuses the subscription to `{filter}`: {why}; asking again every 30 s"
                    );
                }
                Event::Shortened { seconds } => {
                    warn!(
                        component,
                        broker,
                        "the broker keeps the session for {seconds} s only: \
                         what comes while this client is away for longer is lost"
                    );
                }
                Event::Lowered { filter, qos } => {
                    let filter = self.context.redact(&filter);
                    let risk = if qos == 0 { "can be lost" } else { "can come twice" };
                    warn!(component, broker, "the broker grants `{filter}` QoS {qos} only: messages {risk}");
                }
                Event::Oversized { topic, bytes, count } => {
                    // One line for the 1st, 2nd, 4th, 8th…: a flood must not fill the disk.
                    if count.is_power_of_two() {
                        let topic = self.context.redact(&topic);
                        warn!(
                            component,
                            broker,
                            bytes,
                            count,
                            "read past a message larger than `max_packet_size` on `{topic}`"
                        );
                    }
                }
                Event::Unasked { topic, count } => {
                    if count.is_power_of_two() {
                        let topic = self.context.redact(&topic);
                        warn!(
                            component,
                            broker,
                            count,
                            "dropped a message on `{topic}`: this `client_id` has a subscription of an earlier use"
                        );
                    }
                }
            }
        }
    }
}
