//! Who receives and publishes: `flow`, rumqttc's event loop, and a loop by hand over rumqttc's packet codec.

mod by_hand;
mod rumqttc_loop;
mod through_flow;

use std::str::FromStr;

use crate::input::Work;
use crate::{Failure, process};

/// One of the clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Client {
    /// A pipeline from a file.
    Flow,
    /// Two of rumqttc's clients, a message acknowledged when its publish is confirmed.
    Rumqttc,
    /// One connection, large reads, one write for many packets.
    Hand,
}

impl Client {
    pub(crate) const ALL: [Client; 3] = [Client::Flow, Client::Rumqttc, Client::Hand];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Client::Flow => "flow",
            Client::Rumqttc => "rumqttc",
            Client::Hand => "hand",
        }
    }

    /// How many connections it makes.
    pub(crate) fn connections(self) -> usize {
        match self {
            Client::Flow | Client::Rumqttc => 2,
            Client::Hand => 1,
        }
    }

    /// Receives from `in/#` and publishes to `out/x`, until the process is killed.
    pub(crate) fn run(self, work: Work, qos: u8, port: u16) -> Result<(), Failure> {
        std::thread::spawn(|| {
            process::answer();
            // Nobody asks any more: whoever measures is gone.
            std::process::exit(0);
        });
        match self {
            Client::Flow => through_flow::run(work, qos, port),
            Client::Rumqttc => rumqttc_loop::run(work, qos, port),
            Client::Hand => by_hand::run(work, qos, port),
        }
    }
}

impl FromStr for Client {
    type Err = Failure;

    fn from_str(name: &str) -> Result<Self, Failure> {
        let known = Client::ALL.into_iter().find(|client| client.as_str() == name);
        known.ok_or_else(|| format!("`{name}` is no client").into())
    }
}
