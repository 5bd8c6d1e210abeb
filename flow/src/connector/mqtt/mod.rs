//! MQTT 3.1.1 and 5: a source that subscribes and a sink that publishes.
//!
//! The protocol is a session without input and output, one state machine for both versions, over rumqttc's packet
//! codec. A driver task feeds it from TCP or TLS, keeps the connection alive while the pipeline is busy, and
//! connects again when it is lost. The components share the session with their task under a lock; there is no
//! channel between them, and a message is copied once on its way.
//!
//! # Delivery
//! A source acknowledges a message to the broker when the pipeline says it is delivered, and a sink counts a message as
//! delivered when the broker has confirmed it: PUBACK with `qos = 1`, PUBCOMP with `qos = 2`. What was not confirmed
//! when a connection was lost is sent again on the next one, in order. What was not acknowledged the broker sends again,
//! where it keeps the session; `at_least_once` refuses a source that has none to keep.
//!
//! # Keep-alive
//! The connection is probed after `keep_alive` seconds of silence and given up after half as much again. While messages
//! of a source wait for the pipeline, PINGREQ still goes out, but silence is no reason to give up: the answer may stand
//! behind messages that are not read, and rumqttd gives none while its window of unacknowledged messages is full. On
//! Linux the operating system then gives up a connection whose other side confirms nothing for as long.
//!
//! # Reconnecting
//! Pauses double from 100 ms to 30 s with full jitter, and start anew after a connection that lived for 2 s. There are
//! never more than 10 attempts in 10 s. What somebody has to mend, such as a refused log-in, is tried every 15 to 30 s;
//! after another client has taken the client id it is 30 to 60 s; a refused subscription is asked for again every 30 s.
//!
//! # Messages over the limit
//! Of a message larger than `max_packet_size` the beginning is handed out as a fault, for the pipeline to settle as
//! `on_error` says; the rest is read past. MQTT 5 brokers know the limit and hold such messages back.

mod backoff;
mod buffers;
mod config;
mod driver;
mod journal;
mod pace;
mod session;
mod settings;
mod sink;
mod socket;
mod source;
mod tls;
mod topic;
mod tuning;

pub use self::config::{
    MqttRetainHandling, MqttSinkConfig, MqttSourceConfig, MqttTls, MqttTopics, MqttVersion, MqttWill,
};
pub use self::sink::MqttSink;
pub use self::source::MqttSource;

use crate::error::{Error, ErrorKind};

/// A session as a parser, for the fuzzer.
#[cfg(fuzzing)]
#[doc(hidden)]
pub fn fuzz(script: &[u8]) {
    session::fuzz::play(script);
}

/// What every call before `open` comes back with.
fn not_open() -> Error {
    Error::permanent(ErrorKind::Closed, "the connector was not opened; call `open` first")
}
