//! What a pipeline file says about an MQTT source and an MQTT sink.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// The version of the protocol that is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[non_exhaustive]
pub enum MqttVersion {
    /// MQTT 3.1.1.
    #[default]
    #[serde(rename = "3.1.1")]
    V311,
    /// MQTT 5.
    #[serde(rename = "5")]
    V5,
}

/// When the broker sends the retained messages of a subscription (MQTT 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MqttRetainHandling {
    /// Whenever it is subscribed to.
    #[default]
    Always,
    /// Where the session had no such subscription.
    New,
    /// Not at all.
    Never,
}

/// Certificates of a connection to `mqtts://`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MqttTls {
    /// PEM file with the certificates of the authorities to trust. Without it, those of the operating system.
    pub ca: Option<String>,
    /// PEM file with the client's certificate chain. Needs `key`.
    pub cert: Option<String>,
    /// PEM file with the client's private key. Needs `cert`.
    pub key: Option<String>,
}

/// The message that the broker publishes when the connection ends without a good-bye.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MqttWill {
    /// The topic it is published to.
    pub topic: String,
    /// What is published.
    #[serde(default)]
    pub payload: String,
    /// 0 (at most once), 1 (at least once) or 2 (exactly once).
    #[serde(default)]
    #[schemars(range(min = 0, max = 2))]
    pub qos: u8,
    /// Does the broker keep it for later subscribers?
    #[serde(default)]
    pub retain: bool,
}

/// One topic filter or several.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a topic filter or a list of topic filters")]
#[non_exhaustive]
pub enum MqttTopics {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl From<MqttTopics> for Vec<String> {
    fn from(topics: MqttTopics) -> Self {
        match topics {
            MqttTopics::One(topic) => vec![topic],
            MqttTopics::Many(topics) => topics,
        }
    }
}

/// Declares a config with the options of every connection after its own. They stand here once, and not behind
/// `#[serde(flatten)]`, which forgets the key when a value has the wrong type.
macro_rules! config {
    ($(#[$attribute:meta])* $visibility:vis struct $name:ident { $($own:tt)* }) => {
        $(#[$attribute])*
        #[derive(Clone, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        #[non_exhaustive]
        $visibility struct $name {
            /// Where the broker is: `mqtt://host[:1883]`, `mqtts://host[:8883]` for TLS, or `unix:///path` for a socket
            /// of this machine.
            /// `user:password@` before the host is read as `username` and `password`.
            pub url: String,
            $($own)*
            /// The protocol: `"3.1.1"` (default) or `"5"`.
            #[serde(default)]
            pub version: MqttVersion,
            /// The name under which the broker knows this client, unique among its clients.
            /// Without it a random one is made at start-up.
            pub client_id: Option<String>,
            /// Does the broker forget this client's subscriptions and unacknowledged messages when it goes?
            /// Default: true without `client_id`, false with one.
            pub clean_session: Option<bool>,
            /// How long the broker remembers a session after the connection has ended, in seconds (MQTT 5).
            /// Default: for ever, unless `clean_session` is true.
            pub session_expiry: Option<u32>,
            /// The user name to log in with.
            pub username: Option<String>,
            /// The password to log in with.
            pub password: Option<String>,
            /// Seconds of silence after which the connection is probed; it counts as lost after half as much again.
            /// 0 switches that off. Default: 30.
            #[serde(default = "default_keep_alive")]
            pub keep_alive: u16,
            /// The largest packet that is sent or taken, in bytes, with its header and topic. Default: 1 MiB.
            #[serde(default = "default_max_packet_size")]
            pub max_packet_size: u32,
            /// Seconds within which the broker must accept a connection. Default: 10.
            #[serde(default = "default_connect_timeout")]
            pub connect_timeout: u32,
            /// Certificates for `mqtts://`.
            pub tls: Option<MqttTls>,
            /// The message that the broker publishes when the connection ends without a good-bye.
            pub will: Option<MqttWill>,
        }
    };
}

config! {
    /// The options of every connection.
    pub(crate) struct Options {}
}

config! {
    /// The options of [`MqttSource`](crate::connector::mqtt::MqttSource).
    pub struct MqttSourceConfig {
        /// What to subscribe to: a topic filter or a list of them, with wildcards (`sensors/+/reading`, `sensors/#`)
        /// or shared between several clients (`$share/group/sensors/#`).
        pub topic: MqttTopics,
        /// 0 (at most once), 1 (at least once: a message is acknowledged to the broker when it is delivered) or
        /// 2 (exactly once, for as long as this process and the broker's session live). Default: 0.
        #[serde(default)]
        #[schemars(range(min = 0, max = 2))]
        pub qos: u8,
        /// Must nothing be lost? Then start-up refuses what cannot hold to that: QoS 0, no `client_id`, a session that ends
        /// with the connection. Default: true with `qos` 1 or 2.
        pub at_least_once: Option<bool>,
        /// How many messages the broker may have sent that are not acknowledged, 1 to 65535 (MQTT 5). Default: 8192.
        #[schemars(range(min = 1))]
        pub receive_maximum: Option<u16>,
        /// Are messages left out that this client publishes itself (MQTT 5)?
        #[serde(default)]
        pub no_local: bool,
        /// Do messages keep the mark of being retained with which they were published (MQTT 5)?
        #[serde(default)]
        pub retain_as_published: bool,
        /// When retained messages come: `"always"` (with every subscription; default), `"new"` (where the session is a new
        /// one) or `"never"` (MQTT 5).
        #[serde(default)]
        pub retain_handling: MqttRetainHandling,
    }
}

config! {
    /// The options of [`MqttSink`](crate::connector::mqtt::MqttSink).
    pub struct MqttSinkConfig {
        /// What to publish to; `{field}` stands for a field of the record: `alerts/{device_id}`.
        pub topic: String,
        /// 0 (the broker confirms nothing: what is on its way when the connection is lost is lost, or comes twice),
        /// 1 (at least once: a message is delivered when the broker has confirmed it) or
        /// 2 (exactly once, for as long as this process and the broker's session live). Default: 0.
        #[serde(default)]
        #[schemars(range(min = 0, max = 2))]
        pub qos: u8,
        /// Must nothing be lost? Then start-up refuses QoS 0. Default: true with `qos` 1 or 2.
        pub at_least_once: Option<bool>,
        /// Does the broker keep the last message of a topic for later subscribers?
        #[serde(default)]
        pub retain: bool,
        /// How many messages may be unconfirmed at once, up to 65534. Default: 1000.
        #[serde(default = "default_max_in_flight")]
        #[schemars(range(min = 1, max = 65_534))]
        pub max_in_flight: u16,
        /// What the payload is, for its readers, as in `application/json` (MQTT 5).
        pub content_type: Option<String>,
        /// Where answers are expected (MQTT 5).
        pub response_topic: Option<String>,
        /// What answers shall repeat (MQTT 5).
        pub correlation_data: Option<String>,
        /// Seconds after which the broker may drop a message that nobody has read (MQTT 5).
        pub message_expiry: Option<u32>,
        /// Names and values that travel with every message (MQTT 5).
        #[serde(default)]
        pub user_properties: BTreeMap<String, String>,
    }
}

macro_rules! options {
    ($config:expr) => {
        Options {
            url: $config.url,
            version: $config.version,
            client_id: $config.client_id,
            clean_session: $config.clean_session,
            session_expiry: $config.session_expiry,
            username: $config.username,
            password: $config.password,
            keep_alive: $config.keep_alive,
            max_packet_size: $config.max_packet_size,
            connect_timeout: $config.connect_timeout,
            tls: $config.tls,
            will: $config.will,
        }
    };
}

impl From<MqttSourceConfig> for Options {
    fn from(config: MqttSourceConfig) -> Self {
        options!(config)
    }
}

impl From<MqttSinkConfig> for Options {
    fn from(config: MqttSinkConfig) -> Self {
        options!(config)
    }
}

fn default_keep_alive() -> u16 {
    30
}

fn default_max_packet_size() -> u32 {
    1 << 20
}

fn default_connect_timeout() -> u32 {
    10
}

fn default_max_in_flight() -> u16 {
    1000
}
