//! What a connection writes into the log.

use tracing::{debug, info, warn};

use super::session::{Event, Lost};
use crate::component::BuildContext;

/// The log of one connection: each change of state once.
pub(crate) struct Journal {
    broker: String,
    context: BuildContext,
    /// Why the last attempt failed, where no connection has followed.
    last: Option<Lost>,
}

impl Journal {
    /// `broker` is where it is, without user and password.
    pub(crate) fn new(context: BuildContext, broker: String) -> Self {
        Self { broker, context, last: None }
    }

    pub(crate) fn component(&self) -> &str {
        self.context.label()
    }

    /// A connection has ended, or did not come to be.
    pub(crate) fn lost(&mut self, lost: &Lost, was_online: bool) {
        let (component, broker, text) = (self.context.label(), &self.broker, lost.to_string());
        let why = self.context.redact(&text);
        if was_online {
            warn!(component, broker, "connection lost: {why}; connecting again");
        } else if self.last.as_ref() == Some(lost) {
            debug!(component, broker, "still not connected: {why}");
        } else {
            warn!(component, broker, "not connected: {why}; trying again");
        }
        self.last = (!was_online).then(|| lost.clone());
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
                Event::Lowered { filter } => {
                    let filter = self.context.redact(&filter);
                    warn!(component, broker, "the broker grants `{filter}` QoS 0 only: messages can be lost");
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
                            "skipped a message larger than `max_packet_size` on `{topic}`"
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
