//! An MQTT broker inside the example's own process.

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use rumqttd::{Broker, Config, ConnectionSettings, RouterConfig, ServerSettings};

/// Where the broker listens; `hot.toml` says the same.
pub(crate) const PORT: u16 = 21883;

/// Starts the broker and waits until it takes connections.
pub(crate) fn start() -> io::Result<()> {
    let address = SocketAddr::from(([127, 0, 0, 1], PORT));
    // The broker itself only logs that the port is taken.
    TcpListener::bind(address)
        .map_err(|error| io::Error::new(error.kind(), format!("port {PORT} cannot be used: {error}")))?;
    let mut broker = Broker::new(config(address));
    std::thread::spawn(move || {
        if let Err(error) = broker.start() {
            eprintln!("the broker has ended: {error}");
        }
    });
    let began = Instant::now();
    while TcpStream::connect(address).is_err() {
        if began.elapsed() > Duration::from_secs(10) {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the broker does not start"));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

fn config(listen: SocketAddr) -> Config {
    let connections = ConnectionSettings {
        connection_timeout_ms: 5_000,
        max_payload_size: 256 * 1024,
        max_inflight_count: 100,
        auth: None,
        external_auth: None,
        dynamic_filters: true,
    };
    let server = ServerSettings {
        name: "quickstart".to_owned(),
        listen,
        tls: None,
        next_connection_delay_ms: 1,
        connections,
    };
    let router = RouterConfig {
        max_connections: 100,
        max_outgoing_packet_count: 200,
        max_segment_size: 1024 * 1024,
        max_segment_count: 10,
        ..RouterConfig::default()
    };
    Config { router, v4: Some(HashMap::from([("v4".to_owned(), server)])), ..Config::default() }
}
