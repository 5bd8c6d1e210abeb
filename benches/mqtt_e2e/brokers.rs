//! Real brokers: Mosquitto where it is installed, and rumqttd in a process of its own.

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rumqttd::{Config, ConnectionSettings, RouterConfig, ServerSettings};

use crate::{Failure, PATIENCE};

/// A broker as a child process.
pub(crate) struct Broker {
    pub(crate) port: u16,
    child: Child,
    _directory: tempfile::TempDir,
}

impl Broker {
    /// Is Mosquitto installed?
    pub(crate) fn has_mosquitto() -> bool {
        mosquitto().is_some()
    }

    pub(crate) fn mosquitto() -> Result<Self, Failure> {
        let program = mosquitto().ok_or("Mosquitto is not installed")?;
        let (directory, port) = (tempfile::tempdir()?, free_port()?);
        let config = directory.path().join("mosquitto.conf");
        let text = format!(
            "listener {port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 1000\nmax_queued_messages 0\nset_tcp_nodelay true\n"
        );
        std::fs::write(&config, text)?;
        let mut command = Command::new(program);
        command.arg("-c").arg(config).stderr(Stdio::null());
        Self::start("mosquitto", port, command, directory)
    }

    pub(crate) fn rumqttd() -> Result<Self, Failure> {
        let (directory, port) = (tempfile::tempdir()?, free_port()?);
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["rumqttd", &port.to_string()]);
        Self::start("rumqttd", port, command, directory)
    }

    fn start(
        name: &'static str,
        port: u16,
        mut command: Command,
        directory: tempfile::TempDir,
    ) -> Result<Self, Failure> {
        let child = command.stdout(Stdio::null()).spawn()?;
        let broker = Self { port, child, _directory: directory };
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if Instant::now() > deadline {
                return Err(format!("{name} does not listen").into());
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(broker)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn mosquitto() -> Option<&'static str> {
    let places = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/opt/homebrew/sbin/mosquitto"];
    places.into_iter().find(|place| Path::new(place).is_file())
}

/// A port that nobody listens on.
fn free_port() -> Result<u16, Failure> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// Is rumqttd, until the process is killed.
pub(crate) fn be_rumqttd(port: u16) -> Result<(), Failure> {
    let server = ServerSettings {
        name: "v4".to_owned(),
        listen: SocketAddr::from(([127, 0, 0, 1], port)),
        tls: None,
        next_connection_delay_ms: 1,
        connections: ConnectionSettings {
            connection_timeout_ms: 10_000,
            max_payload_size: 1 << 20,
            max_inflight_count: 1_000,
            auth: None,
            external_auth: None,
            dynamic_filters: true,
        },
    };
    let config = Config {
        router: RouterConfig {
            max_connections: 100,
            max_outgoing_packet_count: 1_000,
            max_segment_size: 100 << 20,
            max_segment_count: 10,
            ..RouterConfig::default()
        },
        v4: Some(HashMap::from([("v4".to_owned(), server)])),
        ..Config::default()
    };
    Ok(rumqttd::Broker::new(config).start()?)
}
