//! An in-process broker: rumqttd on free ports.

use std::collections::HashMap;
use std::net::SocketAddr;

use rumqttd::{Broker, Config, ConnectionSettings, RouterConfig, ServerSettings};

use super::{free_port, wait_for_port};

/// A broker that lives as long as the process: rumqttd cannot be stopped.
pub(crate) struct Rumqttd {
    v4: u16,
    v5: u16,
}

impl Rumqttd {
    pub(crate) fn start() -> Self {
        let (v4, v5) = (free_port(), free_port());
        let server = |name: &str, port: u16| {
            let settings = ServerSettings {
                name: name.to_owned(),
                listen: SocketAddr::from(([127, 0, 0, 1], port)),
                tls: None,
                next_connection_delay_ms: 1,
                connections: ConnectionSettings {
                    connection_timeout_ms: 10_000,
                    max_payload_size: 1 << 20,
                    max_inflight_count: 100,
                    auth: None,
                    external_auth: None,
                    dynamic_filters: true,
                },
            };
            Some(HashMap::from([(name.to_owned(), settings)]))
        };
        let config = Config {
            router: RouterConfig {
                max_connections: 100,
                max_outgoing_packet_count: 200,
                max_segment_size: 10 << 20,
                max_segment_count: 10,
                ..RouterConfig::default()
            },
            v4: server("v4", v4),
            v5: server("v5", v5),
            ..Config::default()
        };
        std::thread::spawn(move || Broker::new(config).start().expect("rumqttd starts"));
        wait_for_port(v4);
        wait_for_port(v5);
        Self { v4, v5 }
    }

    pub(crate) fn url(&self, version: &str) -> String {
        format!("mqtt://127.0.0.1:{}", if version == "5" { self.v5 } else { self.v4 })
    }
}
