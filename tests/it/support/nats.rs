//! A real nats-server in its MQTT mode as a child process. Its JetStream has in a file what it confirms.
//!
//! After a kill, version 2.9.10 tries to send its subscribers messages again that it has deleted long ago, one for each new
//! message ("deleted message" in its log), and where no new ones come it falls silent. So nobody should be subscribed to
//! it while it is killed; a session that is away meanwhile gets everything.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::{Broker, free_port, installed, wait_for_port};

/// A nats-server, which can be killed and started again on its port.
pub(crate) struct Nats {
    directory: TempDir,
    binary: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl Nats {
    /// Starts a broker that takes everybody. Nothing where nats-server is not installed: the test then says so and ends.
    pub(crate) fn start() -> Option<Self> {
        let binary = installed("nats-server")?;
        let directory = tempfile::tempdir().expect("a directory");
        let (port, other) = (free_port(), free_port());
        let config = format!(
            "server_name: ledger\nlisten: \"127.0.0.1:{other}\"\njetstream {{ store_dir: \"{}\" }}\n\
             mqtt {{ listen: \"127.0.0.1:{port}\", max_ack_pending: 1000 }}\n",
            directory.path().display()
        );
        std::fs::write(directory.path().join("nats.conf"), config).expect("the configuration");
        let mut broker = Self { directory, binary, port, child: None };
        broker.run();
        Some(broker)
    }
}

impl Broker for Nats {
    fn port(&self) -> u16 {
        self.port
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    /// Kills it with SIGKILL.
    fn stop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        child.kill().expect("killed");
        child.wait().expect("its end");
    }

    fn run(&mut self) {
        let log = std::fs::File::create(self.directory.path().join("log")).expect("the broker's log");
        let child = Command::new(&self.binary)
            .arg("-c")
            .arg(self.directory.path().join("nats.conf"))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("nats-server starts");
        self.child = Some(child);
        wait_for_port(self.port);
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.stop();
    }
}
